"""Files on disk: hashes, writes that are whole or absent, a disk's errors in words."""

import ctypes
import errno
import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_BLOCK_BYTES = 1 << 20
_FULL = {errno.ENOSPC, errno.EDQUOT}
_FORBIDDEN = {errno.EROFS, errno.EACCES, errno.EPERM}
DATA_VARIABLE = "POSENET_DATA"
ANSWER_FILE = "answer.txt"  # among the results: what a run ends with, a line each


def find_data() -> Path:
    """Return the folder of what can be made again: frames, keypoints, fits.

    It is `data`, unless the environment names another one, as `make run` does where
    `data` cannot be written; in Jupyter it is then a folder in the user's home.
    """
    named, data = os.environ.get(DATA_VARIABLE), Path("data")
    if named or is_writable(data if data.exists() else Path()):
        return Path(named or data)
    own = Path.home() / ".cache" / "posenet"
    return own if is_writable(own) else Path(tempfile.gettempdir()) / "posenet"


def show_path(path: Path | str) -> str:
    """Return a path for a sentence: as seen from here, where it lies below.

    Example:
        >>> show_path(Path.cwd() / "videos")
        'videos'
    """
    path = Path(path)
    with suppress(ValueError):
        path = path.absolute().relative_to(Path.cwd())
    return "this folder" if path == Path() else str(path)


def is_writable(folder: Path) -> bool:
    """Return whether a file can be made in a folder; a missing folder is made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


class DiskError(OSError):
    """A disk is full or may not be written; the message is for the user."""

    def __str__(self) -> str:
        """Return the words alone, without the number of the error."""
        return self.strerror


@contextmanager
def explain_disk(folder: Path) -> Iterator[None]:
    """Turn "no space left" and "read-only" into a sentence of where and what to do.

    Args:
        folder: What the block writes to.

    Yields:
        Nothing.

    Raises:
        DiskError: In place of such an error; others keep their own words.
    """
    try:
        yield
    except DiskError:
        raise
    except OSError as error:
        if error.errno in _FULL:
            raise DiskError(
                error.errno,
                f"The disk that holds {folder} is full. Free some space and run again: "
                "what was finished is kept and is not made twice",
            ) from error
        if error.errno in _FORBIDDEN and not is_writable(Path(folder)):
            raise DiskError(
                error.errno,
                f"{folder} may not be written. Change its permissions, or choose "
                "another folder",
            ) from error
        raise


def stamp_file(path: Path) -> tuple[int, ...]:
    """Return what changes whenever a file is touched: size, times in ns, inode.

    Raises:
        FileNotFoundError: If there is no such file.
    """
    # Windows has the time of making in place of the time of any change.
    status = Path(path).stat()
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


def hash_file(path: Path) -> str:
    """Return the sha256 of a file's bytes as 64 hex digits.

    Args:
        path: File to read; it is streamed, so its size does not matter.

    Returns:
        Lower-case hex digest.

    Raises:
        FileNotFoundError: If there is no such file.
    """
    digest = hashlib.sha256()
    with Path(path).open("rb") as file:
        while chunk := file.read(_BLOCK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Give a temporary path that becomes `path` when the block ends without error.

    The temporary file lies in the same folder, under a name of its own, so that two
    writers do not meet, and keeps the suffix, so that writers which go by it work.
    It is flushed to disk before it is renamed; after an error it is removed.

    Args:
        path: Where the finished file shall be. Missing folders are made.

    Yields:
        Path to write to.

    Raises:
        DiskError: If the disk is full or the folder may not be written.
    """
    path = Path(path)
    with explain_disk(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(
            dir=path.parent, prefix=f".{path.stem[:40]}.", suffix=path.suffix
        )
        os.close(handle)
        part = Path(name)
        try:
            yield part
            part.chmod(0o666 & ~read_umask())
            with part.open("rb+") as file:
                os.fsync(file.fileno())
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)


def read_umask() -> int:
    """Return the process's umask (`mkstemp` ignores it and makes files private)."""
    umask = os.umask(0o022)
    os.umask(umask)
    return umask


def swap_files(one: Path, other: Path) -> None:
    """Exchange the names of two files at one blow: what was there before is not lost.

    Renaming one over the other would lose what a third program put there meanwhile.

    Args:
        one: A file.
        other: Another file, on the same disk.

    Raises:
        OSError: If the system or the disk cannot; then nothing has changed.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    names = os.fsencode(one), os.fsencode(other)
    at, exchange = -100, 2  # AT_FDCWD; RENAME_EXCHANGE, on macOS RENAME_SWAP
    if hasattr(libc, "renameat2"):
        failed = libc.renameat2(at, names[0], at, names[1], exchange)
    elif hasattr(libc, "renamex_np"):
        failed = libc.renamex_np(*names, exchange)
    else:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    if failed:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(one))
