"""Films recorded in the live page, on disk as they come.

A film grows in the folder of videos, in fragments of a second that can be read whenever
it ends, so that a killed program leaves all that it acknowledged. Labels go where
labels go, and who is in the film into `videos.csv`.
"""

import csv
import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from utils.core.files import atomic_path
from utils.core.markup import guard_text
from utils.labelling.actions import Action
from utils.labelling.csv_store import check_name
from utils.labelling.journal import LabelLog
from utils.labelling.labels import find_labels
from utils.labelling.spans import Span

SUFFIXES = (".mp4", ".webm")


class Recordings:
    """Keeps what a live page records.

    Attributes:
        videos: Folder that films are put into.
        labels: Labels file.
    """

    def __init__(self, videos: Path, labels: Path) -> None:
        """Remember where to; nothing is written yet.

        Args:
            videos: Folder that films are put into.
            labels: Labels file; it need not exist.
        """
        self.videos, self.labels = Path(videos), Path(labels)
        self._films: dict[str, Path] = {}

    def keep(self, what: str, content: Mapping[str, Any], data: bytes = b"") -> None:
        """Put one thing on disk; when this returns, it is there.

        Args:
            what: `begin` a film (`name`, `who`, `suffix`), `add` bytes to it (`name`),
                `label` a span of it (`name`, `start_s`, `end_s`, `label`), or `end` it
                (`name`).
            content: What belongs to it.
            data: The bytes to add.

        Raises:
            ValueError: If it makes no sense.
            OSError: If it cannot be written.
        """
        do = {
            "begin": lambda: self._begin(content),
            "add": lambda: self._add(content, data),
            "label": lambda: self._label(content),
            "end": lambda: self._films.pop(content["name"], None),
        }
        if what not in do:
            raise ValueError(f"Expected one of {', '.join(do)}, got {what!r}.")
        do[what]()

    def _begin(self, content: Mapping[str, Any]) -> None:
        """Make an empty film and note who is in it."""
        name = check_name(content["name"], what="video")
        if Path(name).name != name or name.startswith("."):
            raise ValueError(f"{name!r} cannot be the name of a film.")
        if content["suffix"] not in SUFFIXES:
            raise ValueError(f"Expected one of {SUFFIXES}, got {content['suffix']!r}.")
        who = check_name(content["who"], what="person")
        self.videos.mkdir(parents=True, exist_ok=True)
        path = self.videos / f"{name}{content['suffix']}"
        path.touch(exist_ok=False)
        self._films[name] = path
        self._note_subject(name, who)

    def _note_subject(self, name: str, who: str) -> None:
        """Add a line to `videos.csv`; what is in it stays as it is."""
        path = self.videos / "videos.csv"
        text = path.read_bytes().decode("utf-8-sig") if path.exists() else ""
        header = next(csv.reader(io.StringIO(text)), None) or ["video", "subject"]
        line = io.StringIO(newline="")
        writer = csv.writer(line, lineterminator="\n")
        if not text.strip():
            text = ""
            writer.writerow(header)
        row = {"video": name, "subject": who}
        writer.writerow([guard_text(row.get(column.strip(), "")) for column in header])
        joint = "" if not text or text.endswith("\n") else "\n"
        with atomic_path(path) as part:
            part.write_text(text + joint + line.getvalue(), encoding="utf-8")

    def _add(self, content: Mapping[str, Any], data: bytes) -> None:
        """Append to a film and flush it to disk."""
        with self._find(content).open("ab") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())

    def _label(self, content: Mapping[str, Any]) -> None:
        """Label a span of a film."""
        name = self._find(content).stem
        label = check_name(content["label"])
        span = Span(float(content["start_s"]), float(content["end_s"]), label)
        if not 0 <= span.start_s < span.end_s:
            raise ValueError(f"Expected a span of time, got {span[:2]}.")
        log = LabelLog(find_labels(self.labels, self.videos))
        log.write(Action("paint", video=name, label=label, spans={name: (span,)}))

    def _find(self, content: Mapping[str, Any]) -> Path:
        """Return the path of a film that was begun."""
        if content["name"] not in self._films:
            raise ValueError(f"No recording {content['name']!r} was begun here.")
        return self._films[content["name"]]
