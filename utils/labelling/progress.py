"""How much is labelled, what to label next, and whether it is enough to split."""

import math
from collections.abc import Sequence

import pandas as pd

from utils.labelling.csv_store import split_labels
from utils.labelling.labels import resolve_spans
from utils.labelling.spans import SPECIAL_LABELS, UNSURE

# Advice aims at this much of each class, and at this much from a further person.
_MIN_CLASS_S = 10.0
_MIN_PERSON_S = 5.0


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
    summary: pd.DataFrame, *, classes: Sequence[str] = (), n_people: int = 2
) -> list[str]:
    """Say what to label next so that people can be held out and no class is rare.

    Each class should be shown by at least two people, since one of them is held out,
    and should have 10 s and half as many seconds as the middle class.

    Args:
        summary: As `summarise_labels` returns.
        classes: Classes there should be, labelled or not.
        n_people: How many people are in the videos; with one, no other is asked for.

    Returns:
        One sentence a class that needs more, such as "Label 12 s more of sitting, from
        another person."
    """
    summary = summary[~summary["label"].isin(SPECIAL_LABELS)]
    seconds = summary.groupby("label", sort=False)["seconds"].sum()
    people = summary[summary["seconds"] > 0].groupby("label")["subject"].nunique()
    wanted = list(dict.fromkeys([*classes, *seconds.index]))
    target_s = max(_MIN_CLASS_S, 0.5 * seconds.median() if len(seconds) else 0.0)
    advice = []
    for label in wanted:
        n_shown, labelled_s = people.get(label, 0), seconds.get(label, 0.0)
        missing_s = math.ceil(target_s - labelled_s - 1e-9)
        more, who = ("more ", "") if n_shown else ("", "")
        if n_shown < 2 <= n_people:
            missing_s = max(missing_s, math.ceil(_MIN_PERSON_S))
            who = ", from another person" if n_shown else ", from two people"
        if missing_s > 0:
            advice.append(f"Label {missing_s} s {more}of {label}{who}.")
    return advice


def check_classes(samples: pd.DataFrame) -> None:
    """Raise unless there are two classes and each is shown by two people.

    Called before the split: with people held out, a class that one person alone shows
    could be learnt or tested, not both.

    Args:
        samples: Table `samples`, or any with `subject` and `label`; rows whose label
            is missing or `unsure` do not count.

    Raises:
        ValueError: One sentence that says what to label.
    """
    used = samples[samples["label"].notna() & (samples["label"] != UNSURE)]
    shown = used.groupby("label")["subject"].unique()
    if not len(shown):
        raise ValueError("Expected labelled frames, got none. Label some first.")
    if len(shown) == 1:
        raise ValueError(
            f"Expected two classes or more, got only {shown.index[0]!r}. Label another."
        )
    if len(used["subject"].unique()) == 1:
        raise ValueError(
            f"Only {used['subject'].iloc[0]!r} is labelled, so no person can be held "
            "out. Label another person, or say who is in each video in videos.csv."
        )
    alone = [f"{label!r} ({who[0]})" for label, who in shown.items() if len(who) == 1]
    if alone:
        raise ValueError(
            f"Only one person shows {', '.join(alone)}. Label another person doing it, "
            "or leave it out of CLASSES."
        )
