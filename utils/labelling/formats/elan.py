"""Labels from and to ELAN: its `.eaf` files, and its tab-delimited text.

ELAN (https://archive.mpi.nl/tla/elan) exports a row for each annotation: tier,
participant, begin and end in one or more formats, duration, and the annotation; or a
column for each tier. Columns are named in the language of ELAN's interface, so times
are known by their looks. What is said of the media stands in lines that begin with
`"#`, each file with an offset: how much later than the annotations it is.
Annotations become labels. An annotator is whom a tier names as such, else its
participant; but participants who do different things at once are two people in one
film, not two opinions on one, and are refused.
"""

import csv
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

_CLOCK = re.compile(r"\d+:\d{2}:\d{2}[.,]\d{1,3}")
# Told apart by their looks, the finest first; a factor of 0 stands for h:m:s.
_FORMATS = (
    (re.compile(r"\d+[.,]\d+"), 1.0),  # with a comma after a spreadsheet
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
    table = [_split_line(line, mark) for line in re.split("\r\n|\r|\n", text)]
    media = _read_media(table)
    rows = {
        number: row
        for number, row in enumerate(table, start=1)
        if any(row) and row[0][:1] != "#"
    }
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
    found, n_empty, seen = [], 0, []
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
        if f"{TIER} {who}" not in row:  # so we name an annotator's tier
            seen.append(found[-1])
    _check_participants(seen, matcher.where)
    return found, n_empty


def _split_line(line: str, mark: str) -> list[str]:
    """Return the cells of a line.

    ELAN puts quotes round no cell that tabs separate, a spreadsheet round some. An
    annotation may hold quotes of its own, and one alone; a line end it never holds.
    """
    try:
        cells = next(csv.reader([line], delimiter=mark, strict=True), [])
    except csv.Error:
        cells = line.split(mark)
    return [cell.strip() for cell in cells]


def _check_participants(rows: list[Row], where: str) -> None:
    """Raise `ValueError` where two participants do different things at once."""
    last: Row | None = None  # of those before, the one that reaches furthest
    for row in sorted(rows, key=lambda row: (row.video, row.start_s)):
        if last is None or last.video != row.video or last.end_s <= row.start_s:
            last = row
            continue
        if last.label != row.label and last.annotator != row.annotator:
            raise ValueError(
                f"{where}, {row.place}: {row.annotator or 'someone'} ({row.label!r}) "
                f"and {last.annotator or 'someone'} ({last.label!r}, {last.place}) are "
                f"annotated at once, from {row.start_s:g} s of {row.video}: two people "
                "in one film. Export the tier of one; or, if they are annotators, name "
                "them as such in ELAN and import the .eaf file."
            )
        last = max(last, row, key=lambda row: row.end_s)


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
    ends = [i for i in times[1:] if not _DURATION.search(header[i])]
    is_duration = not ends
    all_times = {i for p in (*_FORMATS, (_FRAMES, 0.0)) for i in find(p[0])}
    before = [i for i in others if i < min(all_times)]
    who = [i for i in before if _PARTICIPANT.search(header[i])] or before[1:2]

    def read(row: list[str], matcher: VideoMatcher, place: str) -> tuple[float, float]:
        start_s, end_s = (
            _read_time(row[i].replace(",", "."), factor, matcher, place)
            for i in (times[0], [*ends, times[1]][0])
        )
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
        What is annotated; how many annotations were left out: empty ones, and those
        that only say more of another one.

    Raises:
        ValueError: One sentence with file and annotation.
    """
    # Not by pympi, which takes fewer files than ELAN does.
    try:
        document = ElementTree.parse(path).getroot()
        units = document.find("HEADER").get("TIME_UNITS") or "milliseconds"
        media = _list_media(document)
        annotations = list(_list_annotations(document))
    except (ElementTree.ParseError, AttributeError, LookupError, ValueError) as error:
        raise ValueError(
            f"{matcher.where} cannot be read as a file of ELAN: it is damaged, or "
            "none. Open it in ELAN and save it again."
        ) from error
    if units != "milliseconds":
        raise ValueError(
            f"{matcher.where}: expected times in milliseconds, found {units[:40]!r}. "
            "Open it in ELAN and save it again."
        )
    found, n_left, seen = [], sum(1 for _ in document.iter("REF_ANNOTATION")), []
    for name, times, label, tier in annotations:
        place = f"annotation {name}"
        if not label:
            n_left += 1
            continue
        if None in times:
            raise ValueError(
                f"{matcher.where}, {place}: {label!r} has no time of its own. Give it "
                "begin and end in ELAN."
            )
        video, offset_s = _choose_video(media, "", path.stem, matcher, place)
        times_s = [
            read_seconds(time, matcher, place, "a time") / 1000 + offset_s
            for time in times
        ]
        participant = tier.get("PARTICIPANT", "").strip()
        who = tier.get("ANNOTATOR", "").strip() or participant
        found.append(Row(place, video, *times_s, label, who))
        if tier.get("TIER_ID") != f"{TIER} {who}":  # so we name an annotator's tier
            seen.append(found[-1]._replace(annotator=participant))
    _check_participants(seen, matcher.where)
    return found, n_left


def _list_media(document: ElementTree.Element) -> list[tuple[str, float]]:
    """Return the media files that an annotation file names, each with its offset."""
    header = document.find("HEADER")
    media = [
        (
            file.get("MEDIA_URL") or file.get("RELATIVE_MEDIA_URL") or "",
            int(file.get("TIME_ORIGIN") or 0) / 1000,
        )
        for file in header.iter("MEDIA_DESCRIPTOR")
    ]
    media.append((header.get("MEDIA_FILE") or "", 0.0))  # so in the first versions
    return [(unquote(path), offset_s) for path, offset_s in media if path]


def _list_annotations(document: ElementTree.Element) -> Iterator[tuple]:
    """Yield name, begin and end (milliseconds as text, or None), text and tier."""
    slots = {
        slot.get("TIME_SLOT_ID"): slot.get("TIME_VALUE")
        for slot in document.iter("TIME_SLOT")
    }
    for tier in document.iter("TIER"):
        for one in tier.iter("ALIGNABLE_ANNOTATION"):
            times = [slots[one.get(f"TIME_SLOT_REF{end}")] for end in (1, 2)]
            text = one.findtext("ANNOTATION_VALUE") or ""
            yield one.get("ANNOTATION_ID"), times, text.strip(), tier


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
        eaf.add_tier(tier, part=who, ann=who)
        for span in spans.itertuples():
            times_ms = round(span.start_s * 1000), round(span.end_s * 1000)
            eaf.add_annotation(tier, *times_ms, span.label)
    document = to_adocument(eaf, True)
    return ElementTree.tostring(document, encoding="UTF-8", xml_declaration=True)
