"""From 17 keypoints to the 34 numbers that classifiers learn from, and their mirror.

Every kind treats each pose alone: the numbers of one frame never depend on another.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd

from utils.core.skeleton import (
    FEATURE_COLUMNS,
    HIPS,
    KEYPOINTS,
    MIRROR_IDX,
    SHOULDERS,
    stack_poses,
)
from utils.core.tables import check_table

# A pose is at least this many torso lengths tall: the factor of MediaPipe's k-NN
# recipe and of TensorFlow's pose classification tutorial.
TORSO_FACTOR = 2.5


def scale_to_frame(xy: np.ndarray, size_wh: np.ndarray) -> np.ndarray:
    """Divide x by the frame's width and y by its height.

    The coordinates as the original project had them: where the person stands, and how
    near, stays in the numbers.

    Args:
        xy: Keypoint coordinates, float array of shape `(n_poses, 17, 2)`, in pixels,
            x to the right and y down. NaN marks a keypoint that was not seen.
        size_wh: Width and height of each pose's frame, shape `(n_poses, 2)`, pixels.

    Returns:
        Array of the same shape: 0..1 inside the frame, beyond it for a keypoint
        that was placed outside.

    Raises:
        ValueError: If a shape is not the one above.

    Example:
        >>> scale_to_frame(np.full((1, 17, 2), 60.0), np.array([[240, 120]]))[0, 0]
        array([0.25, 0.5 ])
    """
    xy = _check_poses(xy)
    size_wh = np.asarray(size_wh)
    if size_wh.shape != (len(xy), 2):
        raise ValueError(
            f"Expected `size_wh` of shape ({len(xy)}, 2), got {size_wh.shape}."
        )
    return (xy / size_wh[:, None, :]).astype(xy.dtype)


def normalise_poses(xy: np.ndarray) -> np.ndarray:
    """Centre each pose on its bounding box and divide by the box's longer side.

    Each pose is treated alone: its result does not depend on the other rows.

    Args:
        xy: Keypoint coordinates, float array of shape `(n_poses, 17, 2)`, in pixels,
            x to the right and y down. NaN marks a keypoint that was not seen: it has
            no part in the box and stays NaN.

    Returns:
        Array of the same shape and dtype, in box sides: every value lies in -0.5..0.5.
        A pose whose seen keypoints all lie on one spot has no size; it becomes zeros.

    Raises:
        ValueError: If `xy` does not have shape `(n_poses, 17, 2)`.

    Example:
        >>> xy = np.zeros((1, 17, 2))
        >>> xy[0, :2] = [[100, 50], [110, 90]]
        >>> normalise_poses(xy)[0, :3].round(3).tolist()
        [[0.409, 0.045], [0.5, 0.409], [-0.5, -0.409]]
    """
    xy = _check_poses(xy)
    low = np.fmin.reduce(xy, axis=1, keepdims=True)
    high = np.fmax.reduce(xy, axis=1, keepdims=True)
    return _divide(xy - (low + high) / 2, (high - low).max(axis=(1, 2)))


def normalise_by_torso(xy: np.ndarray) -> np.ndarray:
    """Centre each pose on its hips and divide by its size, measured on the torso.

    The size is the larger of 2.5 torso lengths (mid hips to mid shoulders) and the
    distance of the farthest keypoint from mid hips; what TensorFlow's tutorial on pose
    classification means to do (its code takes one norm over the whole batch).

    Args:
        xy: As for `normalise_poses`.

    Returns:
        Array of the same shape and dtype: every value lies in -1..1. NaN stays NaN;
        a pose with neither hip seen is NaN throughout; one on one spot becomes zeros.

    Raises:
        ValueError: If `xy` does not have shape `(n_poses, 17, 2)`.
    """
    xy = _check_poses(xy)
    hips, shoulders = _mean_seen(xy[:, HIPS]), _mean_seen(xy[:, SHOULDERS])
    centred = xy - hips[:, None, :]
    torso = np.linalg.norm(shoulders - hips, axis=1)
    farthest = np.fmax.reduce(np.linalg.norm(centred, axis=2), axis=1)
    return _divide(centred, np.fmax(TORSO_FACTOR * torso, farthest))


def _check_poses(xy: np.ndarray) -> np.ndarray:
    """Return `xy` as floats, or raise `ValueError` if its shape is wrong."""
    xy = np.asarray(xy)
    if xy.ndim != 3 or xy.shape[1:] != (len(KEYPOINTS), 2):
        raise ValueError(f"Expected `xy` of shape (n_poses, 17, 2), got {xy.shape}.")
    return xy if np.issubdtype(xy.dtype, np.floating) else xy.astype(np.float64)


def _divide(centred: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Divide poses by their size; a pose without size is zeros already and stays so."""
    size = np.where(size > 0, size, 1).astype(centred.dtype)
    return centred / size[:, None, None]


def _mean_seen(xy: np.ndarray) -> np.ndarray:
    """Return the mean of the seen keypoints of each pose; NaN where there is none."""
    seen = np.isfinite(xy)
    n_seen = seen.sum(axis=1)
    total = np.where(seen, xy, 0).sum(axis=1)
    return np.where(n_seen > 0, total / np.maximum(n_seen, 1), np.nan).astype(xy.dtype)


# kind -> what makes its numbers from pixels and frame sizes
_KINDS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "normalised": lambda xy, _size_wh: normalise_poses(xy),
    "torso": lambda xy, _size_wh: normalise_by_torso(xy),
    "raw": scale_to_frame,
}
KINDS = tuple(_KINDS)


def check_kind(kind: str) -> None:
    """Raise `ValueError` if `kind` is not one of `KINDS`."""
    if kind not in KINDS:
        raise ValueError(f"Expected FEATURES to be {' or '.join(KINDS)}, got {kind!r}.")


def build_features(
    keypoints: pd.DataFrame, frames: pd.DataFrame, *, kind: str = "normalised"
) -> pd.DataFrame:
    """Turn the keypoints of each frame into 34 numbers.

    Args:
        keypoints: Table `keypoints`, in pixels of the upright frame.
        frames: Table `frames`; says which frames, in which order, and their sizes.
        kind: `normalised` (`normalise_poses`: place and size in the frame do not
            count), `torso` (`normalise_by_torso`) or `raw` (`scale_to_frame`).

    Returns:
        Table `features`: a row for each row of `frames`, in its order; NaN for
        keypoints that are missing.

    Raises:
        ValueError: If the kind is unknown or a table lacks columns.
    """
    check_kind(kind)
    keypoints = check_table(keypoints, "keypoints")
    frames = check_table(frames, "frames")
    xy = stack_poses(keypoints, frames)[..., :2]
    size_wh = frames[["width_px", "height_px"]].to_numpy()
    values = _KINDS[kind](xy, size_wh)
    return _build_table(values, frames)


def mirror_features(
    features: pd.DataFrame, *, kind: str = "normalised"
) -> pd.DataFrame:
    """Mirror each pose: x turns round, and left and right change names.

    Args:
        features: Table `features`.
        kind: How it was made; `raw` is mirrored about the frame's middle, the others
            about the pose's centre.

    Returns:
        Table `features` of the same rows. Mirroring it again gives the table back.

    Raises:
        ValueError: If the kind is unknown or the table lacks columns.
    """
    check_kind(kind)
    features = check_table(features, "features")
    xy = features[list(FEATURE_COLUMNS)].to_numpy().reshape(-1, len(KEYPOINTS), 2)
    xy = xy[:, MIRROR_IDX, :]
    xy[..., 0] = (1 if kind == "raw" else 0) - xy[..., 0]
    return _build_table(xy, features)


def _build_table(values: np.ndarray, keys: pd.DataFrame) -> pd.DataFrame:
    """Return table `features` of `values` `(n, 17, 2)` for the rows of `keys`."""
    flat = values.reshape(len(keys), -1).astype(np.float32)
    table = pd.DataFrame(flat, columns=list(FEATURE_COLUMNS), index=keys.index)
    table = pd.concat([keys[["video", "frame_idx"]], table], axis=1)
    return check_table(table, "features")


def build_inputs(features: pd.DataFrame, rows: pd.DataFrame) -> np.ndarray:
    """Pick the 34 numbers of some frames, as models take them, none missing.

    The one place where missing keypoints are filled: with the mean of the keypoints
    seen in the same pose.

    Args:
        features: Table `features`.
        rows: Any table with `video` and `frame_idx`, say `samples`.

    Returns:
        Float32 array `(n_rows, 34)` in the order of `rows`.

    Raises:
        ValueError: If a frame has no features, or no keypoint at all.
    """
    table = features.set_index(["video", "frame_idx"])[list(FEATURE_COLUMNS)]
    index = pd.MultiIndex.from_frame(rows[["video", "frame_idx"]])
    picked = table.reindex(index).to_numpy(np.float32)
    xy = picked.reshape(-1, len(KEYPOINTS), 2)
    filled = np.where(np.isnan(xy), _mean_seen(xy)[:, None, :], xy)
    filled = filled.reshape(len(xy), 2 * len(KEYPOINTS))
    empty = np.isnan(filled).any(axis=1)
    if empty.any():
        video, frame_idx = index[int(np.argmax(empty))]
        raise ValueError(
            f"{empty.sum()} of {len(empty)} frames have no keypoints, first frame "
            f"{frame_idx} of {video}. Leave out frames in which nobody was found."
        )
    return filled


def build_pair(
    keypoints: pd.DataFrame,
    frames: pd.DataFrame,
    rows: pd.DataFrame,
    *,
    kind: str = "normalised",
    mirror: bool = True,
) -> tuple[np.ndarray, np.ndarray | None]:
    """Build the numbers of some frames and of their mirror images in one go.

    Args:
        keypoints: Table `keypoints`.
        frames: Table `frames`: their sizes.
        rows: Any table with `video` and `frame_idx`, say `samples`.
        kind: As for `build_features`.
        mirror: Whether mirror images are wanted.

    Returns:
        Two float32 arrays `(n_rows, 34)`, as `build_inputs` gives them; the second is
        None without `mirror`.

    Raises:
        ValueError: As `build_features` and `build_inputs` do.
    """
    features = build_features(keypoints, frames, kind=kind)
    x = build_inputs(features, rows)
    if not mirror:
        return x, None
    return x, build_inputs(mirror_features(features, kind=kind), rows)
