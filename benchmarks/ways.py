"""The ways that are timed, each in a process of its own.

`python -m benchmarks.ways WAY MODEL EVERY_S FILM...` loads, says "ready", waits for a
line, runs, and prints JSON.
"""

import argparse
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.plain_reader import read_every
from benchmarks.stopwatch import time_at_a_word
from utils.frames import chunk, extraction, store
from utils.frames.plan import plan_tasks
from utils.frames.workspace import open_workspace
from utils.pose import estimate
from utils.video import catalogue, reader

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
    find = partial(estimate.estimate_pose, network=model)
    samples = [_read_sample(path, every_s) for path in table["path"]]
    n_frames = [round(duration_s / every_s) for duration_s in table["duration_s"]]

    def run() -> int:
        for images, n in zip(samples, n_frames, strict=True):
            for number in range(n):
                find(images[number * len(images) // n])
        return sum(n_frames)

    find(samples[0][0])
    return run


def prepare_tutorial(
    table: pd.DataFrame, *, every_s: float, model: str, saved_models: Path | None
) -> Run:
    """Do as TensorFlow's tutorial does, with a SavedModel or a TFLite file."""
    from benchmarks import tutorial

    network, size = (
        tutorial.load_saved_model(saved_models / f"{model}_savedmodel")
        if saved_models
        else tutorial.load_tflite(model)
    )

    def run() -> int:
        images = (im for path in table["path"] for im in read_every(path, every_s))
        return sum(len(tutorial.estimate(im, network, size)) == 17 for im in images)

    tutorial.estimate(next(read_every(table["path"][0], every_s)), network, size)
    return run


def prepare_whole(
    table: pd.DataFrame, *, every_s: float, model: str, n_jobs: int, pictures: bool
) -> Run:
    """Make keypoints with the project, its workers started before.

    Args:
        table: Table `videos`.
        every_s: Seconds between frames.
        model: Pose network.
        n_jobs: Processes.
        pictures: Whether to write each picture to disk as well, as the notebook does.
    """
    folder = tempfile.TemporaryDirectory(prefix="bench-")

    def extract(table: pd.DataFrame, name: str) -> int:
        made, _, problems = extraction.extract_frames(
            table,
            every_s=every_s,
            frames_dir=Path(folder.name, name, "frames"),
            keypoints_dir=Path(folder.name, name, "keypoints"),
            estimate=partial(estimate.estimate_pose, network=model),
            estimate_key=estimate.describe_network(model),
            n_jobs=n_jobs,
            pictures=pictures,
        )
        if len(problems):
            raise RuntimeError(problems["problem"].iloc[0])
        return len(made)

    extract(table.head(2 * n_jobs), "warm")
    return lambda: extract(table, "timed")


def prepare_worker(table: pd.DataFrame, *, every_s: float, model: str) -> Run:
    """Do what one worker does with one film, and finish it: for its memory."""
    folder = tempfile.TemporaryDirectory(prefix="bench-")
    roots = {name: Path(folder.name, name) for name in ("frames", "keypoints")}
    tasks = plan_tasks(
        table,
        roots,
        every_s=every_s,
        estimate=partial(estimate.estimate_pose, network=model),
        estimate_key=estimate.describe_network(model),
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
    "tutorial_tflite": partial(prepare_tutorial, saved_models=None),
    "keypoints_1": partial(prepare_whole, n_jobs=1, pictures=False),
    "keypoints_2": partial(prepare_whole, n_jobs=2, pictures=False),
    "whole_1": partial(prepare_whole, n_jobs=1, pictures=True),
    "whole_2": partial(prepare_whole, n_jobs=2, pictures=True),
    "worker": prepare_worker,
}


def _read(path: Path, every_s: float) -> Iterator[np.ndarray]:
    """Yield a film's pictures as the project reads them."""
    return (frame.image for frame in reader.read_video(path, every_s=every_s))


def _read_sample(path: Path, every_s: float) -> list[np.ndarray]:
    """Return a few pictures from all over a film."""
    n_frames = sum(1 for _ in _read(path, every_s))
    step = max(1, n_frames // _SAMPLE)
    return list(islice(_read(path, every_s), 0, step * _SAMPLE, step))


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
    more = {"saved_models": given.saved_models} if given.way == "tutorial" else {}
    prepare = WAYS[given.way]
    time_at_a_word(prepare(table, every_s=given.every_s, model=given.model, **more))


if __name__ == "__main__":
    main()
