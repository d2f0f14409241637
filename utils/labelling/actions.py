"""One line of the label log: what a user did, as a record, and its JSON."""

import json
import os
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
    "paint": ("label", "spans"),
    "erase": ("spans",),
    "add": ("label",),
    "rename": ("label", "old"),
    "merge": ("label", "old"),
    "delete": ("old",),
    "move": ("label",),
    "look": ("label", "how", "old"),
    "import": ("spans",),
    "film": ("video", "how"),
    "undo": ("of",),
    "redo": ("of",),
}
# Kinds that version 2 brought. All else is still written as version 1, which an older
# program of somebody who labels into the same file reads.
_NEW_KINDS = ("delete", "move", "look")
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


def parse_action(line: bytes) -> Action:
    """Read one line of the log and check every part of it.

    Raises:
        NewerVersionError: If its version is newer than this one.
        ValueError: If it is damaged.
    """
    try:
        parts = json.loads(line.decode())
    except (UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"not text: {error}") from error
    if not isinstance(parts, dict) or type(parts.get("v")) is not int:
        raise ValueError("not a line of this log")
    if parts["v"] > VERSION:
        raise NewerVersionError(f"format {parts['v']}, this program reads {VERSION}")
    if parts.get("do") not in KINDS:
        raise ValueError(f"unknown action {str(parts.get('do'))[:40]!r}")
    read = {name: _read_text(parts[name]) for name in _TEXTS & parts.keys()}
    read["spans"] = _read_spans(parts.get("spans", {}), parts["do"] == "import")
    films = _items(parts.get("films", {}))
    read["films"] = {_read_text(k): _read_text(v) for k, v in films}
    read["is_first"] = parts.get("is_first") is True
    # What is not in the line has its default in the class. `Action(**read)` does the
    # same in three times the time, and logs grow to 200,000 lines.
    action = object.__new__(Action)
    action.__dict__.update(read)
    _check_parts(action)
    return action


def _check_parts(action: Action) -> None:
    """Raise `ValueError` if a part that this kind of action needs is missing."""
    if not action.__dict__.get("id"):
        raise ValueError(f"{action.do} without id")
    for name in _NEEDS[action.do]:
        if not getattr(action, name) and name != "spans":
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
        spans[_read_text(video)] = tuple(_read_span(row, has_labels) for row in rows)
    return spans


def _read_span(row: object, has_labels: bool) -> Span:
    """Return one span; else raise `ValueError`."""
    if not isinstance(row, list) or len(row) != (5 if has_labels else 2):
        raise ValueError(f"expected a span, found {str(row)[:40]!r}")
    for time_s in row[:2]:
        # A number of 400 digits compares, but is no float.
        if type(time_s) not in (int, float) or not abs(time_s) <= MAX_TIME_S:
            raise ValueError(f"expected seconds, found {str(time_s)[:40]!r}")
    start_s, end_s = round_time(row[0]), round_time(row[1])
    if start_s >= end_s:
        raise ValueError(f"a span from {start_s} to {end_s} s")
    texts = [_read_text(text) for text in row[2:]] or [""]
    return Span(start_s, end_s, *texts)
