"""A lock on an open file, so that two programs that append to it take turns."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

# Windows locks bytes, and what is locked cannot be read: so lock one far behind.
_FAR_BYTE = 1 << 30


@contextmanager
def lock_file(file: BinaryIO, *, timeout_s: float = 10.0) -> Iterator[None]:
    """Hold the only lock on a file during the block; others wait for it.

    The system gives the lock back when the holder ends, however it ends. It binds
    those who ask for it, in this process and in others.

    Args:
        file: Open file, writable.
        timeout_s: How long to wait for another holder.

    Raises:
        TimeoutError: If another still holds it then (an `OSError`).
    """
    until_s = time.monotonic() + timeout_s
    while not _try_lock(file):
        if time.monotonic() > until_s:
            raise TimeoutError(
                f"Another program has held {file.name} for {timeout_s:g} s. Close it."
            )
        time.sleep(0.002)
    try:
        yield
    finally:
        _unlock(file)


if sys.platform == "win32":
    import msvcrt

    def _try_lock(file: BinaryIO) -> bool:
        """Take the lock if it is free."""
        file.seek(_FAR_BYTE)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlock(file: BinaryIO) -> None:
        """Give the lock back."""
        file.seek(_FAR_BYTE)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _try_lock(file: BinaryIO) -> bool:
        """Take the lock if it is free."""
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _unlock(file: BinaryIO) -> None:
        """Give the lock back."""
        fcntl.flock(file, fcntl.LOCK_UN)
