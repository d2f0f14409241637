"""A picture in, one person's 17 keypoints in pixels out; and who is a person."""

from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from utils.core.cache import build_key
from utils.core.files import hash_file
from utils.core.skeleton import MIN_PERSON_SCORE, stack_poses
from utils.core.tables import check_table
from utils.core.weights import find_weights
from utils.pose.crop import (
    PoseNetwork,
    frame_square,
    has_torso,
    is_upright,
    person_square,
)
from utils.pose.movenet import WEIGHTS as MOVENET_WEIGHTS
from utils.pose.movenet import load_hub_movenet, load_movenet
from utils.pose.posenet import INPUT_SIZES, load_posenet
from utils.pose.posenet import WEIGHTS as POSENET_WEIGHTS

# Raise it with every change to what estimate_pose returns: cached keypoints go by it.
CODE_VERSION = 3

# A person who lies is found more surely in the picture turned to the side: the networks
# were trained on people whose head is up. A pose that is not upright, with a mean score
# below the first number, is doubted; a turned one must score more by the second. Chosen
# on 48 hand-marked people of COCO and the same turned by 90 degrees (Thunder, two
# passes): OKS 0.790 -> 0.790 as they stand, 0.473 -> 0.673 lying.
DOUBTFUL_SCORE = 0.5
TURNED_MARGIN = 0.1

POSENET_SIZES: dict[str, int] = {
    "posenet": INPUT_SIZES[0],
    **{f"posenet_{size}": size for size in INPUT_SIZES},
}
POSE_MODELS: tuple[str, ...] = (*MOVENET_WEIGHTS, *POSENET_SIZES)
# Those that the project ships, at their usual input.
NETWORKS: tuple[str, ...] = (*MOVENET_WEIGHTS, "posenet")


@lru_cache(maxsize=4)
def load_pose_model(model: str) -> PoseNetwork:
    """Load a pose network, once a process.

    Args:
        model: `movenet_thunder`, `movenet_lightning`, `posenet` (input 257),
            `posenet_257`, `posenet_385`, `posenet_513`, or what `tensorflow_hub.load`
            takes: a folder or address of a MoveNet SavedModel.

    Returns:
        Network: picture and square in, pose `(17, 3)` in pixels of the picture out.

    Raises:
        FileNotFoundError: If the project's weights are not there.
        ValueError: If they are not the files they should be, or if there is no such
            model.
    """
    if model in MOVENET_WEIGHTS:
        return load_movenet(model)
    if model in POSENET_SIZES:
        return load_posenet(POSENET_SIZES[model])
    return load_hub_movenet(model)


def estimate_pose(
    image: np.ndarray,
    *,
    model: str = "movenet_thunder",
    n_passes: int = 2,
    look_turned: bool = True,
) -> np.ndarray:
    """Find one person's keypoints in a picture, each picture treated alone.

    The first pass sees the whole picture in a square; the second, where the first found
    a person, the square round that person (see `squares.person_square`). Where the
    result is doubtful, both are done on the picture turned to the left or right as
    well, and the clearly better one is taken: people who lie are found so.

    Args:
        image: RGB uint8 array `(height, width, 3)`, upright.
        model: As `load_pose_model` takes it.
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
    return find_pose(
        image, load_pose_model(model), n_passes=n_passes, look_turned=look_turned
    )


def find_pose(
    image: np.ndarray, network: PoseNetwork, *, n_passes: int, look_turned: bool
) -> np.ndarray:
    """Find one person's keypoints with a network at hand; see `estimate_pose`.

    Args:
        image: RGB uint8 array `(height, width, 3)`, upright.
        network: Picture and square in, pose `(17, 3)` in pixels of the picture out.
        n_passes: 1 or 2.
        look_turned: Whether to look at the picture turned too where it may help.

    Returns:
        float64 array `(17, 3)`: x_px, y_px, score.
    """
    pose = network(image, frame_square(_measure(image)))
    if n_passes == 1:
        return pose
    pose = _look_closer(network, image, pose)
    is_sure = pose[:, 2].mean() >= DOUBTFUL_SCORE or is_upright(pose)
    if not look_turned or is_sure:
        return pose
    turned = _look_turned(network, image)
    is_better = turned[:, 2].mean() > pose[:, 2].mean() + TURNED_MARGIN
    return turned if is_better else pose


def _measure(image: np.ndarray) -> tuple[int, int]:
    """Return a picture's width and height."""
    return image.shape[1], image.shape[0]


def _look_closer(
    network: PoseNetwork, image: np.ndarray, pose: np.ndarray
) -> np.ndarray:
    """Look again, at the square round the person found; same pose if there is none."""
    square = person_square(pose, _measure(image))
    return pose if square is None else network(image, square)


def _look_turned(network: PoseNetwork, image: np.ndarray) -> np.ndarray:
    """Find the pose in the picture turned left or right, whichever scores more."""
    turns = {n: np.ascontiguousarray(np.rot90(image, n)) for n in (1, 3)}
    poses = {n: network(turns[n], frame_square(_measure(turns[n]))) for n in turns}
    best = max(poses, key=lambda n: poses[n][:, 2].mean())
    turned = _look_closer(network, turns[best], poses[best])
    return _turn_back(turned, best, _measure(image))


def _turn_back(pose: np.ndarray, n_turns: int, size_wh: tuple[int, int]) -> np.ndarray:
    """Give a pose found in a turned picture in pixels of the picture itself.

    Args:
        pose: Float array `(17, 3)` in pixels of `np.rot90(image, n_turns)`.
        n_turns: 1 (the picture was turned left, anticlockwise) or 3 (right).
        size_wh: Width and height of the picture itself, in pixels.

    Returns:
        Array of the same shape.
    """
    x_px, y_px, score = pose.T
    if n_turns == 1:
        return np.stack([size_wh[0] - y_px, x_px, score], axis=1)
    return np.stack([y_px, size_wh[1] - x_px, score], axis=1)


def describe_model(
    model: str = "movenet_thunder", *, n_passes: int = 2, look_turned: bool = True
) -> str:
    """Name all that decides the keypoints of a picture, as a key for caches.

    Args:
        model: As `load_pose_model` takes it.
        n_passes: As for `estimate_pose`.
        look_turned: As for `estimate_pose`.

    Returns:
        Text with the model, its content hash where it is a file or a folder, how it
        looks and the version of this code.

    Raises:
        FileNotFoundError: If the project's weights are not there.
        ValueError: If they are not the files they should be.
    """
    if model in MOVENET_WEIGHTS:
        content = hash_file(find_weights(MOVENET_WEIGHTS[model]))
    elif model in POSENET_SIZES:
        content = hash_file(find_weights(POSENET_WEIGHTS))
        model = f"posenet_{POSENET_SIZES[model]}"
    else:
        content = "by address"
        if Path(model).is_dir():
            model, content = "SavedModel", _hash_folder(Path(model))
    looks = f"passes={n_passes} turned={look_turned and n_passes == 2}"
    return f"{model} {content} {looks} code={CODE_VERSION}"


def _hash_folder(folder: Path) -> str:
    """Return one hash for all files of a folder, their names included."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return build_key(
        files={path.relative_to(folder).as_posix(): hash_file(path) for path in paths}
    )


def find_files(model: str = "movenet_thunder") -> list[Path]:
    """Return the files that a pose network is read from.

    Args:
        model: As `load_pose_model` takes it.

    Returns:
        Its weight file, or all files of a SavedModel; none for an address.
    """
    if model in MOVENET_WEIGHTS:
        return [find_weights(MOVENET_WEIGHTS[model])]
    if model in POSENET_SIZES:
        return [find_weights(POSENET_WEIGHTS)]
    return sorted(path for path in Path(model).rglob("*") if path.is_file())


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
