"""Tests of `utils.pose.advice`."""

import numpy as np
import pandas as pd
import pytest

from utils.core.skeleton import KEYPOINT_IDX, KEYPOINTS, MIRROR_IDX
from utils.pose.advice import advise_films, find_heads, find_jumps, find_swaps

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
    people = frames[["video", "frame_idx"]].assign(
        has_person=np.ones(n, dtype=bool) if found is None else found
    )
    keypoints = frames.loc[frames.index.repeat(17), ["video", "frame_idx"]]
    keypoints["keypoint"] = np.tile(np.array(KEYPOINTS, object), n)
    keypoints[["x_px", "y_px"]] = poses.reshape(-1, 2)
    keypoints["score"] = 0.9
    videos = pd.DataFrame({"video": ["a"], "rotation_deg": [turned]})
    return advise_films(keypoints, frames, people, videos)["a"]


def test_an_upright_person_who_walks_needs_no_advice() -> None:
    walk = np.array([_stand() + [5 * i, 0] for i in range(30)])
    assert _advise(walk) == ""


@pytest.mark.parametrize(
    ("degrees", "way", "word"),
    [(180, "down", "upside down"), (90, "right", "side"), (270, "left", "side")],
)
def test_a_turned_film_is_told_with_the_turn_that_sets_it_right(
    degrees: int, way: str, word: str
) -> None:
    poses = np.array([_turn(_stand(), degrees)] * 20)
    assert set(find_heads(poses)) == {way}
    text = _advise(poses)
    assert word in text
    assert f"rotation_deg to {360 - degrees} in" in text
    assert f"rotation_deg to {(450 - degrees) % 360} in" in _advise(poses, turned=90)


def test_lying_down_for_a_while_is_no_fault_of_the_film() -> None:
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


def test_stretches_without_a_person_are_named() -> None:
    poses, found = np.array([_stand()] * 20), np.ones(20, dtype=bool)
    found[5:12] = False
    text = _advise(poses, found)
    assert "35% of the frames" in text
    assert "1.0-2.2 s" in text
    assert "Nobody was found in a." in _advise(poses, np.zeros(20, dtype=bool))


def test_a_film_without_frames_gets_no_advice() -> None:
    assert _advise(np.zeros((0, 17, 2))) == ""
