"""Tests of `utils.predict.annotate`."""

import numpy as np
import pandas as pd
import pytest

from utils.core.skeleton import KEYPOINT_IDX, KEYPOINTS, stack_poses
from utils.predict.annotate import (
    annotate_frame,
    annotate_frames,
    draw_caption,
    draw_pose,
    interpolate_pose,
)

GREY = np.full((240, 320, 3), 90, dtype=np.uint8)


@pytest.fixture
def pose() -> np.ndarray:
    """All points at one place but for the left wrist, 100 px to its right."""
    pose = np.tile([50.0, 60.0, 0.9], (17, 1))
    pose[KEYPOINT_IDX["left_wrist"], 0] = 150
    return pose


def _tables(pose: np.ndarray) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Two frames, 1 s apart: the pose, and the pose 10 px further down."""
    rows = [
        ("clip", idx, name, x, y + 10 * idx, score)
        for idx in (1, 0)
        for name, (x, y, score) in zip(KEYPOINTS, pose, strict=True)
    ]
    columns = ["video", "frame_idx", "keypoint", "x_px", "y_px", "score"]
    frames = pd.DataFrame({"video": "clip", "frame_idx": [0, 1], "time_s": [0.0, 1.0]})
    return pd.DataFrame(rows, columns=columns), frames


def test_draw_pose_paints_the_bone_and_leaves_the_input_alone(pose: np.ndarray) -> None:
    before = GREY.copy()
    drawn = draw_pose(GREY, pose)
    assert (before == GREY).all()
    # left elbow to left wrist: blue, but for anti-aliasing
    np.testing.assert_allclose(drawn[60, 100], (86, 180, 233), atol=20)
    assert (drawn[200:] == 90).all()


def test_draw_pose_leaves_out_doubtful_and_missing_keypoints(pose: np.ndarray) -> None:
    pose[:, 2] = 0.1
    assert (draw_pose(GREY, pose) == GREY).all()
    pose[:, 2], pose[:, :2] = 0.9, np.nan
    assert (draw_pose(GREY, pose) == GREY).all()


def test_caption_darkens_only_the_foot_and_shows_the_share() -> None:
    drawn = draw_caption(GREY, "sitting", share=0.5)
    assert (drawn[:200] == 90).all()
    assert tuple(drawn[-1, 10]) == (86, 180, 233)
    assert tuple(drawn[-1, 300]) == (22, 22, 22)


def test_caption_takes_any_class_name() -> None:
    assert draw_caption(GREY, "ジャンプ 🤸 O'Neill").shape == GREY.shape


def test_interpolation_is_straight_and_keeps_the_ends(pose: np.ndarray) -> None:
    keypoints, frames = _tables(pose)
    time_s, poses = frames["time_s"].to_numpy(), stack_poses(keypoints, frames)
    assert interpolate_pose(0.25, time_s, poses)[0, 1] == pytest.approx(62.5)
    assert interpolate_pose(-1, time_s, poses)[0, 1] == 60
    assert interpolate_pose(9, time_s, poses)[0, 1] == 70


def test_annotated_film_has_every_picture(pose: np.ndarray) -> None:
    scores = pd.DataFrame(
        {"time_s": [0.0, 1.0], "label": ["sit", "stand"], "probability": [0.2, 0.8]}
    )
    images = [(t, GREY) for t in (0.0, 0.5, 1.0)]
    times_s, drawn = zip(*annotate_frames(images, *_tables(pose), scores), strict=True)
    assert times_s == (0.0, 0.5, 1.0)
    bars = [int((d[-1] == (86, 180, 233)).all(axis=1).sum()) for d in drawn]
    assert bars == [64, 64, 256]  # 0.2, 0.2, 0.8 of 320 px


def test_a_posture_has_its_own_colour_in_the_film(pose: np.ndarray) -> None:
    scores = pd.DataFrame({"time_s": [0.0], "label": ["sit"], "probability": [0.5]})
    ((_, drawn),) = annotate_frames(
        [(0.0, GREY)], *_tables(pose), scores, colours={"sit": "#ff0000"}
    )
    assert tuple(drawn[-1, 10]) == (255, 0, 0)


def test_frame_in_which_no_posture_is_held_says_so_without_a_number(
    pose: np.ndarray,
) -> None:
    drawn = annotate_frame(GREY, pose, label="nobody", probability=np.nan)
    worded = draw_caption(draw_pose(GREY, pose), "nobody")
    np.testing.assert_array_equal(drawn, worded)
