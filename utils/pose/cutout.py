"""Pictures without their person, and persons without their room.

For the background test; where a person is and their plain crop are in `crop`.
"""

from collections.abc import Sequence

import numpy as np

from utils.core.skeleton import EDGES, HIPS, KEYPOINT_IDX, MIN_SCORE, SHOULDERS
from utils.pose.crop import GREY, Box

_FACE = [KEYPOINT_IDX[k] for k in ("nose", "left_eye", "right_eye", "left_ear")]
_TORSO = SHOULDERS + HIPS[::-1]  # round its edge
# Half widths in torso lengths (mid shoulders to mid hips), on the generous side:
# clothes, hair and hands reach beyond the keypoints.
_LIMB, _HEAD = 0.2, 0.42


def join_boxes(
    boxes: Sequence[Box | None],
) -> Box | None:
    """Return the box round all boxes; None where there is none."""
    found = np.array([box for box in boxes if box is not None])
    if not len(found):
        return None
    low, high = found[:, :2].min(axis=0), found[:, 2:].max(axis=0)
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def build_background(
    images: Sequence[np.ndarray],
    boxes: Sequence[Box | None],
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
    # The torso's length, or a fifth of the height where it is seen from above; what is
    # missing lies far outside and must not make the limbs thicker than the picture.
    torso = xy[_TORSO[:2]].mean(axis=0) - xy[_TORSO[2:]].mean(axis=0)
    tall_px = min(np.ptp(xy[:, 1]), 1e4)
    torso_px = float(max(np.linalg.norm(torso), 0.2 * tall_px, 3.0))
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


def blank_person(
    image: np.ndarray,
    box: Box | None,
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
