"""The 17 COCO keypoints: names, order, edges, how sure is sure, and poses as arrays.

Order and names: COCO keypoint annotations (https://cocodataset.org/#keypoints-2020).
"left" is the subject's left, not the viewer's.
"""

import numpy as np
import pandas as pd

KEYPOINTS: tuple[str, ...] = (
    "nose",
    "left_eye",
    "right_eye",
    "left_ear",
    "right_ear",
    "left_shoulder",
    "right_shoulder",
    "left_elbow",
    "right_elbow",
    "left_wrist",
    "right_wrist",
    "left_hip",
    "right_hip",
    "left_knee",
    "right_knee",
    "left_ankle",
    "right_ankle",
)
N_KEYPOINTS = len(KEYPOINTS)
KEYPOINT_IDX: dict[str, int] = {name: idx for idx, name in enumerate(KEYPOINTS)}
# The torso. Lists, not tuples: NumPy takes a tuple for one place on several axes.
SHOULDERS = [KEYPOINT_IDX["left_shoulder"], KEYPOINT_IDX["right_shoulder"]]
HIPS = [KEYPOINT_IDX["left_hip"], KEYPOINT_IDX["right_hip"]]

EDGES: tuple[tuple[str, str], ...] = (
    ("nose", "left_eye"),
    ("nose", "right_eye"),
    ("left_eye", "left_ear"),
    ("right_eye", "right_ear"),
    ("left_shoulder", "right_shoulder"),
    ("left_shoulder", "left_elbow"),
    ("left_elbow", "left_wrist"),
    ("right_shoulder", "right_elbow"),
    ("right_elbow", "right_wrist"),
    ("left_shoulder", "left_hip"),
    ("right_shoulder", "right_hip"),
    ("left_hip", "right_hip"),
    ("left_hip", "left_knee"),
    ("left_knee", "left_ankle"),
    ("right_hip", "right_knee"),
    ("right_knee", "right_ankle"),
)

BODY_PARTS: dict[str, tuple[str, ...]] = {
    "face": KEYPOINTS[0:5],
    "arms": KEYPOINTS[7:11],
    "legs": KEYPOINTS[13:17],
}

# Index of the keypoint on the other side of the body; the nose stays.
MIRROR_IDX: tuple[int, ...] = tuple(
    KEYPOINT_IDX[
        name.replace("left_", "right_")
        if name.startswith("left_")
        else name.replace("right_", "left_")
    ]
    for name in KEYPOINTS
)

# The 34 numbers of a pose: x then y of each keypoint, COCO order.
FEATURE_COLUMNS: tuple[str, ...] = tuple(
    f"{name}_{axis}" for name in KEYPOINTS for axis in ("x", "y")
)

# How sure is sure; scores go from 0 to 1 and no table is ever thresholded.
# A keypoint below this is not counted, and is left out or drawn hollow: the threshold
# of MoveNet's published reference (MIN_CROP_KEYPOINT_SCORE in its tutorial).
MIN_SCORE = 0.2
# A frame shows a person from this mean score of all 17 on. No higher than for one
# keypoint: those that are hidden or out of the picture pull the mean down.
MIN_PERSON_SCORE = 0.2


def stack_poses(
    keypoints: pd.DataFrame, rows: pd.DataFrame | None = None
) -> np.ndarray:
    """Put the keypoints of frames into one array; here missing ones get their values.

    The one rule for what is missing: x and y are NaN, and the score is 0. So it is
    where a frame or a keypoint has no row, and the score is 0 too where a row lacks
    one of the three numbers: a score above 0 always has a place.

    Args:
        keypoints: Table `keypoints`.
        rows: The frames wanted, in this order: any table with `video` and `frame_idx`;
            all frames of `keypoints`, in order of their first row, if None.

    Returns:
        float64 array `(n_frames, 17, 3)`, COCO order: x_px, y_px, score.

    Raises:
        ValueError: If a keypoint is none of the 17.
    """
    names = keypoints["keypoint"].map(KEYPOINT_IDX)
    if names.isna().any():
        raise ValueError(
            "Expected the 17 COCO keypoints, found "
            f"{keypoints['keypoint'][names.isna()].iloc[0]!r} in the keypoints table. "
            "Make it again by estimating the poses anew."
        )
    key = ["video", "frame_idx"]
    frame = keypoints.groupby(key, sort=False, observed=True).ngroup().to_numpy()
    found = keypoints[key].drop_duplicates()
    # One pose more than there are frames: what `get_indexer` cannot find is its -1.
    poses = np.full((len(found) + 1, N_KEYPOINTS, 3), np.nan)
    poses[frame, names.to_numpy(dtype=np.intp)] = keypoints[["x_px", "y_px", "score"]]
    poses[..., 2] = np.where(np.isfinite(poses).all(axis=-1), poses[..., 2], 0.0)
    if rows is None:
        return poses[:-1]
    wanted = pd.MultiIndex.from_frame(rows[key])
    return poses[pd.MultiIndex.from_frame(found).get_indexer(wanted)]


def index_poses(keypoints: pd.DataFrame) -> dict[tuple[str, int], np.ndarray]:
    """Look poses up by frame.

    Args:
        keypoints: Table `keypoints`.

    Returns:
        `(video, frame_idx)` to pose `(17, 3)`, as `stack_poses` gives it.
    """
    frames = keypoints[["video", "frame_idx"]].drop_duplicates()
    names = frames.itertuples(index=False, name=None)
    poses = stack_poses(keypoints)
    return {(v, int(i)): pose for (v, i), pose in zip(names, poses, strict=True)}
