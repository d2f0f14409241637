"""Tests of `utils.core.parallel`."""

import io
import os
import time
import warnings

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
    assert not said


def test_a_worker_that_is_replaced_is_not_told_of() -> None:
    with warnings.catch_warnings(record=True) as told:
        assert sorted(run_tasks(abs, [-1, 2], n_jobs=2)) == [1, 2]
        warnings.warn("A worker stopped while some jobs were given", stacklevel=1)
        warnings.warn("anything else", stacklevel=1)
    assert [str(warning.message) for warning in told] == ["anything else"]


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("out", [io.StringIO(), _Terminal()], ids=["pipe", "terminal"])
def test_a_bar_is_seen_where_the_command_was_typed(
    out: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parallel, "_TERMINAL_S", 0.02)
    monkeypatch.setattr(parallel, "_PIPE_S", 0.02)
    with parallel.follow_bars(out), parallel.open_bar(total=3, desc="Film") as bar:
        for _ in range(3):
            bar.update()
            time.sleep(0.05)
    assert parallel.VARIABLE not in os.environ
    assert "Film: 100%" in out.getvalue()
    assert ("\n" in out.getvalue()) != out.isatty()


def test_an_unchanged_line_is_printed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "_PIPE_S", 0.02)
    out = io.StringIO()
    with parallel.follow_bars(out):
        with parallel.open_bar(total=1, desc="Film") as bar:
            bar.update()
        time.sleep(0.3)
    assert out.getvalue().count("100%") == 1


def test_without_make_run_tqdm_chooses(capsys: pytest.CaptureFixture[str]) -> None:
    with parallel.open_bar(total=1, desc="Film") as bar:
        bar.update()
    assert "Film: 100%" in capsys.readouterr().err
