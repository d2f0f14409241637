"""Charts made of bodies: weights drawn on a skeleton, and examples by outcome."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from utils.core.colours import colour_model
from utils.core.markup import escape_plot
from utils.core.skeleton import EDGES, KEYPOINT_IDX, KEYPOINTS
from utils.plots.sheets import plot_pose
from utils.plots.style import SMALL, TITLE, make_grid

_DISC, _ARROW = colour_model("pose_softmax"), "#d55e00"


def plot_weights(
    weights: pd.DataFrame, poses: Mapping[str, np.ndarray], *, title: str = ""
) -> Figure:
    """Plot the linear weights on each class's mean pose.

    A disc's area goes by how much a keypoint counts for the class, its arrow points to
    where the keypoint must move to make the class more probable.

    Args:
        weights: From `ablation.average_weights`.
        poses: Class to its mean pose `(17, 2)`, x to the right and y down.
        title: How many people, frames and folds.

    Returns:
        Figure with an Axes a class.
    """
    classes = [c for c in weights["label"].unique() if c in poses]
    n_columns = min(3, len(classes))
    n_rows = -(-len(classes) // n_columns)
    size_in = (3.4 * n_columns, 3 * n_rows + 0.7)
    figure, axes = make_grid(n_rows, n_columns, size_in)
    largest = weights["size"].max()
    for ax, label in zip(axes.flat, classes, strict=False):
        own = weights[weights["label"] == label].set_index("keypoint")
        _draw_weights(ax, own.loc[list(KEYPOINTS)], poses[label], largest)
        ax.set_title(escape_plot(label.replace("_", " ")), fontsize=TITLE)
    figure.suptitle(
        "What the linear model goes by: larger discs count more, arrows point to\n"
        f"where a keypoint must move to make the posture more probable{title}",
        fontsize=TITLE,
    )
    return figure


def _draw_weights(
    ax: Axes, own: pd.DataFrame, pose: np.ndarray, largest: float
) -> None:
    """Draw one class: bones grey, discs and arrows by weight, the largest two named."""
    for first, second in EDGES:
        ends = pose[[KEYPOINT_IDX[first], KEYPOINT_IDX[second]]]
        ax.plot(*ends.T, color="0.75", lw=2, zorder=1)
    share = own["size"].to_numpy() / largest
    ax.scatter(*pose.T, s=12 + 380 * share, c=_DISC, alpha=0.55, lw=0, zorder=2)
    side = float(np.ptp(pose, axis=0).max())
    arrows = 0.28 * side * own[["weight_x", "weight_y"]].to_numpy() / largest
    for start, move in zip(pose, arrows, strict=True):
        style = {"arrowstyle": "-|>", "color": _ARROW, "lw": 1.2}
        ax.annotate("", start + move, start, arrowprops=style, zorder=3)
    named: dict[str, int] = {}  # the two that count most, one of a pair
    for place in np.argsort(-share, kind="stable"):
        named.setdefault(KEYPOINTS[place].split("_")[-1], int(place))
    for name, place in list(named.items())[:2]:
        offset = {"xytext": (8, 6), "textcoords": "offset points"}
        ax.annotate(name, pose[place], fontsize=SMALL, **offset)
    centre = (pose.min(axis=0) + pose.max(axis=0)) / 2
    ax.set_xlim(centre[0] - 0.8 * side, centre[0] + 0.8 * side)
    ax.set_ylim(centre[1] + 0.66 * side, centre[1] - 0.66 * side)
    ax.set_aspect("equal")


def plot_outcomes(
    examples: pd.DataFrame,
    images: Sequence[np.ndarray],
    poses: Sequence[np.ndarray],
    *,
    counts: pd.DataFrame,
    rival: str = "picture",
) -> Figure:
    """Plot examples of frames by outcome: who of two models was right.

    Args:
        examples: From `mistakes.pick_examples`.
        images: RGB picture of each example.
        poses: Pose `(17, 3)` of each example.
        counts: From `mistakes.count_outcomes`.
        rival: What to call the model beside pose.

    Returns:
        Figure with a row of pictures an outcome.
    """
    outcomes = list(counts["outcome"])
    n_columns = max(1, int(examples["outcome"].value_counts().max()))
    # an outcome that never came out is a line of text
    heights = [2.0 if o in set(examples["outcome"]) else 0.7 for o in outcomes]
    size_in = (2.1 * n_columns + 1.3, sum(heights) + 0.4)
    figure, axes = make_grid(len(outcomes), n_columns, size_in)
    axes[0, 0].get_gridspec().set_height_ratios(heights)
    rows = counts.set_index("outcome")
    for outcome, line in zip(outcomes, axes, strict=True):
        places = np.flatnonzero((examples["outcome"] == outcome).to_numpy())
        line[0].axis("on")  # for the label at its left
        line[0].set(xticks=[], yticks=[], frame_on=False)
        for ax, place in zip(line, places, strict=False):
            plot_pose(images[place], poses[place], ax=ax)
            ax.set_title(_caption(examples.iloc[place], rival), fontsize=SMALL)
        row = rows.loc[outcome]
        name = outcome.replace("image", rival)
        text = f"{name}\n{row['n_frames']:,.0f} frames\n{row['share']:.1%}"
        line[0].set_ylabel(text, rotation=0, ha="right", va="center", fontsize=9)
    figure.suptitle(
        f"{rows['n_frames'].sum():,} frames held out, by who was right",
        fontsize=TITLE,
    )
    return figure


def _caption(example: pd.Series, rival: str) -> str:
    """Write the true posture and what both models said."""
    lines = [f"{example['subject']}: {example['label']}"]
    for model, name in (("pose", "pose"), ("image", rival)):
        said = example[f"{model}_predicted"]
        lines.append(f"{name}: {said} {example[f'{model}_probability']:.0%}")
    return escape_plot("\n".join(lines).replace("_", " "))
