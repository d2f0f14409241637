"""Tests of `utils.run`: a run from the command to its last line."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import numpy as np
import psutil
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from utils import run
from utils.video.reader import write_video

PARAMETERS = 'VIDEOS = "videos"\nRESULTS = "out"\nEVERY_S = 0.2\nMIRROR = True'
# Two workers that say who they are, and wait.
WORK = """
import os, time
from joblib import Parallel, delayed
from utils.core.parallel import run_tasks
def wait(seconds):
    open(f"{RESULTS}/{os.getpid()}.pid", "w").close()
    time.sleep(seconds)
list(run_tasks(wait, [60, 60], n_jobs=2))
"""


def _notebook(*sources: str) -> nbformat.NotebookNode:
    cells = [
        new_markdown_cell("# Settings\ntext"),
        new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]}),
        new_markdown_cell("## Work"),
        *map(new_code_cell, sources or ['print("every", EVERY_S)', "1 + 1"]),
        new_markdown_cell("## Save"),
        new_code_cell("saved = True"),
    ]
    return new_notebook(cells=cells)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A little notebook in a project of its own, in place of the real one."""
    folder = tmp_path / "project"
    (folder / "videos").mkdir(parents=True)
    (folder / "videos/a.mp4").touch()
    _write(folder)
    (folder / "utils").symlink_to(run.ROOT / "utils")
    monkeypatch.setattr(run, "NOTEBOOK", folder / "poseNet.ipynb")
    monkeypatch.setattr(run, "ROOT", folder)
    monkeypatch.chdir(folder)
    return folder


def _write(folder: Path, *sources: str) -> None:
    nbformat.write(_notebook(*sources), folder / "poseNet.ipynb")


def test_sections_are_named_by_the_last_heading_above() -> None:
    assert run.name_sections(_notebook()) == {
        1: "Settings",
        3: "Work",
        4: "Work",
        6: "Save",
    }


def test_a_run_leaves_the_executed_notebook_and_a_report(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run.main(["RESULTS=my out{1}", "EVERY_S=0.5"]) == 0
    printed = capfd.readouterr().out.splitlines()
    headings = [line.split("] ")[1] for line in printed if line.startswith("[")]
    assert headings == ["Settings, labels and videos.csv", "Settings", "Work", "Save"]
    assert "every 0.5" in printed
    assert printed[-1].startswith("Open ")
    results = project / "my out{1}"
    executed = nbformat.read(results / "poseNet.ipynb", as_version=4)
    assert not any("path" in name for name in executed.metadata.papermill)
    assert "every 0.5" in (results / "report.html").read_text(encoding="utf-8")


def test_a_failing_cell_still_leaves_a_report_that_says_what_is_missing(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    _write(project, "open(VIDEOS + '/none')", "1")  # [Errno 2] and a whole path
    videos = project.parent / "films of anna"
    (project / "videos").rename(videos)
    assert run.main([f"VIDEOS={videos}"]) == 1
    last = capfd.readouterr().err.strip().splitlines()[-1]
    assert last.startswith("make run stopped. No such file or directory: ")
    assert last.endswith("Not done: Work, Save.")
    report = (project / "out/report.html").read_text(encoding="utf-8")
    assert "This run stopped before its end." in report
    assert "Not done: Work, Save." in report
    for path in (project / "out").iterdir():
        text = path.read_text(encoding="utf-8")
        for folder in (project, videos, run.ROOT, Path.home(), Path(sys.prefix)):
            assert str(folder) not in text, path.name
        assert "papermill-error" not in text


def test_a_full_disk_under_the_results_is_one_sentence(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (project / "out").mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", project / "out"]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount a small disk")
    try:
        _write(project, "print('x' * 80_000)")
        assert run.main([]) == 1
        printed = capfd.readouterr()
        assert not [p for p in (project / "out").iterdir() if p.name[0] != "."]
    finally:
        subprocess.run(["umount", project / "out"], check=True)
    last = printed.err.strip().splitlines()[-1]
    assert last.startswith("make run stopped. The disk that holds ")
    assert "is full. Free some space and run again" in last
    assert last.endswith("not made twice. Not done: report.html.")
    assert "report.html in a browser" not in printed.out


def test_an_error_of_a_cell_is_its_own_sentence(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    _write(project, 'raise ValueError("No \\x1b[2Jsitting person. Label one.")')
    assert run.main([]) == 1
    last = capfd.readouterr().err.strip().splitlines()[-1]
    said = r"No \x1b[2Jsitting person. Label one. Not done: Work, Save."
    assert last == f"make run stopped. {said}"


def test_where_it_is_the_users_turn_nothing_has_failed(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    turn = "from utils.screen import YourTurn\nraise YourTurn('Now label your films.')"
    _write(project, turn)
    assert run.main([]) == 0
    printed = capfd.readouterr()
    assert printed.err == ""
    last = printed.out.splitlines()[-1]
    assert last == "Now label your films. `make lab` opens the notebook."
    assert "It is your turn." in (project / "out/report.html").read_text()


def test_a_question_without_an_answer_is_named_last_unless_it_waits_for_people(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    _write(
        project,
        "from utils.questions.answer import Answer",
        "Answer('learning_curve', ('The disk is full.',), is_missing=True)",
        "Answer('verdict', ('Film one more.',), is_missing=True, waits=True)",
    )
    assert run.main([]) == 3
    assert capfd.readouterr().out.splitlines()[-1] == "Done, but for: learning curve."
    assert "Missing: learning curve." in (project / "out/report.html").read_text()


def test_a_killed_kernel_is_said_to_have_run_out_of_memory(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    _write(project, "import os; os.kill(os.getpid(), 9)")
    assert run.main([]) == 1
    last = capfd.readouterr().err.strip().splitlines()[-1]
    assert "most likely because memory ran out. Set N_JOBS=1" in last
    assert last.endswith("Not done: Save.")
    assert "memory ran out" in (project / "out/report.html").read_text()


def test_a_label_beyond_its_film_is_told_before_the_notebook_begins(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write_video(project / "videos/b.mp4", [np.zeros((48, 64, 3), np.uint8)] * 10, fps=5)
    (project / "labels.csv").write_text("video,start_s,end_s,label\nb,0,9,sit\n")
    _write(project, "LABELS = 1")
    notebook = nbformat.read(project / "poseNet.ipynb", as_version=4)
    notebook.cells[1].source += '\nLABELS = "labels.csv"'
    nbformat.write(notebook, project / "poseNet.ipynb")
    assert run.main([]) == 1
    said = capfd.readouterr()
    assert "labels.csv, line 2: 0 to 9 s lies outside b" in said.err
    assert "Work" not in said.out


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("RESULTS=.", "the project's own folder"),
        ("RESULTS=videos", "the folder of your films"),
        ("VIDEOS=poseNet.ipynb", "is a file. Give the folder"),
        ("EVERYS=1", "Did you mean EVERY_S?"),
        ("VIDEOS=no\x1b[2Jwhere", r"no\x1b[2Jwhere: there is no such folder"),
    ],
)
def test_what_cannot_work_stops_in_one_sentence_and_touches_nothing(
    setting: str, words: str, project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = {path: path.stat().st_mtime_ns for path in project.iterdir()}
    assert run.main([setting]) == 1
    said = capfd.readouterr().err
    assert words in said
    assert said.count("\n") == 1
    assert {path: path.stat().st_mtime_ns for path in project.iterdir()} == before


def test_where_data_cannot_be_written_its_place_is_among_the_results(
    project: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("POSENET_DATA", "")
    monkeypatch.delenv("POSENET_DATA")
    (project / "data").touch()  # a file where a folder should be
    _write(project, "from utils.core.files import find_data\nprint(find_data())")
    assert run.main(["RESULTS=out"]) == 0
    assert str(project / "out/data") in capfd.readouterr().out


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(28, "The disk that holds out is full"), "The disk that holds out is"),
        (OSError(13, "Permission denied", "out/a"), "out/a: Permission denied."),
        (ValueError("No\x1b[2J film."), r"No\x1b[2J film."),
    ],
)
def test_an_error_is_said_without_the_numbers_of_the_system(
    error: Exception, said: str
) -> None:
    assert run._say_plainly(error).startswith(said)


def test_an_executed_section_is_not_missing() -> None:
    notebook = _notebook()
    for idx in (1, 3):
        notebook.cells[idx].metadata["papermill"] = {"exception": False}
    marked = new_output("display_data", {}, metadata={"posenet": {"missing": "Room"}})
    notebook.cells[3].outputs = [marked]
    assert run.list_missing(notebook) == ["Save", "Room"]


@pytest.fixture
def working(project: Path, request: pytest.FixtureRequest) -> subprocess.Popen:
    """A run, begun in a process of its own, whose two workers are at work."""
    _write(project, WORK)
    program = project / "program.py"
    program.write_text(
        "import sys; from pathlib import Path; from utils import run\n"
        "run.ROOT = Path.cwd(); run.NOTEBOOK = run.ROOT / 'poseNet.ipynb'\n"
        "if __name__ == '__main__': sys.exit(run.main([]))\n"
    )
    (project / "Makefile").write_text(
        f"run:\n\t@{sys.executable} program.py || false\n"
    )
    by_make = request.param.startswith("make")
    process = subprocess.Popen(
        ["make"] if by_make else [sys.executable, program],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])},
    )
    deadline = time.monotonic() + 60
    while len(list(project.glob("out/*.pid"))) < 2:
        assert time.monotonic() < deadline
        assert process.poll() is None, process.stdout.read()
        time.sleep(0.1)
    return process


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="needs process groups")
@pytest.mark.parametrize(
    ("working", "how"),
    [
        *(("python", name) for name in ("SIGINT", "SIGTERM", "SIGKILL")),
        *(("make", name) for name in ("SIGTERM", "SIGKILL")),
    ],
    indirect=["working"],
)
def test_no_process_is_left_however_a_run_ends(
    how: str, working: subprocess.Popen
) -> None:
    number = getattr(signal, how)
    family = psutil.Process(working.pid).children(recursive=True)
    assert len(family) >= 3  # the kernel and its workers
    working.send_signal(number)
    printed = working.stdout.read()
    working.wait()
    deadline = time.monotonic() + 5
    while any(map(_is_alive, family)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not [process for process in family if _is_alive(process)]
    assert "Traceback" not in printed
    if how != "SIGKILL" and working.args != ["make"]:
        assert working.returncode == 128 + number
        assert printed.count("Stopped. What is done is kept") == 1
        assert printed.strip().endswith("goes on from here.")


def _is_alive(process: psutil.Process) -> bool:
    """Return whether a process runs; one that only waits to be buried does not."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_the_first_line_comes_before_anything_heavy_is_loaded() -> None:
    code = "import sys, utils.run; print({'pandas', 'nbformat', 'papermill'} & "
    done = subprocess.run(
        [sys.executable, "-c", f"{code} set(sys.modules))"],
        capture_output=True,
        text=True,
        check=True,
        cwd=run.ROOT,
    )
    assert done.stdout.strip() == "set()"
