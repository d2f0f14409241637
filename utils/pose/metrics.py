"""How near keypoints found in a picture are to the true ones: PCK and OKS."""

import numpy as np

from utils.core.skeleton import HIPS, SHOULDERS

# Spread of human annotators for each keypoint, from COCO's own evaluation code
# (pycocotools, Params.setKpParams), COCO order.
COCO_SIGMAS: tuple[float, ...] = (
    *(0.026, 0.025, 0.025, 0.035, 0.035, 0.079, 0.079, 0.072, 0.072),
    *(0.062, 0.062, 0.107, 0.107, 0.087, 0.087, 0.089, 0.089),
)


def compute_torso_sizes(xy: np.ndarray) -> np.ndarray:
    """Measure torsos: from the middle of the shoulders to the middle of the hips.

    Args:
        xy: Float array `(n_poses, 17, 2)`, in pixels.

    Returns:
        Float array `(n_poses,)`, in pixels; NaN where one of the four is NaN.
    """
    _check_shape(xy, xy)
    torso = xy[:, SHOULDERS].mean(axis=1) - xy[:, HIPS].mean(axis=1)
    return np.linalg.norm(torso, axis=1)


def find_correct_keypoints(
    xy: np.ndarray, true_xy: np.ndarray, *, within: float = 0.2
) -> np.ndarray:
    """Tell which keypoints lie within a share of the true torso from the true place.

    Args:
        xy: Keypoints found, float array `(n_poses, 17, 2)`, in pixels. NaN: not found.
        true_xy: True ones, same shape. NaN: not known.
        within: Share of the torso's size.

    Returns:
        Float array `(n_poses, 17)`: 1 correct, 0 wrong or not found, NaN where the true
        place or the true torso is not known. Its mean over what is not NaN is PCK.

    Raises:
        ValueError: If the shapes are not as stated.
    """
    _check_shape(xy, true_xy)
    off_px = np.linalg.norm(xy - true_xy, axis=2)
    limit_px = within * compute_torso_sizes(true_xy)[:, None]
    known = np.isfinite(true_xy).all(axis=2) & np.isfinite(limit_px)
    return np.where(known, (off_px <= limit_px).astype(np.float64), np.nan)


def compute_oks(
    xy: np.ndarray, true_xy: np.ndarray, *, area_px2: np.ndarray
) -> np.ndarray:
    """Compute COCO's object keypoint similarity of each pose.

    For each true keypoint exp(-d² / (2 · area · (2 sigma)²)), d the distance; then the
    mean over the pose's true keypoints (https://cocodataset.org/#keypoints-eval).

    Args:
        xy: Keypoints found, float array `(n_poses, 17, 2)`, in pixels. NaN: not found.
        true_xy: True ones, same shape. NaN: not marked.
        area_px2: Area of each person, float array `(n_poses,)`.

    Returns:
        Float array `(n_poses,)`, 0 to 1; NaN where no keypoint is marked.

    Raises:
        ValueError: If the shapes are not as stated.
    """
    _check_shape(xy, true_xy)
    off_px2 = ((xy - true_xy) ** 2).sum(axis=2)
    scale_px2 = 2 * np.asarray(area_px2)[:, None] * (2 * np.array(COCO_SIGMAS)) ** 2
    similarity = np.nan_to_num(np.exp(-off_px2 / scale_px2), nan=0.0)
    marked = np.isfinite(true_xy).all(axis=2)
    n_marked = marked.sum(axis=1)
    total = np.where(marked, similarity, 0.0).sum(axis=1)
    return np.where(n_marked > 0, total / np.maximum(n_marked, 1), np.nan)


def _check_shape(xy: np.ndarray, true_xy: np.ndarray) -> None:
    """Raise `ValueError` unless both arrays have shape (n_poses, 17, 2)."""
    for name, values in (("xy", xy), ("true_xy", true_xy)):
        if values.ndim != 3 or values.shape[1:] != (17, 2):
            raise ValueError(
                f"Expected `{name}` of shape (n_poses, 17, 2), got {values.shape}."
            )
    if len(xy) != len(true_xy):
        raise ValueError(
            f"Expected as many poses as true ones, got {len(xy)} and {len(true_xy)}."
        )
