"""Where the time of `make run` goes, section by section: cold, warm, one film more."""

import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import nbformat
import pandas as pd
import psutil

from benchmarks.long_film import write_loop
from utils.core.files import DATA_VARIABLE
from utils.run import NOTEBOOK, name_sections

ROOT = Path(__file__).parents[1]
RUNS = {
    "cold": "nothing is there yet",
    "warm": "again, unchanged",
    "new film": "again, with one clip more, not labelled",
}
_LOOK_S = 0.5


def measure_cells(
    videos: Path, folder: Path, *, settings: tuple[str, ...] = ()
) -> pd.DataFrame:
    """Run the notebook three times, as `make run` does, and read how long cells took.

    Args:
        videos: Folder of labelled films; it is copied.
        folder: An empty folder for the copy, what is kept, and the results.
        settings: More of them, as `NAME=value`.

    Returns:
        One row a cell and run: run, section, seconds; and for each run a row `whole`
        with peak_mb, the memory of all its processes together.
    """
    films = folder / "films"
    shutil.copytree(videos, films)
    rows = []
    for run in RUNS:
        if run == "new film":
            source = min(films.glob("*.mp4"))
            write_loop(source, films / "new.mp4", minutes=0)  # once, as a new file
        results = folder / run
        whole = _run(films, results, folder / "data", settings)
        rows.append({"run": run, "section": "whole"} | whole)
        rows += [{"run": run} | row for row in read_cells(results / NOTEBOOK.name)]
        print(run, {name: round(value, 1) for name, value in whole.items()}, flush=True)
    return pd.DataFrame(rows)


def read_cells(executed: Path) -> list[dict]:
    """Read how long each cell of an executed notebook took, from papermill's notes."""
    notebook = nbformat.read(executed, as_version=4)
    return [
        {
            "section": section,
            "seconds": notebook.cells[idx].metadata.papermill.duration,
        }
        for idx, section in name_sections(notebook).items()
        if notebook.cells[idx].metadata.get("papermill", {}).get("duration")
    ]


def _run(
    films: Path, results: Path, data: Path, settings: tuple[str, ...]
) -> dict[str, float]:
    """Execute the notebook in a process of its own; return its time and memory."""
    given = (f"VIDEOS={films}", f"RESULTS={results}", *settings)
    labels = f"LABELS={films / 'labels.csv'}"
    start = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "utils.run", labels, *given],
        cwd=ROOT,
        env={**os.environ, DATA_VARIABLE: str(data)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    peaks_mb: list[float] = []
    watcher = threading.Thread(target=_watch, args=(process.pid, peaks_mb))
    watcher.start()
    errors = process.communicate()[1]
    seconds = time.monotonic() - start
    watcher.join()
    if process.returncode not in (0, 3):
        raise RuntimeError(f"make run failed: {errors.strip().splitlines()[-1:]}")
    return {"seconds": seconds, "peak_mb": max(peaks_mb)}


def _watch(pid: int, peaks_mb: list[float]) -> None:
    """Note the memory of a process and all below it, shared pages once, to its end."""
    while psutil.pid_exists(pid):
        total = 0
        try:
            family = [psutil.Process(pid), *psutil.Process(pid).children(True)]
        except psutil.NoSuchProcess:
            break
        for process in family:
            try:
                total += process.memory_full_info().pss
            except psutil.Error:  # it has ended
                continue
        peaks_mb.append(total / 1e6)
        time.sleep(_LOOK_S)
