"""Poses the way MediaPipe Pose finds them, for comparison; a process of its own.

MediaPipe 0.10.21 is the last version tried that has `solutions.pose` with its model in
the package. It needs an older NumPy than the project, so it gets its own environment:

    python -m venv /some/where && /some/where/bin/pip install mediapipe==0.10.21
    python benchmarks/bench.py --mediapipe-python /some/where/bin/python
"""

import sys
from pathlib import Path

import mediapipe

from benchmarks.plain_reader import read_every
from benchmarks.stopwatch import time_at_a_word


def main(mode: str, every_s: float, paths: list[Path]) -> None:
    """Find the poses of films and print how long it took.

    Args:
        mode: `tracking` looks near the last pose first, as MediaPipe does with films;
            `alone` treats each frame alone, as we do.
        every_s: Seconds between frames.
        paths: The films.
    """
    options = {"static_image_mode": mode == "alone", "model_complexity": 1}
    with mediapipe.solutions.pose.Pose(**options) as pose:
        pose.process(next(read_every(paths[0], every_s)))

        def run() -> int:
            images = (image for path in paths for image in read_every(path, every_s))
            return sum(1 for image in images if pose.process(image) is not None)

        time_at_a_word(run)


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), [Path(argument) for argument in sys.argv[3:]])
