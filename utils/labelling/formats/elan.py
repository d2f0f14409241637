"""Labels from and to ELAN: its tab-delimited text.

ELAN (https://archive.mpi.nl/tla/elan) exports a row for each annotation: tier,
participant, begin and end in one or more formats, duration, and the annotation; or,
with a header, a column for each tier. What it says of the media stands in lines that
begin with `"#`. Annotations become labels, participants annotators.
"""

import csv
import io
import re
from pathlib import PurePosixPath, PureWindowsPath
from urllib.parse import unquote

import pandas as pd

TIER = "posture"

_CLOCK = re.compile(r"\d+:\d{2}:\d{2}\.\d{1,3}")
_SECONDS = re.compile(r"\d+\.\d+")
_MILLISECONDS = re.compile(r"\d+")
# Told apart by their looks where there is no header; the finest first.
_FORMATS = ((_SECONDS, 1.0), (_CLOCK, 0.0), (_MILLISECONDS, 0.001))
_FILM = re.compile(r"([^/\\\"]+)\.(?:mp4|mov|webm|mkv|avi|mpe?g|m4v)\b", re.IGNORECASE)
_UNITS = {"ss.msec": 1.0, "hh:mm:ss.ms": 0.0, "msec": 0.001}


def parse_elan(text: str, *, where: str, video: str = "") -> pd.DataFrame:
    """Read tab-delimited text that ELAN exported.

    Args:
        text: Content of the file.
        where: Its name, for errors.
        video: Which video it is about, where the file itself does not say.

    Returns:
        Rows `video`, `start_s`, `end_s`, `label`, `annotator` with the line in the
        file as index.

    Raises:
        ValueError: One sentence with file and line.
    """
    lines = list(csv.reader(io.StringIO(text, newline=""), delimiter="\t"))
    comments = " ".join(unquote(row[0]) for row in lines if row and row[0][:1] == "#")
    film = _FILM.search(comments)
    video = film.group(1) if film else video
    rows = {n: row for n, row in enumerate(lines, 1) if any(row) and row[0][:1] != "#"}
    if not rows:
        raise ValueError(f"{where}: expected tab-delimited annotations, found none.")
    first = next(iter(rows))
    if any(cell.startswith("Begin Time") for cell in rows[first]):
        header = rows.pop(first)
        found = _read_named(header, rows, where)
    else:
        found = _read_unnamed(rows, where)
    columns = ["start_s", "end_s", "label", "annotator", "video"]
    table = pd.DataFrame.from_dict(found, orient="index", columns=columns)
    table["video"] = table["video"].replace("", video)
    if (table["video"] == "").any():
        raise ValueError(
            f"{where} does not say which film it is about. Export with header lines of "
            "the media file, or name the video."
        )
    return table


def _read_named(header: list[str], rows: dict[int, list[str]], where: str) -> dict:
    """Read rows whose columns have names; a column for each tier, or one for all."""
    unit = next((u for u in _UNITS if f"Begin Time - {u}" in header), None)
    if unit is None or f"End Time - {unit}" not in header:
        raise ValueError(
            f"{where}: expected columns Begin Time and End Time in one format, found "
            f"{', '.join(header)[:200]}. Export both."
        )
    start, end = (header.index(f"{side} Time - {unit}") for side in ("Begin", "End"))
    extra = re.compile(
        r"(Begin Time|End Time|Duration) - |Tier$|Participant$|File( Path)?$"
    )
    tiers = [i for i, name in enumerate(header) if name and not extra.match(name)]
    who = header.index("Participant") if "Participant" in header else None
    path = next((header.index(c) for c in ("File Path", "File") if c in header), None)
    found = {}
    for line, row in rows.items():
        labels = [row[i].strip() for i in tiers if i < len(row) and row[i].strip()]
        if len(labels) != 1:
            raise ValueError(
                f"{where}, line {line}: expected one annotation, found {len(labels)}. "
                "Export one tier."
            )
        times_s = [_read_time(row[i], _UNITS[unit], where, line) for i in (start, end)]
        name = row[path] if path is not None else ""
        found[line] = [
            *times_s,
            labels[0],
            row[who].strip() if who is not None else "",
            PurePosixPath(PureWindowsPath(name).as_posix()).stem,
        ]
    return found


def _read_unnamed(rows: dict[int, list[str]], where: str) -> dict:
    """Read rows without header: tell the time columns by their looks."""
    width = min(map(len, rows.values()))
    cells = [[row[i].strip() for row in rows.values()] for i in range(width)]
    for pattern, seconds in _FORMATS:
        factor = seconds
        times = [i for i in range(width - 1) if all(map(pattern.fullmatch, cells[i]))]
        if len(times) >= 2:
            break
    else:
        line = next(iter(rows))
        raise ValueError(
            f"{where}, line {line}: expected begin and end time in columns, found "
            f"{' | '.join(rows[line])[:80]!r}. Export them, tab-delimited."
        )
    has_participant = times[0] >= 2 and not any(
        pattern.fullmatch(cells[1][0]) for pattern, _ in _FORMATS
    )
    return {
        line: [
            *(_read_time(row[i], factor, where, line) for i in times[:2]),
            row[-1].strip(),
            row[1].strip() if has_participant else "",
            "",
        ]
        for line, row in rows.items()
    }


def _read_time(cell: str, factor: float, where: str, line: int) -> float:
    """Return seconds; a factor of 0 stands for hours:minutes:seconds."""
    try:
        if factor:
            return float(cell) * factor
        hours, minutes, seconds = cell.strip().split(":")
        return int(hours) * 3600 + int(minutes) * 60 + float(seconds)
    except ValueError:
        raise ValueError(
            f"{where}, line {line}: expected a time, found {cell[:40]!r}. Correct it."
        ) from None


def format_elan(labels: pd.DataFrame, videos: pd.DataFrame) -> str:
    """Write labels as ELAN's tab-delimited text, with a header.

    Args:
        labels: Table `labels`.
        videos: Table `videos`; labels of other videos are left out.

    Returns:
        The text; the film of each row stands in the column File Path.
    """
    paths = dict(zip(videos["video"], videos["path"], strict=True))
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter="\t", lineterminator="\n")
    times = [
        f"{s} Time - {u}" for s in ("Begin", "End") for u in ("hh:mm:ss.ms", "ss.msec")
    ]
    duration = [f"Duration - {u}" for u in ("hh:mm:ss.ms", "ss.msec")]
    writer.writerow(
        ["Tier", "Participant", *times, *duration, "Annotation", "File Path"]
    )
    for span in labels[labels["video"].isin(paths)].itertuples():
        seconds = (span.start_s, span.end_s, span.end_s - span.start_s)
        annotator = getattr(span, "annotator", None)
        who = "" if pd.isna(annotator) else annotator
        cells = [c for s in seconds for c in (_format_clock(s), f"{s:.3f}")]
        writer.writerow([TIER, who, *cells, span.label, paths[span.video]])
    return text.getvalue()


def _format_clock(seconds: float) -> str:
    """Return a time as hh:mm:ss.ms."""
    ms = round(seconds * 1000)
    return (
        f"{ms // 3600000:02}:{ms // 60000 % 60:02}:{ms // 1000 % 60:02}.{ms % 1000:03}"
    )
