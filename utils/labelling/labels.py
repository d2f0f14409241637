"""Labels are spans of time with a posture: read, look frames up, count, advise.

`unsure` and `none of these` are answers, different from no label at all. A moment
called `unsure` is not trained on and may be asked again; `none of these` is trained as
a class of its own.

Different people may label the same time differently. What most of them say counts; a
tie counts for nobody: that time is not trained on until they agree. Labels nobody
signed count as one person's.
"""

import difflib
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd

from utils.core.files import atomic_path
from utils.core.names import show_name
from utils.core.tables import check_table
from utils.labelling.csv_store import COLUMNS, read_labels_file, split_labels
from utils.labelling.spans import SPECIAL_LABELS, UNSURE, Span

# A span may reach this far beyond its video: tools round, and people read times off by
# eye (of 115 spans of UR Fall 29 end up to 0.47 s after their film).
TOLERANCE_S = 0.5
# Advice aims at this much of each class, and at this much from a further person.
_MIN_CLASS_S = 10.0
_MIN_PERSON_S = 5.0
# A class that is recognised this often in frames of so many people has enough; one that
# gained less than this from twice the people will not gain from more of the same.
_ENOUGH_RECALL, _ENOUGH_PEOPLE, _ENOUGH_GAIN = 0.945, 4, 0.01  # shown as 95 %

# A kind of frame is spoken of with so many errors, this share of them, if it is wrong
# so many times as often as the rest.
_FILM: dict[str, str] = {
    "unsure": "Film with more light and the person larger in the picture: {} in frames "
    "whose keypoints are unsure.",
    "cut": "Keep arms and legs in the picture, and in sight: {} in frames that lack "
    "them.",
    "foreshortened": "Film from the side, too, not along the body: {} in frames that "
    "look along it.",
    "new side": "Film more people from the side: {} in side views that others hardly "
    "show.",
    "border": "End labels where the posture ends: {} next to a label's border.",
}


def find_labels(path: Path | str, folder: Path | str) -> Path:
    """Return the labels file to use: the user's, begun with what the films bring along.

    A folder of films may hold a `labels.csv` of its own, as the demo's does. Where the
    user has no labels yet, theirs begin as a copy of it: what the films bring stays as
    it is, and belongs to whoever made it.

    Args:
        path: The user's labels CSV; it need not exist.
        folder: Folder of the videos.

    Returns:
        `path`; or the file in the folder, where `path` cannot be written.
    """
    path, brought = Path(path), Path(folder) / "labels.csv"
    if path.exists() or not brought.is_file():
        return path
    try:
        with atomic_path(path) as part:
            part.write_bytes(brought.read_bytes())
    except OSError:
        return brought
    return path


def read_labels(
    path: Path, videos: pd.DataFrame, *, skip_unknown: bool = False
) -> pd.DataFrame:
    """Read labels and check them against the videos.

    Args:
        path: Labels CSV: `video,start_s,end_s,label`, perhaps `annotator,labelled_at`.
        videos: Table `videos`.
        skip_unknown: Leave out labels of videos that are not there, instead of
            refusing the file. They stay in the file.

    Returns:
        Table `labels`, in order of the file. Its `attrs["n_skipped"]` counts the
        labels left out and `attrs["skipped"]` names their videos. Empty where there is
        no such file yet.

    Raises:
        ValueError: One sentence with the file and line: see `parse_labels`; also an
            unknown video and times outside a video.
    """
    path = Path(path)
    if not path.exists():  # nobody has labelled yet: that is no fault
        none = check_table(pd.DataFrame(columns=COLUMNS), "labels")
        none.attrs.update(n_skipped=0, skipped=[])
        return none
    labels = read_labels_file(path)
    is_known = labels["video"].isin(videos["video"])
    skipped = sorted(set(labels["video"][~is_known])) if skip_unknown else []
    if skip_unknown:
        labels = labels[is_known]
    check_labels(labels, videos, where=path.name)
    checked = check_table(labels, "labels", where=path.name)
    checked.attrs.update(n_skipped=int((~is_known).sum()), skipped=skipped)
    return checked


def check_labels(
    labels: pd.DataFrame,
    videos: pd.DataFrame,
    *,
    where: str = "labels",
    places: Sequence[str] | None = None,
) -> None:
    """Raise `ValueError` for labels of unknown videos or times outside a video.

    Args:
        labels: Table `labels`; its index names the line in errors.
        videos: Table `videos`.
        where: What to call the labels in errors.
        places: Where each stands, if not in the line that the index names.
    """
    places = places or [f"line {line}" for line in labels.index]
    # Where the clock of a film starts late, nothing is to be seen before that.
    starts_s = videos["starts_at_s"].fillna(0.0) if "starts_at_s" in videos else 0.0
    bounds_s = videos.assign(starts_s=starts_s)[["starts_s", "duration_s"]]
    bounds_s = dict(zip(videos["video"], bounds_s.to_numpy().tolist(), strict=True))
    for place, video, start_s, end_s in zip(
        places, labels["video"], labels["start_s"], labels["end_s"], strict=True
    ):
        if video not in bounds_s:
            raise ValueError(
                f"{where}, {place}: there is no video {video!r}"
                f"{_suggest(video, bounds_s)}. Put the video back, correct the "
                "name, or remove the line."
            )
        first_s, last_s = bounds_s[video]
        is_early = start_s < min(first_s, 0.0) - TOLERANCE_S or end_s <= first_s
        if is_early or end_s > last_s + TOLERANCE_S:
            runs = f"runs from {first_s:.3f} to" if first_s >= 1 else "lasts"
            raise ValueError(
                f"{where}, {place}: {start_s:g} to {end_s:g} s lies outside "
                f"{video}, which {runs} {last_s:.3f} s. Correct the times."
            )


def _suggest(name: str, known: Iterable[str]) -> str:
    """Return a half sentence with the most similar known name, or nothing."""
    similar = difflib.get_close_matches(name, list(known), n=1, cutoff=0.8)
    return f" (did you mean {similar[0]!r}?)" if similar else ""


def resolve_spans(spans: Iterable[Span]) -> list[Span]:
    """Return what counts in one video: spans that do not overlap, in order.

    Args:
        spans: Spans of any annotators.

    Returns:
        Unsigned spans. Where annotators disagree, what most of them say; a tie leaves
        a gap.
    """
    spans = sorted(spans)
    bounds = sorted({t for span in spans for t in span[:2]})
    resolved: list[Span] = []
    active: list[Span] = []
    at = 0
    for start_s, end_s in pairwise(bounds):
        active = [span for span in active if span.end_s > start_s]
        while at < len(spans) and spans[at].start_s <= start_s:
            active.append(spans[at])
            at += 1
        label = _vote(active)
        if label is None:
            continue
        if resolved and resolved[-1].end_s == start_s and resolved[-1].label == label:
            start_s = resolved.pop().start_s
        resolved.append(Span(start_s, end_s, label))
    return resolved


def _vote(spans: Sequence[Span]) -> str | None:
    """Return the label that most annotators give, None for a tie or no label."""
    votes = Counter(label for _, label in {(s.annotator, s.label) for s in spans})
    first, second = [*votes.most_common(2), (None, 0), (None, 0)][:2]
    return first[0] if first[1] > second[1] else None


def label_frames(
    frames: pd.DataFrame, labels: pd.DataFrame, *, keep_unsure: bool = False
) -> pd.Series:
    """Look up the label of each frame.

    A frame takes the label of the span its time stamp falls in: `start_s` <= t <
    `end_s`, both rounded to milliseconds, as times in the file are. So a span that
    shall hold the last frame ends after it, at the end of the video.

    Args:
        frames: Table `frames`, or any with `video` and `time_s`.
        labels: Table `labels`.
        keep_unsure: Return `unsure` as a label instead of NaN.

    Returns:
        Series of text with the index of `frames`; NaN where nothing is labelled,
        where the label is `unsure`, and where annotators disagree without a majority.
    """
    found = np.full(len(frames), np.nan, dtype=object)
    spans = split_labels(labels)
    for video, rows in frames.groupby("video", sort=False).indices.items():
        resolved = resolve_spans(spans.get(video, []))
        if not resolved:
            continue
        starts_ms, ends_ms = (
            _to_ms([getattr(span, name) for span in resolved])
            for name in ("start_s", "end_s")
        )
        times_ms = _to_ms(frames["time_s"].iloc[rows])
        at = np.searchsorted(starts_ms, times_ms, side="right") - 1
        inside = (at >= 0) & (times_ms < ends_ms[at])
        texts = np.array([span.label for span in resolved], dtype=object)
        found[rows[inside]] = texts[at[inside]]
    if not keep_unsure:
        found[found == UNSURE] = np.nan
    return pd.Series(found, index=frames.index, dtype="str", name="label")


def _to_ms(times_s: Iterable[float]) -> np.ndarray:
    """Return times as whole milliseconds, int64."""
    return np.rint(np.asarray(times_s, dtype=float) * 1000).astype(np.int64)


def summarise_labels(labels: pd.DataFrame, videos: pd.DataFrame) -> pd.DataFrame:
    """Sum the labelled seconds of each class and person.

    Args:
        labels: Table `labels`. Where annotators disagree, what most of them say.
        videos: Table `videos`; labels of other videos are left out.

    Returns:
        Table `label`, `subject`, `seconds`, by label and subject; the two special
        answers are rows like others.
    """
    subjects = dict(zip(videos["video"], videos["subject"], strict=True))
    rows = [
        (span.label, subjects[video], span.end_s - span.start_s)
        for video, spans in split_labels(labels).items()
        if video in subjects
        for span in resolve_spans(spans)
    ]
    table = pd.DataFrame(rows, columns=["label", "subject", "seconds"])
    return table.groupby(["label", "subject"], as_index=False)["seconds"].sum()


def advise_labels(
    summary: pd.DataFrame,
    *,
    classes: Sequence[str] = (),
    n_people: int = 2,
    recall: pd.DataFrame | None = None,
) -> list[str]:
    """Say what to label next: the one adviser, before models are fitted and after.

    Each class should be shown by at least two people, since one of them is held out,
    and should have 10 s and half as many seconds as the middle class. Only where that
    is so, and it is known how often a class is recognised, more is said of it; only
    with four people it may be called enough.

    Args:
        summary: As `summarise_labels` returns.
        classes: Classes there should be, labelled or not.
        n_people: How many people are in the videos; with one, no other is asked for.
        recall: By class, how often it is `recognised` in frames of people held out,
            what it is else mostly `taken_for` (NaN if for nothing), and the `gain` in
            that share from `n_half` to `n_most` people (NaN where one number of people
            is all that there is).

    Returns:
        One sentence a class that needs more, such as "Label 12 s more of sitting, from
        another person."; of the others too, where `recall` is given, the one that is
        recognised worst first.
    """
    summary = summary[~summary["label"].isin(SPECIAL_LABELS)]
    seconds = summary.groupby("label", sort=False)["seconds"].sum()
    people = summary[summary["seconds"] > 0].groupby("label")["subject"].nunique()
    wanted = list(dict.fromkeys([*classes, *seconds.index]))
    target_s = max(_MIN_CLASS_S, 0.5 * seconds.median() if len(seconds) else 0.0)
    lacking, known = [], []
    for label in wanted:
        n_shown, labelled_s = people.get(label, 0), seconds.get(label, 0.0)
        missing_s = math.ceil(target_s - labelled_s - 1e-9)
        more, who = ("more ", "") if n_shown else ("", "")
        if n_shown < 2 <= n_people:
            missing_s = max(missing_s, math.ceil(_MIN_PERSON_S))
            who = ", from another person" if n_shown else ", from two people"
        if missing_s > 0:
            lacking.append(f"Label {missing_s} s {more}of {show_name(label)}{who}.")
        elif recall is not None and label in recall.index:
            row, each_s = recall.loc[label], math.ceil(labelled_s / n_shown)
            known.append((row["recognised"], _advise_class(row, each_s, n_shown)))
    known.sort(key=lambda told: told[0])
    return [*lacking, *(text for _, text in known)]


def advise_films(kinds: pd.DataFrame, *, n_rooms: int) -> list[str]:
    """Say what to film next, by the kinds of frames that are told wrong.

    It comes before the seconds that `advise_labels` asks for: what people have shown
    in one room from one side, more seconds of the same do not add to.

    Args:
        kinds: A row a kind: `kind`, `share_of_errors`, `is_hard`, `label` and
            `subject`, as `utils.evaluation.mistakes.count_kinds` gives them.
        n_rooms: How many rooms or cameras are known; 1 if none is named.

    Returns:
        Sentences, the kind with most of the errors first, labels last; none where
        errors are of no kind.
    """
    hard = kinds[kinds["is_hard"]].sort_values("share_of_errors", ascending=False)
    said = {}
    for row in hard.itertuples():
        who = f"{show_name(row.label)}, " if isinstance(row.label, str) else ""
        who += f"{row.subject}, " if isinstance(row.subject, str) else ""
        most = f" (mostly {who.removesuffix(', ')})" if who else ""
        errors = f"{row.share_of_errors:.0%} of the errors{most} are"
        said[row.kind] = _FILM[row.kind].format(errors)
    of_labels = [said.pop("border")] if "border" in said else []
    advice = list(said.values())
    if advice and n_rooms < 2:
        advice.append(
            "Film in several rooms and from several sides, before more seconds of the "
            "same; name the rooms in the column camera of videos.csv."
        )
    return [*advice, *of_labels]


def _advise_class(row: pd.Series, each_s: int, n_people: int) -> str:
    """Say what to label of a class that has enough to be scored.

    Args:
        row: A row of `recall`, named by the class.
        each_s: Seconds that a person usually has of it.
        n_people: Who show it.
    """
    name, share = show_name(row.name), f"{row['recognised']:.0%} of its frames"
    more = f"Label {each_s} s more of {name}, from another person"
    if row["recognised"] >= _ENOUGH_RECALL and n_people >= _ENOUGH_PEOPLE:
        return f"{name} has enough: {share} are recognised."
    if row["recognised"] >= _ENOUGH_RECALL:
        return (
            f"{more}: {share} are recognised, but {n_people} people are too few to "
            "rely on that."
        )
    often = f"{share} are recognised"
    if isinstance(row["taken_for"], str):
        often += f", else mostly taken for {show_name(row['taken_for'])}"
    if np.isnan(row["gain"]):
        return f"{more}: {often}."
    from_to = f"from {row['n_half']:.0f} to {row['n_most']:.0f} people"
    if row["gain"] < _ENOUGH_GAIN:
        return (
            f"More of the same may not help {name}: {often}, and {from_to} it gained "
            "nothing. Look at these mistakes, then film it from other sides and in "
            "other rooms."
        )
    return f"{more}: {often}, and {from_to} it gained {_count_points(row['gain'])}."


def _count_points(gain: float) -> str:
    """Write a gain in share as points."""
    points = round(100 * gain)
    return f"{points} {'point' if points == 1 else 'points'}"
