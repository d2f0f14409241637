"""Persons in pictures: where they are, without them, and them alone."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from utils.core.skeleton import EDGES, KEYPOINT_IDX, MIN_SCORE, stack_poses

GREY = 127
_FACE = [KEYPOINT_IDX[k] for k in ("nose", "left_eye", "right_eye", "left_ear")]
_TORSO = [
    KEYPOINT_IDX[k]
    for k in ("left_shoulder", "right_shoulder", "right_hip", "left_hip")
]
# Half widths in torso lengths (mid shoulders to mid hips), on the generous side:
# clothes, hair and hands reach beyond the keypoints.
_LIMB, _HEAD = 0.2, 0.42

ReadImage = Callable[[str], np.ndarray]


def find_box(
    pose: np.ndarray, size_wh: tuple[int, int], *, margin: float = 0.25
) -> tuple[int, int, int, int] | None:
    """Return the box round a person, with a margin for what has no keypoint.

    Args:
        pose: `(17, 3)`: x_px, y_px, score.
        size_wh: Width and height of the picture, pixels.
        margin: Added on each side, as a share of the box's longer side.

    Returns:
        Left, top, right, bottom in pixels, the last two exclusive; None where no two
        keypoints can be relied on.
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


def join_boxes(
    boxes: Sequence[tuple[int, int, int, int] | None],
) -> tuple[int, int, int, int] | None:
    """Return the box round all boxes; None where there is none."""
    found = np.array([box for box in boxes if box is not None])
    if not len(found):
        return None
    low, high = found[:, :2].min(axis=0), found[:, 2:].max(axis=0)
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def build_background(
    images: Sequence[np.ndarray],
    boxes: Sequence[tuple[int, int, int, int] | None],
) -> tuple[np.ndarray, float]:
    """Build the room without the person: each pixel's median where no box covers it.

    Pixels that a box covers in every picture are filled from their surroundings
    (OpenCV's inpainting by Telea); so they hold nothing of the person either.

    Args:
        images: RGB uint8 pictures of one fixed camera, of one size.
        boxes: The person's box in each; a picture without one is all room.

    Returns:
        Picture of the same size, and the share of its pixels that had to be filled.
    """
    import cv2

    stack = np.stack(images)
    covered = np.zeros(stack.shape[:3], dtype=bool)
    for layer, box in zip(covered, boxes, strict=True):
        if box is not None:
            layer[box[1] : box[3], box[0] : box[2]] = True
    stack[covered] = 255  # sorted to the end
    stack.sort(axis=0)
    n_seen = (~covered).sum(axis=0)
    middle = np.maximum(n_seen - 1, 0) // 2
    picture = np.take_along_axis(stack, middle[None, :, :, None], axis=0)[0]
    holes = (n_seen == 0).astype(np.uint8)
    if holes.all():
        return np.full_like(picture, GREY), 1.0
    if holes.any():
        picture = cv2.inpaint(picture, holes, 5, cv2.INPAINT_TELEA)
    return picture, float(holes.mean())


def draw_body_mask(pose: np.ndarray, size_wh: tuple[int, int]) -> np.ndarray:
    """Draw where the person is: limbs as thick lines, torso filled, head a disc.

    Args:
        pose: `(17, 3)`: x_px, y_px, score.
        size_wh: Width and height of the picture, pixels.

    Returns:
        Float32 `(height, width)`: 1 on the person, 0 off, soft in between.
    """
    import cv2

    width, height = size_wh
    mask = np.zeros((height, width), dtype=np.uint8)
    xy = np.nan_to_num(pose[:, :2], nan=-1e4)
    torso_px = _measure_torso(xy)
    thick = max(3, round(2 * _LIMB * torso_px))
    points = np.clip(np.round(xy), -30_000, 30_000).astype(int)
    for first, second in EDGES:
        a, b = KEYPOINT_IDX[first], KEYPOINT_IDX[second]
        if pose[[a, b], 2].min() >= MIN_SCORE:
            cv2.line(mask, points[a].tolist(), points[b].tolist(), 255, thick)
    cv2.fillPoly(mask, [points[_TORSO].astype(np.int32)], 255)
    face = xy[_FACE].mean(axis=0).round().astype(int)
    cv2.circle(mask, face.tolist(), max(3, round(_HEAD * torso_px)), 255, -1)
    soft = max(1.0, 0.04 * torso_px)
    return cv2.GaussianBlur(mask, (0, 0), soft).astype(np.float32) / 255


def _measure_torso(xy: np.ndarray) -> float:
    """Return a torso length in pixels: that of the pose, or a third of its height."""
    shoulders, hips = xy[_TORSO[:2]].mean(axis=0), xy[_TORSO[2:]].mean(axis=0)
    spread = np.ptp(xy[:, 1])
    return float(max(np.linalg.norm(shoulders - hips), 0.2 * min(spread, 1e4), 3.0))


def blank_person(
    image: np.ndarray,
    box: tuple[int, int, int, int] | None,
    background: np.ndarray | None = None,
) -> np.ndarray:
    """Replace the box by the background, or by grey where there is none."""
    blanked = image.copy()
    if box is None:
        return blanked
    part = (slice(box[1], box[3]), slice(box[0], box[2]))
    blanked[part] = GREY if background is None else background[part]
    return blanked


def paste_person(
    image: np.ndarray, mask: np.ndarray, room: np.ndarray | None = None
) -> np.ndarray:
    """Put the person of one picture before another room, or before grey.

    Args:
        image: RGB uint8 picture with the person.
        mask: From `draw_body_mask`.
        room: RGB uint8 picture of any size, stretched to fit; grey if None.

    Returns:
        RGB uint8 picture of the size of `image`.
    """
    import cv2

    height, width = image.shape[:2]
    if room is None:
        behind = np.full(image.shape, GREY, dtype=np.float32)
    else:
        behind = cv2.resize(room, (width, height)).astype(np.float32)
    share = mask[..., None]
    return np.round(share * image + (1 - share) * behind).astype(np.uint8)


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


def index_poses(keypoints: pd.DataFrame) -> dict[tuple[str, int], np.ndarray]:
    """Look poses up by frame.

    Args:
        keypoints: Table `keypoints`.

    Returns:
        `(video, frame_idx)` to pose `(17, 3)`: x_px, y_px, score; NaN, and score 0,
        where a keypoint is missing.
    """
    frames = keypoints[["video", "frame_idx"]].drop_duplicates()
    names = frames.itertuples(index=False, name=None)
    poses = stack_poses(keypoints)
    return {(v, int(i)): pose for (v, i), pose in zip(names, poses, strict=True)}
