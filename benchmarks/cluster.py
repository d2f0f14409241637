"""One Dask worker against two, each a process on this machine.

python -m benchmarks.cluster needs requirements-cluster.txt.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import joblib
from distributed import Client

from utils.frames import extraction
from utils.pose import follow
from utils.video import catalogue

ROOT = Path(__file__).parents[1]


def main() -> None:
    """Print how long one and two workers take, and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--videos", type=Path, default=ROOT / "videos/demo")
    parser.add_argument("--model", default="movenet_lightning")
    settings = parser.parse_args()
    print(f"load before: {os.getloadavg()[0]:.1f}")
    seconds = {n: _time(settings, n_workers=n) for n in (1, 2)}
    print(f"2 workers against 1: {seconds[1] / seconds[2]:.2f}")


def _time(settings: argparse.Namespace, *, n_workers: int) -> float:
    """Time a run on a cluster of so many workers, their models loaded before."""
    films = catalogue.find_videos(settings.videos)
    table = catalogue.build_videos(films, settle_s=0)[0]
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        address_file = Path(folder, "scheduler.json")
        processes = [
            _start("scheduler", "--port", "0", "--scheduler-file", address_file)
        ]
        processes += [
            _start(
                *("worker", "--scheduler-file", address_file, "--nthreads", "1"),
                *("--no-nanny", "--local-directory", Path(folder, str(number))),
            )
            for number in range(n_workers)
        ]
        try:
            with (
                Client(scheduler_file=str(address_file), timeout=60) as client,
                joblib.parallel_config(backend="dask"),
            ):
                client.wait_for_workers(n_workers, timeout=60)
                _extract(settings, table.head(2 * n_workers), Path(folder, "warm"))
                started_s = time.perf_counter()
                n_frames = _extract(settings, table, Path(folder, "timed"))
                seconds = time.perf_counter() - started_s
        finally:
            for process in processes:
                process.kill()
                process.wait()
    film_s = table["duration_s"].sum()
    print(f"{n_workers} workers: {n_frames} frames, {film_s / seconds:.1f} x real time")
    return seconds


def _extract(settings: argparse.Namespace, table: object, folder: Path) -> int:
    """Make pictures and keypoints on the cluster; return how many frames."""
    made, _, _ = extraction.extract_frames(
        table,
        every_s=0.2,
        frames_dir=folder / "frames",
        keypoints_dir=folder / "keypoints",
        estimate=partial(follow.start_following, settings.model),
        estimate_key=follow.describe_following(settings.model),
        n_jobs=-1,
    )
    return len(made)


def _start(kind: str, *arguments: object) -> subprocess.Popen:
    """Start a Dask process that finds this project, one thread a library."""
    limits = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", f"distributed.cli.dask_{kind}", "--no-dashboard"]
        + list(map(str, arguments)),
        env={**os.environ, **limits, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


if __name__ == "__main__":
    main()
