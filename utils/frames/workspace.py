"""Folders for unfinished work: whole results move out, what a dead run left goes.

A workspace is a hidden folder inside the results folder, so that moving a finished
file out of it is one rename. Its owner holds a lock on it while it lives; the system
drops the lock when the process ends, even by `kill -9`, and the next run removes what
is left.
"""

import errno
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

_PREFIX = ".work-"
_NEW_PREFIX = ".new-work-"
_LOCK_NAME = "owner.lock"
_DAY_S = 86_400.0
_FULL = {errno.ENOSPC, errno.EDQUOT}


@contextmanager
def open_workspace(root: Path) -> Iterator[Path]:
    """Make a folder for unfinished work inside `root`, removed when the block ends.

    Args:
        root: Folder of the results; made if missing.

    Yields:
        An empty folder of this process's own, on the same file system as `root`.

    Raises:
        OSError: In one sentence, if the disk is full.
    """
    root = Path(root)
    with explain_full_disk(root):
        root.mkdir(parents=True, exist_ok=True)
        new = Path(tempfile.mkdtemp(dir=root, prefix=_NEW_PREFIX))
        work = new.with_name(new.name.replace(_NEW_PREFIX, _PREFIX))
        with _hold_lock(new):
            new.rename(work)  # only now can a sweep see it, and it is locked already
            try:
                yield work
            finally:
                shutil.rmtree(work, ignore_errors=True)


def sweep_workspaces(root: Path) -> int:
    """Remove workspaces in `root` whose owner is dead; those in use stay.

    Args:
        root: Folder of the results; it need not exist.

    Returns:
        How many were removed.
    """
    n_removed = 0
    for work in Path(root).glob(f"{_PREFIX}*"):
        if _is_abandoned(work):
            shutil.rmtree(work, ignore_errors=True)
            n_removed += 1
    for new in Path(root).glob(f"{_NEW_PREFIX}*"):
        if _is_old(new):
            shutil.rmtree(new, ignore_errors=True)
            n_removed += 1
    return n_removed


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

    A folder of that name with other files or sizes is damaged (a file was deleted,
    say) and is replaced.

    Args:
        part: The finished folder, in a workspace on the same file system.
        path: Its final name.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir() and list_sizes(path) != list_sizes(part):
        path.rename(part.with_name(f"{part.name}.replaced"))
    try:
        part.rename(path)
    except OSError:
        if not path.is_dir():
            raise


def list_sizes(folder: Path) -> dict[str, int]:
    """Return the size in bytes of every file directly in a folder, by name."""
    try:
        with os.scandir(folder) as entries:
            return {e.name: e.stat().st_size for e in entries if e.is_file()}
    except FileNotFoundError:
        return {}


@contextmanager
def explain_full_disk(root: Path) -> Iterator[None]:
    """Turn "no space left" into a sentence that says where and what to do."""
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise OSError(
            error.errno,
            f"The disk that holds {root} is full. Free some space and run again: "
            "what was finished is kept and is not made twice",
        ) from error


@contextmanager
def _hold_lock(folder: Path) -> Iterator[None]:
    """Hold a lock on a folder; on Windows, where there is none, age alone decides."""
    if fcntl is None:
        yield
        return
    with (folder / _LOCK_NAME).open("wb") as lock:
        with suppress(OSError):  # a file system without locks
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield


def _is_abandoned(work: Path) -> bool:
    """Tell whether nobody holds a workspace's lock; when in doubt, after a day."""
    try:
        with (work / _LOCK_NAME).open("rb+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
    except BlockingIOError:
        return False
    except OSError:  # no lock in it, or a file system without locks
        return _is_old(work)


def _is_old(folder: Path) -> bool:
    """Tell whether a folder was last changed more than a day ago."""
    try:
        return time.time() - folder.stat().st_mtime > _DAY_S
    except OSError:
        return False
