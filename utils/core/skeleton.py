"""The 17 COCO keypoints: their names, order, edges and left/right pairs.

Order and names: COCO keypoint annotations (https://cocodataset.org/#keypoints-2020).
"left" is the subject's left, not the viewer's.
"""

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
