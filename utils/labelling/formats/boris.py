"""Labels from and to BORIS: its exported tables of events, tab- or comma-separated.

BORIS (https://www.boris.unito.it) exports "tabular events" (a row for each start and
stop, column `Behavior type`, `Status` in older versions) and "aggregated events" (a row
for each state, `Start (s)` and `Stop (s)`). Behaviours become labels; subjects,
categories and modifiers are not read. Point events last no time and are left out.
"""

import csv
import io
import math
from pathlib import PurePosixPath, PureWindowsPath

import pandas as pd

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
_SIGNED = "annotator: "


def parse_boris(text: str, *, where: str) -> tuple[pd.DataFrame, int]:
    """Read an export of BORIS, tabular or aggregated events.

    Args:
        text: Content of the file.
        where: Its name, for errors.

    Returns:
        Rows `video`, `start_s`, `end_s`, `label`, `annotator` with the line in the
        file as index; and how many point events were left out.

    Raises:
        ValueError: One sentence with file and line.
    """
    lines = text.splitlines()
    nth = next((i for i, line in enumerate(lines) if "Behavior" in line), None)
    if nth is None:
        raise ValueError(
            f"{where}: expected an export of events by BORIS with a column Behavior, "
            "found none. Export as tabular events, TSV or CSV."
        )
    delimiter = "\t" if "\t" in lines[nth] else ","
    reader = csv.reader(io.StringIO("\n".join(lines[nth:])), delimiter=delimiter)
    header = [name.strip() for name in next(reader)]
    rows = {}
    for cells in reader:
        if any(cells):
            rows[nth + reader.line_num] = dict(zip(header, cells, strict=False))
    if {"Start (s)", "Stop (s)"} <= set(header):
        found, n_points = _read_states(rows, where)
    else:
        found, n_points = _pair_events(rows, where)
    columns = ["video", "start_s", "end_s", "label", "annotator"]
    return pd.DataFrame.from_dict(found, orient="index", columns=columns), n_points


def _read_states(rows: dict[int, dict], where: str) -> tuple[dict[int, list], int]:
    """Read aggregated events."""
    found, n_points = {}, 0
    for line, row in rows.items():
        times_s = [_read_time(row, c, where, line) for c in ("Start (s)", "Stop (s)")]
        if row.get("Behavior type", "").upper().startswith("POINT"):
            n_points += 1
            continue
        signed = row.get("Comment start", "")
        found[line] = [
            _read_video(row, where, line),
            *times_s,
            *_read_rest(row, signed),
        ]
    return found, n_points


def _pair_events(rows: dict[int, dict], where: str) -> tuple[dict[int, list], int]:
    """Pair each start of a state with its stop."""
    started: dict[tuple, tuple[int, float]] = {}
    found, n_points = {}, 0
    for line, row in rows.items():
        status = (row.get("Behavior type") or row.get("Status") or "").upper()
        key = (
            row.get("Observation id"),
            _read_video(row, where, line),
            row.get("Subject"),
            row.get("Behavior"),
        )
        time_s = _read_time(row, "Time", where, line)
        if "POINT" in status:
            n_points += 1
        elif "START" in status and key not in started:
            started[key] = line, time_s
        elif "STOP" in status and key in started:
            first, start_s = started.pop(key)
            rest = _read_rest(row, rows[first].get("Comment", ""))
            found[first] = [key[1], start_s, time_s, *rest]
        else:
            raise ValueError(
                f"{where}, line {line}: {key[3]!r} {status.lower() or 'without status'}"
                " has no partner. Correct the events in BORIS (check state events)."
            )
    for key, (line, _) in started.items():
        raise ValueError(
            f"{where}, line {line}: {key[3]!r} starts and never stops. Correct it in "
            "BORIS (fix unpaired events)."
        )
    return found, n_points


def _read_rest(row: dict, comment: str) -> tuple[str, str]:
    """Return label and annotator of a row."""
    signed = comment.strip()
    annotator = signed[len(_SIGNED) :] if signed.startswith(_SIGNED) else ""
    return row.get("Behavior", ""), annotator


def _read_time(row: dict, column: str, where: str, line: int) -> float:
    """Return a time in seconds."""
    try:
        time_s = float(row.get(column) or "nan")
    except ValueError:
        time_s = math.nan
    if not math.isfinite(time_s):
        raise ValueError(
            f"{where}, line {line}: expected seconds in {column}, found "
            f"{str(row.get(column))[:40]!r}. Export times in seconds."
        )
    return time_s


def _read_video(row: dict, where: str, line: int) -> str:
    """Return the file stem of the film that an event is in."""
    offset = row.get("Time offset (s)", "").strip()
    if offset.strip("0.") not in ("", "NA"):
        raise ValueError(
            f"{where}, line {line}: times are shifted by an offset of {offset} s. "
            "Export an observation without time offset."
        )
    source = row.get("Source", "").split("player #1:")[-1]
    names = [
        row.get(c, "") for c in ("Media file name", "Media file path", "Media file")
    ]
    name = next((n for n in (*names, source) if n.strip() not in ("", "NA")), "")
    if not name or ";" in name or "|" in source:
        raise ValueError(
            f"{where}, line {line}: expected one media file an observation, found "
            f"{name or 'none'}. Export observations of one film each."
        )
    return PurePosixPath(PureWindowsPath(name.strip()).as_posix()).stem


def format_boris(labels: pd.DataFrame, videos: pd.DataFrame) -> str:
    """Write labels as BORIS's tabular events, tab-separated.

    Args:
        labels: Table `labels`.
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
        name = PurePosixPath(PureWindowsPath(video["path"]).as_posix()).name
        for status, time_s in (("START", span.start_s), ("STOP", span.end_s)):
            row = dict.fromkeys(_HEADER, "") | {
                "Observation id": span.video,
                "Observation duration": f"{video['duration_s']:.3f}",
                "Observation type": "Media file(s)",
                "Source": f"player #1:{name}",
                "Time offset (s)": "0.0",
                "Media duration (s)": f"{video['duration_s']:.3f}",
                "FPS": f"{video['fps']:.3f}",
                "Subject": video["subject"],
                "Behavior": span.label,
                "Behavior type": status,
                "Time": f"{time_s:.3f}",
                "Media file name": name,
                "Image index": round(time_s * video["fps"]),
                "Image file path": "NA",
                "Comment": comment,
            }
            rows.append((span.video, time_s, status == "START", list(row.values())))
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter="\t", lineterminator="\n")
    writer.writerow(_HEADER)
    writer.writerows(row for *_, row in sorted(rows, key=lambda r: r[:3]))
    return text.getvalue()
