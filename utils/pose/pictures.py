"""The pose in pictures that are on disk already: other networks, changed pictures."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import joblib
import numpy as np
import pandas as pd

from utils.core.cache import build_key
from utils.core.files import atomic_path
from utils.core.parallel import run_tasks
from utils.core.skeleton import KEYPOINTS

_N_AT_ONCE = 32  # pictures a task

Estimate = Callable[[np.ndarray], np.ndarray]
ReadImage = Callable[[str], np.ndarray]


def estimate_pictures(
    pictures: pd.DataFrame,
    *,
    estimate: Estimate,
    estimate_key: str,
    read_image: ReadImage,
    folder: Path,
    n_jobs: int = 1,
) -> pd.DataFrame:
    """Look for the person in pictures; what was looked at before is read.

    Args:
        pictures: Table with `video`, `frame_idx` and `path`, an RGB picture a row.
        estimate: Picture to pose `(17, 3)`: x_px, y_px, score.
        estimate_key: Names all that decides `estimate`'s result.
        read_image: Gives the RGB picture of a file.
        folder: Where the result is kept; safe to delete.
        n_jobs: Processes.

    Returns:
        Table `keypoints`, in the order of `pictures`.
    """
    paths = [str(path) for path in pictures["path"]]
    frames = pictures[["video", "frame_idx"]].reset_index(drop=True)
    key = build_key(
        estimate=estimate_key, paths=joblib.hash([paths, frames.to_dict("list")])
    )
    done = Path(folder) / f"keypoints-{key}.parquet"
    if not done.exists():
        starts = range(0, len(paths), _N_AT_ONCE)
        tasks = [(i, paths[i : i + _N_AT_ONCE]) for i in starts]
        look = partial(_estimate, estimate=estimate, read_image=read_image)
        found = dict(run_tasks(look, tasks, n_jobs=n_jobs))
        poses = np.concatenate([found[i] for i in starts]).reshape(-1, 3)
        table = frames.loc[frames.index.repeat(len(KEYPOINTS))].reset_index(drop=True)
        table["keypoint"] = np.tile(np.array(KEYPOINTS, object), len(frames))
        table[["x_px", "y_px", "score"]] = poses
        with atomic_path(done) as part:
            table.to_parquet(part, index=False)
    return pd.read_parquet(done)


def _estimate(
    task: tuple[int, Sequence[str]], *, estimate: Estimate, read_image: ReadImage
) -> tuple[int, np.ndarray]:
    """Return a task's number and the poses of its pictures, `(n, 17, 3)`."""
    number, paths = task
    return number, np.array([estimate(read_image(path)) for path in paths])
