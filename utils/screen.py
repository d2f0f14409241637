"""What `make run` prints: lines that stay, and under them one that moves."""

import os
import re
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TextIO

from utils.core.markup import escape_terminal
from utils.core.parallel import VARIABLE

_TERMINAL_S, _PIPE_S = 1.0, 60.0  # between two looks at the bar of the kernel


# How log lines of TensorFlow, LiteRT, absl, CUDA and the kernel begin, and what is said
# of what a kernel that was ended could not put away itself.
_NOISE = re.compile(
    r"(?:[IWEF]\d{4} \d\d:|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+: [IWEF] |INFO: |"
    r"WARNING: All log messages before absl|To enable the following instructions|"
    r"\[IPKernelApp\]|.*resource_tracker: There appear to be|"
    r"\s+warnings\.warn\(|\s*$)"
)


def is_noise(line: str) -> bool:
    """Return whether a line is a library's own log, or empty: nobody can use it."""
    return bool(_NOISE.match(line))


class YourTurn(Exception):  # noqa: N818 (nothing is wrong)
    """Raised in a cell when a person has to do something first, such as label.

    Nothing is wrong: the notebook shows the sentence alone, the cells below wait, and
    `make run` ends with a report and without an error.
    """

    def _render_traceback_(self) -> list[str]:
        """Show IPython the sentence in place of a traceback."""
        return [str(self)]


class Screen:
    """Lines that stay, and under them one that moves.

    On a terminal the moving line is renewed every second, with the bar of whatever
    program runs below, or else the seconds so far. In a file or pipe it is printed once
    a minute, when it has changed.
    """

    def __init__(self, out: TextIO, path: Path) -> None:
        """Print to `out`; the line of the bar is in the file `path`."""
        self._out, self._path = out, path
        self._on_terminal = out.isatty()
        self._lock = threading.Lock()
        self._shown, self._text, self._since = "", "", time.monotonic()
        self._is_closed = False

    def close(self) -> None:
        """Print nothing any more: after ctrl-C a notebook runs on for a moment."""
        self.draw(is_last=True)
        with self._lock:
            self._is_closed = True

    def say(self, line: str) -> None:
        """Print a line that stays, such as a heading; the bar begins anew."""
        self.write(f"{line}\n")
        self._path.unlink(missing_ok=True)
        self._since = time.monotonic()

    def write(self, text: str) -> int:
        """Print text that a program below prints, as soon as its lines are whole."""
        *lines, self._text = f"{self._text}{text}".split("\n")
        with self._lock:
            if self._is_closed:
                return len(text)
            if lines and self._on_terminal:
                self._out.write("\r\x1b[K")
            for line in lines:
                shown = line.rsplit("\r", 1)[-1]  # a bar that redraws itself
                if not is_noise(shown):
                    print(escape_terminal(shown), file=self._out)
            self._out.flush()
        return len(text)

    def flush(self) -> None:
        """Do nothing: whole lines are printed at once."""

    def draw(self, *, is_last: bool = False) -> None:
        """Draw the moving line."""
        line = self._path.read_text(encoding="utf-8") if self._path.exists() else ""
        with self._lock:
            if self._is_closed:
                return
            if self._on_terminal and is_last:
                self._out.write("\r\x1b[K")
            elif self._on_terminal:
                line = line or f"{time.monotonic() - self._since:.0f} s"
                width = shutil.get_terminal_size().columns - 3
                self._out.write(f"\r\x1b[K  {line[:width]}")
            elif line not in ("", self._shown):
                print(f"  {line}", file=self._out)
                self._shown = line
            self._out.flush()


@contextmanager
def follow_bars(out: TextIO | None = None) -> Iterator[Screen]:
    """Print the bars of programs that are started in this block.

    Args:
        out: Where to print; stdout if None.

    Yields:
        What prints the lines between the bars.
    """
    out = out or sys.stdout
    with TemporaryDirectory(prefix="posenet-") as folder:
        screen, stop = Screen(out, Path(folder) / "progress"), threading.Event()
        every_s = _TERMINAL_S if out.isatty() else _PIPE_S

        def follow() -> None:
            while not stop.wait(every_s):
                screen.draw()

        thread = threading.Thread(target=follow, daemon=True)
        os.environ[VARIABLE] = str(Path(folder) / "progress")
        thread.start()
        try:
            with _catch_errors(screen):
                yield screen
        finally:
            del os.environ[VARIABLE]
            stop.set()
            thread.join()
            screen.close()


@contextmanager
def _catch_errors(screen: Screen) -> Iterator[None]:
    """Show what programs below write to stderr by themselves, without their noise.

    The kernel sends what its cells print; but C libraries in its workers write to the
    file that they inherit, past Python.
    """
    sys.stderr.flush()
    read, write = os.pipe()
    before = os.dup(2)
    os.dup2(write, 2)
    os.close(write)

    def show() -> None:
        with os.fdopen(read, encoding="utf-8", errors="replace") as lines:
            for line in lines:
                screen.write(line)

    thread = threading.Thread(target=show, daemon=True)
    thread.start()
    try:
        yield
    except KeyboardInterrupt:  # what workers say as they are ended helps nobody
        screen.close()
        raise
    finally:
        sys.stderr.flush()
        os.dup2(before, 2)
        os.close(before)
        thread.join(_TERMINAL_S)  # it ends when the last program below has ended
