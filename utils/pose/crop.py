"""Which part of a picture is used: the network's square and the person's crop.

Two rules side by side. The *square* decides what a pose network sees: of the whole
picture first, then round the person found (MoveNet's published rule). The *box* and
the *crop* cut a person out for people and picture classifiers to look at; they hold
what has no keypoint too, such as hair and hands. Coordinates are (x, y) pixels of the
picture, origin top left; a square may reach beyond the picture.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from utils.core.skeleton import HIPS, MIN_SCORE, SHOULDERS

# MoveNet's published reference (TensorFlow Hub tutorial "MoveNet", functions
# torso_visible, determine_torso_and_body_range and determine_crop_region).
_TORSO_FACTOR = 1.9
_BODY_FACTOR = 1.2

GREY = 127  # what is beyond the picture in a person's crop


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
# Left, top, right, bottom in whole pixels, the last two exclusive.
Box = tuple[int, int, int, int]


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
    return bool(seen[SHOULDERS].any() and seen[HIPS].any())


def is_upright(pose: np.ndarray) -> bool:
    """Tell if a torso was seen whose shoulders are above the hips, 45° off at most.

    Args:
        pose: Float array `(17, 3)`: x_px, y_px, score.

    Returns:
        Whether it stands so; False where no torso was seen.
    """
    if not has_torso(pose):
        return False
    x_px, y_px = pose[HIPS, :2].mean(axis=0) - pose[SHOULDERS, :2].mean(axis=0)
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
    center_xy = pose[HIPS, :2].mean(axis=0)
    reach_px = np.abs(pose[:, :2] - center_xy).max(axis=1)
    half_px = max(
        _TORSO_FACTOR * reach_px[SHOULDERS + HIPS].max(),
        _BODY_FACTOR * reach_px[seen].max(),
    )
    far_edge_px = np.maximum(center_xy, np.asarray(size_wh) - center_xy).max()
    half_px = min(half_px, far_edge_px)
    if half_px > max(size_wh) / 2 or half_px < 1:
        return None
    left_px, top_px = center_xy - half_px
    return Square(float(left_px), float(top_px), float(2 * half_px))


def scale_square(square: Square, factor: float) -> Square:
    """Return a square about the same middle, its side multiplied.

    Example:
        >>> scale_square(Square(0.0, 10.0, 20.0), 0.5)
        Square(left_px=5.0, top_px=15.0, side_px=10.0)
    """
    side_px = square.side_px * factor
    shift_px = (square.side_px - side_px) / 2
    return Square(square.left_px + shift_px, square.top_px + shift_px, side_px)


def find_box(
    pose: np.ndarray, size_wh: tuple[int, int], *, margin: float = 0.25
) -> Box | None:
    """Return the box round a person, with a margin for what has no keypoint.

    Args:
        pose: `(17, 3)`: x_px, y_px, score.
        size_wh: Width and height of the picture, pixels.
        margin: Added on each side, as a share of the box's longer side.

    Returns:
        The box, within the picture; None where no two keypoints can be relied on.
    """
    sure = pose[pose[:, 2] >= MIN_SCORE, :2]
    sure = sure[np.isfinite(sure).all(axis=1)]
    if len(sure) < 2:
        return None
    low, high = sure.min(axis=0), sure.max(axis=0)
    reach = margin * (high - low).max()
    left, top = np.clip(np.floor(low - reach), 0, size_wh).astype(int)
    right, bottom = np.clip(np.ceil(high + reach), 0, size_wh).astype(int)
    if right <= left or bottom <= top:
        return None
    return int(left), int(top), int(right), int(bottom)


def crop_person(image: np.ndarray, pose: np.ndarray) -> np.ndarray:
    """Cut out the square round the person; the whole picture where there is nobody.

    Args:
        image: RGB uint8 `(height, width, 3)`.
        pose: `(17, 3)`: x_px, y_px, score.

    Returns:
        Square RGB uint8 picture, grey where it reaches beyond the frame.
    """
    height, width = image.shape[:2]
    box = find_box(pose, (width, height), margin=0.15)
    if box is None:
        return image.copy()
    side = max(box[2] - box[0], box[3] - box[1])
    left = (box[0] + box[2] - side) // 2
    top = (box[1] + box[3] - side) // 2
    padded = np.full((side, side, 3), GREY, dtype=np.uint8)
    x0, y0 = max(left, 0), max(top, 0)
    x1, y1 = min(left + side, width), min(top + side, height)
    padded[y0 - top : y1 - top, x0 - left : x1 - left] = image[y0:y1, x0:x1]
    return padded


def measure_overlap(one: Square, other: Square) -> float:
    """Return the area that two squares share, divided by what they cover (IoU).

    Example:
        >>> measure_overlap(Square(0, 0, 2), Square(1, 0, 2))
        0.3333333333333333
    """
    low = np.maximum(one[:2], other[:2])
    high = np.minimum(np.add(one[:2], one.side_px), np.add(other[:2], other.side_px))
    shared = float(np.maximum(high - low, 0).prod())
    return shared / (one.side_px**2 + other.side_px**2 - shared)
