"""Poses in many pictures: each is looked at once, whatever else is asked for."""

from pathlib import Path

import numpy as np
import pandas as pd

from utils.pose.estimate import estimate_pose
from utils.pose.pictures import estimate_pictures, find_in_pictures

FAST = "movenet_lightning"


def test_each_picture_of_a_table_is_looked_at_once(tmp_path: Path) -> None:
    pictures = pd.DataFrame({"video": "a", "frame_idx": range(35)})
    pictures["path"] = [f"{i}.jpg" for i in pictures["frame_idx"]]
    calls: list[str] = []

    def read_image(path: str) -> np.ndarray:
        calls.append(path)
        return np.full((32, 48, 3), 5 * int(Path(path).stem), np.uint8)

    options = {"network": FAST, "read_image": read_image, "folder": tmp_path}
    table = estimate_pictures(pictures, **options)
    assert len(table) == 17 * 35
    assert table["frame_idx"].iloc[[0, 16, 17]].tolist() == [0, 0, 1]
    last = estimate_pose(read_image(calls[-1]), network=FAST)
    found = table[["x_px", "y_px", "score"]].to_numpy()
    assert (found.reshape(35, 17, 3)[-1] == last).all()
    del calls[-1]
    pd.testing.assert_frame_equal(estimate_pictures(pictures, **options), table)
    assert calls == pictures["path"].tolist()
    estimate_pictures(pictures.head(1), **options)
    assert len(calls) == 36


def _add_known(image: np.ndarray, known: np.ndarray) -> np.ndarray:
    return np.stack([known, known + image[0, 0, 0]])


def test_what_was_found_is_kept_by_video_and_by_what_was_known(tmp_path: Path) -> None:
    pictures = pd.DataFrame({"video": list("abab"), "frame_idx": [0, 0, 1, 1]})
    pictures["path"] = pictures["video"] + pictures["frame_idx"].astype(str)
    calls: list[str] = []

    def read_image(path: str) -> np.ndarray:
        calls.append(path)
        return np.full((2, 2, 3), int(path[1]), np.uint8)

    known = np.arange(4.0)[:, None, None] * np.ones((1, 17, 3))
    options = {"key": "k", "read_image": read_image, "folder": tmp_path}
    found = find_in_pictures(pictures, _add_known, known=known, **options)
    assert found.shape == (4, 2, 17, 3)
    assert found[:, 1, 0, 0].tolist() == [0, 1, 3, 4]  # in the order of the rows
    assert len(calls) == 4
    own = pictures["video"] == "b"
    again = find_in_pictures(pictures[own], _add_known, known=known[own], **options)
    np.testing.assert_array_equal(again, found[own])
    assert len(calls) == 4
    moved = known.copy()
    moved[0] += 1  # another pose in video a: its two pictures, and no other
    find_in_pictures(pictures, _add_known, known=moved, **options)
    assert calls[4:] == ["a0", "a1"]
