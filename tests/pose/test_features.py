"""From keypoints to 34 numbers, on made poses."""

import numpy as np
import pandas as pd
import pytest

from utils.core.skeleton import FEATURE_COLUMNS, KEYPOINT_IDX, KEYPOINTS
from utils.pose.features import (
    KINDS,
    build_features,
    build_inputs,
    mirror_features,
    normalise_by_torso,
    normalise_poses,
    scale_to_frame,
)

N_POSES = 6
WIDTH, HEIGHT = 640, 480
NORMALISE = {"normalised": normalise_poses, "torso": normalise_by_torso}


@pytest.fixture
def xy() -> np.ndarray:
    """Six poses anywhere in a 640 × 480 frame."""
    rng = np.random.default_rng(0)
    return rng.uniform([0, 0], [WIDTH, HEIGHT], (N_POSES, len(KEYPOINTS), 2))


@pytest.fixture
def frames() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "video": ["b", "b", "b", "a", "a", "a"],
            "frame_idx": [0, 3, 6, 0, 3, 6],
            "time_s": [0.0, 0.1, 0.2, 0.0, 0.1, 0.2],
            "path": "x.jpg",
            "width_px": WIDTH,
            "height_px": HEIGHT,
            "sharpness": 1.0,
        }
    )


def make_keypoints(frames: pd.DataFrame, xy: np.ndarray) -> pd.DataFrame:
    table = frames.loc[frames.index.repeat(len(KEYPOINTS)), ["video", "frame_idx"]]
    table = table.reset_index(drop=True)
    return table.assign(
        keypoint=list(KEYPOINTS) * len(frames),
        x_px=xy[..., 0].ravel(),
        y_px=xy[..., 1].ravel(),
        score=0.9,
    )


@pytest.mark.parametrize("kind", NORMALISE)
def test_normalising_treats_each_pose_alone(kind: str, xy: np.ndarray) -> None:
    together = NORMALISE[kind](xy)
    alone = np.concatenate([NORMALISE[kind](xy[[i]]) for i in range(N_POSES)])
    np.testing.assert_array_equal(together, alone)


@pytest.mark.parametrize("kind", NORMALISE)
def test_shift_and_scale_change_nothing(kind: str, xy: np.ndarray) -> None:
    moved = 0.37 * xy + [30, -12]
    np.testing.assert_allclose(NORMALISE[kind](moved), NORMALISE[kind](xy), atol=1e-12)


def test_normalised_box_is_centred_with_longer_side_one(xy: np.ndarray) -> None:
    poses = normalise_poses(xy)
    low, high = poses.min(axis=1), poses.max(axis=1)
    np.testing.assert_allclose(low + high, 0, atol=1e-12)
    np.testing.assert_allclose((high - low).max(axis=1), 1)


def test_torso_kind_divides_by_the_larger_of_torso_and_reach() -> None:
    xy = np.zeros((2, len(KEYPOINTS), 2))
    for side in ("left", "right"):
        xy[:, KEYPOINT_IDX[f"{side}_shoulder"]] = [0, -40]
    xy[1, KEYPOINT_IDX["left_ankle"]] = [0, 200]
    poses = normalise_by_torso(xy)
    shoulder, ankle = KEYPOINT_IDX["left_shoulder"], KEYPOINT_IDX["left_ankle"]
    assert poses[0, shoulder, 1] == pytest.approx(-40 / (2.5 * 40))
    assert poses[1, shoulder, 1] == pytest.approx(-40 / 200)
    assert poses[1, ankle, 1] == pytest.approx(1)


def test_raw_lies_in_0_to_1_of_the_frame(xy: np.ndarray) -> None:
    raw = scale_to_frame(xy, np.tile([WIDTH, HEIGHT], (N_POSES, 1)))
    assert raw.min() >= 0 and raw.max() <= 1
    np.testing.assert_allclose(raw * [WIDTH, HEIGHT], xy)


@pytest.mark.parametrize("kind", NORMALISE)
def test_pose_on_one_spot_becomes_zeros(kind: str) -> None:
    xy = np.full((1, len(KEYPOINTS), 2), 7.5)
    np.testing.assert_array_equal(NORMALISE[kind](xy), np.zeros_like(xy))


@pytest.mark.parametrize("kind", NORMALISE)
def test_keypoint_not_seen_stays_nan_and_moves_no_other(
    kind: str, xy: np.ndarray
) -> None:
    nose = KEYPOINT_IDX["nose"]
    xy[:, nose] = xy[:, 1:].mean(axis=1)  # inside the box: it does not set the size
    expected = NORMALISE[kind](xy)
    xy[:, nose] = np.nan
    poses = NORMALISE[kind](xy)
    assert np.isnan(poses[:, nose]).all()
    np.testing.assert_allclose(poses[:, 1:], expected[:, 1:])


@pytest.mark.parametrize("kind", NORMALISE)
def test_pose_without_keypoints_is_nan_without_warning(kind: str) -> None:
    assert np.isnan(NORMALISE[kind](np.full((1, len(KEYPOINTS), 2), np.nan))).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_normalising_keeps_dtype_and_leaves_input_alone(
    dtype: type, xy: np.ndarray
) -> None:
    xy = xy.astype(dtype)
    before = xy.copy()
    assert {f(xy).dtype for f in NORMALISE.values()} == {np.dtype(dtype)}
    np.testing.assert_array_equal(xy, before)


@pytest.mark.parametrize("shape", [(17, 2), (3, 17, 3), (3, 33, 2)])
def test_wrong_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"Expected `xy` of shape \(n_poses, 17, 2\)"):
        normalise_poses(np.zeros(shape))


@pytest.mark.parametrize("kind", KINDS)
def test_features_are_34_float32_in_the_order_of_frames(
    kind: str, frames: pd.DataFrame, xy: np.ndarray
) -> None:
    keypoints = make_keypoints(frames, xy)
    features = build_features(keypoints, frames, kind=kind)
    shuffled = build_features(
        keypoints.sample(frac=1, random_state=0), frames, kind=kind
    )
    pd.testing.assert_frame_equal(features, shuffled)
    assert list(features) == ["video", "frame_idx", *FEATURE_COLUMNS]
    assert set(features.dtypes[2:].astype(str)) == {"float32"}
    assert features["video"].tolist() == frames["video"].tolist()
    if kind == "normalised":
        numbers = features[list(FEATURE_COLUMNS)].to_numpy().reshape(xy.shape)
        np.testing.assert_allclose(numbers, normalise_poses(xy), atol=1e-6)


def test_frame_without_keypoints_is_a_row_of_nan(
    frames: pd.DataFrame, xy: np.ndarray
) -> None:
    keypoints = make_keypoints(frames, xy).iloc[len(KEYPOINTS) :]
    features = build_features(keypoints, frames)
    is_nan = features[list(FEATURE_COLUMNS)].isna().to_numpy()
    assert is_nan[0].all() and not is_nan[1:].any()


@pytest.mark.parametrize("kind", KINDS)
def test_mirroring_twice_is_the_identity(
    kind: str, frames: pd.DataFrame, xy: np.ndarray
) -> None:
    features = build_features(make_keypoints(frames, xy), frames, kind=kind)
    twice = mirror_features(mirror_features(features, kind=kind), kind=kind)
    pd.testing.assert_frame_equal(twice, features, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_mirroring_equals_features_of_the_mirrored_picture(
    kind: str, frames: pd.DataFrame, xy: np.ndarray
) -> None:
    features = build_features(make_keypoints(frames, xy), frames, kind=kind)
    flipped = np.stack([WIDTH - xy[..., 0], xy[..., 1]], axis=-1)
    names = [n.replace("left", "?").replace("right", "left") for n in KEYPOINTS]
    swap = [KEYPOINTS.index(n.replace("?", "right")) for n in names]
    expected = build_features(
        make_keypoints(frames, flipped[:, swap]), frames, kind=kind
    )
    mirrored = mirror_features(features, kind=kind)
    pd.testing.assert_frame_equal(mirrored, expected, atol=1e-6)


def test_unknown_kind_is_refused(frames: pd.DataFrame, xy: np.ndarray) -> None:
    with pytest.raises(ValueError, match="normalised or torso or raw, got 'hips'"):
        build_features(make_keypoints(frames, xy), frames, kind="hips")


def test_inputs_follow_the_rows_and_fill_with_the_poses_own_mean(
    frames: pd.DataFrame, xy: np.ndarray
) -> None:
    xy[1, 0] = np.nan
    features = build_features(make_keypoints(frames, xy), frames)
    rows = frames.iloc[[4, 1]]
    inputs = build_inputs(features, rows)
    assert inputs.shape == (2, 34) and inputs.dtype == np.float32
    np.testing.assert_array_equal(
        inputs[0], features.loc[4, list(FEATURE_COLUMNS)].to_numpy(np.float32)
    )
    np.testing.assert_allclose(
        inputs[1, :2], inputs[1, 2:].reshape(-1, 2).mean(axis=0), atol=1e-6
    )


def test_inputs_of_a_frame_without_person_are_refused_by_name(
    frames: pd.DataFrame, xy: np.ndarray
) -> None:
    xy[3] = np.nan
    features = build_features(make_keypoints(frames, xy), frames)
    with pytest.raises(
        ValueError, match="1 of 6 frames have no keypoints, first frame 0 of a"
    ):
        build_inputs(features, frames)
