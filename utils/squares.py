"""Squares of a picture: which one a pose network should see, and its pixels.

A square may reach beyond the picture. Coordinates are (x, y) pixels of the picture,
origin top left.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from utils.skeleton import KEYPOINT_IDX

# MoveNet's published reference (TensorFlow Hub tutorial "MoveNet", functions
# torso_visible, determine_torso_and_body_range and determine_crop_region).
MIN_KEYPOINT_SCORE = 0.2
_TORSO_FACTOR = 1.9
_BODY_FACTOR = 1.2

_SHOULDERS = [KEYPOINT_IDX["left_shoulder"], KEYPOINT_IDX["right_shoulder"]]
_HIPS = [KEYPOINT_IDX["left_hip"], KEYPOINT_IDX["right_hip"]]


class Square(NamedTuple):
    """A square of a picture, in pixels of the picture.

    Attributes:
        left_px: x of its left side; may be negative.
        top_px: y of its upper side; may be negative.
        side_px: Length of its side.
    """

    left_px: float
    top_px: float
    side_px: float


# A picture and a square of it -> pose `(17, 3)`: x_px, y_px of the picture, score.
PoseNetwork = Callable[[np.ndarray, Square], np.ndarray]


def frame_square(size_wh: tuple[int, int]) -> Square:
    """Return the smallest square round a whole picture, the picture in its middle.

    Args:
        size_wh: Width and height of the picture, in pixels.

    Returns:
        The square.

    Example:
        >>> frame_square((640, 480))
        Square(left_px=0.0, top_px=-80.0, side_px=640.0)
    """
    width_px, height_px = size_wh
    side_px = float(max(width_px, height_px))
    return Square((width_px - side_px) / 2, (height_px - side_px) / 2, side_px)


def has_torso(pose: np.ndarray) -> bool:
    """Tell if a shoulder and a hip were seen, so that a torso can be measured.

    Args:
        pose: Float array `(17, 3)`: x_px, y_px, score. NaN counts as not seen.

    Returns:
        Whether one shoulder and one hip at least score above 0.2.
    """
    seen = pose[:, 2] > MIN_KEYPOINT_SCORE
    return bool(seen[_SHOULDERS].any() and seen[_HIPS].any())


def person_square(pose: np.ndarray, size_wh: tuple[int, int]) -> Square | None:
    """Return the square round a person in which to look a second time.

    Its middle is the hips'; half its side is 1.9 times the torso's reach from there or
    1.2 times that of all keypoints seen, whichever is more, but no more than it takes
    to reach the picture's far edge. Rule and constants: MoveNet's published reference.

    Args:
        pose: Float array `(17, 3)`: x_px, y_px, score, from a first look.
        size_wh: Width and height of the picture, in pixels.

    Returns:
        The square; None where no torso was seen, or where it would be no closer look
        than the whole picture.
    """
    if not has_torso(pose):
        return None
    seen = pose[:, 2] > MIN_KEYPOINT_SCORE
    center_xy = pose[_HIPS, :2].mean(axis=0)
    reach_px = np.abs(pose[:, :2] - center_xy).max(axis=1)
    half_px = max(
        _TORSO_FACTOR * reach_px[_SHOULDERS + _HIPS].max(),
        _BODY_FACTOR * reach_px[seen].max(),
    )
    far_edge_px = np.maximum(center_xy, np.asarray(size_wh) - center_xy).max()
    half_px = min(half_px, far_edge_px)
    if half_px > max(size_wh) / 2 or half_px < 1:
        return None
    left_px, top_px = center_xy - half_px
    return Square(float(left_px), float(top_px), float(2 * half_px))


def sample_grid(
    image: np.ndarray, x_px: np.ndarray, y_px: np.ndarray, *, outside: str
) -> np.ndarray:
    """Read a picture at the crossings of columns and rows, bilinearly.

    Column x = 0 is the middle of the first pixel. Only the pixels needed are read, so
    the picture's own size hardly matters.

    Args:
        image: RGB uint8 array `(height, width, 3)`.
        x_px: Columns to read, rising, float array `(n_x,)`.
        y_px: Rows to read, rising, float array `(n_y,)`.
        outside: `"zero"`: black beyond the middle of the outermost pixels, as
            `tf.image.crop_and_resize` does; `"edge"`: the outermost pixel goes on, as
            TF.js `transform` with fill mode "nearest" does.

    Returns:
        float32 array `(n_y, n_x, 3)`, 0..255.

    Raises:
        ValueError: If `outside` is neither of the two.
    """
    if outside not in ("zero", "edge"):
        raise ValueError(f"Expected `outside` to be 'zero' or 'edge', got {outside!r}.")
    is_zero = outside == "zero"
    x0, x1, x_part, x_read = _split_positions(x_px, image.shape[1], is_zero)
    y0, y1, y_part, y_read = _split_positions(y_px, image.shape[0], is_zero)
    pixels = np.ascontiguousarray(image).reshape(-1, 3)
    upper, lower = y0[:, None] * image.shape[1], y1[:, None] * image.shape[1]
    sampled = np.zeros((len(y_px), len(x_px), 3), np.float32)
    sampled[y_read, x_read] = _blend(
        _blend(pixels.take(upper + x0, 0), pixels.take(upper + x1, 0), x_part[:, None]),
        _blend(pixels.take(lower + x0, 0), pixels.take(lower + x1, 0), x_part[:, None]),
        y_part[:, None, None],
    )
    return sampled


def _split_positions(
    position_px: np.ndarray, size_px: int, only_inside: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray, slice]:
    """Split rising positions on one axis into two pixels and the second one's share.

    The fourth value tells which stretch of the positions is meant: those on the picture
    with `only_inside`, else all, those beyond moved to the picture's edge.
    """
    first, stop = 0, len(position_px)
    if only_inside:
        first = int(np.searchsorted(position_px, 0, side="left"))
        stop = int(np.searchsorted(position_px, size_px - 1, side="right"))
    clipped_px = np.clip(position_px[first:stop], 0, size_px - 1)
    before = np.floor(clipped_px).astype(np.intp)
    after = np.minimum(before + 1, size_px - 1)
    return before, after, (clipped_px - before).astype(np.float32), slice(first, stop)


def _blend(first: np.ndarray, second: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Return `first` + `share` * (`second` - `first`) as float32."""
    start = first.astype(np.float32, copy=False)
    step = second.astype(np.float32)
    step -= start
    step *= share
    step += start
    return step
