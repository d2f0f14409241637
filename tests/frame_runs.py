"""Runs of `extract_frames` on tiny made films, also in a process to be killed.

`python -m tests.frame_runs OUT N_JOBS FILM...` says "go" before it starts.
"""

import itertools
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from utils.core.files import hash_file
from utils.frames import extraction
from utils.frames.store import list_folders
from utils.video.reader import write_video

EVERY_S = 1.0


def make_film(path: Path, *, n_seconds: int, seed: int = 0, fps: int = 4) -> Path:
    """Write a film of 64 x 48 in which each frame has its own brightness and noise."""
    rng = np.random.default_rng(seed)
    noise = rng.integers(0, 100, (48, 64, 3))

    def draw(frame_idx: int) -> np.ndarray:
        return (noise + frame_idx % 150).astype(np.uint8)

    write_video(path, map(draw, range(n_seconds * fps)), fps=fps)
    return path


def build_table(*paths: Path, duration_s: float = 100.0) -> pd.DataFrame:
    """Return what `extract_frames` needs of a table of videos."""
    return pd.DataFrame(
        {
            "video": [path.stem for path in paths],
            "path": [str(path) for path in paths],
            "sha256": [hash_file(path) for path in paths],
            "duration_s": duration_s,
            "rotation_deg": 0,
        }
    )


def estimate_mean(image: np.ndarray) -> np.ndarray:
    """Stand for a pose model: the same pose everywhere, at the picture's mean."""
    pose = np.full((17, 3), image.mean())
    pose[:, 2] = np.arange(17) / 17
    return pose


def estimate_slowly(image: np.ndarray) -> np.ndarray:
    """Do as `estimate_mean`, but take 5 ms, so that there is time to be killed."""
    time.sleep(0.005)
    return estimate_mean(image)


def estimate_very_slowly(image: np.ndarray) -> np.ndarray:
    """Do as `estimate_mean`, but take 50 ms: 30 frames take longer than a kill."""
    time.sleep(0.05)
    return estimate_mean(image)


def start_chunk(estimate: Callable, /) -> Callable:
    """Start a chunk with an estimator that also counts the chunk's frames.

    Like one that follows a person, what it finds depends on the frames before, and may
    not depend on other chunks: the count is the x of the last keypoint.
    """
    numbers = itertools.count()

    def find(image: np.ndarray, _time_s: float) -> np.ndarray:
        pose = np.array(estimate(image))
        if pose.ndim == 2:
            pose[-1, 0] = next(numbers)
        return pose

    return find


def run(
    out: Path, paths: list[Path], *, duration_s: float = 100.0, **options: object
) -> tuple:
    """Extract pictures and keypoints of films into `out`.

    Its `estimate` takes a picture alone.
    """
    defaults = {
        "every_s": EVERY_S,
        "frames_dir": out / "frames",
        "keypoints_dir": out / "keypoints",
        "estimate": estimate_mean,
        "estimate_key": "mean",
    }
    options = {**defaults, **options}
    if options["estimate"] is not None:
        options["estimate"] = partial(start_chunk, options["estimate"])
    return extraction.extract_frames(
        build_table(*paths, duration_s=duration_s), **options
    )


def read_tree(root: Path) -> dict[str, bytes]:
    """Return the bytes of every file below a folder, by its path inside."""
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file()
    }


def find_picture_folders(out: Path) -> list[Path]:
    """Return the films' folders of pictures."""
    return list_folders(out / "frames" / "pictures")


if __name__ == "__main__":
    sys.stdout.write("go\n")
    sys.stdout.flush()
    run(
        Path(sys.argv[1]),
        [Path(argument) for argument in sys.argv[3:]],
        n_jobs=int(sys.argv[2]),
        estimate=estimate_slowly,
    )
