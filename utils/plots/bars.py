"""Bars: split strategies, the background test, which numbers matter, labelled time."""

import textwrap
from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from utils.core.colours import ClassLook, colour_model, ink_on
from utils.core.markup import escape_plot
from utils.core.names import show_name
from utils.plots.style import (
    ACCURACY,
    ERROR_BARS,
    HATCHES,
    ON_BARS,
    SMALL,
    TINY,
    TITLE,
    count_people,
    describe_counts,
    draw_floor,
    make_axes,
    name_model,
    put_legend_below,
)

_LETTER = 0.0065  # of a strip's length, for a letter of a posture written on it
_MOST_BARS = 20  # in a row, with room for a number on each


def _plot_models(ax: Axes, table: pd.DataFrame, *, group: str) -> list[str]:
    """Plot accuracy as bars, those of a group side by side; return the groups."""
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
            hatch=HATCHES[i % len(HATCHES)],
            edgecolor="white",
            error_kw=ERROR_BARS,
            label=name_model(model),
        )
        # side by side, numbers of narrow bars would run into each other
        turned = 90 if len(groups) * len(models) > _MOST_BARS else 0
        style = {"ha": "center", "va": "bottom", "size": SMALL, "bbox": ON_BARS}
        for place, value in zip(x, rows["accuracy"], strict=True):
            text = "" if np.isnan(value) else f"{value:.2f}"
            ax.text(place, 0.03, text, rotation=turned, **style)
    ax.set(ylim=ACCURACY, ylabel="accuracy")
    ax.grid(axis="y", alpha=0.25)
    return list(groups)


def plot_leakage(
    table: pd.DataFrame,
    *,
    names: Mapping[str, str],
    floor: float = np.nan,
    ax: Axes | None = None,
) -> Axes:
    """Plot accuracy under every split strategy, with what leaks below each.

    Args:
        table: From `questions.leakage.score_strategies`.
        names: Strategy to its name (`splits.STRATEGIES`).
        floor: Share of the commonest class; NaN for none.
        ax: Axes to draw into; new ones if None.

    Returns:
        The Axes.
    """
    ax = make_axes(ax, (11, 5.4))
    strategies = _plot_models(ax, table, group="strategy")
    leaks = table.drop_duplicates("strategy").set_index("strategy")
    labels = [_describe_leaks(names.get(s, s), leaks.loc[s]) for s in strategies]
    ax.set_xticks(range(len(labels)), labels, fontsize=SMALL)
    draw_floor(ax, floor)
    ax.set_xlabel("validation frames that have in training …", fontsize=9)
    ax.set_title(
        "The same models, held out ever more strictly\n"
        f"{describe_counts(table)}; bars: mean, lines: spread over folds",
        fontsize=TITLE,
    )
    put_legend_below(ax)
    return ax


def _describe_leaks(name: str, row: pd.Series) -> str:
    """Write a strategy's name and its leaks, one a line."""
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
    # long names of neighbours would run into each other
    return "\n".join([textwrap.fill(name.upper(), 26), *lines])


def plot_rooms(
    by_room: pd.DataFrame, *, floor: float = np.nan, ax: Axes | None = None
) -> Axes:
    """Plot accuracy in each room that was held out, and over all of them.

    Args:
        by_room: From `questions.rooms.score_rooms`.
        floor: Share of the commonest class, mean of the rooms; NaN for none.
        ax: Axes to draw into; new ones if None.

    Returns:
        The Axes.
    """
    ax = make_axes(ax, (11, 4.8))
    groups = by_room.groupby("model", sort=False)["accuracy"]
    means = groups.agg(accuracy="mean", accuracy_sd="std").reset_index()
    table = pd.concat(
        [by_room.assign(accuracy_sd=0.0), means.assign(camera="all rooms")],
        ignore_index=True,
    )
    rooms = _plot_models(ax, table, group="camera")
    first = by_room.drop_duplicates("camera").set_index("camera")
    counts = describe_places(first)
    ax.set_xticks(range(len(rooms)), [counts.get(r, r) for r in rooms], fontsize=SMALL)
    draw_floor(ax, floor)
    ax.set_title(
        "In a room never seen, on people never seen\n"
        "each person of a room counts the same; line over all rooms: spread over them",
        fontsize=TITLE,
    )
    put_legend_below(ax)
    return ax


def describe_places(rooms: pd.DataFrame) -> dict[str, str]:
    """Write each room's name, and how many people were filmed in it."""
    return {
        name: f"{escape_plot(textwrap.fill(str(name), 22))}\n{count_people(n)}"
        for name, n in rooms["n_people"].items()
    }


def plot_background(
    table: pd.DataFrame, *, names: Mapping[str, str], ax: Axes | None = None
) -> Axes:
    """Plot accuracy as filmed, without the person, and with the person elsewhere.

    Args:
        table: From `questions.background.score_variants`.
        names: Variant to its name (`background_images.VARIANTS`).
        ax: Axes to draw into; new ones if None.

    Returns:
        The Axes.
    """
    ax = make_axes(ax, (8, 4.6))
    variants = _plot_models(ax, table, group="variant")
    ax.set_xticks(range(len(variants)), [names.get(v, v) for v in variants])
    draw_floor(ax, float(table["floor"].iloc[0]))
    ax.set_title(
        "Background test: fitted on whole pictures as filmed, scored held out\n"
        f"{describe_counts(table)}{_describe_lines(table)}",
        fontsize=TITLE,
    )
    put_legend_below(ax)
    return ax


def plot_ablation(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Plot the accuracy of every setting, by question, the default as a line.

    Args:
        table: From `questions.ablation`.
        ax: Axes to draw into; new ones if None.

    Returns:
        The Axes.
    """
    ax = make_axes(ax, (8, 1.4 + 0.3 * len(table)))
    questions = list(table["question"].unique())
    for place, row in enumerate(table.itertuples()):
        number = questions.index(row.question)
        ax.barh(
            place,
            row.accuracy,
            xerr=np.nan_to_num(row.accuracy_sd),
            color=plt.get_cmap("cividis")(0.25 + 0.5 * number / max(1, len(questions))),
            hatch=HATCHES[number % len(HATCHES)],
            edgecolor="white",
            error_kw=ERROR_BARS,
        )
        text = f"{row.accuracy:.3f} ({row.difference:+.1f})"
        ax.text(0.02, place, text, va="center", size=SMALL, bbox=ON_BARS)
    ax.axvline(table["accuracy"].iloc[0], color="0.25", ls="--", lw=1)
    names = [f"{r.setting}  ({r.question})" for r in table.itertuples()]
    ax.set_yticks(range(len(table)), names, fontsize=SMALL)
    ax.invert_yaxis()
    ax.set(xlim=ACCURACY, xlabel="accuracy, held out")
    ax.set_title(
        f"Which numbers matter (points against {table['setting'].iloc[0]})\n"
        f"{describe_counts(table)}{_describe_lines(table)}",
        fontsize=TITLE,
    )
    return ax


def _describe_lines(table: pd.DataFrame) -> str:
    """Say what error bars show; where there is one person there are none."""
    return "; lines: spread over people" if table["n_people"].max() > 1 else ""


def plot_label_seconds(labelled: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Plot the labelled seconds of each class, one part of the bar a person.

    Args:
        labelled: Table `label`, `subject`, `seconds`.
        ax: Axes to draw into; new ones if None.

    Returns:
        The Axes.
    """
    wide = labelled.pivot_table(
        "seconds", "label", "subject", aggfunc="sum", fill_value=0.0
    )
    ax = make_axes(ax, (8, 1.0 + 0.35 * max(1, len(wide))))
    left = np.zeros(len(wide))
    postures = [escape_plot(show_name(label)) for label in wide.index]
    shades = plt.get_cmap("cividis")(np.linspace(0.15, 0.95, wide.shape[1]))
    for shade, (subject, seconds) in zip(shades, wide.items(), strict=True):
        who = escape_plot(subject)
        ax.barh(postures, seconds, left=left, color=shade, ec="w", label=who)
        left += seconds.to_numpy()
    ax.set_xlabel("labelled seconds")
    ax.set_title(f"{labelled['seconds'].sum():,.0f} s labelled, one shade a person")
    if 0 < wide.shape[1] <= 12:  # more would be taller than the chart
        ax.legend(fontsize=TINY, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return ax


def plot_time_strips(
    strips: Mapping[str, pd.DataFrame],
    *,
    looks: Sequence[ClassLook],
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Plot postures over time, one row a strip, in the colours of the labeller.

    Args:
        strips: Row name to rows with `start_s`, `end_s`, `label`.
        looks: How each class looks, as from `colour_classes`.
        title: What it shows.
        ax: Axes to draw into; new ones if None.

    Returns:
        The Axes.
    """
    ax = make_axes(ax, (11, 1.1 + 0.45 * len(strips)))
    colours = {look["name"]: look["colour"] for look in looks}
    hatches = {look["name"]: HATCHES[look["pattern"] % len(HATCHES)] for look in looks}
    rows = [
        (row, span.start_s, span.end_s - span.start_s, span.label)
        for row, spans in enumerate(strips.values())
        for span in spans.itertuples()
    ]
    whole_s = max((start + length for _, start, length, _ in rows), default=1.0)
    named, bars = set(), {}
    for row, start, length, label in rows:
        face, text = colours.get(label, "#dddddd"), escape_plot(show_name(label))
        style = {"color": face, "ec": "white", "hatch": hatches.get(label, "")}
        bars[text] = ax.barh(row, length, left=start, height=0.8, **style)
        if length > _LETTER * len(text) * whole_s:  # shorter ones have no room
            style = {"ha": "center", "va": "center", "size": TINY}
            ax.text(start + length / 2, row, text, color=ink_on(face), **style)
            named.add(text)
    ax.set_yticks(range(len(strips)), list(strips))
    ax.invert_yaxis()
    ax.set_xlabel("time in the video (s)")
    ax.set_title(escape_plot(title), fontsize=TITLE)
    for text in sorted(bars.keys() - named):  # a colour that no bar names
        bars[text].set_label(text)
    if bars.keys() - named:
        put_legend_below(ax)
    return ax
