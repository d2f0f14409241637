"""Tests of `utils.core.parallel`."""

import os
import subprocess
import sys
import time
import warnings
from pathlib import Path

import psutil
import pytest

from utils.core import parallel
from utils.core.parallel import run_tasks

_HELD: list[bytes] = []


def _grow(number: int) -> tuple[int, int]:
    """Hold 200 MB more and wait until loky looks at the memory again."""
    _HELD.append(os.urandom(1 << 20) * 200)
    time.sleep(1.1)
    return number, os.getpid()


def test_a_worker_that_grows_is_not_renewed() -> None:
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        done = dict(run_tasks(_grow, range(8), n_jobs=2))
    assert sorted(done) == list(range(8))
    assert len(set(done.values())) <= 2
    assert not [w for w in said if "worker" in str(w.message)]


def test_a_worker_that_is_replaced_is_not_told_of() -> None:
    with warnings.catch_warnings(record=True) as told:
        assert sorted(run_tasks(abs, [-1, 2], n_jobs=2)) == [1, 2]
        warnings.warn("A worker stopped while some jobs were given", stacklevel=1)
        warnings.warn("anything else", stacklevel=1)
    assert [str(warning.message) for warning in told] == ["anything else"]


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="needs process groups")
def test_workers_end_with_the_process_that_started_them(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import os, time\n"
        "from utils.core.parallel import run_tasks\n"
        "def wait(seconds):\n"
        "    print(os.getpid(), flush=True)\n"
        "    time.sleep(seconds)\n"
        "if __name__ == '__main__':\n"
        "    list(run_tasks(wait, [60, 60], n_jobs=2))\n"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    main = subprocess.Popen(
        [sys.executable, program],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
        text=True,
        start_new_session=True,
    )
    workers = [int(main.stdout.readline()) for _ in range(2)]
    main.kill()
    main.wait()
    deadline = time.monotonic() + 5
    while any(map(_is_alive, workers)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(map(_is_alive, workers))


def _is_alive(pid: int) -> bool:
    """Return whether a process runs; one that only waits to be buried does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_without_make_run_tqdm_chooses(capsys: pytest.CaptureFixture[str]) -> None:
    with parallel.open_bar(total=1, desc="Film") as bar:
        bar.update()
    assert "Film: 100%" in capsys.readouterr().err
