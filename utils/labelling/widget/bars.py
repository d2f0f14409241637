"""Labelled seconds as bars, in HTML."""

from collections.abc import Sequence
from html import escape

import pandas as pd


def draw_bar(share: float, colour: str, value_s: float) -> str:
    """Return HTML of a bar `share` (0 to 1) wide with a number of seconds on it."""
    return (
        '<div class="labeller-bar-box"><div class="labeller-bar-fill" style="'
        f'width:{100 * share:.1f}%;background:{colour}"></div>'
        f"<span>{value_s:.1f} s</span></div>"
    )


def draw_progress(
    summary: pd.DataFrame, classes: Sequence[dict[str, str]], advice: Sequence[str]
) -> str:
    """Return HTML: seconds per class and person as bars, and what to label next.

    Args:
        summary: Columns `label`, `subject`, `seconds`.
        classes: As from `colour_classes`.
        advice: Sentences.

    Returns:
        A table with a row per class and a column per person, and a list.
    """
    seconds = summary.groupby(["label", "subject"])["seconds"].sum().to_dict()
    subjects = sorted(summary["subject"].unique())
    longest = max([*seconds.values(), 1e-9])
    head = "".join(f"<th>{escape(subject)}</th>" for subject in subjects)
    rows = ""
    for named in classes:
        cells = ""
        for subject in subjects:
            value_s = seconds.get((named["name"], subject), 0.0)
            bar = draw_bar(value_s / longest, named["colour"], value_s)
            cells += f"<td>{bar}</td>"
        rows += f"<tr><th>{escape(named['name'])}</th>{cells}</tr>"
    said = "".join(f"<li>{escape(sentence)}</li>" for sentence in advice)
    return (
        f'<table class="labeller-table"><tr><th></th>{head}</tr>{rows}</table>'
        f'<ul class="labeller-advice">{said}</ul>'
    )
