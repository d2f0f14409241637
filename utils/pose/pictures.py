"""Poses found in many pictures on disk: on all cores, kept block by block.

What is found in a picture is another module's matter: `estimate` where nothing is known
of it, `looks` where the person is.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import joblib
import numpy as np
import pandas as pd

from utils.core.cache import build_key, read_kept, write_kept
from utils.core.parallel import open_bar, run_tasks
from utils.core.skeleton import KEYPOINTS
from utils.pose.estimate import describe_network, estimate_pose

_N_AT_ONCE = 32  # pictures a task: a second of work, so that no process waits long

ReadImage = Callable[[str], np.ndarray]
# A picture and the pose known in it, `(17, 3)` or None -> poses `(n_looks, 17, 3)`.
FindPoses = Callable[[np.ndarray, np.ndarray | None], np.ndarray]


def find_in_pictures(  # noqa: PLR0913 - what is done to which, and where it is kept
    pictures: pd.DataFrame,
    find: FindPoses,
    *,
    key: str,
    read_image: ReadImage,
    folder: Path,
    known: np.ndarray | None = None,
    n_jobs: int = 1,
) -> np.ndarray:
    """Find poses in pictures on disk; what was looked at before is read.

    Args:
        pictures: Table with `video`, `frame_idx` and `path`, an RGB picture a row.
        find: Finds the poses in a picture. Can be pickled.
        key: Names all that decides what it finds, but for the picture and the pose.
        read_image: Gives the RGB picture of a file.
        folder: Where the result is kept; safe to delete.
        known: The pose known in each picture, `(n, 17, 3)`, if any is.
        n_jobs: Processes.

    Returns:
        float64 array `(n, n_looks, 17, 3)`, in the order of `pictures`.
    """
    paths = pictures["path"].astype(str).to_numpy(object)
    idx, blocks = pictures["frame_idx"].to_numpy(), {}
    # no block has pictures of two videos: a label given in one changes no other's
    for places in pictures.groupby("video", sort=False).indices.values():
        for start in range(0, len(places), _N_AT_ONCE):
            rows = places[start : start + _N_AT_ONCE]
            poses = None if known is None else known[rows]
            own = joblib.hash([paths[rows].tolist(), idx[rows].tolist(), poses])
            blocks[Path(folder) / f"poses-{build_key(find=key, own=own)}"] = rows
    missing = [done for done in blocks if read_kept(done) is None]
    tasks = [
        (done, paths[blocks[done]], None if known is None else known[blocks[done]])
        for done in missing
    ]
    if tasks:
        work = partial(_find_some, find=find, read_image=read_image)
        with open_bar(total=len(pictures), desc="Poses", unit="picture") as bar:
            bar.update(len(pictures) - sum(len(task[1]) for task in tasks))
            for done in run_tasks(work, tasks, n_jobs=n_jobs):
                bar.update(len(blocks[done]))
    found = [read_kept(done) for done in blocks]
    order = np.concatenate(list(blocks.values())).argsort()
    return np.concatenate(found)[order]


def _find_some(
    task: tuple[Path, np.ndarray, np.ndarray | None],
    *,
    find: FindPoses,
    read_image: ReadImage,
) -> Path:
    """Find the poses of a block of pictures, keep them, and return where."""
    done, paths, known = task
    poses = [None] * len(paths) if known is None else known
    found = [find(read_image(p), pose) for p, pose in zip(paths, poses, strict=True)]
    write_kept(done, np.array(found, dtype=np.float64))
    return done


def build_keypoints(pictures: pd.DataFrame, poses: np.ndarray) -> pd.DataFrame:
    """Put poses into a table.

    Args:
        pictures: Any table with `video` and `frame_idx`, a row a pose.
        poses: `(n, 17, 3)`: x_px, y_px, score.

    Returns:
        Table `keypoints`, in the order of `pictures`.
    """
    frames = pictures[["video", "frame_idx"]].reset_index(drop=True)
    table = frames.loc[frames.index.repeat(len(KEYPOINTS))].reset_index(drop=True)
    table["keypoint"] = np.tile(np.array(KEYPOINTS, object), len(frames))
    table[["x_px", "y_px", "score"]] = np.reshape(poses, (-1, 3))
    return table


def estimate_pictures(
    pictures: pd.DataFrame,
    *,
    network: str = "movenet_thunder",
    read_image: ReadImage,
    folder: Path,
    n_jobs: int = 1,
) -> pd.DataFrame:
    """Find the person in pictures of which nothing is known, each treated alone.

    Args:
        pictures: Table with `video`, `frame_idx` and `path`, an RGB picture a row.
        network: As `networks.load_network` takes it.
        read_image: Gives the RGB picture of a file.
        folder: Where the result is kept; safe to delete.
        n_jobs: Processes.

    Returns:
        Table `keypoints`, in the order of `pictures`.
    """
    poses = find_in_pictures(
        pictures,
        partial(_estimate, network=network),
        key=describe_network(network),
        read_image=read_image,
        folder=folder,
        n_jobs=n_jobs,
    )
    return build_keypoints(pictures, poses[:, 0])


def _estimate(image: np.ndarray, _known: None, *, network: str) -> np.ndarray:
    """Find the pose in a picture with two passes."""
    return estimate_pose(image, network=network)[None]
