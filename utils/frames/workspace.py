"""Folders for unfinished work: whole results move out, what a dead run left goes.

A workspace is a hidden folder inside the results folder, so that moving a finished
file out of it is one rename. Its owner holds a lock beside it while it lives; the
system drops the lock when the process ends, even by `kill -9`, and the next run removes
what is left.
"""

import os
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from utils.core.files import explain_disk, hash_file

_PREFIX = ".work-"
_LOCK_SUFFIX = ".lock"
_DAY_S = 86_400.0
# How filelock says that a file system has no locks; the second by a subclass.
_NO_LOCKS = (OSError, RuntimeError)


@contextmanager
def open_workspace(root: Path) -> Iterator[Path]:
    """Make a folder for unfinished work inside `root`, removed when the block ends.

    Args:
        root: Folder of the results; made if missing.

    Yields:
        An empty folder of this process's own, on the same file system as `root`.

    Raises:
        DiskError: If the disk is full or may not be written.
    """
    work = Path(root, f"{_PREFIX}{uuid.uuid4().hex}")
    lock = FileLock(work.with_suffix(_LOCK_SUFFIX), thread_local=False)
    with explain_disk(root):
        Path(root).mkdir(parents=True, exist_ok=True)
        with suppress(*_NO_LOCKS):
            lock.acquire()  # before the folder is there: a sweep must never see it free
        try:
            work.mkdir()
            yield work
        finally:
            shutil.rmtree(work, ignore_errors=True)
            with suppress(OSError):
                Path(lock.lock_file).unlink()
            lock.release()


def sweep_workspaces(root: Path) -> int:
    """Remove workspaces in `root` whose owner is dead; those in use stay.

    Args:
        root: Folder of the results; it need not exist.

    Returns:
        How many were removed.
    """
    n_removed = 0
    for path in {p.with_suffix("") for p in Path(root).glob(f"{_PREFIX}*")}:
        lock_path = path.with_suffix(_LOCK_SUFFIX)
        if _is_abandoned(path, lock_path):
            shutil.rmtree(path, ignore_errors=True)
            with suppress(OSError):
                lock_path.unlink()
            n_removed += 1
    return n_removed


def _is_abandoned(work: Path, lock_path: Path) -> bool:
    """Tell whether nobody holds a workspace's lock; when in doubt, after a day."""
    if lock_path.exists():
        try:
            with FileLock(lock_path, thread_local=False, blocking=False):
                return True
        except Timeout:
            return False
        except _NO_LOCKS:
            pass
    with suppress(OSError):
        return time.time() - work.stat().st_mtime > _DAY_S
    return False


def publish_file(part: Path, path: Path) -> None:
    """Flush a finished file to disk and give it its final name in one step.

    Args:
        part: The finished file, in a workspace on the same file system.
        path: Its final name; a file of that name is replaced.
    """
    with part.open("rb+") as file:
        os.fsync(file.fileno())
    path.parent.mkdir(parents=True, exist_ok=True)
    part.replace(path)


def publish_folder(part: Path, path: Path) -> None:
    """Give a finished folder its final name, unless another run was there first.

    A folder of that name with other files is damaged (one was deleted, say, or a bit
    was flipped) and is replaced.

    Args:
        part: The finished folder, in a workspace on the same file system.
        path: Its final name.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir() and _hash_files(path) != _hash_files(part):
        path.rename(part.with_name(f"{part.name}.replaced"))
    try:
        part.rename(path)
    except OSError:
        if not path.is_dir():
            raise


def _hash_files(folder: Path) -> dict[str, str]:
    """Return the hash of every file directly in a folder, by name."""
    return {path.name: hash_file(path) for path in folder.iterdir()}


def list_sizes(folder: Path) -> dict[str, int]:
    """Return the size in bytes of every file directly in a folder, by name."""
    try:
        with os.scandir(folder) as entries:
            return {e.name: e.stat().st_size for e in entries if e.is_file()}
    except FileNotFoundError:
        return {}
