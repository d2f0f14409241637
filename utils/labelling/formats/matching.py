"""Which of our videos another program means, and what it says of one span."""

import difflib
import re
import unicodedata
from collections.abc import Sequence
from pathlib import PurePosixPath, PureWindowsPath
from typing import NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

import pandas as pd

from utils.core.names import normalise_name
from utils.labelling.spans import MAX_TIME_S

# Label Studio puts this before the name of a file that is uploaded.
_UPLOAD_PREFIX = re.compile(r"^[0-9a-f]{8}-")
# Django, below Label Studio, drops these from names (get_valid_filename).
_DROPPED = re.compile(r"[^-\w.]")
_SUFFIX = re.compile(r"\.\w{2,4}$")


class Row(NamedTuple):
    """One label as another program has it.

    Attributes:
        place: Where it stands in the file, for errors: `line 3`, `task 7`.
        video: Which of our videos.
        start_s: Seconds from where players start the file.
        end_s: The same.
        label: What is said; "" if nothing is.
        annotator: By whom; "" if not told.
    """

    place: str
    video: str
    start_s: float
    end_s: float
    label: str
    annotator: str = ""


class VideoMatcher:
    """Our videos, as other programs name them.

    Attributes:
        fps: Frames a second, by video.
        duration_s: Seconds from where players start the file to its end, by video.
        where: What to call the file that is read, in errors.
    """

    def __init__(self, videos: pd.DataFrame, where: str) -> None:
        """Take names and times from the table `videos`.

        Args:
            videos: Table `videos`.
            where: The name of the file that is read.
        """
        self.where = where
        self.fps = dict(zip(videos["video"], videos["fps"], strict=True))
        starts_s = videos.get("starts_at_s", 0.0)
        lengths_s = videos["duration_s"] - starts_s  # `duration_s` is where it ends
        self.duration_s = dict(zip(videos["video"], lengths_s, strict=True))
        files = [find_file_name(path) for path in videos["path"]]
        self._files = dict(zip(videos["video"], files, strict=True))
        self._found: dict[tuple[str, ...], list[str]] = {}

    def find(self, paths: Sequence[str]) -> list[str]:
        """Return the videos that some paths or addresses may mean, the likeliest kind.

        A file of ten thousand rows names the same few films over and over.
        """
        key = tuple(paths)
        if key not in self._found:
            self._found[key] = self._find(key)
        return self._found[key]

    def _find(self, paths: Sequence[str]) -> list[str]:
        """Work out which videos some paths may mean.

        A file name says most, then its stem alone (the same film as a camcorder named
        it, or its sound), then what Label Studio makes of the name.
        """
        names = {name for path in paths for name in _list_names(path)}
        stems = {name.rpartition(".")[0] or name for name in names} | names
        bare = {_UPLOAD_PREFIX.sub("", name) for name in names}
        bare |= {PurePosixPath(name).stem for name in bare}
        for is_meant in (
            lambda video, file: file in names,
            lambda video, file: video in stems,
            lambda video, file: bool({file, *_clean(file)} & bare),
            lambda video, file: bool({video, *_clean(video)} & bare),
        ):
            found = [v for v, file in self._files.items() if is_meant(v, file)]
            if found:
                return found
        return []

    def choose(self, paths: Sequence[str], place: str) -> str:
        """Return the one video that some paths mean.

        Raises:
            ValueError: If there is none, or it could be several.
        """
        found = self.find(paths)
        if len(found) == 1:
            return found[0]
        named = ", ".join(repr(find_file_name(path)) for path in paths) or "none"
        if found:
            raise ValueError(
                f"{self.where}, {place}: {named} could be {' or '.join(found)}. "
                "Rename one of these videos."
            )
        stems = [
            PurePosixPath(_UPLOAD_PREFIX.sub("", find_file_name(path))).stem
            for path in paths
        ]
        similar = [
            match
            for stem in stems
            for match in difflib.get_close_matches(stem, list(self._files), n=1)
        ]
        guess = f" (did you mean {similar[0]!r}?)" if similar else ""
        raise ValueError(
            f"{self.where}, {place}: expected one of the videos there are, found "
            f"{named}{guess}. Put the video there, or correct the name."
        )


def find_file_name(path: str) -> str:
    """Return the last part of a path of any system, cleaned as names are."""
    return normalise_name(PureWindowsPath(path.strip()).name)


def _list_names(path: str) -> list[str]:
    """Return the file names that a path or an address may stand for."""
    names = [find_file_name(path)]
    try:
        parts = urlsplit(path.strip())
    except ValueError:  # a name that only looks like an address
        return names
    if parts.scheme in ("file", "http", "https", "s3", "gs") or path.startswith("/"):
        names.append(find_file_name(unquote(parts.path)))
    # Files that a server hands out: /data/local-files/?d=films/a.mp4
    for key, values in parse_qs(parts.query).items():
        found = map(find_file_name, values)
        names += [name for name in found if key == "d" or _SUFFIX.search(name)]
    return [name for name in names if name]


def _clean(name: str) -> set[str]:
    """Return a name as Django cleans it; without accents, where a Mac sent it."""
    return {
        _DROPPED.sub("", unicodedata.normalize(form, name).replace(" ", "_"))
        for form in ("NFC", "NFD")
    }


def read_seconds(
    text: str | None, matcher: VideoMatcher, place: str, what: str
) -> float:
    """Return a time, in seconds.

    Raises:
        ValueError: If it is no number, or no time of any film.
    """
    try:
        time_s = float(str(text).strip().replace("_", "?"))  # 1_0 is no number here
    except ValueError:
        time_s = float("nan")
    if not abs(time_s) <= MAX_TIME_S:  # true for infinity and NaN too
        raise ValueError(
            f"{matcher.where}, {place}: expected seconds in {what}, found "
            f"{str(text)[:40]!r}. Export times in seconds."
        )
    return time_s
