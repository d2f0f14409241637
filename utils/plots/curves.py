"""Training curves, and the confusion matrices of what was trained."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from utils.core.colours import colour_model
from utils.core.markup import escape_plot
from utils.plots.style import (
    SMALL,
    TINY,
    TITLE,
    draw_floor,
    make_axes,
    mark_model,
    name_model,
)

_METRIC_LABELS = {"loss": "log loss (nats)", "accuracy": "accuracy"}


def plot_curves(
    history: pd.DataFrame,
    *,
    metric: str = "loss",
    against: str = "epoch",
    upfront_s: Mapping[str, float] | None = None,
    floor: float = np.nan,
    ax: Axes | None = None,
) -> Axes:
    """Plot training (dashed) and validation (solid) curves, one colour a model.

    A line is the mean over folds and seeds; the band is one standard deviation over
    folds (each fold's seeds averaged first). A run that stopped early keeps its last
    value, so that late epochs are not drawn from the slowest runs alone.

    Args:
        history: Table `history` (see `utils.core.tables`).
        metric: `loss` or `accuracy`.
        against: `epoch` or `seconds`, the horizontal axis.
        upfront_s: Seconds each model needs before its first epoch (keypoints, image
            features), added to the seconds axis.
        floor: Value that the majority class reaches, drawn as a line; NaN for none.
        ax: Axes to draw into; new ones if None.

    Returns:
        The Axes.
    """
    ax = make_axes(ax, (6, 4))
    for model, runs in history.groupby("model", sort=False):
        colour, upfront = colour_model(model), (upfront_s or {}).get(model, 0.0)
        for column, style in ((metric, "--"), (f"val_{metric}", "-")):
            curve = _average_runs(runs, column)
            x = curve.index if against == "epoch" else curve["seconds"] + upfront
            label = name_model(model) if style == "-" else None
            ax.plot(x, curve["mean"], style, color=colour, label=label, lw=1.6)
            if style == "-":
                low, high = curve["mean"] - curve["sd"], curve["mean"] + curve["sd"]
                ax.fill_between(x, low, high, color=colour, alpha=0.18, lw=0)
                last = slice(-1, None)
                ax.plot(x[last], curve["mean"][last], mark_model(model), c=colour)
    draw_floor(ax, floor)
    ax.set_xlabel("epoch" if against == "epoch" else "seconds, from the pictures on")
    ax.set_ylabel(f"{_METRIC_LABELS[metric]}, people held out")
    if against == "seconds":
        ax.set_xlim(left=0)
    ax.set_ylim(0, 1.02 if metric == "accuracy" else None)
    n_folds, n_seeds = history["fold"].nunique(), history["seed"].nunique()
    ax.set_title(
        f"solid: validation, dashed: training\n{n_folds} folds × {n_seeds} seeds"
    )
    ax.grid(alpha=0.25)
    ax.legend(fontsize=SMALL, loc="best")
    return ax


def _average_runs(runs: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return mean and spread over folds of one column, and mean seconds, by epoch."""
    epochs = pd.RangeIndex(1, runs["epoch"].max() + 1, name="epoch")

    def spread(name: str) -> pd.DataFrame:
        wide = runs.pivot_table(index="epoch", columns=["fold", "seed"], values=name)
        return wide.reindex(epochs).ffill().T.groupby(level="fold").mean().T

    folds = spread(column)
    sd = folds.std(axis=1, ddof=1).fillna(0.0)
    mean, seconds = folds.mean(axis=1), spread("seconds").mean(axis=1)
    return pd.DataFrame({"mean": mean, "sd": sd, "seconds": seconds})


def plot_curve_pair(
    history: pd.DataFrame,
    *,
    metric: str,
    upfront_s: Mapping[str, float],
    floor: float,
    n_text: str = "",
    unseen: str = "people never seen",
) -> Figure:
    """Plot one metric twice: against epochs and against seconds.

    Args:
        history: Table `history`.
        metric: `loss` or `accuracy`.
        upfront_s: Seconds before the first epoch, by model.
        floor: The majority class's value.
        n_text: How many people and frames, for the title.
        unseen: What is held out, for the title.

    Returns:
        Figure with two Axes, on one scale.
    """
    figure, axes = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
    options = {"metric": metric, "upfront_s": upfront_s, "floor": floor}
    for ax, against in zip(axes, ("epoch", "seconds"), strict=True):
        plot_curves(history, against=against, ax=ax, **options)
    top = 1.02
    if metric == "loss":  # one bad first epoch must not flatten the rest
        worst = history.groupby("model")["val_loss"].quantile(0.95).max()
        top = float(1.1 * np.nanmax([worst, floor]))
    for ax in axes:
        ax.set_ylim(0, top)
    axes[1].get_legend().remove()
    what = "Validation loss" if metric == "loss" else "Validation accuracy"
    figure.suptitle(f"{what} on {unseen} in training{n_text}")
    return figure


def plot_confusions(counts: Mapping[str, pd.DataFrame], *, title: str = "") -> Figure:
    """Plot confusion matrices side by side: shares of each true class, and counts.

    Args:
        counts: Model to a square table: rows true classes, columns predicted, values
            frames.
        title: How many people, frames, folds and seeds.

    Returns:
        Figure with an Axes a model.
    """
    size_in = (4.4 * len(counts), 4.6)
    figure, axes = plt.subplots(
        1, len(counts), figsize=size_in, layout="constrained", squeeze=False
    )
    for ax, (model, table) in zip(axes[0], counts.items(), strict=True):
        values = table.to_numpy(dtype=float)
        shares = values / np.maximum(values.sum(axis=1, keepdims=True), 1)
        ax.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        for (row, column), share in np.ndenumerate(shares):
            if values[row, column]:
                text = f"{share:.0%}\n{values[row, column]:,.0f}"
                style = {"ha": "center", "va": "center", "fontsize": TINY}
                colour = "white" if share > 0.5 else "black"
                ax.text(column, row, text, c=colour, **style)
        names = [escape_plot(str(c).replace("_", " ")) for c in table.columns]
        ax.set_xticks(range(len(names)), names, rotation=35, ha="right")
        ax.set_yticks(range(len(names)), names)
        ax.set_xlabel("predicted")
        ax.set_title(name_model(model), fontsize=TITLE)
    axes[0, 0].set_ylabel("true")
    figure.suptitle(title, fontsize=11)
    return figure
