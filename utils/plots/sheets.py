"""Charts made of pictures: a person with their keypoints, sheets of many."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from utils.core.colours import EDGE_COLOURS, KEYPOINT_COLOURS
from utils.core.markup import escape_plot
from utils.core.skeleton import EDGES, KEYPOINT_IDX, KEYPOINTS, MIN_SCORE
from utils.plots.style import SMALL, TITLE, make_axes, make_grid


def plot_pose(
    image: np.ndarray,
    pose: np.ndarray,
    *,
    ax: Axes | None = None,
) -> Axes:
    """Plot a picture with its skeleton; doubtful keypoints are hollow and thin.

    Args:
        image: RGB uint8 `(height, width, 3)`.
        pose: `(17, 3)`: x_px, y_px, score; NaN where missing.
        ax: Axes to draw into; new ones if None.

    Returns:
        The Axes.
    """
    ax = make_axes(ax, (5, 4))
    height, width = image.shape[:2]
    ax.imshow(image)
    ax.set(xlim=(0, width), ylim=(height, 0), xticks=[], yticks=[])
    sure = pose[:, 2] >= MIN_SCORE
    ends = [[KEYPOINT_IDX[a], KEYPOINT_IDX[b]] for a, b in EDGES]
    widths = [2.2 if sure[pair].all() else 0.7 for pair in ends]
    bones = [pose[pair, :2] for pair in ends]
    ax.add_collection(LineCollection(bones, colors=EDGE_COLOURS, linewidths=widths))
    faces = np.where(sure, KEYPOINT_COLOURS, "none")
    style = {"edgecolors": KEYPOINT_COLOURS, "linewidths": 1, "zorder": 3}
    ax.scatter(*pose[:, :2].T, s=16, c=faces, **style)
    return ax


def plot_pose_and_names(image: np.ndarray, pose: np.ndarray) -> Figure:
    """Plot a picture with its skeleton twice, the second time with the 17 names.

    Args:
        image: RGB uint8 `(height, width, 3)`.
        pose: `(17, 3)`: x_px, y_px, score.

    Returns:
        Figure with two Axes; the names stand in two columns beside the right one.
    """
    figure, axes = plt.subplots(1, 2, figsize=(12, 4), layout="constrained")
    for ax in axes:
        plot_pose(image, pose, ax=ax)
    axes[0].set_title("an example with its skeleton", fontsize=TITLE)
    axes[1].set_title("the 17 keypoints; left is the subject's left", fontsize=TITLE)
    height_px, width_px = image.shape[:2]
    from_top = np.argsort(pose[:, 1], kind="stable")
    right = set(np.argsort(pose[:, 0], kind="stable")[9:])
    for x, align in ((1.06 * width_px, "left"), (-0.06 * width_px, "right")):
        names = [k for k in from_top if (k in right) == (x > 0)]
        places = np.linspace(0, height_px, len(names) + 2)[1:-1]
        for keypoint, y in zip(names, places, strict=True):
            axes[1].annotate(
                f"{keypoint} {KEYPOINTS[keypoint].replace('_', ' ')}",
                xy=tuple(pose[keypoint, :2]),
                xytext=(x, y),
                ha=align,
                va="center",
                fontsize=SMALL,
                annotation_clip=False,
                arrowprops={"arrowstyle": "-", "color": "0.45", "lw": 0.7},
            )
    return figure


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
    size_in = (1.75 * n_columns, 1.75 * n_rows + 0.35)
    figure, axes = make_grid(n_rows, n_columns, size_in)
    for idx, (ax, image) in enumerate(zip(axes.flat, images, strict=False)):
        if poses is None:
            ax.imshow(image)
        else:
            plot_pose(image, poses[idx], ax=ax)
        if titles is not None:
            ax.set_title(escape_plot(titles[idx]), fontsize=SMALL)
    figure.suptitle(title, fontsize=TITLE)
    return figure
