"""Tests of `utils.core.progress`."""

import io
import os
import time

import pytest

from utils.core import progress


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("out", [io.StringIO(), _Terminal()], ids=["pipe", "terminal"])
def test_a_bar_is_seen_where_the_command_was_typed(
    out: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "_TERMINAL_S", 0.02)
    monkeypatch.setattr(progress, "_PIPE_S", 0.02)
    with progress.follow_bars(out), progress.open_bar(total=3, desc="Film") as bar:
        for _ in range(3):
            bar.update()
            time.sleep(0.05)
    assert progress.VARIABLE not in os.environ
    assert "Film: 100%" in out.getvalue()
    assert ("\n" in out.getvalue()) != out.isatty()


def test_an_unchanged_line_is_printed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_PIPE_S", 0.02)
    out = io.StringIO()
    with progress.follow_bars(out):
        with progress.open_bar(total=1, desc="Film") as bar:
            bar.update()
        time.sleep(0.3)
    assert out.getvalue().count("100%") == 1


def test_without_make_run_tqdm_chooses(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.open_bar(total=1, desc="Film") as bar:
        bar.update()
    assert "Film: 100%" in capsys.readouterr().err
