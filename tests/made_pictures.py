"""Made pictures of two classes: a bright bar that stands or lies, anywhere."""

from pathlib import Path

import numpy as np
import pandas as pd


def make_picture(is_lying: bool, *, seed: int) -> np.ndarray:
    """Return a small RGB picture with a bar on noise."""
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 90, (96, 128, 3), dtype=np.uint8)
    top, left = rng.integers(5, 40, 2)
    height, width = (10, 50) if is_lying else (50, 10)
    image[top : top + height, left : left + width] = rng.integers(170, 255, 3)
    return image


def write_pictures(folder: Path, *, n: int = 24) -> pd.DataFrame:
    """Write pictures of both classes in turn; return `video`, `path` and class `y`."""
    import cv2

    rows = []
    for k in range(n):
        path = folder / f"{k:03d}.png"
        cv2.imwrite(str(path), make_picture(bool(k % 2), seed=k)[..., ::-1])
        rows.append(("film", str(path), k % 2))
    return pd.DataFrame(rows, columns=["video", "path", "y"])


def read_picture(path: Path) -> np.ndarray:
    """Read an RGB picture."""
    import cv2

    return cv2.imread(str(path))[..., ::-1].copy()
