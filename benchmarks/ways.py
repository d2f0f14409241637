"""The ways that are timed, each in a process of its own.

`python -m benchmarks.ways WAY MODEL EVERY_S FILM...` loads, says "ready", waits for a
line, runs, and prints JSON.
"""

import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.plain_reader import read_every
from benchmarks.stopwatch import time_at_a_word
from utils import film, frame_store, frames, pieces, pose, videos
from utils.frame_plan import plan_films, plan_stretches
from utils.workspace import open_workspace

_SAMPLE = 4  # frames a film that "inference alone" looks at, again and again
Run = Callable[[], int]


def prepare_decode(table: pd.DataFrame, *, every_s: float, **_: object) -> Run:
    """Read films as the project does, and throw the frames away."""

    def run() -> int:
        return sum(1 for path in table["path"] for _ in _read(path, every_s))

    run()
    return run


def prepare_inference(table: pd.DataFrame, *, every_s: float, model: str) -> Run:
    """Find poses in frames that lie ready in memory."""
    estimate = partial(pose.estimate_pose, model=model)
    samples = [_read_sample(path, every_s) for path in table["path"]]
    n_frames = [round(duration_s / every_s) for duration_s in table["duration_s"]]

    def run() -> int:
        for images, n in zip(samples, n_frames, strict=True):
            for number in range(n):
                estimate(images[number * len(images) // n])
        return sum(n_frames)

    estimate(samples[0][0])
    return run


def prepare_tutorial(table: pd.DataFrame, *, every_s: float, model: str) -> Run:
    """Do as TensorFlow's tutorial does."""
    from benchmarks.tutorial import load_tutorial

    estimate = load_tutorial(model)

    def run() -> int:
        images = (im for path in table["path"] for im in read_every(path, every_s))
        return sum(len(estimate(image)) == 17 for image in images)

    estimate(next(read_every(table["path"][0], every_s)))
    return run


def prepare_whole(
    table: pd.DataFrame, *, every_s: float, model: str, n_jobs: int, made: bool
) -> Run:
    """Make pictures and keypoints with the project, its workers started before.

    Args:
        table: Table `videos`.
        every_s: Seconds between frames.
        model: Pose network.
        n_jobs: Processes.
        made: Whether the pictures are there already, so that only keypoints are timed.
    """
    folder = tempfile.TemporaryDirectory(prefix="bench-")

    def extract(table: pd.DataFrame, name: str, *, poses: bool) -> int:
        options = {
            "keypoints_dir": Path(folder.name, name, "keypoints"),
            "estimate": partial(pose.estimate_pose, model=model),
            "estimate_key": pose.describe_model(model),
        }
        made, _, problems = frames.extract_frames(
            table,
            every_s=every_s,
            frames_dir=Path(folder.name, name, "frames"),
            n_jobs=n_jobs,
            **(options if poses else {}),
        )
        if len(problems):
            raise RuntimeError(problems["problem"].iloc[0])
        return len(made)

    extract(table.head(2 * n_jobs), "warm", poses=True)
    if made:
        extract(table, "timed", poses=False)
    return lambda: extract(table, "timed", poses=True)


def prepare_worker(table: pd.DataFrame, *, every_s: float, model: str) -> Run:
    """Do what one worker does with one film, and finish it: for its memory."""
    folder = tempfile.TemporaryDirectory(prefix="bench-")
    roots = {name: Path(folder.name, name) for name in ("frames", "keypoints")}
    films = plan_films(
        table, roots, every_s=every_s, estimate_key=pose.describe_model(model)
    )
    estimate = partial(pose.estimate_pose, model=model)
    stretches = plan_stretches(films, every_s=every_s, estimate=estimate, n_workers=1)

    def run() -> int:
        n_frames = 0
        for stretch in stretches:
            report = pieces.extract_stretch(stretch)
            for product in stretch.products:
                with open_workspace(product.root) as work:
                    frame_store.merge_pieces(product, work, n_pieces=report.end_piece)
            n_frames += frame_store.count_rows(stretch.products[0])
        folder.cleanup()
        return n_frames

    return run


WAYS = {
    "decode": prepare_decode,
    "inference": prepare_inference,
    "tutorial": prepare_tutorial,
    "whole_1": partial(prepare_whole, n_jobs=1, made=False),
    "whole_2": partial(prepare_whole, n_jobs=2, made=False),
    "keypoints_1": partial(prepare_whole, n_jobs=1, made=True),
    "keypoints_2": partial(prepare_whole, n_jobs=2, made=True),
    "worker": prepare_worker,
}


def _read(path: Path, every_s: float) -> Iterator[np.ndarray]:
    """Yield a film's pictures as the project reads them."""
    return (frame.image for frame in film.read_film(path, every_s=every_s))


def _read_sample(path: Path, every_s: float) -> list[np.ndarray]:
    """Return a few pictures from all over a film."""
    n_frames = sum(1 for _ in _read(path, every_s))
    step = max(1, n_frames // _SAMPLE)
    return list(islice(_read(path, every_s), 0, step * _SAMPLE, step))


def main(way: str, model: str, every_s: float, paths: list[Path]) -> None:
    """Prepare one way and time it at a word."""
    table, problems = videos.build_videos(paths, settle_s=0)
    if len(problems):
        raise RuntimeError(problems["problem"].iloc[0])
    time_at_a_word(WAYS[way](table, every_s=every_s, model=model))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]), [Path(a) for a in sys.argv[4:]])
