"""The log's file: append lines that are on disk when the call returns, read new ones.

Damage at the end (a half-written line after a crash) is set aside and cut off; damage
further up is left where it is. Both are reported, and every whole line is used.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from utils.labelling.actions import (
    Action,
    NewerVersionError,
    format_action,
    parse_action,
)

_N_CHECKED_BYTES = 64


class LogFile:
    """Reads what was appended since it read last, and appends.

    The caller opens the file (append, binary, unbuffered) and holds its lock.

    Attributes:
        path: Where the log is.
        aside_path: Where damaged ends are kept.
        notices: One sentence for each damage found.
    """

    def __init__(self, path: Path) -> None:
        """Remember where the log is; nothing is opened.

        Args:
            path: The log, a `.jsonl` file.
        """
        self.path = path
        self.aside_path = path.with_suffix(".damaged.txt")
        self.notices: list[str] = []
        self._n_bytes = 0
        self._n_lines = 0
        self._last_bytes = b""
        self._rest = b""

    def is_replaced(self, file: BinaryIO) -> bool:
        """Tell whether what was read before is not there any more."""
        start = self._n_bytes - len(self._last_bytes)
        file.seek(start)
        return file.read(len(self._last_bytes)) != self._last_bytes

    def has_more(self, file: BinaryIO) -> bool:
        """Tell whether there is something after what was read before."""
        return os.fstat(file.fileno()).st_size > self._n_bytes

    def read_new(self, file: BinaryIO) -> list[Action]:
        """Read the lines appended since the last call; a damaged end waits for `mend`.

        Args:
            file: The open log.

        Returns:
            The actions, in order.

        Raises:
            ValueError: If a line was written by a newer version; nothing is changed.
            OSError: If the file cannot be read.
        """
        file.seek(self._n_bytes)
        text = _read_all(file)
        actions, damaged = [], []
        n_good, n_seen = 0, 0
        for number, line in enumerate(text.splitlines(keepends=True), start=1):
            n_seen += len(line)
            try:
                action = self._parse(line, self._n_lines + number)
            except ValueError as error:
                if isinstance(error, NewerVersionError):
                    raise
                damaged.append(self._n_lines + number)
                continue
            if action is not None:
                actions.append(action)
            n_good = n_seen
            self._report(damaged)
            damaged = []
            n_lines = number
        self._n_lines += n_lines if n_good else 0
        self._n_bytes += n_good
        self._last_bytes = text[:n_good][-_N_CHECKED_BYTES:] or self._last_bytes
        self._rest = text[n_good:]
        return actions

    def _parse(self, line: bytes, number: int) -> Action | None:
        """Return a line's action, None for an empty line."""
        try:
            return parse_action(line) if line.strip() else None
        except NewerVersionError as error:
            raise NewerVersionError(
                f"{self.path.name}, line {number} was written by a newer version of "
                f"this project ({error}). Update it; nothing was changed."
            ) from None

    def _report(self, lines: Sequence[int]) -> None:
        """Add a notice for damaged lines that whole lines follow."""
        if lines:
            where = ", ".join(map(str, lines[:5])) + (" …" if len(lines) > 5 else "")
            self.notices.append(
                f"{self.path.name}: line {where} is damaged and was left out; all "
                "other lines are used."
            )

    def mend(self, file: BinaryIO) -> None:
        """Move a damaged end, if there is one, into a file of its own.

        Raises:
            OSError: If it cannot be moved.
        """
        if not self._rest:
            return
        with self.aside_path.open("ab") as aside:
            aside.write(self._rest.rstrip(b"\n") + b"\n")
            aside.flush()
            os.fsync(aside.fileno())
        os.ftruncate(file.fileno(), self._n_bytes)
        os.fsync(file.fileno())
        self.notices.append(
            f"{self.path.name}: its end was not whole ({len(self._rest)} bytes, not "
            f"acknowledged); it was set aside in {self.aside_path.name}. All other "
            "lines are used."
        )
        self._rest = b""

    def append(self, file: BinaryIO, actions: Sequence[Action]) -> None:
        """Append actions; they are on disk when this returns, or not there at all.

        The log's end must have been read, and mended, before.

        Raises:
            OSError: If they cannot be written.
        """
        n_before = self._n_bytes
        text = b"".join(map(format_action, actions))
        if self._last_bytes and not self._last_bytes.endswith(b"\n"):
            text = b"\n" + text
        try:
            self._write(file, text)
        except OSError:
            os.ftruncate(file.fileno(), n_before)
            self._n_bytes = n_before
            raise
        self._n_lines += len(actions)

    def _write(self, file: BinaryIO, text: bytes) -> None:
        """Append bytes and flush them to disk."""
        written = file.write(text)
        while written < len(text):
            written += file.write(text[written:])
        os.fsync(file.fileno())
        self._n_bytes += len(text)
        self._last_bytes = (self._last_bytes + text)[-_N_CHECKED_BYTES:]


def _read_all(file: BinaryIO) -> bytes:
    """Return what is left of an unbuffered file."""
    parts = []
    while part := file.read(1 << 20):
        parts.append(part)
    return b"".join(parts)
