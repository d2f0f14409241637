"""Film files opened with care: every refusal is one sentence, none can hang."""

import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av

_OPEN_TIMEOUT_S = 30.0
# What PyAV raises where FFmpeg gives it something that it has no name for.
SURPRISES = (ValueError, TypeError, LookupError, ArithmeticError, RuntimeError)
DECODE_ERRORS = (av.FFmpegError, *SURPRISES)


class VideoError(ValueError):
    """A film cannot be read; the message is one sentence for the user."""


class DamagedVideoError(VideoError):
    """A part of a film cannot be read; the frames given before are right."""


class TimeLimit:
    """A limit on the time spent on one film, so that none can hang the run."""

    def __init__(self, path: Path, limit_s: float) -> None:
        """Start the clock.

        Args:
            path: The film.
            limit_s: Seconds after which `check` raises.
        """
        self._path, self._limit_s = path, limit_s
        self._started_s = time.monotonic()

    @contextmanager
    def pause(self) -> Iterator[None]:
        """Stop the clock while the block runs."""
        paused_s = time.monotonic()
        yield
        self._started_s += time.monotonic() - paused_s

    def check(self) -> None:
        """Raise `VideoError` if the time is up."""
        if time.monotonic() - self._started_s > self._limit_s:
            raise VideoError(
                f"{self._path.name} was given up after {self._limit_s:.0f} s, far more "
                "than a film of its size needs. Copy it to a faster disk, convert it "
                "to mp4 (H.264), or remove it."
            )


def check_file(path: Path) -> os.stat_result:
    """Check that a path leads to a file that can be opened and is not empty.

    Args:
        path: The film.

    Returns:
        The file's status.

    Raises:
        FileNotFoundError: If there is no such file.
        VideoError: If it is a folder, a device, empty, or a link that leads nowhere.
        OSError: If the file may not be read.
    """
    path = Path(path)
    try:
        status = path.stat()
        if stat.S_ISREG(status.st_mode):
            path.open("rb").close()
    except FileNotFoundError:
        if path.is_symlink():
            raise VideoError(
                f"{path.name} is a link to a file that is not there. Put the file back "
                "or remove the link."
            ) from None
        raise FileNotFoundError(f"No film at {path}. Check the name.") from None
    except PermissionError:
        raise PermissionError(
            f"{path.name} may not be read by this user. Change its permissions."
        ) from None
    except (OSError, RuntimeError) as error:  # RuntimeError: a loop, in Python < 3.13
        reason = getattr(error, "strerror", None) or error
        raise VideoError(
            f"{path.name} cannot be opened ({reason}). Remove it or put a film there."
        ) from error
    _check_kind(path, status)
    return status


def _check_kind(path: Path, status: os.stat_result) -> None:
    """Raise `VideoError` for what cannot be a film."""
    if stat.S_ISDIR(status.st_mode):
        raise VideoError(
            f"{path.name} is a folder, not a film. Rename it, or move the films in it "
            "one level up."
        )
    if not stat.S_ISREG(status.st_mode):
        raise VideoError(f"{path.name} is a device, not a film. Remove it.")
    if status.st_size == 0:
        raise VideoError(f"{path.name} is empty (0 bytes). Copy it again or remove it.")


@contextmanager
def open_video(
    path: Path, *, has_edits: bool = True
) -> Iterator[av.container.InputContainer]:
    """Open a film's container; what FFmpeg says against it becomes one sentence.

    Args:
        path: The film.
        has_edits: Whether an mp4's list of edits counts, which hides pictures.

    Yields:
        The open container.

    Raises:
        VideoError: If it cannot be opened, or breaks off where it may not.
    """
    try:
        with av.open(
            str(Path(path).absolute()),
            options={} if has_edits else {"advanced_editlist": "0"},
            timeout=_OPEN_TIMEOUT_S,
            metadata_errors="replace",
        ) as container:
            yield container
    except av.FFmpegError as error:
        raise VideoError(
            f"{Path(path).name} cannot be read as a film: it is damaged, no film, or "
            "not yet fully recorded or copied. Copy it again or remove it."
        ) from error
    except VideoError:
        raise
    except SURPRISES as error:
        raise VideoError(
            f"{Path(path).name} holds something that cannot be read here. Convert it "
            "to mp4 (H.264), or remove it."
        ) from error
