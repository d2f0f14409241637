"""Which square of a picture to look at, and reading its pixels."""

import numpy as np
import pytest

from utils.skeleton import KEYPOINT_IDX
from utils.squares import Square, frame_square, has_torso, person_square, sample_grid


def _build_pose(
    *, hips_xy: tuple[float, float], torso_px: float, ankles_px: float
) -> np.ndarray:
    """Build a thin upright person: all points on one vertical line through the hips."""
    pose = np.full((17, 3), 0.9)
    pose[:, :2] = hips_xy
    pose[[KEYPOINT_IDX["left_shoulder"], KEYPOINT_IDX["right_shoulder"]], 1] -= torso_px
    pose[[KEYPOINT_IDX["left_ankle"], KEYPOINT_IDX["right_ankle"]], 1] += ankles_px
    return pose


def test_frame_square_has_the_picture_in_its_middle() -> None:
    assert frame_square((640, 360)) == Square(0, -140, 640)
    assert frame_square((360, 640)) == Square(-140, 0, 640)


def test_person_square_reaches_1_9_torsos_round_the_hips() -> None:
    pose = _build_pose(hips_xy=(500, 500), torso_px=100, ankles_px=10)
    assert person_square(pose, (1000, 1000)) == Square(310, 310, 380)


def test_person_square_reaches_1_2_bodies_round_the_hips() -> None:
    pose = _build_pose(hips_xy=(500, 500), torso_px=100, ankles_px=200)
    assert person_square(pose, (1000, 1000)) == Square(260, 260, 480)


def test_person_square_takes_no_account_of_points_not_seen() -> None:
    pose = _build_pose(hips_xy=(500, 500), torso_px=100, ankles_px=200)
    pose[15:, 2] = 0.1
    assert person_square(pose, (1000, 1000)) == Square(310, 310, 380)


def test_person_square_ends_where_the_picture_does() -> None:
    pose = _build_pose(hips_xy=(500, 500), torso_px=300, ankles_px=10)
    square = person_square(pose, (1000, 900))
    assert square == Square(0, 0, 1000)


def test_person_square_is_none_where_it_would_be_no_closer_look() -> None:
    pose = _build_pose(hips_xy=(200, 200), torso_px=300, ankles_px=10)
    assert person_square(pose, (1000, 1000)) is None


def test_person_square_is_none_without_a_torso() -> None:
    pose = _build_pose(hips_xy=(500, 500), torso_px=100, ankles_px=10)
    pose[[KEYPOINT_IDX["left_hip"], KEYPOINT_IDX["right_hip"]], 2] = 0.1
    assert not has_torso(pose)
    assert person_square(pose, (1000, 1000)) is None


def test_has_torso_is_false_where_nothing_was_found() -> None:
    assert not has_torso(np.full((17, 3), np.nan))


def test_sample_grid_blends_the_four_pixels_round_a_point() -> None:
    image = np.zeros((2, 2, 3), np.uint8)
    image[..., 0] = [[0, 100], [200, 100]]
    sampled = sample_grid(image, np.array([0.5]), np.array([0.25]), outside="zero")
    assert sampled[0, 0].tolist() == [0.75 * 50 + 0.25 * 150, 0, 0]


def test_sample_grid_gives_each_pixel_at_its_own_place() -> None:
    image = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    sampled = sample_grid(image, np.arange(7.0), np.arange(5.0), outside="zero")
    assert (sampled == image).all()


@pytest.mark.parametrize(("outside", "expected"), [("zero", 0), ("edge", 50)])
def test_sample_grid_outside_the_picture(outside: str, expected: int) -> None:
    image = np.full((3, 3, 3), 50, np.uint8)
    x_px = np.array([-5.0, 0.0, 2.0, 2.5])
    sampled = sample_grid(image, x_px, np.array([1.0, 9.0]), outside=outside)
    assert sampled[0, :, 0].tolist() == [expected, 50, 50, expected]
    assert sampled[1, :, 0].tolist() == [expected] * 4


def test_sample_grid_reads_a_picture_turned_in_memory() -> None:
    image = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    turned = np.rot90(image)
    sampled = sample_grid(turned, np.arange(5.0), np.arange(7.0), outside="edge")
    assert (sampled == turned).all()


def test_sample_grid_refuses_another_rule() -> None:
    image = np.zeros((2, 2, 3), np.uint8)
    with pytest.raises(ValueError, match="'zero' or 'edge', got 'mirror'"):
        sample_grid(image, np.zeros(1), np.zeros(1), outside="mirror")
