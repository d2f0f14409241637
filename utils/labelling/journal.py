"""The labels and their append-only log: what is said to be saved is on disk.

Beside `labels.csv` lies `labels.log.jsonl`, one line a user action. A call that
changes labels returns when its line is flushed to disk; then `labels.csv` is written
anew from the log, whole or not at all. A copy of `labels.csv` that this log did not
write (edited by hand, pulled, copied) is taken in as an action, never overwritten.
Several programs may write at once: each takes in the others' lines before its own.
"""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import BinaryIO

from utils.labelling.actions import Action
from utils.labelling.csv_file import CsvFile
from utils.labelling.csv_store import format_labels, parse_labels, split_labels
from utils.labelling.films import FilmChange, find_renamed_films, find_replaced_films
from utils.labelling.locks import lock_file
from utils.labelling.log_file import LogFile
from utils.labelling.state import LabelState
from utils.labelling.tracks import normalise_spans


class LabelNotSavedError(OSError):
    """A label could not be put on disk, so it was refused and nothing has changed."""


class LabelLog:
    """Labels of some videos, kept on disk action by action.

    Attributes:
        labels_path: The CSV file.
        log_path: The log beside it.
        annotator: Who can undo that an edited CSV file was taken in.
        state: What holds now; do not change it from outside.
        notices: What was noticed so far, one sentence each.
    """

    def __init__(
        self,
        labels_path: Path,
        *,
        films: Mapping[str, str] | None = None,
        classes: Sequence[str] = (),
        annotator: str = "",
    ) -> None:
        """Read the log and the CSV file; files are written only to mend them.

        Args:
            labels_path: Labels CSV; it need not exist.
            films: sha256 of each video, so that labels follow a renamed file and
                another film under a known name does not inherit them.
            classes: Classes known from the start.
            annotator: Who can undo that an edited CSV file was taken in.

        Raises:
            ValueError: If the CSV file cannot be understood, or the log is newer than
                this program.
        """
        self.labels_path = Path(labels_path).resolve()
        self.log_path = self.labels_path.with_suffix(".log.jsonl")
        self.notices: list[str] = []
        self._films = dict(films or {})
        self._classes = tuple(classes)
        self.annotator = annotator
        self._reset()
        self.refresh()
        if any(action.do == "film" for action in self._pending):
            try:
                self._write([])
            except LabelNotSavedError as error:
                self._note(str(error))

    def _reset(self) -> None:
        """Forget what was read."""
        self.state = LabelState(self._classes)
        self._file = LogFile(self.log_path)
        self._csv = CsvFile(self.labels_path)
        self._pending: list[Action] = []
        self._films_are_checked = False

    def _note(self, *sentences: str) -> None:
        """Add notices, each once."""
        self.notices.extend(s for s in sentences if s not in self.notices)

    # --- reading ---------------------------------------------------------------

    def refresh(self) -> bool:
        """Take in what others wrote; True if labels or classes may have changed.

        Raises:
            ValueError: See `LabelLog`; what was known before still holds then.
        """
        state, n_before = self.state, self.state.n_actions
        if not self.log_path.exists():
            if n_before > len(self._pending):  # the log was removed meanwhile
                self._reset()
            self._take_in_csv(log_mtime_ns=0)
        else:
            try:
                with self._open_log() as file:
                    self._catch_up(file)
                    self._file.mend(file)
                    if self._csv.is_old:
                        self._write_csv()
            except OSError:  # what cannot be written to can still be looked at
                with suppress(OSError), self.log_path.open("rb", buffering=0) as file:
                    self._catch_up(file)
        self._note(*self._file.notices)
        return self.state is not state or self.state.n_actions != n_before

    @contextmanager
    def _open_log(self) -> Iterator[BinaryIO]:
        """Open the log to append and hold its lock."""
        with self.log_path.open("a+b", buffering=0) as file, lock_file(file):
            yield file

    def _catch_up(self, file: BinaryIO) -> None:
        """Take in lines that others appended, then an edited CSV file."""
        is_behind = self._pending and self._file.has_more(file)
        if is_behind or self._file.is_replaced(file):
            self._reset()
        for action in self._file.read_new(file):
            self.state.apply(action)
        self._take_in_csv(log_mtime_ns=os.fstat(file.fileno()).st_mtime_ns)
        if not self._films_are_checked:
            self._films_are_checked = True
            for find in (find_replaced_films, find_renamed_films):
                for change in find(self.state, self._films):
                    self._follow_film(change)

    def _take_in_csv(self, *, log_mtime_ns: int) -> None:
        """Look at the CSV file, and take it in if it is neither ours nor just old.

        It is old if a program was killed after its line was in the log and before the
        CSV file was written: it still is what it was when that line was written.
        """
        seen = self._csv.look()
        if seen is None:
            return
        last = self.state.last
        if not seen.text.strip():
            self._csv.is_old = any(t.merge() for t in self.state.tracks.values())
            if self._csv.is_old:
                self._note(
                    f"{self.labels_path.name} was missing or empty and is written "
                    f"again from {self.log_path.name}. To start over, remove both."
                )
        elif seen.text == self._format_csv():
            self._csv.is_old = False
        elif last and seen.hash == last.csv and seen.mtime_ns <= log_mtime_ns:
            self._csv.is_old = True
        else:
            self._import_csv(seen.text)
        self._csv.accept(seen)

    def _import_csv(self, text: bytes) -> None:
        """Make the labels of the CSV file hold, as actions yet to be written."""
        rows = split_labels(parse_labels(text, where=self.labels_path.name))
        tracks = self.state.tracks
        changed = {
            video: tuple(spans)
            for video in dict.fromkeys([*rows, *tracks])
            if (spans := normalise_spans(rows.get(video, ())))
            != (tracks[video].merge() if video in tracks else [])
        }
        if not changed:
            return
        is_first = self.state.n_actions == 0
        parts = [changed] if is_first else [{v: s} for v, s in changed.items()]
        for spans in parts:
            action = Action(
                "import",
                by=self.annotator,
                video=next(iter(spans)),
                spans=spans,
                films=self.find_films(spans),
                is_first=is_first,
            )
            self._pend(action)
        if not is_first:
            names = ", ".join(changed) if len(changed) < 4 else f"{len(changed)} videos"
            self._note(
                f"{self.labels_path.name} was changed outside ({names}): what it says "
                "now holds. Undo, in each video, brings back what the log said."
            )

    def _follow_film(self, change: FilmChange) -> None:
        """Move or set aside labels whose film was renamed or replaced."""
        films = {change.video: self._films[change.video]}
        self._pend(
            Action(
                "film",
                video=change.video,
                how=change.how,
                old=change.old,
                films=films,
            )
        )
        self._note(change.describe())

    def _pend(self, action: Action) -> None:
        """Make an action hold that is written together with the next one."""
        action = replace(action, at=_now())
        self._pending.append(action)
        self.state.apply(action)

    # --- writing ---------------------------------------------------------------

    def write(self, action: Action) -> None:
        """Put an action on disk and make it hold.

        Args:
            action: What the user did; its time is filled in.

        Raises:
            LabelNotSavedError: If it cannot be written; nothing has changed then.
            ValueError: If the CSV file was changed to something that is not labels,
                or the log by a newer program; nothing has changed then.
        """
        self._write([action])

    def _write(self, actions: Sequence[Action]) -> None:
        """Put actions on disk, after those pending, and make them hold."""
        is_new = not self.log_path.exists()
        try:
            self.log_path.parent.mkdir(parents=True, exist_ok=True)
            with self._open_log() as file:
                self._catch_up(file)
                self._file.mend(file)
                actions = [replace(a.rounded(), at=_now()) for a in actions]
                lines = [*self._pending, *actions]
                self._file.append(
                    file, [replace(line, csv=self._csv.hash) for line in lines]
                )
                self._pending = []
                for action in actions:
                    self.state.apply(action)
                self._write_csv()
        except OSError as error:
            raise LabelNotSavedError(
                f"Not saved, and nothing was changed: {self.log_path.name} cannot be "
                f"written ({error.strerror or error}). Free space or give access to "
                f"{self.log_path.parent}, then do it again."
            ) from error
        finally:
            self._note(*self._file.notices)
        if is_new:
            _sync_folder(self.log_path.parent)

    def find_films(self, videos: Iterable[str]) -> dict[str, str]:
        """Return the sha256 of those of some videos that are known."""
        return {v: self._films[v] for v in videos if v in self._films}

    def adopt_labels(self, video: str) -> None:
        """Say that a changed file is the same film: labels set aside hold again.

        Raises:
            ValueError: If there are none, or the video has new labels.
            LabelNotSavedError: If it cannot be written.
        """
        parked = list(self.state.find_parked(video))
        if not parked:
            raise ValueError(f"No labels were set aside for {video!r}.")
        if self.state.track(video).merge():
            raise ValueError(
                f"{video} has new labels; erase them first, then adopt the old ones."
            )
        films = self.find_films([video])
        self.write(Action("film", video=video, how="same", old=parked[-1], films=films))

    def _format_csv(self) -> bytes:
        """Return the text of the CSV file that the log makes."""
        tracks = sorted(self.state.tracks.items())
        return format_labels((v, span) for v, track in tracks for span in track.merge())

    def _write_csv(self) -> None:
        """Write the CSV file anew; the labels are safe in the log by then."""
        try:
            self._csv.write(self._format_csv())
        except OSError as error:
            self._note(
                f"{self.labels_path.name} cannot be written "
                f"({error.strerror or error}); the labels are safe in "
                f"{self.log_path.name}, and the next label tries again."
            )


def _now() -> str:
    """Return the time, ISO 8601 in UTC, to the second."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _sync_folder(folder: Path) -> None:
    """Flush a new file's name to disk too, where the system can open folders."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
