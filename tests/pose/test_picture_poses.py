"""Tests of `utils.pose.pictures`."""

from pathlib import Path

import numpy as np
import pandas as pd

from utils.pose.pictures import estimate_pictures


def test_each_picture_is_looked_at_once(tmp_path: Path) -> None:
    pictures = pd.DataFrame({"video": "a", "frame_idx": range(70)})
    pictures["path"] = [f"{i}.jpg" for i in pictures["frame_idx"]]
    calls: list[int] = []

    def estimate(image: np.ndarray) -> np.ndarray:
        calls.append(image.item())
        return np.full((17, 3), float(image.item()))

    options = {
        "estimate": estimate,
        "estimate_key": "fake",
        "read_image": lambda path: np.array(int(Path(path).stem)),
        "folder": tmp_path,
    }
    table = estimate_pictures(pictures, **options)
    assert len(table) == 17 * 70
    assert table["x_px"].iloc[::17].tolist() == list(range(70))
    assert table["frame_idx"].iloc[[0, 16, 17]].tolist() == [0, 0, 1]
    pd.testing.assert_frame_equal(estimate_pictures(pictures, **options), table)
    assert calls == list(range(70))
    estimate_pictures(pictures, **{**options, "estimate_key": "another"})
    assert len(calls) == 140
