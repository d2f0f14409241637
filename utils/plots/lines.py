"""Lines: how much to label, how sure models are, how wide the intervals."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from utils.core.colours import colour_model
from utils.plots.style import (
    ACCURACY,
    SMALL,
    TITLE,
    count_people,
    draw_floor,
    make_axes,
    mark_model,
    name_model,
)


def plot_learning_curve(
    table: pd.DataFrame,
    *,
    by: str = "n_people",
    floor: float = np.nan,
    ax: Axes | None = None,
) -> Axes:
    """Plot accuracy against what was labelled, on a log axis, with the draws' band.

    Args:
        table: From `questions.learning_curve.learn_from_draws`.
        by: `n_people` or `n_seconds`.
        floor: Share of the commonest class; NaN for none.
        ax: Axes to draw into; new ones if None.

    Returns:
        The Axes; the band holds the middle 80 % of draws.
    """
    ax = make_axes(ax, (6.5, 4.4))
    draws = table.groupby(["model", by, "draw"], sort=False)["accuracy"].mean()
    for model, own in draws.groupby("model", sort=False):
        groups, style = own.groupby(by), {"color": colour_model(model)}
        mean, low, high = groups.mean(), groups.quantile(0.1), groups.quantile(0.9)
        label, marker = name_model(model), mark_model(model)
        ax.plot(mean.index, mean, marker=marker, label=label, **style)
        ax.fill_between(mean.index, low, high, alpha=0.18, lw=0, **style)
    draw_floor(ax, floor)
    amounts = sorted(table[by].unique())
    ax.set_xscale("log")
    ax.set_xticks(amounts, [f"{a:g}" for a in amounts])
    ax.set_xticks([], minor=True)
    what = "people" if by == "n_people" else "seconds of each class"
    ax.set_xlabel(f"{what} labelled (log scale)")
    ax.set(ylim=ACCURACY, ylabel="accuracy, held out")
    n_draws = draws.groupby([by]).size().max() // table["model"].nunique()
    n_frames = int(table.groupby("subject")["n_frames"].max().sum())
    n_people = table["subject"].nunique()
    ax.set_title(
        f"How much must be labelled?\n{count_people(n_people)}, {n_frames:,} frames, "
        f"up to {n_draws} draws a point, band: middle 80 % of draws",
        fontsize=TITLE,
    )
    ax.grid(alpha=0.25)
    ax.legend(fontsize=SMALL, loc="lower right")
    return ax


def plot_reliability(
    reliability: pd.DataFrame,
    *,
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Plot how often models were right against how sure they were.

    Args:
        reliability: From `calibration.build_reliability`.
        title: How many people, frames, folds and seeds, say.
        ax: Axes to draw into; new ones if None.

    Returns:
        The Axes; a marker's area goes by its share of the model's frames.
    """
    ax = make_axes(ax, (8, 4.8))
    ax.plot([0, 1], [0, 1], color="0.5", ls=":", lw=1.2, label="as sure as right")
    for model, rows in reliability.groupby("model", sort=False):
        share = rows["n_frames"] / rows["n_frames"].sum()
        x, y, colour = rows["confidence"], rows["accuracy"], colour_model(model)
        ax.plot(x, y, color=colour, lw=1.2, label=name_model(model))
        sizes = 20 + 300 * share
        ax.scatter(x, y, s=sizes, c=colour, marker=mark_model(model), alpha=0.8)
    ax.set(xlim=(0, 1.03), ylim=(0, 1.03), aspect="equal")
    ax.set(xlabel="how sure (mean probability)", ylabel="how often right")
    ax.set_title(f"Below the dotted line: too sure of itself\n{title}", fontsize=TITLE)
    ax.grid(alpha=0.25)
    ax.legend(fontsize=SMALL, loc="center left", bbox_to_anchor=(1.02, 0.5))
    return ax


def plot_intervals(
    bounds: pd.DataFrame,
    *,
    metric: str = "accuracy",
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Plot a score and its interval over people, a line a model.

    Args:
        bounds: From `intervals.bound_scores`.
        metric: Which score.
        title: How many frames, folds and seeds, say.
        ax: Axes to draw into; new ones if None.

    Returns:
        The Axes.
    """
    rows = bounds[bounds["metric"] == metric].reset_index(drop=True)
    ax = make_axes(ax, (7, 1.3 + 0.4 * len(rows)))
    beside = {"xycoords": ("axes fraction", "data"), "va": "center", "fontsize": SMALL}
    for place, row in enumerate(rows.itertuples()):
        colour = colour_model(row.model)
        ax.plot([row.low, row.high], [place, place], color=colour, lw=2.2)
        ax.plot(row.estimate, place, mark_model(row.model), color=colour, ms=8)
        is_bounded = np.isfinite([row.low, row.high]).all()  # not of one person
        ends = f" [{row.low:.3f}, {row.high:.3f}]" if is_bounded else ""
        text = f"{row.estimate:.3f}{ends}"
        ax.annotate(text, (1.01, place), **beside)
    names = [name_model(model) for model in rows["model"]]
    ax.set_yticks(range(len(rows)), names, fontsize=SMALL)
    ax.set_ylim(len(rows) - 0.5, -0.5)
    if metric == "accuracy":
        ax.set_xlim(0, 1.02)
    n_people = int(rows["n_people"].max()) if len(rows) else 0
    words, held = ", with its interval over people", "held out, each once"
    if n_people == 1:
        words, held = "", "alone, at moments held out"
    ax.set_xlabel(f"{metric.replace('_', ' ')}{words}")
    ax.set_title(f"{count_people(n_people)} {held}{title}", fontsize=TITLE)
    ax.grid(axis="x", alpha=0.25)
    return ax
