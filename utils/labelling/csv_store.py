"""The labels file that people read, edit and share: CSV text to rows and back.

`CsvFile` notices what others wrote, and writes the file whole or not at all.
"""

import csv
import glob
import hashlib
import io
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from utils.core.files import atomic_path
from utils.core.markup import guard_text, unguard_text
from utils.core.names import normalise_name
from utils.core.tables import check_table
from utils.labelling.spans import MAX_TIME_S, Span, round_time

COLUMNS = ("video", "start_s", "end_s", "label")
OPTIONAL = ("annotator", "labelled_at")
MAX_NAME = 200
_MAX_VIDEO_NAME = 255  # what file systems allow


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

    A UTF-8 byte-order mark and Windows line ends are fine; times are rounded to whole
    milliseconds; white space round a cell is dropped.

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
    lines = _split_lines(text, where)
    header = [cell.strip() for cell in lines[0][1]] if lines else []
    _check_header(header, where)
    rows: dict[int, dict[str, object]] = {}
    for line, cells in lines[1:]:
        if len(cells) > len(header):
            raise ValueError(
                f"{where}, line {line}: expected {len(header)} cells, found "
                f"{len(cells)}. Put a name that holds a comma in double quotes."
            )
        row = dict.fromkeys(header, "") | dict(zip(header, cells, strict=False))
        rows[line] = _parse_row(row, f"{where}, line {line}")
    table = pd.DataFrame.from_dict(rows, orient="index", columns=header)
    checked = check_table(table, "labels", where=where)
    checked.index = pd.Index(list(rows), name="line", dtype="int64")
    check_overlaps(checked, where=where)
    return checked


def _split_lines(text: bytes, where: str) -> list[tuple[int, list[str]]]:
    """Return the line number and cells of each line that is not empty."""
    try:
        decoded = text.decode("utf-8-sig")
        reader = csv.reader(
            io.StringIO(decoded, newline=""), strict=True, skipinitialspace=True
        )
        return [(reader.line_num, row) for row in reader if any(map(str.strip, row))]
    except UnicodeDecodeError as error:
        line = text[: error.start].count(b"\n") + 1
        raise ValueError(
            f"{where}, line {line}: not UTF-8 text. Save it as 'CSV UTF-8'."
        ) from error
    except csv.Error as error:
        raise ValueError(
            f"{where} is not CSV ({error}). Correct or remove it."
        ) from error


def _check_header(header: list[str], where: str) -> None:
    """Raise `ValueError` unless the columns are the known ones, each once."""
    expected = f"expected {','.join(COLUMNS)} and perhaps {','.join(OPTIONAL)}"
    if len(header) == 1 and (";" in header[0] or "\t" in header[0]):
        raise ValueError(f"{where}: {expected}. Save it separated by commas.")
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
    if len(set(header)) < len(header):
        raise ValueError(f"{where}: a column is there twice; {expected}.")


def _parse_row(row: dict[str, str], where: str) -> dict[str, object]:
    """Return a row with times as numbers and text trimmed and checked."""
    parsed: dict[str, object] = {
        name: _parse_text(unguard_text(row[name].strip()), name, where)
        for name in row
        if name not in ("start_s", "end_s")
    }
    for name in ("start_s", "end_s"):
        try:
            value = float(row[name].replace("_", "?"))  # Python would read 1_0 as 10
        except ValueError:
            value = math.nan
        if not math.isfinite(value) or abs(value) > MAX_TIME_S:
            raise ValueError(
                f"{where}: expected a number of seconds in {name}, found "
                f"{row[name][:40]!r}. Correct it."
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
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*COLUMNS, *optional])
    writer.writerows(
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
