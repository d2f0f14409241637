"""Tests of `utils.core.skeleton`."""

import numpy as np
import pandas as pd
import pytest

from utils.core.skeleton import KEYPOINT_IDX, KEYPOINTS, index_poses, stack_poses

FRAMES = [("b", 4), ("a", 0), ("a", 7)]


@pytest.fixture
def keypoints() -> pd.DataFrame:
    """Three frames of two videos; keypoint k of the n-th lies at (10 n + k, k)."""
    rows = [
        (video, frame_idx, name, 10.0 * n + k, float(k), 0.5)
        for n, (video, frame_idx) in enumerate(FRAMES)
        for k, name in enumerate(KEYPOINTS)
    ]
    columns = ["video", "frame_idx", "keypoint", "x_px", "y_px", "score"]
    return pd.DataFrame(rows, columns=columns)


def test_poses_come_in_order_of_their_first_row(keypoints: pd.DataFrame) -> None:
    poses = stack_poses(keypoints.iloc[::-1])
    assert poses.shape == (3, 17, 3)
    assert poses[:, 0, 0].tolist() == [20, 10, 0]
    assert poses[0, KEYPOINT_IDX["right_ankle"]].tolist() == [36, 16, 0.5]


def test_poses_come_in_the_order_asked_for(keypoints: pd.DataFrame) -> None:
    asked = pd.DataFrame({"video": ["a", "b", "a"], "frame_idx": [7, 4, 7]})
    assert stack_poses(keypoints, asked)[:, 0, 0].tolist() == [20, 0, 20]


def test_a_frame_without_keypoints_has_no_place_and_scores_nothing(
    keypoints: pd.DataFrame,
) -> None:
    asked = pd.DataFrame({"video": ["a", "a"], "frame_idx": [4, 0]})
    poses = stack_poses(keypoints, asked)
    assert np.isnan(poses[0, :, :2]).all()
    assert (poses[0, :, 2] == 0).all()
    assert np.isfinite(poses[1]).all()


@pytest.mark.parametrize("column", ["row", "x_px", "y_px", "score"])
def test_a_keypoint_that_lacks_a_number_scores_nothing(
    keypoints: pd.DataFrame, column: str
) -> None:
    if column == "row":
        keypoints = keypoints.drop(index=3)
    else:
        keypoints.loc[3, column] = np.nan
    poses = stack_poses(keypoints)
    assert poses[0, 3, 2] == 0
    assert (poses[0, :3, 2] == 0.5).all()
    assert np.isnan(poses[0, 3, :2]).all() == (column == "row")


def test_a_keypoint_of_another_skeleton_is_refused(keypoints: pd.DataFrame) -> None:
    keypoints.loc[5, "keypoint"] = "left_toe"
    with pytest.raises(ValueError, match="17 COCO keypoints, found 'left_toe'"):
        stack_poses(keypoints)


def test_poses_are_looked_up_by_frame(keypoints: pd.DataFrame) -> None:
    poses = index_poses(keypoints.sample(frac=1, random_state=0))
    assert set(poses) == set(FRAMES)
    assert poses["a", 7][:, 0].tolist() == [20.0 + k for k in range(17)]
