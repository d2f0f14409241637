"""Bars: the ladder of splits, the room test, which numbers matter.

Colours are those of `plots`; bars are hatched too, so that grey prints and
colour-blind readers can tell them apart. Each chart returns its Axes.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from utils.core.colours import colour_model
from utils.plots.curves import NAMES, name_model

_HATCHES = ("", "//", "..", "xx", "\\\\", "++")
_FLOOR = {"color": colour_model("majority"), "ls": ":", "lw": 1.4}


def describe_counts(table: pd.DataFrame) -> str:
    """Return how many people, frames, folds and seeds a table rests on, in words."""
    parts = []
    for column, one, many in (
        ("n_people", "person", "people"),
        ("n_frames", "frame", "frames"),
        ("n_folds", "fold", "folds"),
        ("n_seeds", "seed", "seeds"),
    ):
        if column in table:
            low, high = int(table[column].min()), int(table[column].max())
            number = f"{high:,}" if low == high else f"{low:,} to {high:,}"
            parts.append(f"{number} {one if high == 1 else many}")
    return ", ".join(parts)


def _plot_bars(
    ax: Axes, table: pd.DataFrame, *, group: str, names: dict[str, str]
) -> Axes:
    """Plot accuracy as bars, a group of models each, values written on them."""
    groups, models = table[group].unique(), table["model"].unique()
    width = 0.8 / len(models)
    for i, model in enumerate(models):
        rows = table[table["model"] == model].set_index(group).reindex(groups)
        x = np.arange(len(groups)) + (i - (len(models) - 1) / 2) * width
        ax.bar(
            x,
            rows["accuracy"],
            width * 0.94,
            yerr=rows["accuracy_sd"].fillna(0),
            color=colour_model(model),
            hatch=_HATCHES[i % len(_HATCHES)],
            edgecolor="white",
            error_kw={"ecolor": "0.25", "elinewidth": 1, "capsize": 2},
            label=name_model(model),
        )
        for place, value in zip(x, rows["accuracy"], strict=True):
            text = "" if np.isnan(value) else f"{value:.2f}"
            box = {"facecolor": "white", "alpha": 0.85, "pad": 1, "lw": 0}
            ax.text(place, 0.03, text, ha="center", va="bottom", size=8, bbox=box)
    ax.set_xticks(range(len(groups)), [names.get(g, g) for g in groups])
    ax.set(ylim=(0, 1.05), ylabel="accuracy")
    ax.grid(axis="y", alpha=0.25)
    return ax


def plot_ladder(
    table: pd.DataFrame,
    *,
    names: dict[str, str],
    floor: float = np.nan,
    ax: Axes | None = None,
) -> Axes:
    """Plot accuracy on every rung of the ladder, with what leaks under each.

    Args:
        table: From `ladder.run_ladder`.
        names: Rung to its name (`ladder.RUNGS`).
        floor: Share of the commonest class; NaN for none.
        ax: Axes to draw into; new ones if None.

    Returns:
        The Axes.
    """
    ax = ax or plt.subplots(figsize=(11, 5.4), layout="constrained")[1]
    _plot_bars(ax, table, group="rung", names={})
    leaks = table.drop_duplicates("rung").set_index("rung")
    labels = [_describe_leaks(names.get(r, r), row) for r, row in leaks.iterrows()]
    ax.set_xticks(range(len(leaks)), labels, fontsize=8)
    _draw_floor(ax, floor)
    ax.set_xlabel("validation frames that have in training …", fontsize=9)
    ax.set_title(
        "The same models, held out ever more strictly\n"
        f"{describe_counts(table)}; bars: mean, lines: spread over folds",
        fontsize=10,
    )
    _put_legend_above(ax)
    return ax


def _describe_leaks(name: str, row: pd.Series) -> str:
    """Write a rung's name and its leaks, one a line."""
    lines = [
        f"{row[column]:.0%} {what}"
        for column, what in (
            ("leak_near", "a neighbour within 1 s"),
            ("leak_twin", "a near-duplicate"),
            ("leak_video", "the same video"),
            ("leak_person", "the same person"),
        )
        if pd.notna(row[column])
    ]
    return "\n".join([name.upper(), *lines])


def _draw_floor(ax: Axes, floor: float) -> None:
    """Draw the majority class's accuracy, if known."""
    if np.isfinite(floor):
        ax.axhline(floor, label=NAMES["majority"], **_FLOOR)


def _put_legend_above(ax: Axes) -> None:
    """Put the legend into a row above the Axes, where it hides no bar."""
    n_columns = max(1, len(ax.get_legend_handles_labels()[1]))
    ax.legend(fontsize=8, ncols=n_columns, loc="lower left", bbox_to_anchor=(0, -0.42))


def plot_room(
    table: pd.DataFrame, *, names: dict[str, str], ax: Axes | None = None
) -> Axes:
    """Plot accuracy as filmed, without the person, and with the person elsewhere.

    Args:
        table: From `room_test.run_room_test`.
        names: Variant to its name (`room_pictures.VARIANTS`).
        ax: Axes to draw into; new ones if None.

    Returns:
        The Axes.
    """
    ax = ax or plt.subplots(figsize=(8, 4.6), layout="constrained")[1]
    _plot_bars(ax, table, group="variant", names=names)
    _draw_floor(ax, float(table["floor"].iloc[0]))
    ax.set_title(
        "Room test: taught with whole pictures of other people\n"
        f"{describe_counts(table)}; lines: spread over people",
        fontsize=10,
    )
    ax.legend(fontsize=8, ncols=3, loc="lower left", bbox_to_anchor=(0, -0.24))
    return ax


def plot_ablation(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Plot the accuracy of every setting, by question, the default as a line.

    Args:
        table: From `ablation.run_ablation`.
        ax: Axes to draw into; new ones if None.

    Returns:
        The Axes.
    """
    height = 1.4 + 0.3 * len(table)
    ax = ax or plt.subplots(figsize=(8, height), layout="constrained")[1]
    questions = list(table["question"].unique())
    for place, row in enumerate(table.itertuples()):
        number = questions.index(row.question)
        ax.barh(
            place,
            row.accuracy,
            xerr=np.nan_to_num(row.accuracy_sd),
            color=plt.get_cmap("cividis")(0.25 + 0.5 * number / max(1, len(questions))),
            hatch=_HATCHES[number % len(_HATCHES)],
            edgecolor="white",
            error_kw={"ecolor": "0.25", "elinewidth": 1, "capsize": 2},
        )
        text = f"{row.accuracy:.3f} ({row.difference:+.1f})"
        box = {"facecolor": "white", "alpha": 0.85, "pad": 1, "lw": 0}
        ax.text(0.02, place, text, va="center", size=8, bbox=box)
    ax.axvline(table["accuracy"].iloc[0], color="0.25", ls="--", lw=1)
    names = [f"{r.setting}  ({r.question})" for r in table.itertuples()]
    ax.set_yticks(range(len(table)), names, fontsize=8)
    ax.invert_yaxis()
    ax.set(xlim=(0, 1.05), xlabel="accuracy on people held out")
    ax.set_title(
        f"Which numbers matter (points against {table['setting'].iloc[0]})\n"
        f"{describe_counts(table)}; lines: spread over people",
        fontsize=10,
    )
    return ax
