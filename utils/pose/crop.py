"""Squares of a picture: which one a pose network should see.

A square may reach beyond the picture. Coordinates are (x, y) pixels of the picture,
origin top left.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from utils.core.skeleton import KEYPOINT_IDX, MIN_SCORE

# MoveNet's published reference (TensorFlow Hub tutorial "MoveNet", functions
# torso_visible, determine_torso_and_body_range and determine_crop_region).
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
    seen = pose[:, 2] > MIN_SCORE
    return bool(seen[_SHOULDERS].any() and seen[_HIPS].any())


def is_upright(pose: np.ndarray) -> bool:
    """Tell if a torso was seen whose shoulders are above the hips, 45° off at most.

    Args:
        pose: Float array `(17, 3)`: x_px, y_px, score.

    Returns:
        Whether it stands so; False where no torso was seen.
    """
    if not has_torso(pose):
        return False
    x_px, y_px = pose[_HIPS, :2].mean(axis=0) - pose[_SHOULDERS, :2].mean(axis=0)
    return bool(y_px > 0 and abs(x_px) <= y_px)


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
    seen = pose[:, 2] > MIN_SCORE
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
