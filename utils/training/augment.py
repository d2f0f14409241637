"""A picture as MobileNetV2 gets it: on a canvas, mirrored, augmented."""

from typing import NamedTuple

import numpy as np

# The area that the weights were made with: 640 × 480 becomes 256 × 192.
CANVAS_PX = 224 * 224
_STEP_PX = 16
_GREY = (124, 116, 104)  # ImageNet's mean colour: nothing, to the network


class Augmentation(NamedTuple):
    """In which versions a picture is learnt from.

    Attributes:
        canvas_wh: Width and height of the versions, pixels.
        mirrors: Whether mirror images are among them.
        n_augmented: How many augmented ones.
    """

    canvas_wh: tuple[int, int]
    mirrors: bool
    n_augmented: int


def choose_canvas(image: np.ndarray) -> tuple[int, int]:
    """Choose the canvas that a picture fills, sides in steps of 16 px.

    Args:
        image: RGB picture; only its shape counts.

    Returns:
        Width and height in pixels, about `CANVAS_PX` in area.

    Example:
        >>> choose_canvas(np.zeros((480, 640, 3)))
        (256, 192)
        >>> choose_canvas(np.zeros((1920, 1080, 3)))
        (160, 304)
    """
    height, width = image.shape[:2]
    side = np.sqrt(CANVAS_PX * width / height), np.sqrt(CANVAS_PX * height / width)
    steps = [max(4, round(s / _STEP_PX)) for s in side]
    return steps[0] * _STEP_PX, steps[1] * _STEP_PX


def fit_canvas(image: np.ndarray, *, canvas_wh: tuple[int, int]) -> np.ndarray:
    """Shrink a picture to fit a canvas; what it does not cover is grey.

    A picture whose shape is within a tenth of the canvas's fills it.

    Args:
        image: RGB uint8 `(height, width, 3)`.
        canvas_wh: Width and height, pixels.

    Returns:
        RGB uint8 of the canvas's size.
    """
    import cv2

    height, width = image.shape[:2]
    scale_x, scale_y = canvas_wh[0] / width, canvas_wh[1] / height
    if max(scale_x / scale_y, scale_y / scale_x) < 1.1:
        return cv2.resize(image, canvas_wh, interpolation=cv2.INTER_AREA)
    scale = min(scale_x, scale_y)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    canvas = np.full((canvas_wh[1], canvas_wh[0], 3), _GREY, dtype=np.uint8)
    left, top = (canvas_wh[0] - size[0]) // 2, (canvas_wh[1] - size[1]) // 2
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    canvas[top : top + size[1], left : left + size[0]] = small
    return canvas


def augment_image(
    image: np.ndarray, *, versions: Augmentation, rng: np.random.Generator
) -> np.ndarray:
    """Make the versions of a picture that MobileNetV2 may be shown.

    Args:
        image: RGB uint8 `(height, width, 3)`.
        versions: Which. Augmented ones are shifted by up to a tenth, zoomed by
            0.8 to 1.25, 0.7 to 1.3 times as bright, and, if mirror images are wanted,
            mirrored half of the time.
        rng: Decides the augmentation.

    Returns:
        uint8 `(n_versions, height, width, 3)`: the picture, its mirror image if
        wanted, the augmented versions.
    """
    plain = fit_canvas(image, canvas_wh=versions.canvas_wh)
    images = [plain, plain[:, ::-1]] if versions.mirrors else [plain]
    for _ in range(versions.n_augmented):
        images.append(_draw_version(plain, mirrors=versions.mirrors, rng=rng))
    return np.stack(images)


def _draw_version(
    image: np.ndarray, *, mirrors: bool, rng: np.random.Generator
) -> np.ndarray:
    """Return one augmented version of a picture, of the same size."""
    import cv2

    height, width = image.shape[:2]
    zoom, brightness = rng.uniform(0.8, 1.25), rng.uniform(0.7, 1.3)
    shift_x, shift_y = rng.uniform(-0.1, 0.1, 2) * (width, height)
    is_mirrored = rng.random() < 0.5
    matrix = np.array(
        [
            [zoom, 0, (1 - zoom) * width / 2 + shift_x],
            [0, zoom, (1 - zoom) * height / 2 + shift_y],
        ]
    )
    moved = cv2.warpAffine(
        image, matrix, (width, height), borderMode=cv2.BORDER_REFLECT_101
    )
    if mirrors and is_mirrored:
        moved = moved[:, ::-1]
    return np.clip(moved * brightness, 0, 255).astype(np.uint8)
