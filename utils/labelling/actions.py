"""One line of the label log: what a user did, as a record, and its JSON."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from utils.labelling.spans import MAX_TIME_S, Span, round_time

VERSION = 2
KINDS = (
    "paint",
    "erase",
    "add",
    "rename",
    "merge",
    "delete",
    "move",
    "look",
    "import",
    "film",
    "undo",
    "redo",
)
_NEEDS = {
    "paint": ("id", "label"),
    "erase": ("id",),
    "add": ("id", "label"),
    "rename": ("id", "label", "old"),
    "merge": ("id", "label", "old"),
    "delete": ("id", "old"),
    "move": ("id", "label"),
    "look": ("id", "label", "how", "old"),
    "import": ("id",),
    "film": ("id", "video", "how"),
    "undo": ("id", "of"),
    "redo": ("id", "of"),
}
# Kinds that version 2 brought. All else is still written as version 1, which an older
# program of somebody who labels into the same file reads.
_NEW_KINDS = ("delete", "move", "look")
# So many lines are read as one text of JSON.
_N_LINES_A_BLOCK = 1_000
FILM_CHANGES = ("renamed", "changed", "same")
LOOKS = ("colour", "key")


class NewerVersionError(ValueError):
    """A line was written by a newer version of the project."""


@dataclass(frozen=True)
class Action:
    """What a user did, once.

    Attributes:
        do: One of `KINDS`. `paint` and `erase` a label on spans of time; `add`,
            `rename`, `merge`, `delete` (its labels too), `move` (to another place in
            the list), `look` (another colour or key) classes; `import` an edited
            CSV file; `film`: a video was renamed, replaced by another film, or said
            to be the same after all; `undo`, `redo` another line.
        id: Names the line, 12 hex digits.
        at: When, ISO 8601 in UTC.
        by: Annotator; "" if unnamed.
        video: The video in view: whose undo stack the action lies on.
        label: What was painted; the class added, moved or given another look; the new
            name; the class merged into.
        old: The class, or video, renamed, merged or deleted; the class that a moved one
            comes before, "" for the end; the colour or key given to a class; the file
            of another program that an `import` is of.
        of: `id` of the line undone or redone.
        stroke: `id` of the first line of the stroke that this line prolongs.
        how: For `film`, one of `FILM_CHANGES`; for `look`, one of `LOOKS`.
        spans: By video; of `import` also label, annotator and time: what is there now.
        films: sha256 of the videos touched, by video.
        is_first: Whether an `import` begins the log; it cannot be undone.
        csv: First digits of the sha256 of the CSV file when the line was written.
    """

    do: str
    id: str = field(default_factory=lambda: os.urandom(6).hex())
    at: str = ""
    by: str = ""
    video: str = ""
    label: str = ""
    old: str = ""
    of: str = ""
    stroke: str = ""
    how: str = ""
    spans: dict[str, tuple[Span, ...]] = field(default_factory=dict)
    films: dict[str, str] = field(default_factory=dict)
    is_first: bool = False
    csv: str = ""

    def rounded(self) -> "Action":
        """Return the action with times in whole milliseconds, empty spans left out."""
        spans = {
            video: tuple(
                span._replace(start_s=start_s, end_s=end_s)
                for span in part
                if (start_s := round_time(span.start_s))
                < (end_s := round_time(span.end_s))
            )
            for video, part in self.spans.items()
        }
        return replace(self, spans=spans)


_TEXTS = {f.name for f in fields(Action) if f.type is str}


def format_action(action: Action) -> bytes:
    """Return an action as one line of JSON, empty parts left out, with its line end."""
    line: dict[str, Any] = {"v": VERSION if action.do in _NEW_KINDS else 1}
    for part in fields(action):
        value = getattr(action, part.name)
        if value and part.name != "spans":
            line[part.name] = value
    if action.spans or action.do in ("paint", "erase", "import"):
        n_parts = 5 if action.do == "import" else 2
        line["spans"] = {
            video: [list(span[:n_parts]) for span in spans]
            for video, spans in action.spans.items()
        }
    text = json.dumps(line, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode() + b"\n"


def parse_actions(lines: Sequence[bytes]) -> list[Action]:
    """Read whole lines of the log, as `parse_action` reads each, in half the time.

    Raises:
        ValueError: If one is damaged, or newer than this program: ask one by one which.
    """
    actions: list[Action] = []
    for start in range(0, len(lines), _N_LINES_A_BLOCK):
        block = lines[start : start + _N_LINES_A_BLOCK]
        if not all(line[:1] == b"{" and line[-2:] == b"}\n" for line in block):
            raise ValueError("a line is damaged")
        try:
            # Texts of JSON hold no line end, so none can reach from line to line.
            read = json.loads(b"[" + b",".join(block) + b"]")
        except RecursionError as error:
            raise ValueError(f"not a line of this log: {error}") from error
        if len(read) != len(block):
            raise ValueError("a line is damaged")
        actions += map(_build_action, read)
    return actions


def parse_action(line: bytes) -> Action:
    """Read one line of the log and check every part of it.

    Raises:
        NewerVersionError: If its version is newer than this one.
        ValueError: If it is damaged.
    """
    try:
        return _build_action(json.loads(line.decode()))
    except (UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"not text: {error}") from error


def _build_action(parts: object) -> Action:
    """Check every part of a line and return it as an action."""
    if not isinstance(parts, dict) or type(parts.get("v")) is not int:
        raise ValueError("not a line of this log")
    if parts["v"] > VERSION:
        raise NewerVersionError(f"format {parts['v']}, this program reads {VERSION}")
    do = parts.get("do")
    if do not in KINDS:
        raise ValueError(f"unknown action {str(do)[:40]!r}")
    # What is not in the line has its default in the class. `Action(**read)` does the
    # same in three times the time, and logs grow to 200,000 lines.
    action = object.__new__(Action)
    read = action.__dict__
    for name, value in parts.items():
        if name in _TEXTS:
            is_plain = type(value) is str and value.isascii()
            read[name] = value if is_plain else _read_text(value)
    read["spans"] = _read_spans(parts.get("spans", {}), do == "import")
    read["films"] = _read_films(parts["films"]) if "films" in parts else {}
    read["is_first"] = parts.get("is_first") is True
    _check_parts(action)
    return action


def _read_films(value: object) -> dict[str, str]:
    """Return the hashes of a line by video; else raise `ValueError`."""
    return {_read_text(k): _read_text(v) for k, v in _items(value)}


def _check_parts(action: Action) -> None:
    """Raise `ValueError` if a part that this kind of action needs is missing."""
    for name in _NEEDS[action.do]:
        if not action.__dict__.get(name):
            raise ValueError(f"{action.do} without {name}")
    if action.do == "film" and action.how not in FILM_CHANGES:
        raise ValueError(f"unknown change of a film {action.how!r}")
    if action.do == "look" and action.how not in LOOKS:
        raise ValueError(f"unknown look of a class {action.how!r}")


def _read_text(value: object) -> str:
    """Return a text that can be written again; else raise `ValueError`."""
    if type(value) is not str:
        raise ValueError(f"expected text, found {str(value)[:40]!r}")
    if not value.isascii():
        value.encode()  # half of a character raises
    return value


def _items(value: object) -> list[tuple[Any, Any]]:
    """Return the items of a JSON object; else raise `ValueError`."""
    if not isinstance(value, dict):
        raise ValueError(f"expected an object, found {str(value)[:40]!r}")
    return list(value.items())


def _read_spans(value: object, has_labels: bool) -> dict[str, tuple[Span, ...]]:
    """Return the spans of a line by video; else raise `ValueError`."""
    spans = {}
    for video, rows in _items(value):
        if not isinstance(rows, list):
            raise ValueError(f"expected a list of spans, found {str(rows)[:40]!r}")
        name = video if video.isascii() else _read_text(video)
        spans[name] = tuple(_read_span(row, has_labels) for row in rows)
    return spans


def _read_span(row: object, has_labels: bool) -> Span:
    """Return one span; else raise `ValueError`."""
    if type(row) is list and len(row) == 2 and not has_labels:  # as nearly always
        start_s, end_s = row
        if type(start_s) is type(end_s) is float and start_s >= -MAX_TIME_S:
            start_s, end_s = round(start_s, 3) + 0.0, round(end_s, 3) + 0.0
            if start_s < end_s <= MAX_TIME_S:
                return tuple.__new__(Span, (start_s, end_s, "", "", ""))
    if not isinstance(row, list) or len(row) != (5 if has_labels else 2):
        raise ValueError(f"expected a span, found {str(row)[:40]!r}")
    start_s, end_s = _read_time(row[0]), _read_time(row[1])
    if start_s >= end_s:
        raise ValueError(f"a span from {start_s} to {end_s} s")
    return Span(start_s, end_s, *(map(_read_text, row[2:]) if has_labels else ("",)))


def _read_time(value: object) -> float:
    """Return seconds, rounded to whole milliseconds; else raise `ValueError`."""
    # A number of 400 digits compares, but is no float.
    if type(value) not in (int, float) or not abs(value) <= MAX_TIME_S:
        raise ValueError(f"expected seconds, found {str(value)[:40]!r}")
    return round_time(value)
