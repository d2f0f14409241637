"""Labels from and to ELAN: its `.eaf` files, and its tab-delimited text.

ELAN (https://archive.mpi.nl/tla/elan) exports a row for each annotation: tier,
participant, begin and end in one or more formats, duration, and the annotation; or a
column for each tier. Columns are named in the language of ELAN's interface, so times
are known by their looks. What is said of the media stands in lines that begin with
`"#`, each file with an offset: how much later than the annotations it is.
Annotations become labels, participants annotators.
"""

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

import pandas as pd

from utils.labelling.formats.matching import (
    Row,
    VideoMatcher,
    find_file_name,
    read_seconds,
)

TIER = "posture"

_CLOCK = re.compile(r"\d+:\d{2}:\d{2}\.\d{1,3}")
# Told apart by their looks, the finest first; a factor of 0 stands for h:m:s.
_FORMATS = (
    (re.compile(r"\d+\.\d+"), 1.0),
    (_CLOCK, 0.0),
    (re.compile(r"\d+"), 0.001),
)
# Frames, which other tools count their own way: not read, and no label either.
_FRAMES = re.compile(r"\d+:\d{2}:\d{2}:\d{2}")
# A duration, in the languages of ELAN's interface, where there is no end beside it.
_DURATION = re.compile(
    r"dur|duur|dauer|längd|varaktig|długość|длит|продолж|時長|时长|持续|持續|長さ|기간",
    re.IGNORECASE,
)
_PARTICIPANT = re.compile(
    r"partic|teilnehm|deelnem|deltag|uczest|участ|参与|參與|参加|참가", re.IGNORECASE
)
_PATH = re.compile(r"(?:file:|[A-Za-z]:[\\/]|/).*\.\w+|[^\t]+\.eaf")


def parse_elan(text: str, matcher: VideoMatcher, stem: str) -> tuple[list[Row], int]:
    """Read delimited text that ELAN exported.

    Args:
        text: Content of the file.
        matcher: The videos there are.
        stem: Name of the file, which is the film's where the file itself does not say.

    Returns:
        What is annotated; how many empty annotations were left out.

    Raises:
        ValueError: One sentence with file and line.
    """
    last = (text.rstrip().splitlines() or [""])[-1]
    counts = {mark: last.count(mark) for mark in "\t;,"}
    mark = "\t" if counts["\t"] else max(counts, key=counts.get)
    table = list(csv.reader(io.StringIO(text, newline=""), delimiter=mark))
    media, rows = _read_media(table), {}
    for number, row in enumerate(table, start=1):
        if any(map(str.strip, row)) and row[0][:1] != "#":
            rows[number] = [cell.strip() for cell in row]
    if not rows:
        raise ValueError(
            f"{matcher.where}: expected tab-delimited annotations, found none."
        )
    first = next(iter(rows))
    has_header = not any(p.fullmatch(cell) for p, _ in _FORMATS for cell in rows[first])
    header = rows.pop(first) if has_header and len(rows) > 1 else []
    width = max(len(header), *map(len, rows.values()))
    rows = {n: row + [""] * (width - len(row)) for n, row in rows.items()}
    columns = _find_columns(header + [""] * (width - len(header)), rows, matcher.where)
    found, n_empty = [], 0
    for number, row in rows.items():
        place = f"line {number}"
        labels = [row[i] for i in columns["labels"] if row[i]]
        if len(labels) > 1:
            raise ValueError(
                f"{matcher.where}, {place}: expected one annotation, found "
                f"{len(labels)}. Export one tier."
            )
        if not labels:
            n_empty += 1
            continue
        start_s, end_s = columns["read"](row, matcher, place)
        own = row[columns["path"]] if columns["path"] is not None else ""
        video, offset_s = _choose_video(media, own, stem, matcher, place)
        who = row[columns["who"]] if columns["who"] is not None else ""
        times_s = start_s + offset_s, end_s + offset_s
        found.append(Row(place, video, *times_s, labels[0], who))
    return found, n_empty


def _read_media(table: list[list[str]]) -> list[tuple[str, float]]:
    """Return the media files that the header lines name, each with its offset.

    The line of the annotation file itself has no offset, and comes last.
    """
    media = []
    for row in table:
        if row and row[0][:1] == "#":
            line = ",".join(row)[1:]
            path, _, rest = line.partition(" -- offset:")
            offset = re.match(r"\s*(-?\d+)", rest)
            if path.startswith("file:"):
                path = unquote(path)
            media.append((path, int(offset[1]) / 1000 if offset else None))
    media.sort(key=lambda file: file[1] is None)
    return [(path, offset_s or 0.0) for path, offset_s in media]


def _choose_video(
    media: list[tuple[str, float]],
    own: str,
    stem: str,
    matcher: VideoMatcher,
    place: str,
) -> tuple[str, float]:
    """Return the film that a row is about, and its offset.

    Args:
        media: What the header names; the first that is one of ours counts.
        own: What the row itself names, which goes before; "" if nothing.
        stem: Name of the annotation file, if nothing else is named.
        matcher: The videos there are.
        place: Where the row is.
    """
    found = [(matcher.find([path]), path, offset_s) for path, offset_s in media]
    if own and (meant := matcher.find([own])):
        offsets_s = [offset_s for videos, _, offset_s in found if videos == meant]
        return matcher.choose([own], place), [*offsets_s, 0.0][0]
    for videos, path, offset_s in found:
        if videos:
            return matcher.choose([path], place), offset_s
    return matcher.choose([media[0][0] if media else own or stem], place), 0.0


def _find_columns(header: list[str], rows: dict[int, list[str]], where: str) -> dict:
    """Return which columns hold the times, labels, participant and file."""
    cells = [[row[i] for row in rows.values()] for i in range(len(header))]
    paths = [i for i, column in enumerate(cells) if all(map(_PATH.fullmatch, column))]
    others = [i for i in range(len(header)) if i not in paths]
    # What a number is: with a header its unit stands after a dash; without one, the
    # last column is the annotation, also where that is a number.
    has_units = any(" - " in name for name in header)
    may_be_time = [i for i in others if not has_units or " - " in header[i]]
    if not any(header):
        may_be_time = others[:-1]

    def find(pattern: re.Pattern) -> list[int]:
        return [i for i in may_be_time if all(map(pattern.fullmatch, cells[i]))]

    fitting = [(found, k) for p, k in _FORMATS if len(found := find(p)) >= 2]
    if not fitting:
        line, row = next(iter(rows.items()))
        raise ValueError(
            f"{where}, line {line}: expected begin and end time in columns, found "
            f"{' | '.join(row)[:80]!r}. Export them, tab-delimited."
        )
    times, factor = fitting[0]
    is_duration = len(times) == 2 and bool(_DURATION.search(header[times[1]]))
    all_times = {i for p in (*_FORMATS, (_FRAMES, 0.0)) for i in find(p[0])}
    before = [i for i in others if i < min(all_times)]
    who = [i for i in before if _PARTICIPANT.search(header[i])] or before[1:2]

    def read(row: list[str], matcher: VideoMatcher, place: str) -> tuple[float, float]:
        start_s, end_s = (_read_time(row[i], factor, matcher, place) for i in times[:2])
        return start_s, start_s + end_s if is_duration else end_s

    return {
        "read": read,
        "labels": [i for i in others if i > times[0] and i not in all_times],
        "path": paths[-1] if paths else None,
        "who": who[0] if who else None,
    }


def _read_time(cell: str, factor: float, matcher: VideoMatcher, place: str) -> float:
    """Return seconds; a factor of 0 stands for hours:minutes:seconds."""
    parts = cell.split(":") if not factor else [cell]
    numbers = [read_seconds(part, matcher, place, "a time") for part in parts]
    if factor:
        return round(numbers[0] * factor, 3)
    return numbers[0] * 3600 + numbers[1] * 60 + numbers[2]


def parse_eaf(path: Path, matcher: VideoMatcher) -> tuple[list[Row], int]:
    """Read an annotation file of ELAN: every tier that is aligned with time.

    Args:
        path: The `.eaf` file.
        matcher: The videos there are.

    Returns:
        What is annotated; how many empty annotations were left out.

    Raises:
        ValueError: One sentence with file and annotation.
    """
    from pympi.Elan import Eaf

    try:
        eaf = Eaf(str(path), suppress_version_warning=True)
        media = [
            (unquote(file["MEDIA_URL"]), int(file.get("TIME_ORIGIN") or 0) / 1000)
            for file in eaf.media_descriptors
        ]
        annotations = list(_list_annotations(eaf))
    except Exception as error:
        raise ValueError(
            f"{matcher.where} cannot be read as a file of ELAN ({error}). Open it in "
            "ELAN and save it again."
        ) from error
    found, n_empty = [], 0
    for name, start_ms, end_ms, label, who in annotations:
        place = f"annotation {name}"
        if not label:
            n_empty += 1
            continue
        if start_ms is None or end_ms is None:
            raise ValueError(
                f"{matcher.where}, {place}: {label!r} has no time of its own. Give it "
                "begin and end in ELAN."
            )
        video, offset_s = _choose_video(media, "", path.stem, matcher, place)
        times_s = (start_ms / 1000 + offset_s, end_ms / 1000 + offset_s)
        found.append(Row(place, video, *times_s, label, who))
    return found, n_empty


def _list_annotations(eaf: object) -> Iterator[tuple]:
    """Yield name, begin, end (milliseconds or None), text and participant."""
    for aligned, _, attributes, _ in eaf.tiers.values():
        who = (attributes.get("PARTICIPANT") or "").strip()
        for name, (begin, end, text, _) in aligned.items():
            times_ms = eaf.timeslots[begin], eaf.timeslots[end]
            yield name, *times_ms, (text or "").strip(), who


def format_eaf(labels: pd.DataFrame, video: pd.Series) -> bytes:
    """Write the labels of one video as an annotation file of ELAN.

    Args:
        labels: Its rows of the table `labels`, in seconds from where players start it.
        video: Its row of the table `videos`.

    Returns:
        The `.eaf` file: a tier for each annotator. Equal labels make equal files.
    """
    from pympi.Elan import Eaf, to_adocument

    eaf = Eaf(author="")
    times = labels.get("labelled_at", pd.Series(dtype=str)).dropna()
    eaf.adocument["DATE"] = max(times, default="2000-01-01T00:00:00Z")
    eaf.add_linked_file(find_file_name(video["path"]), mimetype="video/*")
    eaf.remove_tier("default")
    signed = labels.assign(
        who=labels["annotator"].fillna("") if "annotator" in labels else ""
    )
    for who, spans in signed.groupby("who"):
        tier = f"{TIER} {who}".strip()  # a tier's name may be there once
        eaf.add_tier(tier, part=who)
        for span in spans.itertuples():
            times_ms = round(span.start_s * 1000), round(span.end_s * 1000)
            eaf.add_annotation(tier, *times_ms, span.label)
    document = to_adocument(eaf, True)
    return ElementTree.tostring(document, encoding="UTF-8", xml_declaration=True)
