"""Tests of `utils.screen`: what `make run` prints."""

import io
import os
import subprocess
import time

import pytest

from utils import screen
from utils.core.parallel import VARIABLE, open_bar


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("out", [io.StringIO(), _Terminal()], ids=["pipe", "terminal"])
def test_a_bar_is_seen_where_the_command_was_typed(
    out: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(screen, "_TERMINAL_S", 0.02)
    monkeypatch.setattr(screen, "_PIPE_S", 0.02)
    with screen.follow_bars(out):
        with open_bar(total=3, desc="Film") as bar:
            for _ in range(3):
                bar.update()
        time.sleep(0.1)
    assert VARIABLE not in os.environ
    assert "Film: 100%" in out.getvalue()
    assert ("\n" in out.getvalue()) != out.isatty()


def test_an_unchanged_line_is_printed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screen, "_PIPE_S", 0.02)
    out = io.StringIO()
    with screen.follow_bars(out):
        with open_bar(total=1, desc="Film") as bar:
            bar.update()
        time.sleep(0.3)
    assert out.getvalue().count("100%") == 1


def test_on_a_terminal_the_line_moves_every_second_and_is_gone_at_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(screen, "_TERMINAL_S", 0.02)
    out = _Terminal()
    with screen.follow_bars(out) as own:
        own.say("Frames")
        time.sleep(0.3)
        own.write("half a li")
        own.write("ne, \x1b[2Jand a bar 10%\rbar 20%\n")
        time.sleep(0.1)
    text = out.getvalue()
    assert text.count("\r\x1b[K  0 s") > 5
    assert "\r\x1b[Kbar 20%\n" in text
    assert text.endswith("\r\x1b[K")


def test_a_pipe_gets_lines_alone_and_no_command_of_a_terminal() -> None:
    out = io.StringIO()
    with screen.follow_bars(out) as own:
        own.say("Frames")
        own.write("a\x1b[2J film\n\n\nof two")
        own.write(" lines\n")
    assert out.getvalue() == "Frames\na\\x1b[2J film\nof two lines\n"


def test_noise_of_libraries_is_not_printed() -> None:
    out = io.StringIO()
    with screen.follow_bars(out) as own:
        own.write("INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\n")
        own.write("E0000 00:00:17 8255 cuda_dnn.cc:8310] Unable to register\n")
        own.write("UserWarning: a person became a fold\n")
    assert out.getvalue() == "UserWarning: a person became a fold\n"


def test_what_a_program_below_writes_past_python_is_shown_without_noise() -> None:
    out = io.StringIO()
    command = "echo INFO: Created delegate >&2; echo a fault >&2"
    with screen.follow_bars(out):
        subprocess.run(["sh", "-c", command], check=True)
    assert out.getvalue() == "a fault\n"


def test_nothing_follows_the_line_that_a_run_was_stopped() -> None:
    out = io.StringIO()
    with pytest.raises(KeyboardInterrupt), screen.follow_bars(out) as own:
        own.say("Frames")
        raise KeyboardInterrupt
    out.write("Stopped.\n")
    own.say("Keypoints")  # the notebook's thread, a moment later
    own.write("a fault\n")
    own.draw()
    assert out.getvalue() == "Frames\nStopped.\n"
