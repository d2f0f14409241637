"""The ways that are timed, each in a process of its own.

`python -m benchmarks.ways WAY MODEL EVERY_S FILM...` loads, says "ready", waits for a
line, runs, and prints JSON.
"""

import argparse
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.accuracy import measure_pck
from benchmarks.plain_reader import read_every
from benchmarks.stopwatch import time_at_a_word
from utils.frames import chunk, extraction, store
from utils.frames.plan import plan_tasks
from utils.frames.workspace import open_workspace
from utils.pose import estimate, follow
from utils.video import catalogue, reader

Run = Callable[[], int]


def prepare_decode(table: pd.DataFrame, *, every_s: float, **_: object) -> Run:
    """Read films as the project does, and throw the frames away."""

    def run() -> int:
        return sum(1 for path in table["path"] for _ in _read(path, every_s))

    run()
    return run


def prepare_inference(table: pd.DataFrame, *, every_s: float, model: str) -> Run:
    """Follow people through films whose frames lie ready in memory."""
    films = [list(_read(path, every_s)) for path in table["path"]]

    def run() -> int:
        for frames in films:
            find = follow.start_following(model)
            for time_s, image in frames:
                find(image, time_s)
        return sum(map(len, films))

    follow.start_following(model)(films[0][0][1], 0.0)
    return run


def prepare_tutorial(
    table: pd.DataFrame,
    *,
    every_s: float,
    model: str,
    saved_models: Path | None,
    follows: bool = False,
) -> Run:
    """Do as TensorFlow's tutorial does, with a SavedModel or a TFLite file."""
    from benchmarks import tutorial

    network, size = (
        tutorial.load_saved_model(saved_models / f"{model}_savedmodel")
        if saved_models
        else tutorial.load_tflite(model)
    )
    start = partial(tutorial.start, network, size, follows=follows)

    def run() -> int:
        n_frames = 0
        for path in table["path"]:
            find = start()
            n_frames += sum(
                len(find(im, 0.0)) == 17 for im in read_every(path, every_s)
            )
        return n_frames

    start()(next(read_every(table["path"][0], every_s)), 0.0)
    run.start = start
    return run


def start_alone(model: str) -> Callable[[np.ndarray, float], np.ndarray]:
    """Start a chunk with two looks a frame, each frame treated alone."""
    return lambda image, _time_s: estimate.estimate_pose(image, network=model)


def prepare_whole(
    table: pd.DataFrame,
    *,
    every_s: float,
    model: str,
    n_jobs: int,
    pictures: bool,
    begin: Callable = follow.start_following,
) -> Run:
    """Make keypoints with the project, its workers started before.

    Args:
        table: Table `videos`.
        every_s: Seconds between frames.
        model: Pose network.
        n_jobs: Processes.
        pictures: Whether to write each picture to disk as well, as the notebook does.
        begin: Starts a chunk with a network's name.
    """
    start = partial(begin, model)
    folder = tempfile.TemporaryDirectory(prefix="bench-")

    def extract(table: pd.DataFrame, name: str) -> int:
        made, _, problems = extraction.extract_frames(
            table,
            every_s=every_s,
            frames_dir=Path(folder.name, name, "frames"),
            keypoints_dir=Path(folder.name, name, "keypoints"),
            estimate=start,
            estimate_key=f"{begin.__name__} {model}",
            n_jobs=n_jobs,
            pictures=pictures,
        )
        if len(problems):
            raise RuntimeError(problems["problem"].iloc[0])
        return len(made)

    def run() -> int:
        return extract(table, "timed")

    extract(table.head(2 * n_jobs), "warm")
    run.start = start
    return run


def prepare_worker(table: pd.DataFrame, *, every_s: float, model: str) -> Run:
    """Do what one worker does with one film, and finish it: for its memory."""
    folder = tempfile.TemporaryDirectory(prefix="bench-")
    roots = {name: Path(folder.name, name) for name in ("frames", "keypoints")}
    tasks = plan_tasks(
        table,
        roots,
        every_s=every_s,
        estimate=partial(follow.start_following, model),
        estimate_key=follow.describe_following(model),
    )

    def run() -> int:
        n_frames = 0
        for task in tasks:
            report = chunk.make_chunks(task)
            for product in task.products:
                with open_workspace(product.root) as work:
                    store.merge_chunks(product, work, n_chunks=report.end_chunk)
            n_frames += store.count_frames(task.products[0])
        folder.cleanup()
        return n_frames

    return run


WAYS = {
    "decode": prepare_decode,
    "inference": prepare_inference,
    "tutorial": prepare_tutorial,
    "tutorial_follow": partial(prepare_tutorial, follows=True),
    "tutorial_tflite": partial(prepare_tutorial, saved_models=None),
    "tutorial_tflite_follow": partial(
        prepare_tutorial, saved_models=None, follows=True
    ),
    "keypoints_1": partial(prepare_whole, n_jobs=1, pictures=False),
    "keypoints_2": partial(prepare_whole, n_jobs=2, pictures=False),
    "alone_2": partial(prepare_whole, n_jobs=2, pictures=False, begin=start_alone),
    "whole_1": partial(prepare_whole, n_jobs=1, pictures=True),
    "whole_2": partial(prepare_whole, n_jobs=2, pictures=True),
    "worker": prepare_worker,
}


def _read(path: Path, every_s: float) -> Iterator[tuple[float, np.ndarray]]:
    """Yield time stamps and pictures of a film as the project reads them."""
    frames = reader.read_video(path, every_s=every_s)
    return ((frame.time_s, frame.image) for frame in frames)


def main() -> None:
    """Prepare one way and time it at a word."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("way", choices=WAYS)
    parser.add_argument("model")
    parser.add_argument("every_s", type=float)
    parser.add_argument("films", type=Path, nargs="+")
    parser.add_argument("--saved-models", type=Path)
    given = parser.parse_args()
    table, problems = catalogue.build_videos(given.films, settle_s=0)
    if len(problems):
        raise RuntimeError(problems["problem"].iloc[0])
    more = {}
    if given.way in ("tutorial", "tutorial_follow"):
        more["saved_models"] = given.saved_models
    run = WAYS[given.way](table, every_s=given.every_s, model=given.model, **more)
    judge = None
    if hasattr(run, "start"):
        judge = partial(measure_pck, run.start, given.films, every_s=given.every_s)
    time_at_a_word(run, judge)


if __name__ == "__main__":
    main()
