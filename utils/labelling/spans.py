"""Arithmetic of labelled spans of time: cut, put, find gaps, sum.

A layer is one annotator's labels of one video: a list of `Span` in order of time that
do not overlap. Functions return new lists. Times are whole milliseconds, in seconds.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence, Set
from operator import attrgetter
from typing import NamedTuple

UNSURE = "unsure"
NONE_OF_THESE = "none of these"
SPECIAL_LABELS = (UNSURE, NONE_OF_THESE)
# No time of any film lies further from 0: cameras' clocks count from 1970 or 1904, and
# `utils.video.timing` takes no clock beyond the year 2286.
MAX_TIME_S = 1e11

_START, _END = attrgetter("start_s"), attrgetter("end_s")


class Span(NamedTuple):
    """A span of time with one label: `start_s` <= t < `end_s`.

    Attributes:
        start_s: First moment.
        end_s: First moment that is not in it any more.
        label: The class, or one of the two special answers.
        annotator: Who said so; "" if nobody signed.
        labelled_at: When, ISO 8601 in UTC; "" if not known.
    """

    start_s: float
    end_s: float
    label: str
    annotator: str = ""
    labelled_at: str = ""


def round_time(time_s: float) -> float:
    """Round seconds to whole milliseconds, the precision of labels on disk."""
    return round(float(time_s), 3) + 0.0  # + 0.0 turns -0.0 into 0.0


def cut_spans(layer: Sequence[Span], start_s: float, end_s: float) -> list[Span]:
    """Remove a span of time; spans that reach beyond it keep their rest.

    Args:
        layer: Spans in order, not overlapping.
        start_s: Start of what is removed.
        end_s: Its end.

    Returns:
        New layer.

    Example:
        >>> [span[:2] for span in cut_spans([Span(0, 9, "sit")], 3, 5)]
        [(0, 3), (5, 9)]
    """
    rest = list(layer)
    cut_in_place(rest, start_s, end_s)
    return rest


def cut_in_place(layer: list[Span], start_s: float, end_s: float) -> None:
    """Do as `cut_spans` in the layer itself, so that a long one costs no copy."""
    _replace(layer, start_s, end_s, None)


def put_span(layer: Sequence[Span], span: Span) -> list[Span]:
    """Paint a span over a layer: what it covers is replaced.

    Neighbours that touch it with the same label become one span with it, which keeps
    the later `labelled_at`.

    Args:
        layer: Spans in order, not overlapping.
        span: What is painted.

    Returns:
        New layer.
    """
    painted = list(layer)
    put_in_place(painted, span)
    return painted


def put_in_place(layer: list[Span], span: Span) -> None:
    """Do as `put_span` in the layer itself, so that a long one costs no copy."""
    _replace(layer, span[0], span[1], span)


def _replace(layer: list[Span], start_s: float, end_s: float, new: Span | None) -> None:
    """Put a span, or nothing, where something is, in the layer itself.

    Logs grow to 200,000 lines, each of which passes here: no copies, few calls.
    """
    # Spans are tuples that begin with their start, and tuples compare fast. Those that
    # only touch are among what is replaced: they may become one with the new.
    first = bisect_left(layer, (start_s,))
    if first and layer[first - 1][1] >= start_s:
        first -= 1
    after, n_spans = first, len(layer)
    while after < n_spans and layer[after][0] <= end_s:
        after += 1
    parts = [] if new is None else [new]
    if first < after:
        begin, end = layer[first], layer[after - 1]
        if begin[0] < start_s:
            if new and begin[2] == new[2] and begin[3] == new[3]:
                new = parts[0] = _join(begin, new)
            else:
                parts.insert(0, Span(begin[0], start_s, *begin[2:]))
        if end[1] > end_s:
            if new and end[2] == new[2] and end[3] == new[3]:
                parts[-1] = _join(new, end)
            else:
                parts.append(Span(end_s, *end[1:]))
    layer[first:after] = parts


def _joins(earlier: Span, later: Span) -> bool:
    """Return whether two spans touch and say the same, by the same person."""
    return earlier[1] == later[0] and earlier[2:4] == later[2:4]


def _join(earlier: Span, later: Span) -> Span:
    """Make one span of two that touch."""
    return Span(earlier[0], later[1], *earlier[2:4], max(earlier[4], later[4]))


def rename_spans(layer: Sequence[Span], old: str, new: str) -> list[Span]:
    """Give every span of one label another; touching equals become one."""
    renamed: list[Span] = []
    for span in layer:
        changed = span._replace(label=new) if span.label == old else span
        if changed.label == new and renamed and _joins(renamed[-1], changed):
            renamed[-1] = _join(renamed[-1], changed)
        else:
            renamed.append(changed)
    return renamed


def find_gaps(
    spans: Iterable[Span], start_s: float, end_s: float
) -> list[tuple[float, float]]:
    """Return the spans of `start_s`..`end_s` that no span covers, in order.

    Args:
        spans: Spans in order of their start; they may overlap.
        start_s: Where to start looking.
        end_s: Where to stop.
    """
    gaps, reached_s = [], start_s
    for span in spans:
        if span.start_s >= end_s:
            break
        if span.start_s > reached_s:
            gaps.append((reached_s, span.start_s))
        reached_s = max(reached_s, span.end_s)
    if reached_s < end_s:
        gaps.append((reached_s, end_s))
    return gaps


def find_span(layer: Sequence[Span], time_s: float) -> Span | None:
    """Return the span of a layer that holds a moment, None if there is none."""
    at = bisect_right(layer, time_s, key=_START) - 1
    return layer[at] if at >= 0 and time_s < layer[at].end_s else None


def sum_overlap(
    layer: Sequence[Span], start_s: float, end_s: float, *, label: str | None = None
) -> float:
    """Return how many seconds of a span are labelled, with one label if given."""
    first = bisect_right(layer, start_s, key=_END)
    after = bisect_left(layer, end_s, lo=first, key=_START)
    return sum(
        min(span.end_s, end_s) - max(span.start_s, start_s)
        for span in layer[first:after]
        if label is None or span.label == label
    )


def merge_layers(layers: Iterable[Sequence[Span]]) -> list[Span]:
    """Return the spans of several layers in one list, in order of time."""
    return sorted((span for layer in layers for span in layer), key=_sort_key)


def _sort_key(span: Span) -> tuple[float, float, str, str]:
    """Order spans by time, then by annotator and label, so that files are stable."""
    return span.start_s, span.end_s, span.annotator, span.label


def measure_difference(one: Set[Span], other: Set[Span]) -> float:
    """Return for how many seconds two sets of labels differ, summed over annotators."""
    total_s = 0.0
    for by in {span.annotator for span in one ^ other}:
        a = sorted(span for span in one - other if span.annotator == by)
        b = sorted(span for span in other - one if span.annotator == by)
        total_s += sum(s.end_s - s.start_s for s in (*a, *b))
        i = j = 0
        while i < len(a) and j < len(b):
            both_s = min(a[i].end_s, b[j].end_s) - max(a[i].start_s, b[j].start_s)
            # Time that both label differently counts once, the same not at all.
            total_s -= max(both_s, 0.0) * (2 if a[i].label == b[j].label else 1)
            i, j = (i + 1, j) if a[i].end_s <= b[j].end_s else (i, j + 1)
    return total_s


def merge_edits(
    base: Iterable[Span], theirs: Iterable[Span], ours: Iterable[Span]
) -> tuple[list[Span], bool]:
    """Do to our labels what another program did to those it began with.

    Args:
        base: What the other program began with.
        theirs: What it made of that.
        ours: What we made of it meanwhile.

    Returns:
        Ours with their changes; whether both labelled the same time differently. There
        theirs is kept.
    """
    base, theirs, ours = set(base), set(theirs), sorted(ours)
    layers: dict[str, list[Span]] = {}
    for span in ours:
        layers.setdefault(span.annotator, []).append(span)
    for gone in base - theirs:
        layer = layers.get(gone.annotator, [])
        for span in find_overlapping(layer, gone):
            if span.label == gone.label:
                at = layer.index(span)
                layer[at : at + 1] = cut_spans([span], gone.start_s, gone.end_s)
    is_conflict = False
    for new in sorted(theirs - base):
        layer = layers.setdefault(new.annotator, [])
        is_conflict |= any(
            span.label != new.label and span not in base
            for span in find_overlapping(layer, new)
        )
        put_in_place(layer, new)
    return merge_layers(layers.values()), is_conflict


def find_overlapping(layer: Sequence[Span], span: Span) -> list[Span]:
    """Return the spans of a layer that share time with another span."""
    first = bisect_right(layer, span.start_s, key=_END)
    after = bisect_left(layer, span.end_s, lo=first, key=_START)
    return list(layer[first:after])
