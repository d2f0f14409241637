"""Poses the way MediaPipe Pose finds them, for comparison; a process of its own.

MediaPipe 0.10.21 is the last version tried that has `solutions.pose` with its model in
the package. It needs an older NumPy than the project, so it gets its own environment:

    python -m venv /some/where
    /some/where/bin/pip install mediapipe==0.10.21 pandas lazy_loader
    python benchmarks/bench.py --mediapipe-python /some/where/bin/python
"""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import mediapipe
import numpy as np

from benchmarks.accuracy import measure_pck
from benchmarks.plain_reader import read_every
from benchmarks.stopwatch import time_at_a_word

# MediaPipe's 33 landmarks that are COCO's 17, in COCO's order.
_COCO = [0, 2, 5, 7, 8, 11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28]


def main(mode: str, every_s: float, paths: list[Path]) -> None:
    """Find the poses of films and print how long it took.

    Args:
        mode: `tracking` looks near the last pose first, as MediaPipe does with films;
            `alone` treats each frame alone.
        every_s: Seconds between frames.
        paths: The films.
    """
    options = {"static_image_mode": mode == "alone", "model_complexity": 1}
    with mediapipe.solutions.pose.Pose(**options) as pose:
        pose.process(next(read_every(paths[0], every_s)))

        def run() -> int:
            images = (image for path in paths for image in read_every(path, every_s))
            return sum(1 for image in images if pose.process(image) is not None)

        time_at_a_word(
            run, partial(measure_pck, partial(_start, options), paths, every_s=every_s)
        )


def _start(options: dict) -> Callable[[np.ndarray, float], np.ndarray]:
    """Start on a film; what is found has NaN where MediaPipe finds nobody."""
    pose = mediapipe.solutions.pose.Pose(**options)

    def find(image: np.ndarray, _time_s: float) -> np.ndarray:
        found = pose.process(image).pose_landmarks
        if found is None:
            return np.full((17, 3), np.nan)
        points = [found.landmark[place] for place in _COCO]
        size = (image.shape[1], image.shape[0], 1.0)
        return np.array([[p.x, p.y, p.visibility] for p in points]) * size

    return find


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), [Path(argument) for argument in sys.argv[3:]])
