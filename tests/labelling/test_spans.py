"""Arithmetic of spans, against the same done moment by moment."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from utils.labelling.spans import (
    Span,
    cut_spans,
    find_gaps,
    find_span,
    put_span,
    rename_spans,
    round_time,
    sum_overlap,
)

END = 12
stretches = st.tuples(st.integers(0, END - 1), st.integers(1, END)).filter(
    lambda pair: pair[0] < pair[1]
)
strokes = st.lists(st.tuples(stretches, st.sampled_from("ab ")), max_size=12)


def paint(strokes: list) -> tuple[list[Span], list[str]]:
    """Paint and erase on a layer, and on a row of moments; return both."""
    layer: list[Span] = []
    moments = [" "] * END
    for (start, end), label in strokes:
        if label == " ":
            layer = cut_spans(layer, start, end)
        else:
            layer = put_span(layer, Span(start, end, label))
        moments[start:end] = label * (end - start)
    return layer, moments


@given(strokes)
def test_painting_and_erasing_replace_what_is_under_them(strokes: list) -> None:
    layer, moments = paint(strokes)
    for moment, label in enumerate(moments):
        span = find_span(layer, moment)
        assert (span.label if span else " ") == label
    for earlier, later in pairwise(layer):
        assert earlier.end_s <= later.start_s
        assert earlier.end_s < later.start_s or earlier.label != later.label


@given(strokes, stretches)
def test_gaps_and_sums_count_every_moment_once(strokes: list, part: tuple) -> None:
    layer, moments = paint(strokes)
    free = [m for start, end in find_gaps(layer, *part) for m in range(start, end)]
    assert free == [m for m in range(*part) if moments[m] == " "]
    assert sum_overlap(layer, *part) == part[1] - part[0] - len(free)
    n_a = moments[slice(*part)].count("a")
    assert sum_overlap(layer, *part, label="a") == n_a


@given(strokes)
def test_renaming_joins_what_now_says_the_same(strokes: list) -> None:
    layer, moments = paint(strokes)
    renamed = rename_spans(layer, "a", "b")
    assert (
        renamed
        == paint([((m, m + 1), "b") for m in range(END) if moments[m] != " "])[0]
    )


def test_joined_spans_keep_the_later_time() -> None:
    layer = [Span(0, 1, "sit", "anna", "2024")]
    assert put_span(layer, Span(1, 2, "sit", "anna", "2025")) == [
        Span(0, 2, "sit", "anna", "2025")
    ]
    assert len(put_span(layer, Span(1, 2, "sit", "bob", "2025"))) == 2


def test_times_are_rounded_to_milliseconds() -> None:
    assert round_time(0.30000000000000004) == 0.3
    assert str(round_time(-0.0001)) == "0.0"
