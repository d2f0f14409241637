"""A picture in, one person's 17 keypoints in pixels out.

Every picture is treated alone. The passes are here; the networks are in `networks`,
the squares they look at in `crop`.
"""

from pathlib import Path

import numpy as np

from utils.core.cache import build_key
from utils.core.files import hash_file
from utils.core.skeleton import MIN_SCORE
from utils.pose.crop import PoseNetwork, frame_square, is_upright, person_square
from utils.pose.networks import find_network, find_network_files, load_network

# A person who lies is found more surely in the picture turned to the side: the networks
# were trained on people whose head is up. A pose that is not upright, with a mean score
# below the first number, is doubted; a turned one must score more by the second. Chosen
# on 48 hand-marked people of COCO and the same turned by 90 degrees (Thunder, two
# passes): OKS 0.790 -> 0.790 as they stand, 0.473 -> 0.673 lying.
DOUBTFUL_SCORE = 0.5
TURNED_MARGIN = 0.1

# What decides a pose, for cache keys; `crop` takes MIN_SCORE from elsewhere.
_CODE = ("utils.pose.estimate", "utils.pose.networks", "utils.pose.crop")


def estimate_pose(
    image: np.ndarray,
    *,
    network: str = "movenet_thunder",
    n_passes: int = 2,
    look_turned: bool = True,
) -> np.ndarray:
    """Find one person's keypoints in a picture, each picture treated alone.

    The first pass sees the whole picture in a square; the second, where the first found
    a person, the square round that person (`crop.person_square`). Where the result is
    doubtful, both are done on the picture turned to the left or right as well, and the
    clearly better one is taken: people who lie are found so.

    Args:
        image: RGB uint8 array `(height, width, 3)`, upright.
        network: As `networks.load_network` takes it.
        n_passes: 1 or 2. With 1 the picture is looked at once, and never turned.
        look_turned: Whether to look at the picture turned too where it may help.

    Returns:
        float64 array `(17, 3)`, COCO order: x_px, y_px in pixels of the picture, and
        score, 0 to 1. Points may lie outside the picture; nothing is thresholded.

    Raises:
        ValueError: If `image` is not such an array or `n_passes` neither 1 nor 2.
    """
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise ValueError(
            "Expected `image` as RGB uint8 of shape (height, width, 3), got "
            f"{image.dtype} of shape {image.shape}."
        )
    if n_passes not in (1, 2):
        raise ValueError(f"Expected `n_passes` to be 1 or 2, got {n_passes!r}.")
    run = load_network(network)
    return find_pose(image, run, n_passes=n_passes, look_turned=look_turned)


def find_pose(
    image: np.ndarray, run: PoseNetwork, *, n_passes: int = 2, look_turned: bool = True
) -> np.ndarray:
    """Find one person's keypoints with a network at hand; see `estimate_pose`.

    Args:
        image: RGB uint8 array `(height, width, 3)`, upright.
        run: Picture and square in, pose `(17, 3)` in pixels of the picture out.
        n_passes: 1 or 2.
        look_turned: Whether to look at the picture turned too where it may help.

    Returns:
        float64 array `(17, 3)`: x_px, y_px, score.
    """
    pose = run(image, frame_square(_measure(image)))
    if n_passes == 1:
        return pose
    pose = _look_closer(run, image, pose)
    is_sure = pose[:, 2].mean() >= DOUBTFUL_SCORE or is_upright(pose)
    if not look_turned or is_sure:
        return pose
    turned = _look_turned(run, image)
    is_better = turned[:, 2].mean() > pose[:, 2].mean() + TURNED_MARGIN
    return turned if is_better else pose


def _measure(image: np.ndarray) -> tuple[int, int]:
    """Return a picture's width and height."""
    return image.shape[1], image.shape[0]


def _look_closer(run: PoseNetwork, image: np.ndarray, pose: np.ndarray) -> np.ndarray:
    """Look again, at the square round the person found; same pose if there is none."""
    square = person_square(pose, _measure(image))
    return pose if square is None else run(image, square)


def _look_turned(run: PoseNetwork, image: np.ndarray) -> np.ndarray:
    """Find the pose in the picture turned left or right, whichever scores more."""
    turns = {n: np.ascontiguousarray(np.rot90(image, n)) for n in (1, 3)}
    poses = {n: run(turns[n], frame_square(_measure(turns[n]))) for n in turns}
    best = max(poses, key=lambda n: poses[n][:, 2].mean())
    x_px, y_px, score = _look_closer(run, turns[best], poses[best]).T
    # Back to pixels of the picture itself: 1 was turned left (anticlockwise), 3 right.
    width_px, height_px = _measure(image)
    if best == 1:
        return np.stack([width_px - y_px, x_px, score], axis=1)
    return np.stack([y_px, height_px - x_px, score], axis=1)


def describe_network(
    network: str = "movenet_thunder", *, n_passes: int = 2, look_turned: bool = True
) -> str:
    """Name all that decides the keypoints of a picture, as a key for caches.

    Args:
        network: As `networks.load_network` takes it.
        n_passes: As for `estimate_pose`.
        look_turned: As for `estimate_pose`.

    Returns:
        The network's name and a key of its files' contents, its input, how it looks
        and the code that does; an address is taken to hold the same files always.

    Raises:
        FileNotFoundError: If the project's weights are not there.
        ValueError: If they are not the files they should be.
    """
    files = find_network_files(network)
    known = find_network(network)
    key = build_key(
        code=_CODE,
        # A folder may be renamed, and `posenet` is `posenet_257`: contents count.
        files=[hash_file(path) for path in files] or network,
        size_px=known.size_px if known else None,
        looks=[n_passes, look_turned and n_passes == 2, MIN_SCORE],
    )
    name = Path(known.file).stem if known else "SavedModel"
    return f"{name} {key}"
