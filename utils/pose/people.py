"""Who is seen in each frame, and what the poses say of the video itself.

The advice (upside down, two people, nobody there) stops no run and changes no number.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from utils.core.skeleton import (
    HIPS,
    KEYPOINT_IDX,
    MIN_PERSON_SCORE,
    MIRROR_IDX,
    SHOULDERS,
    stack_poses,
)
from utils.core.tables import check_table
from utils.pose.crop import has_torso

# Shares of a video's frames from which on it is spoken of. A person who lies down for a
# while, turns round or leaves the picture is no fault of the video.
MOST_TURNED = 0.6
MOST_LOST = 0.2
MOST_ODD_STEPS = 0.05
_LEAST_ODD_STEPS = 3
_MAX_STEP_S = 0.6  # frames further apart are not compared
_N_NAMED = 3  # times named in a sentence

_HEAD = [KEYPOINT_IDX[k] for k in ("nose", "left_eye", "right_eye")]
_FEET = [KEYPOINT_IDX[k] for k in ("left_ankle", "right_ankle")]
# Where the head points -> clockwise turn that sets the picture upright.
_TURNS = {"down": 180, "left": 90, "right": 270}


def find_people(
    keypoints: pd.DataFrame, *, min_score: float = MIN_PERSON_SCORE
) -> pd.DataFrame:
    """Tell for each frame if it shows a person; no frame is dropped.

    Rule: the mean score of the 17 keypoints is at least `min_score`, and one shoulder
    and one hip at least score above 0.2, so that there is a torso.

    Args:
        keypoints: Keypoints table; what is missing or NaN counts as score 0.
        min_score: Mean score that a person has at least.

    Returns:
        Table `video`, `frame_idx`, `has_person` (bool), `score_mean` (float64), one row
        a frame, in the order in which frames come in `keypoints`.

    Raises:
        ValueError: If a keypoint is none of the 17.
    """
    table = check_table(keypoints, "keypoints")
    people = table[["video", "frame_idx"]].drop_duplicates(ignore_index=True)
    poses = stack_poses(table)
    score_mean = poses[:, :, 2].mean(axis=1)
    torso = np.array([has_torso(pose) for pose in poses], dtype=bool)
    return people.assign(
        has_person=torso & (score_mean >= min_score), score_mean=score_mean
    )


def advise_videos(
    keypoints: pd.DataFrame,
    frames: pd.DataFrame,
    videos: pd.DataFrame,
) -> pd.Series:
    """Say of each video what its poses give away.

    Args:
        keypoints: Table `keypoints`.
        frames: Table `frames`, for time stamps.
        videos: Table `videos`; says how each was turned.

    Returns:
        Advice by video, in the order of `videos`: sentences, or an empty text.
    """
    timed = frames[["video", "frame_idx", "time_s"]].merge(
        find_people(keypoints), on=["video", "frame_idx"], how="left"
    )
    timed["has_person"] = timed["has_person"].eq(True)
    poses = stack_poses(keypoints, timed)[..., :2]
    advice = {}
    for row in videos.itertuples():
        own = np.flatnonzero((timed["video"] == row.video).to_numpy())
        own = own[np.argsort(timed["time_s"].to_numpy()[own], kind="stable")]
        of_video = timed.iloc[own]
        time_s, found = of_video["time_s"].to_numpy(), of_video["has_person"].to_numpy()
        sentences = [
            _advise_lost(row.video, time_s, found),
            _advise_turn(row.video, poses[own][found], int(row.rotation_deg)),
            _advise_steps(row.video, time_s, found, poses[own]),
        ]
        advice[row.video] = " ".join(filter(None, sentences))
    return pd.Series(advice, name="advice", dtype="str")


def _advise_lost(video: str, time_s: np.ndarray, found: np.ndarray) -> str:
    """Say when nobody was found."""
    if not len(found):
        return ""
    if not found.any():
        return (
            f"Nobody was found in {video}. Film one person, whole, at least a quarter "
            "of the picture high."
        )
    if (~found).mean() <= MOST_LOST:
        return ""
    edges = np.flatnonzero(np.diff(np.r_[False, ~found, False]))
    times = [
        (float(time_s[start]), float(time_s[end - 1]))
        for start, end in zip(edges[::2], edges[1::2], strict=True)
    ]
    longest = sorted(times, key=lambda s: s[0] - s[1])[:_N_NAMED]
    where = ", ".join(f"{a:.1f}-{b:.1f} s" for a, b in sorted(longest))
    return (
        f"In {video} nobody was found in {(~found).mean():.0%} of the frames, longest "
        f"at {where}. Is the person small, dark or out of the picture there?"
    )


def find_heads(poses: np.ndarray) -> np.ndarray:
    """Tell where the head points, seen from the feet.

    Args:
        poses: x and y, pixels, `(n, 17, 2)`; y points down.

    Returns:
        `up`, `down`, `left` or `right` of each pose, as objects.
    """
    way = poses[:, _HEAD].mean(axis=1) - poses[:, _FEET].mean(axis=1)
    along_x = np.abs(way[:, 0]) > np.abs(way[:, 1])
    sideways = np.where(way[:, 0] < 0, "left", "right")
    return np.where(along_x, sideways, np.where(way[:, 1] < 0, "up", "down"))


def _advise_turn(video: str, poses: np.ndarray, rotation_deg: int) -> str:
    """Say if the video should be turned, and how."""
    if not len(poses):
        return ""
    way, counts = np.unique(find_heads(poses), return_counts=True)
    most = str(way[counts.argmax()])
    if most == "up" or counts.max() / len(poses) < MOST_TURNED:
        return ""
    turn_deg = (rotation_deg + _TURNS[most]) % 360
    how = f"set rotation_deg to {turn_deg} in videos.csv"
    if most == "down":
        return f"{video} is upside down: {how}."
    return f"{video} lies on its side, unless the person does: if the film does, {how}."


def _advise_steps(
    video: str, time_s: np.ndarray, found: np.ndarray, poses: np.ndarray
) -> str:
    """Say if the skeleton jumps between places, or left and right swap."""
    near = found[:-1] & found[1:] & (np.diff(time_s) <= _MAX_STEP_S)
    if not near.any():
        return ""
    before, after = poses[:-1][near], poses[1:][near]
    at_s, sentences = time_s[1:][near], []
    jumped, swapped = find_jumps(before, after), find_swaps(before, after)
    for odd, what in (
        (jumped, "the skeleton jumps to another place {n}. More than one person?"),
        (
            swapped & ~jumped,
            "left and right swap {n}. A mirrored front camera, or someone seen from "
            "behind?",
        ),
    ):
        if odd.sum() >= _LEAST_ODD_STEPS and odd.mean() > MOST_ODD_STEPS:
            n = f"{odd.sum()} times, first at {at_s[odd][0]:.1f} s"
            sentences.append(f"In {video} {what.format(n=n)}")
    return " ".join(sentences)


def find_jumps(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Tell which steps move the whole body by more than its own size.

    Args:
        before: Poses, `(n, 17, 2)`.
        after: The pose that follows each, likewise.

    Returns:
        Bool `(n,)`.
    """
    middles = [(poses.min(axis=1) + poses.max(axis=1)) / 2 for poses in (before, after)]
    moved = np.linalg.norm(middles[1] - middles[0], axis=1)
    return moved > np.maximum(_measure(before), _measure(after))


def _measure(poses: np.ndarray) -> np.ndarray:
    """Return the longer side of each bounding box, `(n,)`."""
    return np.ptp(poses, axis=1).max(axis=1)


def find_swaps(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Tell which steps are half as long if left and right change names.

    Args:
        before: Poses, `(n, 17, 2)`.
        after: The pose that follows each, likewise.

    Returns:
        Bool `(n,)`; shoulders and hips decide, and steps shorter than a tenth of the
        body are none.
    """
    kept = _step(before, after, SHOULDERS + HIPS)
    named_anew = _step(before, after[:, MIRROR_IDX], SHOULDERS + HIPS)
    return (named_anew < kept / 2) & (kept > 0.1 * _measure(after))


def _step(before: np.ndarray, after: np.ndarray, points: Sequence[int]) -> np.ndarray:
    """Return how far some points move on average."""
    moves = after[:, points] - before[:, points]
    return np.linalg.norm(moves, axis=2).mean(axis=1)
