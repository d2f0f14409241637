"""Pictures that people look at: as filmed, or covered, where `PICTURES` is off."""

from collections.abc import Iterable

import numpy as np

from utils.core.remote import Address
from utils.frames.images import read_image

_GREY = 225  # light enough for the colours of both sides of the body


def show_images(
    paths: Iterable[Address | str], *, pictures: bool = True
) -> list[np.ndarray]:
    """Read pictures for a chart, in order; models read theirs by `read_image`.

    Args:
        paths: Picture files.
        pictures: Setting `PICTURES`: False covers every one of them.

    Returns:
        RGB uint8 arrays.
    """
    shown = [read_image(path) for path in paths]
    return shown if pictures else [cover(image) for image in shown]


def cover(image: np.ndarray) -> np.ndarray:
    """Return a plain grey picture of the same size: no pixel of the film is left.

    A skeleton may be drawn on it; nobody can be known in it.
    """
    return np.full_like(image, _GREY)
