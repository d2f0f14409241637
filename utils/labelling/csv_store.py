"""The labels file that people read, edit and share: CSV text to rows and back.

`CsvFile` notices what others wrote, and writes the file whole or not at all.
"""

import csv
import glob
import hashlib
import io
import math
import os
import tempfile
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from utils.core.files import read_umask, swap_files
from utils.core.markup import guard_text, unguard_text
from utils.core.names import normalise_name
from utils.core.tables import SCHEMAS, check_table, split_csv
from utils.labelling.spans import MAX_TIME_S, Span, round_time

COLUMNS = ("video", "start_s", "end_s", "label")
OPTIONAL = ("annotator", "labelled_at")
MAX_NAME = 200
_MAX_VIDEO_NAME = 255  # what file systems allow
# A file that another program is saving has come to rest after so long, and is waited
# for at most so long.
_REST_S = 0.03
_REST_OF_HALF_S = 0.2
_PATIENCE_S = 3.0


def check_name(name: str, *, what: str = "class") -> str:
    """Return a class's (or person's) name, cleaned, if it can be written and shown.

    Commas, quotes, emoji and up to 200 characters are fine.

    Args:
        name: The name as typed.
        what: What it names, for the error.

    Returns:
        The name as `normalise_name` writes it.

    Raises:
        ValueError: If it is empty or longer.
    """
    name = normalise_name(name)
    if not name:
        raise ValueError(f"Expected a name for the {what}, got none. Type one.")
    longest = _MAX_VIDEO_NAME if what == "video" else MAX_NAME
    if len(name) > longest:
        raise ValueError(
            f"Expected the name of the {what} to have at most {longest} characters, "
            f"got {len(name)} ({name[:20]!r}…). Shorten it."
        )
    return name


def parse_labels(text: bytes, *, where: str = "labels.csv") -> pd.DataFrame:
    """Read labels from the bytes of a CSV file and check all that needs no video.

    It may come from any spreadsheet, as `utils.core.tables.read_table` says; times are
    rounded to whole milliseconds; names are cleaned.

    Args:
        text: Content of the file.
        where: Its name, for errors.

    Returns:
        Table `labels`; its index, named `line`, is the line in the file.

    Raises:
        ValueError: One sentence with the file and the line: not CSV, a column missing
            or unknown, a cell too many, no number, an end before its start, overlapping
            spans of one annotator with different labels.
    """
    schema = SCHEMAS["labels"]
    known = {**schema.columns, **(schema.optional or {})}
    lines = split_csv(text, known, where=where)
    header = lines[0][1] if lines else []
    _check_header(header, where)
    rows = {
        line: _parse_row(dict(zip(header, cells, strict=True)), f"{where}, line {line}")
        for line, cells in lines[1:]
    }
    table = pd.DataFrame.from_dict(rows, orient="index", columns=header)
    checked = check_table(table, "labels", where=where)
    checked.index = pd.Index(list(rows), name="line", dtype="int64")
    check_overlaps(checked, where=where)
    return checked


def _check_header(header: list[str], where: str) -> None:
    """Raise `ValueError` unless the columns are the known ones, each once."""
    expected = f"expected {','.join(COLUMNS)} and perhaps {','.join(OPTIONAL)}"
    missing = [c for c in COLUMNS if c not in header]
    if missing:
        found = ",".join(header) or "an empty file"
        raise ValueError(
            f"{where}: missing column {', '.join(missing)}; {expected}, found {found}."
        )
    unknown = [c for c in header if c not in (*COLUMNS, *OPTIONAL)]
    if unknown:
        names = ", ".join(map(repr, unknown))
        raise ValueError(
            f"{where}: unknown column {names}; {expected}. Rename or remove it."
        )


def _parse_row(row: dict[str, str], where: str) -> dict[str, object]:
    """Return a row with times as numbers and text trimmed and checked."""
    parsed: dict[str, object] = {
        name: _parse_text(unguard_text(row[name]), name, where)
        for name in row
        if name not in ("start_s", "end_s")
    }
    for name in ("start_s", "end_s"):
        try:
            value = float(row[name].replace("_", "?"))  # Python would read 1_0 as 10
        except ValueError:
            value = math.nan
        if not math.isfinite(value) or abs(value) > MAX_TIME_S:
            # 1:02 may be a minute or, from a spreadsheet, an hour: that is not guessed
            advice = "Write 62.5 for 1:02.5." if ":" in row[name] else "Correct it."
            raise ValueError(
                f"{where}: expected a number of seconds in {name}, found "
                f"{row[name][:40]!r}. {advice}"
            )
        parsed[name] = round_time(value)
    if parsed["end_s"] <= parsed["start_s"]:
        raise ValueError(
            f"{where}: the span ends ({parsed['end_s']:g} s) before it starts "
            f"({parsed['start_s']:g} s) or at once. Correct it or remove the line."
        )
    return parsed


def _parse_text(cell: str, name: str, where: str) -> str | None:
    """Return a text cell; empty is missing, which only optional columns may be."""
    if not cell and name in OPTIONAL:
        return None
    try:
        return check_name(cell, what=name)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None


def check_overlaps(
    labels: pd.DataFrame, *, where: str = "labels", places: Sequence[str] | None = None
) -> None:
    """Raise `ValueError` if one person gave two labels to the same time of a video.

    Args:
        labels: Table `labels`; its index names the line in errors.
        where: What to call it in errors.
        places: Where each stands, if not in the line that the index names.
    """
    places = places or [f"line {line}" for line in labels.index]
    who = labels["annotator"].fillna("") if "annotator" in labels else ""
    ordered = labels.assign(who=who, place=places)
    ordered = ordered.sort_values(["video", "who", "start_s"], kind="stable")
    last: tuple | None = None  # of those before, the one that reaches furthest
    names = ["video", "who", "start_s", "end_s", "label", "place"]
    for span in ordered[names].itertuples(index=False):
        if last is None or last[:2] != span[:2] or last.end_s <= span.start_s:
            last = span
            continue
        if last.label != span.label:
            raise ValueError(
                f"{where}, {span.place}: {span.label!r} from {span.start_s:g} to "
                f"{span.end_s:g} s of {span.video} overlaps {last.label!r} from "
                f"{last.start_s:g} to {last.end_s:g} s in {last.place}. Shorten one "
                "of them."
            )
        last = max(last, span, key=lambda s: s.end_s)


def split_labels(labels: pd.DataFrame) -> dict[str, list[Span]]:
    """Return the rows of a labels table as spans, by video, in order of the table."""
    spans: dict[str, list[Span]] = {}
    texts = [
        labels[c].fillna("") if c in labels else pd.Series("", index=labels.index)
        for c in OPTIONAL
    ]
    columns = [*(labels[c] for c in COLUMNS), *texts]
    for video, start_s, end_s, *rest in zip(*columns, strict=True):
        span = Span(round_time(start_s), round_time(end_s), *rest)
        spans.setdefault(video, []).append(span)
    return spans


def format_labels(spans: Iterable[tuple[str, Span]]) -> bytes:
    """Write labels as the text of a CSV file.

    A column that no label needs is left out: `annotator` and `labelled_at` appear as
    soon as one label is signed (a time alone says little, so it needs a name beside
    it, or to have been in the file before).

    Args:
        spans: Video and span of each row, in the order to write them.

    Returns:
        UTF-8, lines ended by a line feed, times with three decimals.
    """
    rows = list(spans)
    optional = [c for c in OPTIONAL if any(getattr(span, c) for _, span in rows)]
    head = ",".join([*COLUMNS, *optional])
    return head.encode() + b"\n" + format_rows(rows, optional)


def format_rows(rows: Iterable[tuple[str, Span]], optional: Sequence[str]) -> bytes:
    """Write labels as lines of a CSV file, with these columns more than the usual."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(
        [
            guard_text(video),
            f"{span.start_s:.3f}",
            f"{span.end_s:.3f}",
            guard_text(span.label),
            *(guard_text(getattr(span, c)) for c in optional),
        ]
        for video, span in rows
    )
    return text.getvalue().encode()


def read_labels_file(path: Path) -> pd.DataFrame:
    """Read a labels file and check all that needs no video (see `parse_labels`).

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is not a labels file.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"No labels file at {path}. Label in the notebook, or write one with the "
            f"columns {','.join(COLUMNS)}."
        )
    return parse_labels(path.read_bytes(), where=path.name)


class Seen(NamedTuple):
    """What a look at the file found.

    Attributes:
        text: The content; empty if there is no file.
        hash: First 16 hex digits of its sha256.
        changed_ns: When it came there; 0 if there is no file. Copying a file with its
            old time does not turn this back.
        stat: What shows, without reading, that it changed.
    """

    text: bytes
    hash: str
    changed_ns: int
    stat: tuple[int, ...] | None


class CsvFile:
    """A file that we write from time to time and others may change in between.

    What others saved while it was written is not lost: the file that was there is set
    aside, so that it can be seen whether it still was what we knew, and whether a
    program that had it open wrote into it after that.

    Attributes:
        path: Where it is.
        hash: Hash of the content that was accepted or written last.
        is_old: Whether it is known to lack what was saved last.
        is_torn: Whether a program was killed while it wrote into it.
    """

    def __init__(self, path: Path) -> None:
        """Remember where the file is; nothing is opened.

        Args:
            path: The file; it need not exist.
        """
        self.path = path
        self.hash = _hash_bytes(b"")
        self._before_path = path.with_name(f".{path.name}.before")
        self._whole_path = path.with_name(f".{path.name}.whole")
        self.is_old = False
        self.is_torn = self._whole_path.exists()
        self._stat: tuple[int, ...] | None = None
        self._before_stat = _read_stat(self._before_path)

    def look(self, *, at_rest: bool = False) -> Seen | None:
        """Return what is there now, None if nothing changed since it was accepted.

        Args:
            at_rest: Read it in any case, once no other program writes to it any more.
        """
        stat = _read_stat(self.path)
        if stat is not None and stat == self._stat and not at_rest:
            return None
        text = _read(self.path)
        # Another file under this name was renamed to it, and so is whole.
        is_renamed = stat and self._stat and stat[-1] != self._stat[-1]
        if at_rest and not (is_renamed and text.endswith(b"\n")):
            text, stat = _read_at_rest(self.path), _read_stat(self.path)
        return Seen(text, _hash_bytes(text), max(stat[:2]) if stat else 0, stat)

    def look_aside(self) -> bytes:
        """Return what another program wrote into the file that was set aside."""
        stat, known = _read_stat(self._before_path), self._before_stat
        self._before_stat = stat
        if stat is None or known is None or stat == known or stat[-1] != known[-1]:
            return b""  # untouched, or set aside by another labeller
        text = _read_at_rest(self._before_path)
        self._before_stat = _read_stat(self._before_path)
        return text

    def accept(self, seen: Seen) -> None:
        """Remember that what was seen is dealt with."""
        self._stat, self.hash = seen.stat, seen.hash

    def write(self, text: bytes) -> bytes:
        """Write the file anew, whole or not at all; owner, mode and links stay.

        Returns:
            What another program had saved there since it was looked at; else nothing.

        Raises:
            OSError: If it cannot be written; the old content then stays.
        """
        if self.is_old or self.is_torn:
            self._remove_leftovers()
        self.is_old = True
        handle, name = tempfile.mkstemp(
            dir=self.path.parent, prefix=f".{self.path.stem[:40]}.", suffix=".csv"
        )
        part, found = Path(name), b""
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            if not self.path.exists():
                part.chmod(0o666 & ~read_umask())
                part.replace(self.path)
            elif self._can_stand_in(part):
                found = self._swap(part)
            else:
                self._write_in_place(text, part)
        finally:
            part.unlink(missing_ok=True)
        self.is_old = self.is_torn = False
        known, self.hash = self.hash, _hash_bytes(text)
        self._stat = _read_stat(self.path)
        is_known = not found.strip() or _hash_bytes(found) in (known, self.hash)
        return b"" if is_known else found

    def _can_stand_in(self, part: Path) -> bool:
        """Give a new file the owner and mode of ours; False if it cannot replace it."""
        stat, new = self.path.stat(), part.stat()
        if stat.st_nlink > 1:
            return False  # another name of the file would keep the old content
        try:
            if (stat.st_uid, stat.st_gid) != (new.st_uid, new.st_gid):
                os.chown(part, stat.st_uid, stat.st_gid)
            part.chmod(stat.st_mode & 0o7777)
        except OSError:
            return False
        return True

    def _swap(self, part: Path) -> bytes:
        """Put a file in place of ours and set ours aside; return what that holds."""
        try:
            swap_files(part, self.path)
        except (OSError, TypeError):  # not on this disk, or not on this system
            self._before_path.unlink(missing_ok=True)
            with suppress(OSError):  # a disk without links
                os.link(self.path, self._before_path)
            part.replace(self.path)
        else:
            part.replace(self._before_path)
        found = _read(self._before_path)
        if _hash_bytes(found) != self.hash:
            found = _read_at_rest(self._before_path)
        self._before_stat = _read_stat(self._before_path)
        return found

    def _write_in_place(self, text: bytes, part: Path) -> None:
        """Write into the file itself; a whole copy lies beside it meanwhile."""
        part.replace(self._whole_path)
        with self.path.open("r+b") as file:
            file.write(text)
            file.truncate()
            file.flush()
            os.fsync(file.fileno())
        self._whole_path.unlink()

    def keep(self, text: bytes) -> Path:
        """Put a copy of what cannot be understood beside the file; return its path."""
        path = self.path.with_suffix(".conflict.csv")
        number = 1
        while path.exists():
            number += 1
            path = self.path.with_suffix(f".conflict{number}.csv")
        path.write_bytes(text)
        return path

    def _remove_leftovers(self) -> None:
        """Remove the temporary files of writers that were killed."""
        self._whole_path.unlink(missing_ok=True)
        stem = glob.escape(self.path.stem[:40])
        for part in self.path.parent.glob(f".{stem}.????????.csv"):
            part.unlink(missing_ok=True)


def _read_stat(path: Path) -> tuple[int, ...] | None:
    """Return times, size and number of a file; None if there is none."""
    try:
        stat = path.stat()
    except FileNotFoundError:
        return None
    # Windows has the time of making in place of the time of any change.
    return stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size, stat.st_ino


def _read(path: Path) -> bytes:
    """Return the content of a file; empty if there is none."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def _read_at_rest(path: Path) -> bytes:
    """Return the content of a file once another program has done saving it."""
    stat, text = _read_stat(path), _read(path)
    if stat is None or abs(time.time() - max(stat[:2]) / 1e9) > _PATIENCE_S:
        return text
    until_s = time.monotonic() + _PATIENCE_S
    while time.monotonic() < until_s:
        # Half a file most often lacks its last line end, or all of its content.
        time.sleep(_REST_S if text.endswith(b"\n") else _REST_OF_HALF_S)
        before, text = text, _read(path)
        if text == before:
            break
    return text


def _hash_bytes(text: bytes) -> str:
    """Return the first 16 hex digits of the sha256 of some bytes."""
    return hashlib.sha256(text).hexdigest()[:16]
