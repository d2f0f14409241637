"""All measurements, one after the other, each in fresh processes; then the report."""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from benchmarks.cells import measure_cells
from benchmarks.long_film import write_loop
from benchmarks.report import write_report
from utils.video.catalogue import build_videos, find_videos

ROOT = Path(__file__).parents[1]
MODELS = ("movenet_lightning", "movenet_thunder")
_OWN_WAYS = (
    "decode",
    "inference",
    "keypoints_2",
    "tutorial",
    "tutorial_follow",
    "alone_2",
    "keypoints_1",
    "whole_2",
    "whole_1",
    "tutorial_tflite",
    "tutorial_tflite_follow",
)
_ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
}
# As their authors run them: with as many threads as they like.
_NOT_LIMITED = (
    "tutorial",
    "tutorial_follow",
    "tutorial_tflite",
    "tutorial_tflite_follow",
    "mediapipe",
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and write docs/bench.md, docs/bench.csv and docs/bench.png.

    Args:
        arguments: Command line, without the program's name; the process's own if None.
    """
    settings = _parse(arguments)
    paths = find_videos(settings.videos)[: settings.films]
    film_s = float(build_videos(paths)[0]["duration_s"].sum())
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        rows = _measure_speed(settings, paths, film_s)
        rows += _measure_memory(settings, paths[0], Path(folder))
        cells = pd.DataFrame()
        if settings.cells:
            cells = measure_cells(settings.videos, Path(folder))
    facts = {
        "machine": f"{os.cpu_count()} cores, {_find_processor()}",
        "python": platform.python_version(),
        "films": f"{len(paths)} films, {film_s:.0f} s, every {settings.every_s:g} s",
    }
    write_report(pd.DataFrame(rows), facts, cells=cells, folder=settings.out)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    add = parser.add_argument
    add("--videos", type=Path, default=ROOT / "videos/demo", help="folder of films")
    add("--films", type=int, default=None, help="take only the first so many")
    add("--every-s", type=float, default=0.2, help="seconds between frames")
    add("--models", nargs="*", default=MODELS, help="pose networks")
    add("--repeats", type=int, default=3, help="times each way is measured")
    add("--minutes", nargs="*", type=float, default=(1, 10, 60), help="film lengths")
    add(
        "--cells",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="run the notebook three times as well, cell by cell",
    )
    add("--saved-models", type=Path, help="folder that models/convert_tfjs.py made")
    add("--mediapipe-python", help="interpreter that has mediapipe 0.10.21")
    add("--out", type=Path, default=ROOT / "docs", help="folder of the report")
    return parser.parse_args(arguments)


def _measure_speed(
    settings: argparse.Namespace, paths: list[Path], film_s: float
) -> list[dict]:
    """Time every way in turn, in rounds, so that they share the machine's moods."""
    rows = []
    for repeat in range(settings.repeats):
        for model in settings.models:
            for way in _choose_ways(settings, model):
                command = ["benchmarks.ways", way, model, settings.every_s, *paths]
                if way in ("tutorial", "tutorial_follow"):
                    command += ["--saved-models", settings.saved_models.resolve()]
                took = _time([sys.executable, "-m", *command], way)
                rows.append(
                    {"model": model, "way": way, "repeat": repeat, "film_s": film_s}
                    | took
                )
        for mode in ("tracking", "alone") if settings.mediapipe_python else ():
            command = ["benchmarks.mediapipe_way", mode, settings.every_s, *paths]
            took = _time([settings.mediapipe_python, "-m", *command], "mediapipe")
            rows.append(
                {"model": f"mediapipe_{mode}", "way": "mediapipe", "repeat": repeat}
                | {"film_s": film_s}
                | took
            )
    return rows


def _choose_ways(settings: argparse.Namespace, model: str) -> list[str]:
    """Return what is to be timed with a network; decoding needs none."""
    left_out = set() if model == settings.models[0] else {"decode"}
    if settings.saved_models is None:
        left_out |= {"tutorial", "tutorial_follow"}
    return [way for way in _OWN_WAYS if way not in left_out]


def _measure_memory(
    settings: argparse.Namespace, source: Path, folder: Path
) -> list[dict]:
    """Measure one worker's peak memory against the length of a film."""
    rows = []
    for minutes in settings.minutes:
        path = folder / f"loop_{minutes:g}.mp4"
        write_loop(source, path, minutes=minutes)
        command = ["benchmarks.ways", "worker", settings.models[0], settings.every_s]
        took = _time([sys.executable, "-m", *command, path], "worker")
        rows.append(
            {"model": settings.models[0], "way": "worker", "repeat": 0}
            | {"film_s": minutes * 60}
            | took
        )
    return rows


def _time(command: list[object], way: str) -> dict[str, float]:
    """Start a process, let it load, give the word, and return what it measured."""
    limits = {} if way in _NOT_LIMITED else _ONE_THREAD
    process = subprocess.Popen(
        list(map(str, command)),
        cwd=ROOT,
        env={**os.environ, **limits, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    load = os.getloadavg()[0]
    first = process.stdout.readline()
    if first != "ready\n":
        errors = process.communicate()[1].strip().splitlines() or ["no word"]
        raise RuntimeError(f"{' '.join(map(str, command[1:5]))} failed: {errors[-1]}")
    output, errors = process.communicate("go\n")
    if process.returncode:
        raise RuntimeError(f"{way} failed: {errors.strip().splitlines()[-1]}")
    took = json.loads(output.splitlines()[-1]) | {"load_before": round(load, 2)}
    print(way, {name: round(value, 2) for name, value in took.items()}, flush=True)
    return took


def _find_processor() -> str:
    """Return the processor's name, or the machine's kind where it is not told."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":")[1].strip() for line in lines if "model name" in line]
    return names[0] if names else platform.machine()


if __name__ == "__main__":
    main()
