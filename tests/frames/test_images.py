"""Tests of `utils.frames.images`."""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from utils.frames.images import write_crops


def test_crops_are_written_once_and_follow_the_pose(tmp_path: Path) -> None:
    image = np.full((60, 80, 3), 90, dtype=np.uint8)
    samples = pd.DataFrame({"video": "a", "frame_idx": [0, 1], "path": ["0", "1"]})
    xy = np.column_stack([np.linspace(30, 40, 17), np.linspace(20, 40, 17)])
    poses = {("a", 0): np.column_stack([xy, np.ones(17)])}
    calls: list[str] = []

    def read_image(path: str) -> np.ndarray:
        calls.append(path)
        return image

    options = {"read_image": read_image, "folder": tmp_path}
    first = write_crops(samples, poses, **options)
    assert first["path"].iloc[1] == "1"  # nobody there: the picture itself
    crop = cv2.imread(first["path"].iloc[0])
    assert crop.shape == (26, 26, 3)
    assert write_crops(samples, poses, **options)["path"].equals(first["path"])
    assert calls == ["0"]
    moved = {("a", 0): poses["a", 0] + [5, 0, 0]}
    other = write_crops(samples, moved, **options)
    assert other["path"].iloc[0] != first["path"].iloc[0]
