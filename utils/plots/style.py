"""What all charts share: a model's name and mark, empty Axes, the floor, counts.

Colours are in `utils.core.colours`. Marks and hatches tell the same apart in grey print
and for colour-blind readers.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from utils.core.colours import colour_model

NAMES: dict[str, str] = {
    "pose_softmax": "pose: softmax on 34 numbers",
    "pose_best": "pose: many looks, two models averaged",
    "mobilenet_frozen": "whole picture: MobileNetV2 frozen",
    "mobilenet_crop": "crop of the person: MobileNetV2 frozen",
    "mobilenet_finetuned": "whole picture: MobileNetV2 fine-tuned",
    "mobilenet_crop_finetuned": "crop of the person: MobileNetV2 fine-tuned",
    "pose_and_crop": "pose and crop together",
    "majority": "commonest posture",
}
_MARKERS = {
    "pose_softmax": "o",
    "pose_best": "*",
    "mobilenet_frozen": "s",
    "mobilenet_crop": "v",
    "mobilenet_finetuned": "^",
    "mobilenet_crop_finetuned": "<",
    "pose_and_crop": "P",
    "majority": "x",
}
HATCHES = ("", "//", "..", "xx", "\\\\", "++")
_LEGEND_IN = 2.6  # width of the longest name in a legend
TITLE, SMALL, TINY = 10, 8, 7  # font sizes, points
ACCURACY = (0, 1.05)  # limits: 0 to 1, and room for a mark at 1
ERROR_BARS = {"ecolor": "0.25", "elinewidth": 1, "capsize": 2}
ON_BARS = {"facecolor": "white", "alpha": 0.85, "pad": 1, "lw": 0}  # behind numbers


def name_model(model: str) -> str:
    """Return a model's name for people; an unknown model keeps its own."""
    return NAMES.get(model, model.replace("_", " "))


def mark_model(model: str) -> str:
    """Return a model's marker; an unknown model gets a diamond."""
    return _MARKERS.get(model, "D")


def make_axes(ax: Axes | None, size_in: tuple[float, float]) -> Axes:
    """Return the Axes given, or new ones of a size in inches."""
    return ax or plt.subplots(figsize=size_in, layout="constrained")[1]


def make_grid(
    n_rows: int, n_columns: int, size_in: tuple[float, float]
) -> tuple[Figure, np.ndarray]:
    """Return a new Figure and its Axes, `(n_rows, n_columns)`, their frames off."""
    figure, axes = plt.subplots(
        n_rows, n_columns, figsize=size_in, layout="constrained", squeeze=False
    )
    for ax in axes.flat:
        ax.axis("off")
    return figure, axes


def draw_floor(ax: Axes, floor: float) -> None:
    """Draw what the majority class scores, as a dotted line; NaN draws nothing."""
    if np.isfinite(floor):
        colour, label = colour_model("majority"), name_model("majority")
        ax.axhline(floor, color=colour, ls=":", lw=1.4, label=label)


def put_legend_below(ax: Axes) -> None:
    """Put the legend into a row at the foot of the Figure, where it hides no bar."""
    handles, labels = ax.get_legend_handles_labels()
    n_columns = int(ax.figure.get_figwidth() / _LEGEND_IN)  # more would be cut off
    place = {"loc": "outside lower left", "ncols": min(n_columns, max(1, len(labels)))}
    ax.figure.legend(handles, labels, fontsize=SMALL, **place)


def count_people(n: int) -> str:
    """Return how many people, in words."""
    return f"{n:,} {'person' if n == 1 else 'people'}"


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
