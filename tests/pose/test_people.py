"""Who is seen in each frame, and what poses say of a video."""

import numpy as np
import pandas as pd
import pytest

from utils.core.skeleton import KEYPOINT_IDX, KEYPOINTS, MIRROR_IDX
from utils.pose.estimate import estimate_pose
from utils.pose.people import (
    advise_videos,
    find_heads,
    find_jumps,
    find_people,
    find_swaps,
)

SIZE = 200.0


def _stand() -> np.ndarray:
    """Return a person of 100 pixels, upright, left side at the right of the picture."""
    heights = {"nose": 0, "eye": 0, "ear": 0, "shoulder": 20, "elbow": 35, "wrist": 50}
    heights |= {"hip": 50, "knee": 75, "ankle": 100}
    pose = np.zeros((17, 2))
    for name, place in KEYPOINT_IDX.items():
        side, _, kind = name.rpartition("_")
        pose[place] = {"left": 12, "right": -12, "": 0}[side], heights[kind]
    return pose + [100, 50]


def _turn(pose: np.ndarray, degrees: int) -> np.ndarray:
    """Turn a pose clockwise, as the picture would be turned, about its middle."""
    angle = np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return (pose - SIZE / 2) @ turn.T + SIZE / 2


def _advise(poses: np.ndarray, found: np.ndarray | None = None, turned: int = 0) -> str:
    """Let a film of these poses, 5 a second, be checked."""
    n = len(poses)
    frames = pd.DataFrame({"video": "a", "frame_idx": range(n)})
    frames["time_s"] = frames["frame_idx"] / 5
    keypoints = frames.loc[frames.index.repeat(17), ["video", "frame_idx"]]
    keypoints["keypoint"] = np.tile(np.array(KEYPOINTS, object), n)
    keypoints[["x_px", "y_px"]] = poses.reshape(-1, 2)
    seen = np.ones(n, dtype=bool) if found is None else found
    keypoints["score"] = np.repeat(np.where(seen, 0.9, 0.05), 17)
    videos = pd.DataFrame({"video": ["a"], "rotation_deg": [turned]})
    return advise_videos(keypoints, frames, videos)["a"]


def test_an_upright_person_who_walks_needs_no_advice() -> None:
    walk = np.array([_stand() + [5 * i, 0] for i in range(30)])
    assert _advise(walk) == ""


@pytest.mark.parametrize(
    ("degrees", "way", "word"),
    [(180, "down", "upside down"), (90, "right", "side"), (270, "left", "side")],
)
def test_a_turned_video_is_named_with_the_turn_that_sets_it_right(
    degrees: int, way: str, word: str
) -> None:
    poses = np.array([_turn(_stand(), degrees)] * 20)
    assert set(find_heads(poses)) == {way}
    text = _advise(poses)
    assert word in text
    assert f"rotation_deg to {360 - degrees} in" in text
    assert f"rotation_deg to {(450 - degrees) % 360} in" in _advise(poses, turned=90)


def test_lying_down_for_a_while_is_no_fault_of_the_video() -> None:
    poses = np.array([_stand()] * 12 + [_turn(_stand(), 90)] * 8)
    assert _advise(poses) == ""


def test_two_people_make_the_skeleton_jump() -> None:
    poses = np.array([_stand() + [150 * (i // 3 % 2), 0] for i in range(24)])
    assert find_jumps(poses[:-1], poses[1:]).sum() == 7
    text = _advise(poses)
    assert "jumps to another place 7 times, first at 0.6 s" in text
    assert "swap" not in text


def test_swapped_sides_are_counted() -> None:
    poses = np.array([_stand()] * 24)
    poses[8:10] = poses[8:10, MIRROR_IDX]
    poses[15:17] = poses[15:17, MIRROR_IDX]
    assert find_swaps(poses[:-1], poses[1:]).sum() == 4
    assert "left and right swap 4 times, first at 1.6 s" in _advise(poses)


def test_a_person_who_turns_round_once_is_not_a_mirrored_camera() -> None:
    poses = np.array([_stand()] * 24)
    poses[12:] = poses[12:, MIRROR_IDX]
    assert _advise(poses) == ""


def test_times_without_a_person_are_named() -> None:
    poses, found = np.array([_stand()] * 20), np.ones(20, dtype=bool)
    found[5:12] = False
    text = _advise(poses, found)
    assert "35% of the frames" in text
    assert "1.0-2.2 s" in text
    assert "Nobody was found in a." in _advise(poses, np.zeros(20, dtype=bool))


def test_a_video_without_frames_gets_no_advice() -> None:
    assert _advise(np.zeros((0, 17, 2))) == ""


def _build_keypoints(scores: dict[int, np.ndarray | float]) -> pd.DataFrame:
    """Build a keypoints table of one video: frame_idx -> score of the 17 keypoints."""
    rows = [
        pd.DataFrame(
            {
                "video": "a",
                "frame_idx": frame_idx,
                "keypoint": list(KEYPOINTS),
                "x_px": 1.0,
                "y_px": 2.0,
                "score": score,
            }
        )
        for frame_idx, score in scores.items()
    ]
    return pd.concat(rows, ignore_index=True)


def test_find_people_keeps_a_row_for_every_frame() -> None:
    no_torso = np.full(17, 0.9)
    no_torso[[KEYPOINT_IDX["left_hip"], KEYPOINT_IDX["right_hip"]]] = 0.1
    scores = {3: 0.9, 1: 0.05, 7: no_torso, 9: np.nan}
    people = find_people(_build_keypoints(scores))
    assert people.columns.tolist() == ["video", "frame_idx", "has_person", "score_mean"]
    assert people["frame_idx"].tolist() == [3, 1, 7, 9]
    assert people["has_person"].tolist() == [True, False, False, False]
    assert people["score_mean"].tolist() == pytest.approx([0.9, 0.05, 13.7 / 17, 0])


def test_find_people_does_not_depend_on_the_order_of_rows() -> None:
    table = _build_keypoints({0: np.linspace(0, 0.3, 17), 5: 0.6})
    shuffled = table.sample(frac=1, random_state=0)
    key = ["video", "frame_idx"]
    pd.testing.assert_frame_equal(
        find_people(table), find_people(shuffled).sort_values(key, ignore_index=True)
    )


def test_find_people_of_no_frames_is_empty() -> None:
    assert len(find_people(_build_keypoints({0: 0.5}).iloc[:0])) == 0


def test_find_people_finds_nobody_in_an_empty_room() -> None:
    image = np.full((120, 160, 3), 128, np.uint8)
    pose = estimate_pose(image, network="movenet_lightning")
    people = find_people(_build_keypoints({0: pose[:, 2]}))
    assert not people["has_person"].any()


def test_find_people_refuses_an_unknown_keypoint() -> None:
    table = _build_keypoints({0: 0.5}).replace("nose", "tail")
    with pytest.raises(ValueError, match="17 COCO keypoints, found 'tail'"):
        find_people(table)
