"""How far the work is: a bar in the notebook, or a line where `make run` was typed.

Under papermill nobody sees the notebook's widgets. There a bar writes its line into a
file instead, which `make run` reads and prints.
"""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from tqdm import tqdm

VARIABLE = "POSENET_PROGRESS"  # holds the file's path while `make run` follows it
_TERMINAL_S, _PIPE_S = 1.0, 15.0  # between two looks at the file


class _LastLine:
    """A text stream that keeps only the line written last."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, text: str) -> int:
        """Keep a line; an empty one, with which a bar ends, changes nothing."""
        line = text.strip("\r\n ")
        if line:
            part = self._path.with_suffix(".part")
            part.write_text(line, encoding="utf-8")
            part.replace(self._path)
        return len(text)

    def flush(self) -> None:
        """Do nothing: each line is written at once."""


def open_bar(**options: object) -> "tqdm":
    """Open a tqdm bar where somebody sees it.

    Args:
        **options: As tqdm takes them.

    Returns:
        The bar: tqdm's own choice, or one whose line `make run` prints.
    """
    path = os.environ.get(VARIABLE)
    if not path or not Path(path).parent.is_dir():
        from tqdm.auto import tqdm as bar

        return bar(**options)
    from tqdm import tqdm as bar

    line = _LastLine(Path(path))
    return bar(file=line, mininterval=_TERMINAL_S, ncols=100, ascii=True, **options)


@contextmanager
def follow_bars(out: TextIO | None = None) -> Iterator[None]:
    """Print the bars of programs that are started in this block.

    On a terminal the line is renewed; in a file or pipe a line comes now and then.

    Args:
        out: Where to print; stderr if None.

    Yields:
        Nothing.
    """
    out = out or sys.stderr
    with TemporaryDirectory(prefix="posenet-") as folder:
        path, stop = Path(folder) / "progress", threading.Event()
        thread = threading.Thread(target=_follow, args=(path, out, stop), daemon=True)
        os.environ[VARIABLE] = str(path)
        thread.start()
        try:
            yield
        finally:
            del os.environ[VARIABLE]
            stop.set()
            thread.join()


def _follow(path: Path, out: TextIO, stop: threading.Event) -> None:
    """Print the file's line whenever it has changed, until told to stop."""
    on_terminal, shown, is_last = out.isatty(), "", False
    while not is_last:
        is_last = stop.wait(_TERMINAL_S if on_terminal else _PIPE_S)
        line = path.read_text(encoding="utf-8") if path.exists() else ""
        if line != shown:
            print(f"  {line}", end="\r" if on_terminal else "\n", file=out, flush=True)
            shown = line
