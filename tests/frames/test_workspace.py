"""Runs that are killed, doubled, interrupted or out of disk lose and spoil nothing."""

import errno
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests import frame_runs
from utils.core.files import explain_disk
from utils.frames import workspace

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A film of four pieces, in the midst of which a run can be stopped."""
    folder = tmp_path_factory.mktemp("films")
    return [
        frame_runs.make_film(folder / "long.mp4", n_seconds=230, seed=1),
        frame_runs.make_film(folder / "short.mp4", n_seconds=20, seed=2),
    ]


@pytest.fixture(scope="module")
def whole(
    films: list[Path], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, bytes]:
    """Every file of a run that nothing disturbed."""
    out = tmp_path_factory.mktemp("whole")
    frame_runs.run(out, films)
    return frame_runs.read_tree(out)


def _start(out: Path, films: list[Path], *, n_jobs: int = 1) -> subprocess.Popen:
    """Start a run in a process group of its own, and wait until it begins."""
    command = [sys.executable, "-m", "tests.frame_runs", str(out), str(n_jobs)]
    process = subprocess.Popen(
        [*command, *map(str, films)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout.readline() == "go\n"
    return process


def _kill(process: subprocess.Popen) -> None:
    """End a run and its workers as a power cut would."""
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def _kill_at_random(out: Path, films: list[Path], *, seed: int, n_jobs: int) -> None:
    """Kill one run at a random moment, then let another go through."""
    process = _start(out, films, n_jobs=n_jobs)
    time.sleep(random.Random(seed).uniform(0.0, 2.0))
    _kill(process)
    frame_runs.run(out, films)


@pytest.mark.parametrize("seed", range(3))
def test_a_killed_run_done_again_gives_the_same_bytes(
    films: list[Path], whole: dict[str, bytes], tmp_path: Path, seed: int
) -> None:
    _kill_at_random(tmp_path, films, seed=seed, n_jobs=1 + seed % 2)
    assert frame_runs.read_tree(tmp_path) == whole


DIE_AT_ONCE = """\
import os, signal, sys
from pathlib import Path
from tests import frame_runs
from utils.frames import store

n_left = int(sys.argv[2])
publish = store.publish_file

def publish_or_die(*paths):
    global n_left
    n_left -= 1
    if n_left < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    publish(*paths)

store.publish_file = publish_or_die
frame_runs.run(Path(sys.argv[1]), [Path(a) for a in sys.argv[3:]])
"""


@pytest.mark.parametrize("n_published", range(4))
def test_a_run_killed_as_a_file_gets_its_name_leaves_nothing_behind(
    n_published: int, films: list[Path], whole: dict[str, bytes], tmp_path: Path
) -> None:
    command = [sys.executable, "-c", DIE_AT_ONCE, tmp_path, n_published, *films]
    killed = subprocess.run(list(map(str, command)), cwd=ROOT, capture_output=True)
    assert killed.returncode == -signal.SIGKILL
    frame_runs.run(tmp_path, films)
    assert frame_runs.read_tree(tmp_path) == whole


@pytest.mark.slow
def test_a_hundred_killed_runs_done_again_give_the_same_bytes(
    films: list[Path], whole: dict[str, bytes], tmp_path: Path
) -> None:
    for seed in range(100):
        out = tmp_path / str(seed)
        _kill_at_random(out, films, seed=seed, n_jobs=1 + seed % 2)
        assert frame_runs.read_tree(out) == whole, f"seed {seed}"
        shutil.rmtree(out)


def test_minutes_that_were_done_are_not_made_twice(
    films: list[Path], whole: dict[str, bytes], tmp_path: Path
) -> None:
    process = _start(tmp_path, films)
    done = _wait_for(tmp_path / "frames", "pictures/long-*/0001/*.jpg", process)
    stamps = {path: path.stat().st_mtime_ns for path in done}
    _kill(process)
    frame_runs.run(tmp_path, films)
    assert all(path.stat().st_mtime_ns == stamps[path] for path in stamps)
    assert frame_runs.read_tree(tmp_path) == whole


def test_two_runs_at_once_do_not_spoil_each_other(
    films: list[Path], whole: dict[str, bytes], tmp_path: Path
) -> None:
    runs = [_start(tmp_path, films, n_jobs=n_jobs) for n_jobs in (1, 1, 2)]
    errors = [run.communicate(timeout=120)[1] for run in runs]
    assert [run.returncode for run in runs] == [0, 0, 0], errors
    assert frame_runs.read_tree(tmp_path) == whole


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_an_interrupt_ends_quickly_and_keeps_what_is_done(
    films: list[Path], whole: dict[str, bytes], tmp_path: Path, n_jobs: int
) -> None:
    process = _start(tmp_path, films, n_jobs=n_jobs)
    _wait_for(tmp_path, "*/.chunks/long-*/0*.parquet", process)
    process.send_signal(signal.SIGINT)
    errors = process.communicate(timeout=60)[1]
    assert "KeyboardInterrupt" in errors
    kept = list(tmp_path.glob("*/.chunks/long-*/0*.parquet"))
    kept += list(tmp_path.glob("*/every_*/long.parquet"))
    assert kept
    frame_runs.run(tmp_path, films)
    assert frame_runs.read_tree(tmp_path) == whole


def test_a_full_disk_is_one_sentence_and_what_was_whole_stays(
    films: list[Path], whole: dict[str, bytes], tmp_path: Path
) -> None:
    command = (
        f'mount -t tmpfs -o size=400k tmpfs "{tmp_path}" || exit 77\n'
        f'"{sys.executable}" -m tests.frame_runs "{tmp_path}" 1 '
        f"{' '.join(repr(str(film)) for film in reversed(films))}\n"
        f'echo "exit $?"; cd "{tmp_path}"; find . -type f'
    )
    done = subprocess.run(
        ["unshare", "--map-root-user", "--mount", "sh", "-c", command],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip("needs leave to mount a small disk")
    assert "exit 1" in done.stdout
    assert "is full. Free some space and run again" in done.stderr
    left = {name[2:] for name in done.stdout.splitlines() if name.startswith("./")}
    final = {name for name in left if "/.chunks/" not in name}
    assert final <= set(whole)
    assert any(name.endswith("short.parquet") for name in final)


def test_pieces_left_of_a_finished_film_are_removed(
    films: list[Path], whole: dict[str, bytes], tmp_path: Path
) -> None:
    frame_runs.run(tmp_path, films)
    (table,) = tmp_path.glob("frames/every_*/long.parquet")
    (pictures,) = tmp_path.glob("frames/pictures/long-*")
    pieces = tmp_path / "frames" / ".chunks" / pictures.name
    pieces.mkdir()
    shutil.copy(table, pieces / "0003.parquet")
    frame_runs.run(tmp_path, films)
    assert frame_runs.read_tree(tmp_path) == whole


def test_a_dead_owners_workspace_is_swept_and_a_living_ones_is_not(
    tmp_path: Path,
) -> None:
    code = (
        "import os, sys, pathlib\n"
        "from utils.frames.workspace import open_workspace\n"
        "with open_workspace(pathlib.Path(sys.argv[1])) as work:\n"
        "    (work / 'half.jpg').write_bytes(b'half')\n"
        "    os._exit(1)\n"
    )
    subprocess.run([sys.executable, "-c", code, tmp_path], cwd=ROOT, check=False)
    assert len(list(tmp_path.iterdir())) == 2  # the folder and its lock
    with workspace.open_workspace(tmp_path) as work:
        assert workspace.sweep_workspaces(tmp_path) == 1
        assert sorted(tmp_path.iterdir()) == [work, work.with_suffix(".lock")]
    assert list(tmp_path.iterdir()) == []


def test_other_disk_errors_keep_their_own_words(tmp_path: Path) -> None:
    with (
        pytest.raises(OSError, match="other words"),
        explain_disk(tmp_path),
    ):
        raise OSError(errno.EIO, "other words")
    with (
        pytest.raises(OSError, match=r"is full\. Free some space"),
        explain_disk(tmp_path),
    ):
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_damaged_folder_is_replaced_and_a_whole_one_kept(tmp_path: Path) -> None:
    final = tmp_path / "final"
    for text in ("whole", "whole", "other text"):
        with workspace.open_workspace(tmp_path) as work:
            part = work / "part"
            part.mkdir()
            (part / "a.txt").write_text(text)
            workspace.publish_folder(part, final)
        assert (final / "a.txt").read_text() == text


def _wait_for(out: Path, pattern: str, process: subprocess.Popen) -> list[Path]:
    """Wait until files of this pattern are there; fail if the run ends before."""
    while not (found := list(out.glob(pattern))):
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.01)
    return found
