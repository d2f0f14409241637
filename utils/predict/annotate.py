"""Draw skeleton, posture and probability onto the frames of a film."""

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import pandas as pd

from utils.core.colours import SIDE_COLOURS, colour_side, split_rgb
from utils.core.skeleton import EDGES, KEYPOINT_IDX, KEYPOINTS, MIN_SCORE, stack_poses


def draw_pose(
    image: np.ndarray, pose: np.ndarray, *, min_score: float = MIN_SCORE
) -> np.ndarray:
    """Draw a skeleton onto a copy of a picture.

    Args:
        image: RGB uint8 `(height, width, 3)`.
        pose: `(17, 3)`: x_px, y_px, score; NaN is not drawn.
        min_score: Keypoints below it, and their bones, are left out.

    Returns:
        New picture of the same shape.
    """
    import cv2

    drawn = image.copy()
    width_px = max(1, round(max(image.shape[:2]) / 240))
    seen = (pose[:, 2] >= min_score) & np.isfinite(pose[:, :2]).all(axis=1)
    points = np.where(seen[:, None], pose[:, :2], 0).round().astype(int)
    for first, second in EDGES:
        a, b = KEYPOINT_IDX[first], KEYPOINT_IDX[second]
        if seen[a] and seen[b]:
            colour = split_rgb(colour_side(first, second))
            ends = points[a].tolist(), points[b].tolist()
            cv2.line(drawn, *ends, colour, width_px, cv2.LINE_AA)
    for name, point in zip(KEYPOINTS, points[:, :2], strict=True):
        if seen[KEYPOINT_IDX[name]]:
            colour = split_rgb(colour_side(name))
            cv2.circle(drawn, point.tolist(), width_px + 1, colour, -1, cv2.LINE_AA)
    return drawn


def draw_caption(
    image: np.ndarray,
    text: str,
    *,
    share: float = np.nan,
    colour: str = SIDE_COLOURS["left"],
) -> np.ndarray:
    """Write a line onto a dark strip at the foot of a copy of a picture.

    Args:
        image: RGB uint8 `(height, width, 3)`.
        text: The line; characters outside ASCII are shown as `?`, for OpenCV's
            drawn font has no others.
        share: 0 to 1, shown as a bar along the strip's foot; NaN for none.
        colour: Of the bar, `#rrggbb`.

    Returns:
        New picture of the same shape.
    """
    import cv2

    drawn = image.copy()
    height, width = drawn.shape[:2]
    strip = max(14, height // 14)
    drawn[-strip:] = drawn[-strip:] // 4
    scale = strip / 36
    origin = (strip // 4, height - strip // 3)
    text = text.encode("ascii", "replace").decode()
    font = cv2.FONT_HERSHEY_SIMPLEX
    cv2.putText(drawn, text, origin, font, scale, (255, 255, 255), 1, cv2.LINE_AA)
    if np.isfinite(share):
        drawn[-max(2, strip // 10) :, : round(width * share)] = split_rgb(colour)
    return drawn


def interpolate_pose(
    time_s: float, times_s: np.ndarray, poses: np.ndarray
) -> np.ndarray:
    """Return the pose at a time, on straight lines between the frames looked at.

    Args:
        time_s: Time in seconds; outside the range the nearest pose counts.
        times_s: Rising time stamps `(n_frames,)`.
        poses: `(n_frames, 17, 3)`.

    Returns:
        Pose `(17, 3)`.

    Example:
        >>> poses = np.stack([np.zeros((17, 3)), np.ones((17, 3))])
        >>> float(interpolate_pose(0.5, np.array([0.0, 2.0]), poses)[0, 0])
        0.25
    """
    after = int(np.searchsorted(times_s, time_s))
    if after == 0 or after == len(times_s):
        return poses[min(after, len(times_s) - 1)]
    start_s, end_s = times_s[after - 1 : after + 1]
    share = (time_s - start_s) / (end_s - start_s)
    return (1 - share) * poses[after - 1] + share * poses[after]


def annotate_frame(
    image: np.ndarray,
    pose: np.ndarray,
    *,
    label: str,
    probability: float,
    colour: str = SIDE_COLOURS["left"],
) -> np.ndarray:
    """Draw skeleton, posture and probability onto a copy of a picture.

    Args:
        image: RGB uint8 `(height, width, 3)`.
        pose: `(17, 3)`: x_px, y_px, score.
        label: Posture, or words that none is held.
        probability: 0 to 1; NaN where none is held.
        colour: Of the bar that shows the probability, `#rrggbb`.

    Returns:
        New picture of the same shape.
    """
    text = label.replace("_", " ")
    if np.isfinite(probability):
        text = f"{text}  {probability:.0%}"
    drawn = draw_pose(image, pose)
    return draw_caption(drawn, text, share=probability, colour=colour)


def annotate_frames(
    images: Iterable[tuple[float, np.ndarray]],
    keypoints: pd.DataFrame,
    frames: pd.DataFrame,
    scores: pd.DataFrame,
    *,
    colours: Mapping[str, str] | None = None,
) -> Iterator[tuple[float, np.ndarray]]:
    """Annotate every picture of a film, one at a time.

    Args:
        images: `(time_s, RGB image)` in order of time.
        keypoints: Table `keypoints` of this video.
        frames: Table `frames` of this video.
        scores: `time_s`, `label`, `probability` of the frames looked at, in order of
            time; a picture shows the latest one before it.
        colours: Colour `#rrggbb` of each label; blue where there is none.

    Yields:
        `(time_s, annotated picture)`.
    """
    ordered = frames.sort_values("time_s")
    times_s = ordered["time_s"].to_numpy(dtype=float)
    poses = stack_poses(keypoints, ordered)
    score_times_s = scores["time_s"].to_numpy()
    for time_s, image in images:
        row = max(0, int(np.searchsorted(score_times_s, time_s + 1e-6)) - 1)
        latest = scores.iloc[row]
        drawn = annotate_frame(
            image,
            interpolate_pose(time_s, times_s, poses),
            label=latest["label"],
            probability=float(latest["probability"]),
            colour=(colours or {}).get(latest["label"], SIDE_COLOURS["left"]),
        )
        yield time_s, drawn
