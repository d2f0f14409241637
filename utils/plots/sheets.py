"""Charts made of pictures: a person with their keypoints, sheets of many."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from utils.core.colours import EDGE_COLOURS, KEYPOINT_COLOURS
from utils.core.skeleton import EDGES, KEYPOINT_IDX, KEYPOINTS, MIN_SCORE


def plot_pose(
    image: np.ndarray,
    pose: np.ndarray,
    *,
    min_score: float = MIN_SCORE,
    names: bool = False,
    ax: Axes | None = None,
) -> Axes:
    """Plot a picture with its skeleton; doubtful keypoints are hollow and thin.

    Args:
        image: RGB uint8 `(height, width, 3)`.
        pose: `(17, 3)`: x_px, y_px, score; NaN where missing.
        min_score: Below it a keypoint counts as doubtful.
        names: Whether to write each keypoint's number and name beside the picture.
        ax: Axes to draw into; new ones if None.

    Returns:
        The Axes.
    """
    ax = ax or plt.subplots(figsize=(5, 4), layout="constrained")[1]
    height, width = image.shape[:2]
    ax.imshow(image)
    ax.set(xlim=(0, width), ylim=(height, 0), xticks=[], yticks=[])
    sure = pose[:, 2] >= min_score
    ends = [(KEYPOINT_IDX[a], KEYPOINT_IDX[b]) for a, b in EDGES]
    ax.add_collection(
        LineCollection(
            [pose[[a, b], :2] for a, b in ends],
            colors=EDGE_COLOURS,
            linewidths=[2.2 if sure[a] and sure[b] else 0.7 for a, b in ends],
        )
    )
    faces = np.where(sure, KEYPOINT_COLOURS, "none")
    ax.scatter(
        *pose[:, :2].T,
        s=16,
        c=faces,
        edgecolors=KEYPOINT_COLOURS,
        linewidths=1,
        zorder=3,
    )
    if names:
        _name_keypoints(ax, pose, width_px=width)
    return ax


def _name_keypoints(ax: Axes, pose: np.ndarray, *, width_px: int) -> None:
    """Write the 17 names in two columns beside the picture, joined to their points."""
    order = np.argsort(pose[:, 1], kind="stable")
    low, high = ax.get_ylim()[1], ax.get_ylim()[0]
    by_x = sorted(order, key=lambda k: pose[k, 0])
    sides = {"right": [k for k in order if k in by_x[9:]]}
    sides["left"] = [k for k in order if k not in sides["right"]]
    for side, keypoints in sides.items():
        places = np.linspace(low, high, len(keypoints) + 2)[1:-1]
        x = width_px * 1.06 if side == "right" else -width_px * 0.06
        for keypoint, y in zip(keypoints, places, strict=True):
            ax.annotate(
                f"{keypoint} {KEYPOINTS[keypoint].replace('_', ' ')}",
                xy=tuple(pose[keypoint, :2]),
                xytext=(x, y),
                ha="left" if side == "right" else "right",
                va="center",
                fontsize=8,
                annotation_clip=False,
                arrowprops={"arrowstyle": "-", "color": "0.45", "lw": 0.7},
            )
    ax.set_title("the 17 keypoints; left is the subject's left", fontsize=10)


def plot_sheet(
    images: Sequence[np.ndarray],
    *,
    titles: Sequence[str] | None = None,
    poses: Sequence[np.ndarray] | None = None,
    n_columns: int = 6,
    title: str = "",
) -> Figure:
    """Plot many pictures in a grid, with their skeletons if given.

    Args:
        images: RGB uint8 pictures, of any sizes.
        titles: One line above each.
        poses: One `(17, 3)` each.
        n_columns: Pictures in a row.
        title: What the sheet shows.

    Returns:
        The Figure.

    Raises:
        ValueError: If there is no picture.
    """
    if not len(images):
        raise ValueError("Expected at least one picture for the sheet, got none.")
    n_columns = min(n_columns, len(images))
    n_rows = -(-len(images) // n_columns)
    size = (1.9 * n_columns, 1.75 * n_rows + 0.35)
    figure, axes = plt.subplots(
        n_rows, n_columns, figsize=size, layout="constrained", squeeze=False
    )
    for ax in axes.flat:
        ax.axis("off")
    for idx, (ax, image) in enumerate(zip(axes.flat, images, strict=False)):
        if poses is None:
            ax.imshow(image)
        else:
            plot_pose(image, poses[idx], ax=ax)
        if titles is not None:
            ax.set_title(titles[idx], fontsize=7)
    figure.suptitle(title, fontsize=10)
    return figure


def plot_heat_maps(image: np.ndarray, heat_maps: np.ndarray) -> Figure:
    """Plot a square picture and the heat map of each keypoint over it.

    Args:
        image: RGB uint8 `(side, side, 3)`, what the network looked at.
        heat_maps: `(rows, columns, 17)`, 0 to 1.

    Returns:
        The Figure.
    """
    figure, axes = plt.subplots(3, 6, figsize=(11, 6), layout="constrained")
    axes[0, 0].imshow(image)
    axes[0, 0].set_title("what PoseNet sees", fontsize=8)
    grey = image.mean(axis=2)
    side = image.shape[0]
    for ax, name, heat in zip(
        axes.flat[1:], KEYPOINTS, np.moveaxis(heat_maps, 2, 0), strict=True
    ):
        ax.imshow(grey, cmap="gray", alpha=0.6)
        extent = (0, side, side, 0)
        ax.imshow(heat, cmap="inferno", vmin=0, vmax=1, alpha=0.6, extent=extent)
        ax.set_title(name.replace("_", " "), fontsize=8)
    for ax in axes.flat:
        ax.set(xticks=[], yticks=[])
    figure.suptitle("The network: one heat map a keypoint", fontsize=11)
    return figure
