"""Labels from and to BORIS: its exported tables of events, tab- or comma-separated.

BORIS (https://www.boris.unito.it) exports "tabular events" (a row for each start and
stop, column `Behavior type`; older versions have `Status`, and lines about the
observation above the table) and "aggregated events" (a row for each state, `Start (s)`
and `Stop (s)`). Behaviours become labels; subjects, categories and modifiers are not
read. Point events last no time and are left out.
"""

import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import accumulate
from typing import NamedTuple

import pandas as pd

from utils.core.markup import guard_text, unguard_text
from utils.labelling.formats.matching import (
    Row,
    VideoMatcher,
    find_file_name,
    read_seconds,
)

_HEADER = (
    "Observation id",
    "Observation date",
    "Description",
    "Observation duration",
    "Observation type",
    "Source",
    "Time offset (s)",
    "Media duration (s)",
    "FPS",
    "Subject",
    "Behavior",
    "Behavioral category",
    "Behavior type",
    "Time",
    "Media file name",
    "Image index",
    "Image file path",
    "Comment",
)
_MEDIA = ("Media file name", "Media file path", "Media file")
_SECONDS = {"Time", "Start (s)", "Stop (s)", "Time offset (s)", "Media duration (s)"}
_SIGNED = "annotator: "


class _Event(NamedTuple):
    """A row of the table: its line, and its cells by column."""

    line: int
    cells: dict[str, str]

    def write_points(self) -> None:
        """Write points for decimal commas in the columns that hold seconds."""
        for column in _SECONDS & self.cells.keys():
            self.cells[column] = self.cells[column].replace(",", ".")

    def read(self, *columns: str) -> str:
        """Return the first of some cells that says something, "" if none does."""
        found = (self.cells.get(column, "").strip() for column in columns)
        return next((cell for cell in found if cell not in ("", "NA")), "")


def parse_boris(text: str, matcher: VideoMatcher) -> tuple[list[Row], int]:
    """Read an export of BORIS, tabular or aggregated events.

    Args:
        text: Content of the file.
        matcher: The videos there are.

    Returns:
        What is labelled; and how many events were left out: points, and nameless ones.

    Raises:
        ValueError: One sentence with file and line.
    """
    above, header, events = _read_table(text, matcher.where)
    for line, offset in above["Time offset (s)"]:
        _check_offset(offset, matcher.where, line)
    for event in events:
        _check_offset(event.read("Time offset (s)"), matcher.where, event.line)
    players = [name for _, name in above["Player #1"]]
    read = _read_states if "Start (s)" in header else _pair_events
    rows, n_skipped = [], 0
    for event, start_s, end_s, comment in read(events, matcher):
        label = unguard_text(event.read("Behavior"))
        if end_s is None or not label:
            n_skipped += 1
            continue
        who = comment[len(_SIGNED) :] if comment.startswith(_SIGNED) else ""
        for video, piece_s, piece_end_s in _place(
            event, players, matcher, (start_s, end_s)
        ):
            place = f"line {event.line}"
            rows.append(Row(place, video, piece_s, piece_end_s, label, who))
    return rows, n_skipped


def _read_table(text: str, where: str) -> tuple[dict, list[str], list[_Event]]:
    """Return what stands above the table, its columns, and its rows."""
    for delimiter in "\t,;":
        rows = iter(_split_rows(text, delimiter))
        above: dict[str, list[tuple[int, str]]] = defaultdict(list)
        for number, cells in rows:
            names = [cell.strip() for cell in cells]
            # A word such as Behavior may stand above the table, in a description.
            if "Behavior" in names and {"Time", "Start (s)"} & set(names):
                events = [
                    _Event(line, dict(zip(names, row, strict=False)))
                    for line, row in rows
                    if any(map(str.strip, row))
                ]
                if delimiter != ",":  # a spreadsheet may have written commas
                    for event in events:
                        event.write_points()
                return above, names, events
            if len(names) > 1:
                above[names[0]].append((number, names[1]))
    raise ValueError(
        f"{where}: expected an export of events by BORIS with the columns Behavior and "
        "Time or Start (s), found none. Export as tabular events, TSV or CSV."
    )


def _split_rows(text: str, delimiter: str) -> list[tuple[int, list[str]]]:
    """Return the cells of each row, with the line in which it ends."""
    options = {"delimiter": delimiter, "strict": delimiter == "\t"}
    reader = csv.reader(io.StringIO(text, newline=""), **options)
    try:
        return [(reader.line_num, row) for row in reader]
    except csv.Error:
        if delimiter != "\t":
            raise
        # Old versions quote nothing: a comment that begins with a quote would take the
        # lines after it along.
        lines = re.split("\r\n|\r|\n", text)
        return [(n, line.split(delimiter)) for n, line in enumerate(lines, start=1)]


def _check_offset(offset: str, where: str, line: int) -> None:
    """Raise `ValueError` if times are shifted: which way, the export does not say."""
    if offset.strip("+-0.,: ") not in ("", "NA"):
        raise ValueError(
            f"{where}, line {line}: times are shifted by an offset of {offset} s. "
            "Export an observation without time offset."
        )


_Found = tuple[_Event, float, float | None, str]


def _read_states(events: list[_Event], matcher: VideoMatcher) -> Iterator[_Found]:
    """Yield aggregated events with start and stop; None where they are points."""
    for event in events:
        start_s, end_s = (
            read_seconds(event.cells.get(c), matcher, f"line {event.line}", c)
            for c in ("Start (s)", "Stop (s)")
        )
        is_point = event.read("Behavior type").upper().startswith("POINT")
        comment = event.read("Comment start")
        yield event, start_s, None if is_point else end_s, comment


def _pair_events(events: list[_Event], matcher: VideoMatcher) -> Iterator[_Found]:
    """Yield each start of a state with its stop, and points with None."""
    started: dict[tuple, tuple[_Event, float]] = {}
    for event in events:
        status = event.read("Behavior type", "Status").upper()
        # The films are in the key where nothing else tells observations apart.
        names = ("Observation id", "Subject", "Behavior")
        key = (*map(event.read, names), event.read("Source"))
        place = f"line {event.line}"
        time_s = read_seconds(event.cells.get("Time"), matcher, place, "Time")
        if "POINT" in status:
            yield event, time_s, None, ""
        elif "START" in status and key not in started:
            started[key] = event, time_s
        elif "STOP" in status and key in started:
            first, start_s = started.pop(key)
            yield first, start_s, time_s, first.read("Comment")
        else:
            raise ValueError(
                f"{matcher.where}, {place}: {key[2]!r} "
                f"{status.lower() or 'without status'} has no partner. Correct the "
                "events in BORIS (check state events)."
            )
    for key, (event, _) in started.items():
        raise ValueError(
            f"{matcher.where}, line {event.line}: {key[2]!r} starts and never stops. "
            "Correct it in BORIS (fix unpaired events)."
        )


def _place(
    event: _Event,
    players: list[str],
    matcher: VideoMatcher,
    span_s: tuple[float, float],
) -> Iterator[tuple[str, float, float]]:
    """Yield the videos that an event lies in, with the times in each.

    An observation of several films one after the other has one clock, which runs on.
    """
    place = f"line {event.line}"
    source, own = event.read("Source"), unguard_text(event.read(*_MEDIA))
    listed = source.split("player #1:")[-1].split(";") if source else []
    listed = listed or players or own.split(";")
    if {"|", ";"} & set(own) and matcher.find([own]):  # in a name, not between two
        source, listed = "", [own]
    if "|" in source or not any(map(str.strip, listed)):
        raise ValueError(
            f"{matcher.where}, {place}: expected one film at a time, found "
            f"{source or own or 'none'}. Export observations of one player each."
        )
    if len(listed) == 1 or span_s[0] >= span_s[1]:
        yield matcher.choose([own or listed[0]], place), *span_s
        return
    videos = [matcher.choose([name], place) for name in listed]
    lengths = event.read("Media duration (s)").split(";")
    if len(lengths) == len(videos):
        lengths_s = [read_seconds(t, matcher, place, "Media duration") for t in lengths]
    else:
        lengths_s = [matcher.duration_s[video] for video in videos]
    bounds_s = [0.0, *accumulate(lengths_s)]
    bounds_s[-1] = float("inf")  # what lies after the last film is refused as such
    for video, first_s, last_s in zip(videos, bounds_s, bounds_s[1:], strict=False):
        start_s, end_s = max(span_s[0], first_s), min(span_s[1], last_s)
        if start_s < end_s:
            yield video, start_s - first_s, end_s - first_s


def format_boris(labels: pd.DataFrame, videos: pd.DataFrame) -> str:
    """Write labels as BORIS's tabular events, tab-separated.

    Args:
        labels: Table `labels`, in seconds from where players start the file.
        videos: Table `videos`; labels of other videos are left out.

    Returns:
        The text: a START and a STOP row for each label, in order of time.
    """
    facts = videos.set_index("video")
    rows = []
    for span in labels[labels["video"].isin(facts.index)].itertuples():
        video = facts.loc[span.video]
        annotator = getattr(span, "annotator", None)
        comment = "" if pd.isna(annotator) or not annotator else _SIGNED + annotator
        name = find_file_name(video["path"])
        length_s = video["duration_s"] - video.get("starts_at_s", 0.0)
        fps = video["fps"]
        for status, time_s in (("START", span.start_s), ("STOP", span.end_s)):
            row = dict.fromkeys(_HEADER, "") | {
                "Observation id": guard_text(span.video),
                "Observation duration": f"{length_s:.3f}",
                "Observation type": "Media file(s)",
                "Source": f"player #1:{name}",
                "Time offset (s)": "0.0",
                "Media duration (s)": f"{length_s:.3f}",
                "FPS": "NA" if pd.isna(fps) else f"{fps:.3f}",
                "Subject": guard_text(video["subject"]),
                "Behavior": guard_text(span.label),
                "Behavior type": status,
                "Time": f"{time_s:.3f}",
                "Media file name": guard_text(name),
                "Image index": "NA" if pd.isna(fps) else round(time_s * fps),
                "Image file path": "NA",
                "Comment": comment,
            }
            rows.append((span.video, time_s, status == "START", list(row.values())))
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter="\t", lineterminator="\n")
    writer.writerow(_HEADER)
    writer.writerows(row for *_, row in sorted(rows, key=lambda r: r[:3]))
    return text.getvalue()
