"""A run stopped at any stage, in any way: nobody is left, and the next one goes on."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import nbformat
import pandas as pd
import psutil
import pytest

from utils import run

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "killpg"), reason="needs process groups"),
]

# A stage begins with the line that says so; the report, when the kernel has gone.
STAGES = {
    "start": "Settings, labels and videos.csv",
    "listing": "] Videos",
    "extraction": "] Frames and their 17 points",
    "labelling": "] Label",
    "fits": "] Two models on the same people",
    "questions": "] How much of a score is leak",
    "report": "] What is saved",
}
CLIPS = ("person01_a", "person02_a", "person03_a")
# The real notebook's cells, without what takes long and brings no stage of its own.
LEFT_OUT = ("mobilenet_finetuned", "plot_sheet", "live.show", "utils.questions.")
STOPPED = "Stopped. What is done is kept: the same command goes on from here."
PROGRAM = """
import signal, sys
from pathlib import Path
from utils import run
# As a terminal starts it; what is started in the background ignores ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)
run.ROOT = Path.cwd()
run.NOTEBOOK = run.ROOT / "poseNet.ipynb"
if __name__ == "__main__":
    sys.exit(run.main(sys.argv[1:]))
"""


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    """Three clips with labels, and a notebook of seven stages."""
    notebook = nbformat.read(run.NOTEBOOK, as_version=4)
    last = notebook.cells[-1]
    last.source = last.source.replace("utils.questions.summary(study)", "RESULTS")
    notebook.cells = [
        cell
        for cell in notebook.cells
        if cell.cell_type == "markdown"
        or "questions.leakage" in cell.source
        or not any(words in cell.source for words in LEFT_OUT)
    ]
    nbformat.write(notebook, tmp_path / "poseNet.ipynb")
    (tmp_path / "program.py").write_text(PROGRAM)
    (tmp_path / "utils").symlink_to(run.ROOT / "utils")
    videos = tmp_path / "videos"
    videos.mkdir()
    for clip in CLIPS:
        (videos / f"{clip}.mp4").symlink_to(run.ROOT / f"videos/demo/{clip}.mp4")
    labels = pd.read_csv(run.ROOT / "videos/demo/labels.csv")
    labels[labels["video"].isin(CLIPS)].to_csv(videos / "labels.csv", index=False)
    yield tmp_path
    for process in _find_marked(str(tmp_path / "data")):  # where the test has failed
        with suppress(psutil.NoSuchProcess):
            process.kill()


class Run:
    """A run in a process of its own, as a terminal starts it."""

    def __init__(self, project: Path, n_jobs: int) -> None:
        """Begin it: `n_jobs` processes at work."""
        self._mark = str(project / "data")
        self._process = subprocess.Popen(
            [
                *(sys.executable, "program.py", "POSE_MODEL=movenet_lightning"),
                *("EVERY_S=1.0", "N_FOLDS=3", "SEEDS=[0]", f"N_JOBS={n_jobs}"),
            ],
            cwd=project,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            env=os.environ
            | {"PYTHONPATH": str(run.ROOT), "POSENET_DATA": self._mark}
            | {"PYTHONUNBUFFERED": "1"},
        )
        self.printed: list[str] = []

    def wait_for(self, stage: str) -> None:
        """Read what is printed until a stage has begun."""
        for line in self._process.stdout:
            self.printed.append(line)
            if STAGES[stage] in line:
                break
        else:
            pytest.fail(f"{stage} never began:\n{''.join(self.printed)}")
        while stage == "report" and any("ipykernel" in x for x in self._list_family()):
            time.sleep(0.02)

    def stop(self, number: int) -> list[str]:
        """Send a signal, ctrl-C to the whole group; return who is left after 5 s."""
        send = os.killpg if number == signal.SIGINT else os.kill
        send(self._process.pid, number)
        return self.find_left()

    def find_left(self) -> list[str]:
        """Return the processes of this run that are still there after 5 s."""
        deadline = time.monotonic() + 5
        while (left := self._list_family()) and time.monotonic() < deadline:
            time.sleep(0.05)
        return left

    def finish(self) -> tuple[int, list[str]]:
        """Let it go through; return its exit code and the lines not yet read."""
        rest = self._process.communicate(timeout=900)[0].splitlines()
        return self._process.returncode, rest

    def _list_family(self) -> list[str]:
        """List the processes of this run."""
        return [" ".join(x.info["cmdline"] or "?") for x in _find_marked(self._mark)]


def _find_marked(mark: str) -> Iterator[psutil.Process]:
    """Find every process that has a run's folder in its environment."""
    for process in psutil.process_iter(["cmdline"]):
        try:
            is_ours = process.environ().get("POSENET_DATA") == mark
            if is_ours and process.status() != psutil.STATUS_ZOMBIE:
                yield process
        except psutil.Error:
            continue


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("how", ["SIGINT", "SIGTERM", "SIGKILL"])
def test_a_run_stopped_at_each_stage_leaves_nobody_and_goes_on(
    how: str, n_jobs: int, project: Path
) -> None:
    number = getattr(signal, how)
    for stage in STAGES:
        begun = Run(project, n_jobs)
        begun.wait_for(stage)
        assert begun.stop(number) == [], stage
        code, said = begun.finish()
        assert "Traceback" not in "\n".join(said), stage
        if how == "SIGKILL":
            assert code == -number, stage
        else:
            assert code == 128 + number, (stage, said)
            assert said[-1] == STOPPED and said.count(STOPPED) == 1, stage
    whole = Run(project, n_jobs)
    code, said = whole.finish()
    assert code == run.DONE, "\n".join(said)
    assert whole.find_left() == []
    results = project / "data/results"
    assert {"report.html", "leakage.csv"} <= {path.name for path in results.iterdir()}
