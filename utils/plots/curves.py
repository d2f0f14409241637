"""Charts of training and scores. Each returns its Axes and saves nothing.

One colour a model everywhere (Okabe and Ito's colours, which colour-blind readers
can tell apart); line styles and markers differ too, so that grey prints stay readable.
"""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from utils.core.colours import colour_classes, colour_model, ink_on

NAMES: dict[str, str] = {
    "pose_softmax": "pose: softmax on 34 numbers",
    "mobilenet_frozen": "image: MobileNetV2 frozen",
    "mobilenet_finetuned": "image: MobileNetV2 fine-tuned",
    "majority": "majority class",
}
MARKERS: dict[str, str] = {
    "pose_softmax": "o",
    "mobilenet_frozen": "s",
    "mobilenet_finetuned": "^",
    "majority": "x",
}
_METRIC_LABELS = {"loss": "log loss (nats)", "accuracy": "accuracy"}


def name_model(model: str) -> str:
    """Return a model's name for people; an unknown model keeps its own."""
    return NAMES.get(model, model.replace("_", " "))


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
    ax = ax or plt.subplots(figsize=(6, 4), layout="constrained")[1]
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
                ax.plot(x[last], curve["mean"][last], MARKERS.get(model, "o"), c=colour)
    if np.isfinite(floor):
        ax.axhline(
            floor, color=colour_model("majority"), ls=":", label=NAMES["majority"]
        )
    _finish_curves(ax, history, metric=metric, against=against)
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


def _finish_curves(
    ax: Axes, history: pd.DataFrame, *, metric: str, against: str
) -> None:
    """Set labels, limits, legend and title of a curves chart."""
    n_folds, n_seeds = history["fold"].nunique(), history["seed"].nunique()
    ax.set_ylabel(f"{_METRIC_LABELS[metric]}, people held out")
    if against == "epoch":
        ax.set_xlabel("epoch")
    else:
        ax.set_xlabel("seconds, from the pictures on")
        ax.set_xlim(left=0)
    if metric == "accuracy":
        ax.set_ylim(0, 1.02)
    else:
        ax.set_ylim(bottom=0)
    ax.set_title(
        f"solid: validation, dashed: training\n{n_folds} folds × {n_seeds} seeds"
    )
    ax.grid(alpha=0.25)
    ax.legend(fontsize=8, loc="best")


def plot_curve_pair(
    history: pd.DataFrame,
    *,
    metric: str,
    upfront_s: Mapping[str, float],
    floor: float,
    n_text: str = "",
) -> Figure:
    """Plot one metric twice: against epochs and against seconds.

    Args:
        history: Table `history`.
        metric: `loss` or `accuracy`.
        upfront_s: Seconds before the first epoch, by model.
        floor: The majority class's value.
        n_text: How many people and frames, for the title.

    Returns:
        Figure with two Axes.
    """
    figure, axes = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
    for ax, against in zip(axes, ("epoch", "seconds"), strict=True):
        plot_curves(
            history,
            metric=metric,
            against=against,
            upfront_s=upfront_s,
            floor=floor,
            ax=ax,
        )
    top = _highest_loss(history, floor) if metric == "loss" else 1.02
    for ax in axes:
        ax.set_ylim(0, top)
    axes[1].get_legend().remove()
    what = "Validation loss" if metric == "loss" else "Validation accuracy"
    figure.suptitle(f"{what} on people never seen in training{n_text}")
    return figure


def _highest_loss(history: pd.DataFrame, floor: float) -> float:
    """Return an upper limit that keeps one bad first epoch from flattening the rest."""
    worst = history.groupby("model")["val_loss"].quantile(0.95).max()
    return float(1.1 * np.nanmax([worst, floor]))


def plot_confusion(
    counts: pd.DataFrame, *, title: str = "", ax: Axes | None = None
) -> Axes:
    """Plot a confusion matrix as shares of each true class, with the counts.

    Args:
        counts: Square table: rows true classes, columns predicted, values frames.
        title: What it shows.
        ax: Axes to draw into; new ones if None.

    Returns:
        The Axes.
    """
    ax = ax or plt.subplots(figsize=(5, 4.5), layout="constrained")[1]
    values = counts.to_numpy(dtype=float)
    shares = values / np.maximum(values.sum(axis=1, keepdims=True), 1)
    ax.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), share in np.ndenumerate(shares):
        if values[row, column]:
            text = f"{share:.0%}\n{values[row, column]:,.0f}"
            colour = "white" if share > 0.5 else "black"
            ax.text(column, row, text, ha="center", va="center", c=colour, fontsize=7)
    names = [str(c).replace("_", " ") for c in counts.columns]
    ax.set_xticks(range(len(names)), names, rotation=35, ha="right")
    ax.set_yticks(range(len(names)), names)
    ax.set_xlabel("predicted")
    ax.set_ylabel("true")
    ax.set_title(title, fontsize=10)
    return ax


def plot_label_seconds(labelled: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Plot the labelled seconds of each class, one piece of the bar a person.

    Args:
        labelled: Table `label`, `subject`, `seconds`.
        ax: Axes to draw into; new ones if None.

    Returns:
        The Axes.
    """
    wide = labelled.pivot_table(
        index="label",
        columns="subject",
        values="seconds",
        aggfunc="sum",
        fill_value=0.0,
    )
    height = 1.0 + 0.35 * max(1, len(wide))
    ax = ax or plt.subplots(figsize=(8, height), layout="constrained")[1]
    left = np.zeros(len(wide))
    shades = plt.get_cmap("cividis")(np.linspace(0.15, 0.95, wide.shape[1]))
    for shade, (subject, seconds) in zip(shades, wide.items(), strict=True):
        ax.barh(
            list(wide.index), seconds, left=left, color=shade, ec="w", label=subject
        )
        left += seconds.to_numpy()
    ax.set_xlabel("labelled seconds")
    ax.set_title(f"{labelled['seconds'].sum():,.0f} s labelled, one shade a person")
    if wide.shape[1] <= 12:
        ax.legend(fontsize=7, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return ax


def plot_confusions(counts: Mapping[str, pd.DataFrame], *, title: str = "") -> Figure:
    """Plot the confusion matrices of several models side by side.

    Args:
        counts: Model to its matrix, as for `plot_confusion`.
        title: How many people, frames, folds and seeds.

    Returns:
        The Figure.
    """
    size = (4.4 * len(counts), 4.6)
    figure, axes = plt.subplots(
        1, len(counts), figsize=size, layout="constrained", squeeze=False
    )
    for ax, (model, table) in zip(axes[0], counts.items(), strict=True):
        plot_confusion(table, title=name_model(model), ax=ax)
    for ax in axes[0, 1:]:
        ax.set_ylabel("")
    figure.suptitle(title, fontsize=11)
    return figure


def plot_time_strips(
    strips: Mapping[str, pd.DataFrame],
    *,
    classes: Sequence[str],
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Plot spans of postures over time, one row a strip.

    Args:
        strips: Row name to spans with `start_s`, `end_s`, `label`.
        classes: Ordered classes, which fix the colours.
        title: What it shows.
        ax: Axes to draw into; new ones if None.

    Returns:
        The Axes.
    """
    height = 0.9 + 0.45 * len(strips)
    ax = ax or plt.subplots(figsize=(11, height), layout="constrained")[1]
    colours = {c["name"]: c["colour"] for c in colour_classes(classes)}
    for row, spans in enumerate(strips.values()):
        for start, end, label in spans[["start_s", "end_s", "label"]].to_numpy():
            face = colours.get(label, "#dddddd")
            ax.barh(row, end - start, left=start, height=0.8, color=face, ec="white")
            if end - start > 0.9:
                text = str(label).replace("_", " ")
                ax.text(
                    (start + end) / 2,
                    row,
                    text,
                    ha="center",
                    va="center",
                    size=7,
                    color=ink_on(face),
                )
    ax.set_yticks(range(len(strips)), list(strips))
    ax.invert_yaxis()
    ax.set_xlabel("time in the video (s)")
    ax.set_title(title, fontsize=10)
    return ax
