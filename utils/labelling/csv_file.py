"""The labels file on disk: notice what others wrote, write it whole or not at all."""

import glob
import hashlib
from pathlib import Path
from typing import NamedTuple

from utils.core.files import atomic_path


class Seen(NamedTuple):
    """What a look at the file found.

    Attributes:
        text: The content; empty if there is no file.
        hash: First 16 hex digits of its sha256.
        mtime_ns: When it was written; 0 if there is no file.
        stat: What tells, without reading, that it changed.
    """

    text: bytes
    hash: str
    mtime_ns: int
    stat: tuple[int, ...] | None


class CsvFile:
    """A file that we write from time to time and others may change in between.

    Attributes:
        path: Where it is.
        hash: Hash of the content that was accepted or written last.
        is_old: Whether it is known to lack what was saved last.
    """

    def __init__(self, path: Path) -> None:
        """Remember where the file is; nothing is opened.

        Args:
            path: The file; it need not exist.
        """
        self.path = path
        self.hash = _hash_bytes(b"")
        self.is_old = False
        self._stat: tuple[int, ...] | None = None

    def look(self) -> Seen | None:
        """Return what is there now, None if nothing changed since it was accepted."""
        stat = self._read_stat()
        if stat is not None and stat == self._stat:
            return None
        text = self.path.read_bytes() if stat else b""
        return Seen(text, _hash_bytes(text), stat[0] if stat else 0, stat)

    def accept(self, seen: Seen) -> None:
        """Remember that what was seen is dealt with."""
        self._stat, self.hash = seen.stat, seen.hash

    def write(self, text: bytes) -> None:
        """Write the file anew.

        Raises:
            OSError: If it cannot be written; the old content then stays.
        """
        if self.is_old:
            self._remove_leftovers()
        self.is_old = True
        with atomic_path(self.path) as part:
            part.write_bytes(text)
        self.is_old = False
        self._stat, self.hash = self._read_stat(), _hash_bytes(text)

    def _read_stat(self) -> tuple[int, ...] | None:
        """Return time, size and number of the file; None if there is none."""
        try:
            stat = self.path.stat()
        except FileNotFoundError:
            return None
        return stat.st_mtime_ns, stat.st_size, stat.st_ino

    def _remove_leftovers(self) -> None:
        """Remove the temporary files of writers that were killed."""
        stem, suffix = glob.escape(self.path.stem[:40]), glob.escape(self.path.suffix)
        for part in self.path.parent.glob(f".{stem}.????????{suffix}"):
            part.unlink(missing_ok=True)


def _hash_bytes(text: bytes) -> str:
    """Return the first 16 hex digits of the sha256 of some bytes."""
    return hashlib.sha256(text).hexdigest()[:16]
