"""PCK and OKS on poses whose answer is known."""

import numpy as np
import pytest

from utils.core.skeleton import KEYPOINT_IDX
from utils.pose.metrics import (
    COCO_SIGMAS,
    compute_oks,
    compute_torso_sizes,
    find_correct_keypoints,
)


@pytest.fixture
def true_xy() -> np.ndarray:
    """One pose with a torso of 100 px: shoulders at y 0, all else at y 100."""
    xy = np.full((1, 17, 2), 100.0)
    xy[0, [KEYPOINT_IDX["left_shoulder"], KEYPOINT_IDX["right_shoulder"]], 1] = 0
    return xy


def test_torso_goes_from_shoulders_to_hips(true_xy: np.ndarray) -> None:
    assert compute_torso_sizes(true_xy).tolist() == [100]


def test_keypoint_is_correct_within_a_fifth_of_the_torso(true_xy: np.ndarray) -> None:
    xy = true_xy.copy()
    xy[0, 0, 0] += 20
    xy[0, 1, 0] += 20.1
    correct = find_correct_keypoints(xy, true_xy)
    assert correct[0, :3].tolist() == [1, 0, 1]


def test_keypoint_not_found_is_wrong_and_not_known_is_nan(true_xy: np.ndarray) -> None:
    xy = true_xy.copy()
    xy[0, 0] = np.nan
    true_xy[0, 1] = np.nan
    correct = find_correct_keypoints(xy, true_xy)
    assert correct[0, 0] == 0
    assert np.isnan(correct[0, 1])
    assert np.nanmean(correct) == 15 / 16


def test_oks_of_the_true_pose_is_1(true_xy: np.ndarray) -> None:
    assert compute_oks(true_xy, true_xy, area_px2=np.array([5000.0])) == 1


def test_oks_falls_with_distance_as_coco_says(true_xy: np.ndarray) -> None:
    xy, area_px2 = true_xy.copy(), 5000.0
    xy[0, 0, 0] += 3
    expected = np.exp(-9 / (2 * area_px2 * (2 * COCO_SIGMAS[0]) ** 2))
    found = compute_oks(xy, true_xy, area_px2=np.array([area_px2]))
    assert found[0] == pytest.approx((16 + expected) / 17)


def test_oks_counts_marked_keypoints_only(true_xy: np.ndarray) -> None:
    marked = true_xy.copy()
    marked[0, 3:] = np.nan
    xy = true_xy.copy()
    xy[0, 0] = np.nan
    assert compute_oks(xy, marked, area_px2=np.array([5000.0]))[0] == 2 / 3
    nothing = np.full_like(marked, np.nan)
    assert np.isnan(compute_oks(xy, nothing, area_px2=np.array([5000.0]))[0])


def test_shapes_are_checked(true_xy: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"`xy` of shape \(n_poses, 17, 2\)"):
        compute_torso_sizes(true_xy[0])
    with pytest.raises(ValueError, match="got 1 and 2"):
        find_correct_keypoints(true_xy, np.repeat(true_xy, 2, axis=0))
