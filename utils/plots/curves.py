"""Training curves, and the confusion matrices of what was trained."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from utils.core.colours import colour_model
from utils.core.markup import escape_plot
from utils.core.names import show_name
from utils.plots.style import (
    SMALL,
    TINY,
    TITLE,
    make_axes,
    mark_model,
    name_model,
)


def plot_curves(
    history: pd.DataFrame,
    *,
    metric: str = "loss",
    against: str = "epoch",
    upfront_s: Mapping[str, float] | None = None,
    n_classes: int = 0,
    ax: Axes | None = None,
) -> Axes:
    """Plot training (dashed) and validation (solid) curves, one colour a model.

    A line is the mean over folds and seeds; the band is one standard deviation over
    folds (each fold's seeds averaged first). A run that stopped early keeps its last
    value, so that late epochs are not drawn from the slowest runs alone. Losses and
    seconds have a logarithmic axis: what is ten times as good looks as far away at the
    foot as at the top. Each line is named at its end.

    Args:
        history: Table `history` (see `utils.core.tables`).
        metric: `loss` or `accuracy`.
        against: `epoch` or `seconds`, the horizontal axis.
        upfront_s: Seconds each model needs before its first epoch (keypoints, image
            features): drawn dotted, at the value of the untrained model.
        n_classes: Lines begin at epoch 0, where every model, its weights at zero, gives
            each class the same probability; 0 begins them at epoch 1.
        ax: Axes to draw into; new ones if None.

    Returns:
        The Axes.
    """
    ax = make_axes(ax, (6, 4))
    untrained = _find_untrained(metric, n_classes)
    ends = {}
    for model, runs in history.groupby("model", sort=False):
        colour, upfront = colour_model(model), (upfront_s or {}).get(model, 0.0)
        for column, style in ((metric, "--"), (f"val_{metric}", "-")):
            curve = _average_runs(runs, column, untrained=untrained)
            x = curve.index if against == "epoch" else curve["seconds"] + upfront
            ax.plot(x, curve["mean"], style, color=colour, lw=1.6)
            if style == "-":
                low, high = _find_band(curve, metric)
                ax.fill_between(x, low, high, color=colour, alpha=0.16, lw=0)
                end = float(x[-1:].item()), float(curve["mean"].iloc[-1])
                ax.plot(*end, mark_model(model), c=colour)
                ends[model] = end
        if against == "seconds" and upfront and np.isfinite(untrained):
            # from the first tenth on: a logarithmic axis has no zero
            before = [upfront / 10, upfront]
            ax.plot(before, [untrained] * 2, ":", color=colour, lw=1.6)
    _finish_axes(ax, history, metric=metric, against=against)
    _name_ends(ax, ends)
    return ax


def _find_untrained(metric: str, n_classes: int) -> float:
    """Return the value of equal shares for all classes; NaN if they are not counted."""
    if not n_classes:
        return np.nan
    return float(np.log(n_classes)) if metric == "loss" else 1 / n_classes


def _average_runs(runs: pd.DataFrame, column: str, *, untrained: float) -> pd.DataFrame:
    """Return mean and spread over folds of one column, and mean seconds, by epoch."""
    epochs = pd.RangeIndex(1, runs["epoch"].max() + 1, name="epoch")

    def spread(name: str) -> pd.DataFrame:
        wide = runs.pivot_table(index="epoch", columns=["fold", "seed"], values=name)
        return wide.reindex(epochs).ffill().T.groupby(level="fold").mean().T

    folds = spread(column)
    sd = folds.std(axis=1, ddof=1).fillna(0.0)
    mean, seconds = folds.mean(axis=1), spread("seconds").mean(axis=1)
    curve = pd.DataFrame({"mean": mean, "sd": sd, "seconds": seconds})
    if np.isfinite(untrained):
        curve.loc[0] = (untrained, 0.0, 0.0)
    return curve.sort_index()


def _find_band(curve: pd.DataFrame, metric: str) -> tuple[pd.Series, pd.Series]:
    """Return a spread's edges; a loss cannot go below 0, which a log axis lacks."""
    low, high = curve["mean"] - curve["sd"], curve["mean"] + curve["sd"]
    return (low.clip(lower=curve["mean"] / 4) if metric == "loss" else low), high


def _finish_axes(ax: Axes, history: pd.DataFrame, *, metric: str, against: str) -> None:
    """Name and scale both axes."""
    if against == "seconds":
        ax.set_xscale("log")
        # plain numbers at 1, 2 and 5: powers of ten written out would overlap
        ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.xaxis.set_major_formatter("{x:g}")
        ax.xaxis.set_minor_formatter(NullFormatter())
        ax.set_xlabel("seconds, from the pictures on (log scale)")
    else:
        ax.set_xlabel("epoch (0: untrained)")
        ax.set_xlim(left=0)
    if metric == "loss":
        ax.set_yscale("log")
        ax.set_ylabel("log loss in nats, held out (log scale)")
    else:
        ax.set(ylim=(0, 1.02), ylabel="accuracy, held out")
    n_folds = history["fold"].nunique()
    n_seeds = history.groupby("model")["seed"].nunique()
    up_to = "up to " if n_seeds.min() < n_seeds.max() else ""
    seeds = "seed" if n_seeds.max() == 1 else "seeds"
    ax.set_title(
        "solid: validation, dashed: training, dotted: before training\n"
        f"{n_folds} folds × {up_to}{n_seeds.max()} {seeds}, band: spread over folds",
        fontsize=SMALL,
    )
    ax.grid(alpha=0.25)


def _name_ends(ax: Axes, ends: Mapping[str, tuple[float, float]]) -> None:
    """Write each line's name beside its end, names pushed apart where they meet."""
    height, above = 0.08, 1.04  # of a name, as a share of the Axes
    to_share = ax.transData + ax.transAxes.inverted()
    places = {model: to_share.transform(end)[1] for model, end in ends.items()}
    for model, y in sorted(places.items(), key=lambda place: -place[1]):
        above = min(y, above - height)
        ax.annotate(
            escape_plot(name_model(model).replace(": ", ":\n")),
            (1.02, above),
            xycoords="axes fraction",
            color=colour_model(model),
            fontsize=TINY,
            va="center",
        )


def plot_curve_pair(
    history: pd.DataFrame,
    *,
    metric: str,
    upfront_s: Mapping[str, float],
    n_classes: int,
    n_text: str = "",
    unseen: str = "people never seen",
) -> Figure:
    """Plot one metric twice: against epochs and against seconds.

    Args:
        history: Table `history`.
        metric: `loss` or `accuracy`.
        upfront_s: Seconds before the first epoch, by model.
        n_classes: How many classes there are.
        n_text: How many people and frames, for the title.
        unseen: What is held out, for the title.

    Returns:
        Figure with two Axes, on one scale.
    """
    figure, axes = plt.subplots(
        1, 2, figsize=(11.5, 4.4), layout="constrained", sharey=True
    )
    options = {"metric": metric, "upfront_s": upfront_s, "n_classes": n_classes}
    for ax, against in zip(axes, ("epoch", "seconds"), strict=True):
        plot_curves(history, against=against, ax=ax, **options)
    axes[1].set_ylabel("")
    what = "Validation loss" if metric == "loss" else "Validation accuracy"
    figure.suptitle(f"{what} on {unseen} in training{n_text}")
    return figure


def plot_confusions(counts: Mapping[str, pd.DataFrame], *, title: str = "") -> Figure:
    """Plot confusion matrices, two in a row: shares of each true class, and counts.

    Args:
        counts: Model to a square table: rows true classes, columns predicted, values
            frames.
        title: How many people, frames, folds and seeds.

    Returns:
        Figure with an Axes a model.
    """
    n_columns = min(2, len(counts))  # more and nobody could read the numbers
    n_rows = -(-len(counts) // n_columns)
    figure, axes = plt.subplots(  # compressed: for Axes of fixed shape, as these are
        n_rows,
        n_columns,
        figsize=(5.0 * n_columns, 4.9 * n_rows + 0.3),
        layout="compressed",
        squeeze=False,
    )
    for ax in axes.flat[len(counts) :]:
        ax.remove()
    for ax, (model, table) in zip(axes.flat, counts.items(), strict=False):
        values = table.to_numpy(dtype=float)
        shares = values / np.maximum(values.sum(axis=1, keepdims=True), 1)
        ax.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        for (row, column), share in np.ndenumerate(shares):
            if values[row, column]:
                text = f"{share:.0%}\n{values[row, column]:,.0f}"
                style = {"ha": "center", "va": "center", "fontsize": TINY}
                colour = "white" if share > 0.5 else "black"
                ax.text(column, row, text, c=colour, **style)
        names = [escape_plot(show_name(c)) for c in table.columns]
        ax.set_xticks(range(len(names)), names, rotation=35, ha="right")
        ax.set_yticks(range(len(names)), names)
        ax.set(xlabel="predicted", ylabel="true")
        ax.set_title(name_model(model), fontsize=TITLE)
    figure.suptitle(title, fontsize=11)
    return figure
