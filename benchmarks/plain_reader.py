"""The loop that most people write to read a film with OpenCV; needs nothing of ours."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

_CLOCK_S = 0.0005


def read_every(path: Path, every_s: float) -> Iterator[np.ndarray]:
    """Read every frame of a film, and yield one every so often.

    Args:
        path: The film.
        every_s: Seconds between frames.

    Yields:
        RGB uint8 array of shape `(height, width, 3)`.
    """
    for _, _, image in read_numbered(path, every_s):
        yield image


def read_numbered(
    path: Path, every_s: float
) -> Iterator[tuple[int, float, np.ndarray]]:
    """Do as `read_every`, and yield each frame's number and time stamp as well."""
    capture = cv2.VideoCapture(str(path))
    last, frame_idx = -1, -1
    while True:
        is_read, image = capture.read()
        if not is_read:
            capture.release()
            return
        frame_idx += 1
        time_s = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
        multiple = int((time_s + _CLOCK_S) / every_s)
        if multiple > last:
            last = multiple
            yield frame_idx, time_s, cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
