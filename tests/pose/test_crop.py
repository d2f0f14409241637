"""Which part of a picture is used: the networks' squares, a person's box and crop."""

import numpy as np
import pytest

from utils.core.skeleton import KEYPOINT_IDX
from utils.pose.crop import (
    GREY,
    Square,
    crop_person,
    find_box,
    frame_square,
    has_torso,
    is_upright,
    measure_overlap,
    person_square,
)


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


@pytest.mark.parametrize(
    ("angle_deg", "expected"),
    [(0, True), (40, True), (-40, True), (50, False), (90, False), (180, False)],
)
def test_is_upright_up_to_45_degrees(angle_deg: float, expected: bool) -> None:
    pose = _build_pose(hips_xy=(0, 0), torso_px=100, ankles_px=100)
    turn = np.deg2rad(angle_deg)
    pose[:, :2] @= [[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]
    assert is_upright(pose) == expected


def test_without_a_torso_nobody_is_upright() -> None:
    pose = _build_pose(hips_xy=(0, 0), torso_px=100, ankles_px=100)
    pose[[KEYPOINT_IDX["left_hip"], KEYPOINT_IDX["right_hip"]], 2] = 0.1
    assert not is_upright(pose)


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


@pytest.fixture
def pose() -> np.ndarray:
    """17 keypoints in a box from (40, 30) to (60, 70), all sure."""
    xy = np.column_stack([np.linspace(40, 60, 17), np.linspace(30, 70, 17)])
    return np.column_stack([xy, np.ones(17)])


def test_box_holds_the_sure_keypoints_and_a_margin(pose: np.ndarray) -> None:
    assert find_box(pose, (200, 200), margin=0.25) == (30, 20, 70, 80)
    pose[0, :2], pose[0, 2] = (190, 190), 0.1  # doubtful: does not count
    assert find_box(pose, (200, 200))[2] < 100


def test_box_stays_in_the_picture_and_is_absent_without_a_person(
    pose: np.ndarray,
) -> None:
    assert find_box(pose, (62, 72), margin=0.5) == (20, 10, 62, 72)
    assert find_box(pose * [1, 1, 0], (200, 200)) is None
    assert find_box(np.full((17, 3), np.nan), (200, 200)) is None


def test_crop_is_a_square_round_the_person(pose: np.ndarray) -> None:
    image = np.zeros((100, 70, 3), dtype=np.uint8)
    image[50, 50] = 255
    crop = crop_person(image, pose)
    assert crop.shape[0] == crop.shape[1] >= 40
    assert crop.max() == 255
    assert (crop[:, -1] == GREY).all()  # beyond the frame's right edge
    assert crop_person(image, pose * [1, 1, 0]).shape == image.shape


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (Square(0, 0, 10), 1.0),
        (Square(5, 0, 10), 50 / 150),
        (Square(2, 2, 5), 25 / 100),
        (Square(10, 0, 10), 0.0),
        (Square(30, 30, 4), 0.0),
    ],
)
def test_overlap_is_what_squares_share_of_what_they_cover(
    other: Square, expected: float
) -> None:
    assert measure_overlap(Square(0, 0, 10), other) == pytest.approx(expected)
    assert measure_overlap(other, Square(0, 0, 10)) == pytest.approx(expected)
