"""The labels and their append-only log: what is said to be saved is on disk.

Beside `labels.csv` lies `labels.log.jsonl`, one line a user action. A call that
changes labels returns when its line is flushed to disk; then `labels.csv` is written
anew from the log, whole or not at all. A copy of `labels.csv` that this log did not
write (edited by hand, pulled, copied) is taken in as an action, never overwritten.
Several programs may write at once: each takes in the others' lines before its own.

Damage at the log's end (a half-written line after a crash) is set aside and cut off;
damage further up is left where it is. Both are reported, every whole line is used.
"""

import gc
import hashlib
import json
import math
import os
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import BinaryIO

from filelock import FileLock, Timeout

from utils.core.cache import build_key
from utils.core.files import atomic_path
from utils.labelling.actions import (
    Action,
    NewerVersionError,
    format_action,
    parse_action,
    parse_actions,
)
from utils.labelling.csv_store import (
    COLUMNS,
    OPTIONAL,
    CsvFile,
    format_rows,
    parse_labels,
    split_labels,
)
from utils.labelling.spans import Span, measure_difference, merge_edits
from utils.labelling.state import (
    LabelState,
    MissingHistoryError,
    find_renamed_videos,
    find_replaced_videos,
    normalise_spans,
)

# How much of what was read is compared, to notice that a log was put back or replaced.
_N_CHECKED_BYTES = 64
# Labels of two programs take turns; each holds the lock for some milliseconds.
_PATIENCE_S = 10
# So many contents of the CSV file are remembered, and so often it is written again
# where another program saves at the same moment.
_N_VERSIONS = 100
# So many lines more are worth to be folded for the next opening: a tenth of a second.
_N_LINES_A_FOLD = 5_000
_N_TRIES = 5


class LogFile:
    """Reads what was appended since it read last, and appends.

    The caller opens the file (append, binary, unbuffered) and holds its lock.

    Attributes:
        path: Where the log is.
        n_bytes: How much of it was read.
        n_lines: How many lines that was.
        aside_path: Where damaged ends are kept.
        notices: One sentence for each damage found.
    """

    def __init__(self, path: Path) -> None:
        """Remember where the log is; nothing is opened.

        Args:
            path: The log, a `.jsonl` file.
        """
        self.path = path
        self.aside_path = path.with_suffix(".damaged.txt")
        self.notices: list[str] = []
        self.n_bytes = 0
        self.n_lines = 0
        self._last_bytes = b""
        self._rest = b""

    def is_replaced(self, file: BinaryIO) -> bool:
        """Tell whether what was read before is not there any more."""
        start = self.n_bytes - len(self._last_bytes)
        file.seek(start)
        return file.read(len(self._last_bytes)) != self._last_bytes

    def has_more(self, file: BinaryIO) -> bool:
        """Tell whether there is something after what was read before."""
        return os.fstat(file.fileno()).st_size > self.n_bytes

    def read_new(self, file: BinaryIO) -> list[Action]:
        """Read the lines appended since the last call; a damaged end waits for `mend`.

        Args:
            file: The open log.

        Returns:
            The actions, in order.

        Raises:
            ValueError: If a line was written by a newer version; nothing is changed.
            OSError: If the file cannot be read.
        """
        file.seek(self.n_bytes)
        text = _read_all(file)
        lines = text.splitlines(keepends=True)
        try:  # almost always every line is whole, and they may be 200,000
            actions = parse_actions(lines)
        except ValueError:
            return self._read_damaged(text)
        self.n_lines += len(lines)
        self.n_bytes += len(text)
        self._last_bytes = text[-_N_CHECKED_BYTES:] or self._last_bytes
        self._rest = b""
        return actions

    def resume(self, file: BinaryIO, *, n_bytes: int, n_lines: int) -> None:
        """Go on after lines that were read before, in another process."""
        file.seek(max(0, n_bytes - _N_CHECKED_BYTES))
        self._last_bytes = file.read(min(n_bytes, _N_CHECKED_BYTES))
        self.n_bytes, self.n_lines = n_bytes, n_lines

    def _read_damaged(self, text: bytes) -> list[Action]:
        """Read lines one by one; what is damaged is noted, a damaged end is left."""
        actions, damaged = [], []
        n_good, n_seen = 0, 0
        for number, line in enumerate(text.splitlines(keepends=True), start=1):
            n_seen += len(line)
            try:
                action = self._parse(line, self.n_lines + number)
            except ValueError as error:
                if isinstance(error, NewerVersionError):
                    raise
                damaged.append(self.n_lines + number)
                continue
            if action is not None:
                actions.append(action)
            n_good = n_seen
            self._report(damaged)
            damaged = []
            n_lines = number
        self.n_lines += n_lines if n_good else 0
        self.n_bytes += n_good
        self._last_bytes = text[:n_good][-_N_CHECKED_BYTES:] or self._last_bytes
        self._rest = text[n_good:]
        return actions

    def _parse(self, line: bytes, number: int) -> Action | None:
        """Return a line's action, None for an empty line."""
        try:
            return parse_action(line) if line.strip() else None
        except NewerVersionError as error:
            raise NewerVersionError(
                f"{self.path.name}, line {number} was written by a newer version of "
                f"this project ({error}). Update it; nothing was changed."
            ) from None

    def _report(self, lines: Sequence[int]) -> None:
        """Add a notice for damaged lines that whole lines follow."""
        if lines:
            where = ", ".join(map(str, lines[:5])) + (" …" if len(lines) > 5 else "")
            self.notices.append(
                f"{self.path.name}: line {where} is damaged and was left out; all "
                "other lines are used."
            )

    def mend(self, file: BinaryIO) -> None:
        """Move a damaged end, if there is one, into a file of its own.

        Raises:
            OSError: If it cannot be moved.
        """
        if not self._rest:
            return
        with self.aside_path.open("ab") as aside:
            aside.write(self._rest.rstrip(b"\n") + b"\n")
            aside.flush()
            os.fsync(aside.fileno())
        os.ftruncate(file.fileno(), self.n_bytes)
        os.fsync(file.fileno())
        self.notices.append(
            f"{self.path.name}: its end was not whole ({len(self._rest)} bytes, not "
            f"acknowledged); it was set aside in {self.aside_path.name}. All other "
            "lines are used."
        )
        self._rest = b""

    def append(self, file: BinaryIO, actions: Sequence[Action]) -> None:
        """Append actions; they are on disk when this returns, or not there at all.

        The log's end must have been read, and mended, before.

        Raises:
            OSError: If they cannot be written.
        """
        n_before = self.n_bytes
        text = b"".join(map(format_action, actions))
        if self._last_bytes and not self._last_bytes.endswith(b"\n"):
            text = b"\n" + text
        try:
            self._write(file, text)
        except OSError:
            os.ftruncate(file.fileno(), n_before)
            self.n_bytes = n_before
            raise
        self.n_lines += len(actions)

    def _write(self, file: BinaryIO, text: bytes) -> None:
        """Append bytes and flush them to disk."""
        written = file.write(text)
        while written < len(text):
            written += file.write(text[written:])
        os.fsync(file.fileno())
        self.n_bytes += len(text)
        self._last_bytes = (self._last_bytes + text)[-_N_CHECKED_BYTES:]


def _read_all(file: BinaryIO) -> bytes:
    """Return what is left of an unbuffered file."""
    parts = []
    while part := file.read(1 << 20):
        parts.append(part)
    return b"".join(parts)


class LabelNotSavedError(OSError):
    """A label could not be put on disk, so it was refused and nothing has changed."""


# The labels by video, as the CSV file said them at some time.
_Version = dict[str, frozenset[Span]]


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
        hashes: Mapping[str, str] | None = None,
        classes: Sequence[str] = (),
        annotator: str = "",
    ) -> None:
        """Read the log and the CSV file; files are written only to mend them.

        Args:
            labels_path: Labels CSV; it need not exist.
            hashes: sha256 of each video, so that labels follow a renamed file and
                another film under a known name does not inherit them.
            classes: Classes known from the start.
            annotator: Who can undo that an edited CSV file was taken in.

        Raises:
            ValueError: If the CSV file cannot be understood, or the log is newer than
                this program.
        """
        self.labels_path = Path(labels_path).resolve()
        # Two labels files of one stem are two: `labels.txt` has a log of its own.
        name = self.labels_path.stem
        if self.labels_path.suffix != ".csv":
            name = self.labels_path.name
        self.log_path = self.labels_path.with_name(f"{name}.log.jsonl")
        self._lock = FileLock(
            self.labels_path.with_name(f".{name}.lock"),
            timeout=_PATIENCE_S,
            poll_interval=0.002,
        )
        self.notices: list[str] = []
        # What is folded already, so that a long log need not be: derived, safe to lose.
        self._fold_path = self.labels_path.with_name(f".{name}.fold.json")
        self._n_folded_lines = 0
        # What the CSV file said lately: another program may have begun with any of it.
        self._versions: deque[_Version] = deque(maxlen=_N_VERSIONS)
        self._hashes = dict(hashes or {})
        self._classes = tuple(classes)
        self.annotator = annotator
        self._reset()
        self.refresh()
        if any(action.do == "film" for action in self._pending):
            try:
                self.write()
            except LabelNotSavedError as error:
                self._note(str(error))

    def _reset(self) -> None:
        """Forget what was read."""
        self.state = LabelState(self._classes)
        self._file = LogFile(self.log_path)
        self._csv = CsvFile(self.labels_path)
        self._pending: list[Action] = []
        self._videos_are_checked = False
        # By video: what changes with its labels, and these, and as lines of the file.
        self._rows: dict[str, tuple[tuple, tuple[Span, ...], frozenset[Span]]] = {}
        self._lines: dict[str, tuple[tuple, bytes]] = {}

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
                        self._save(file, ())
            except OSError:  # what cannot be written to can still be looked at
                with suppress(OSError), self.log_path.open("rb", buffering=0) as file:
                    self._catch_up(file)
        self._note(*self._file.notices)
        return self.state is not state or self.state.n_actions != n_before

    @contextmanager
    def _open_log(self) -> Iterator[BinaryIO]:
        """Open the log to append and hold its lock."""
        # The system gives the lock back when its holder ends, however it ends.
        try:
            with self._lock, self.log_path.open("a+b", buffering=0) as file:
                yield file
        except Timeout:
            raise TimeoutError(
                f"another program has held it for {_PATIENCE_S} s; close that"
            ) from None

    def _catch_up(self, file: BinaryIO) -> None:
        """Take in lines that others appended, then an edited CSV file."""
        is_behind = self._pending and self._file.has_more(file)
        if is_behind or self._file.is_replaced(file):
            self._reset()
        self._read_log(file)
        self._take_in_csv(log_mtime_ns=os.fstat(file.fileno()).st_mtime_ns)
        if not self._videos_are_checked:
            self._videos_are_checked = True
            for find in (find_replaced_videos, find_renamed_videos):
                for change in find(self.state, self._hashes):
                    self._pend(change)
                    self._note(_describe_change(change))

    def _read_log(self, file: BinaryIO) -> None:
        """Apply the lines that were appended since the log was read last."""
        is_first = self._file.n_bytes == 0
        with _without_garbage_collection():
            if is_first:
                self._load_fold(file)
            try:
                for action in self._file.read_new(file):
                    self.state.apply(action)
                    if not is_first:
                        self._versions.append(self._list_sets())
            except MissingHistoryError:
                self._read_history(file)
        if is_first and self._file.n_lines - self._n_folded_lines >= _N_LINES_A_FOLD:
            self._save_fold(file)

    def _load_fold(self, file: BinaryIO) -> None:
        """Begin with what was folded before, if it is of this log and of this code."""
        try:
            fold = json.loads(self._fold_path.read_bytes())
            head = file.read(fold["n_bytes"])
            if fold["key"] != _build_fold_key(head):
                return
            self.state = LabelState.load(fold["state"], self._classes)
            self._n_folded_lines = fold["n_lines"]
            self._file.resume(file, n_bytes=len(head), n_lines=fold["n_lines"])
        except (OSError, ValueError, KeyError, TypeError):
            self._n_folded_lines = 0

    def _save_fold(self, file: BinaryIO) -> None:
        """Keep what is folded for the next opening; not being able to is no harm."""
        file.seek(0)
        fold = {
            "key": _build_fold_key(file.read(self._file.n_bytes)),
            "n_bytes": self._file.n_bytes,
            "n_lines": self._file.n_lines,
            "state": self.state.dump(),
        }
        with suppress(OSError), atomic_path(self._fold_path) as part:
            part.write_text(json.dumps(fold, separators=(",", ":")), encoding="utf-8")

    def _read_history(self, file: BinaryIO) -> None:
        """Read the whole log: something that was folded is undone, or done again."""
        self._file, self.state = LogFile(self.log_path), LabelState(self._classes)
        with _without_garbage_collection():
            for action in (*self._file.read_new(file), *self._pending):
                self.state.apply(action)

    def find_last(self, which: str, by: str) -> tuple[str, Action] | None:
        """Return what to undo or redo, as `LabelState.find_last`."""
        try:
            return self.state.find_last(which, by)
        except MissingHistoryError:
            with self.log_path.open("rb", buffering=0) as file:
                self._read_history(file)
            return self.state.find_last(which, by)

    def _take_in_csv(self, *, log_mtime_ns: int) -> None:
        """Look at the CSV file, and take it in if it is neither ours nor just old.

        It is old if a program was killed after its line was in the log and before the
        CSV file was written: it still is what it was when that line was written.
        """
        if not self._versions:
            self._versions.append(self._list_sets())
        late = self._csv.look_aside()
        if late.strip():
            self._import_late(late)
        seen = self._csv.look()
        if seen is None:
            return
        last, expected = self.state.last, self._format_csv()
        is_old = self._csv.is_torn or bool(
            last and seen.hash == last.csv and seen.changed_ns <= log_mtime_ns
        )
        if seen.text != expected and not is_old:
            seen = self._csv.look(at_rest=True)  # it may be half saved
        if not seen.text.strip():
            self._csv.is_old = any(t.merge() for t in self.state.tracks.values())
            if self._csv.is_old:
                self._note(
                    f"{self.labels_path.name} was missing or empty and is written "
                    f"again from {self.log_path.name}. To start over, remove both."
                )
        elif seen.text == expected or is_old:
            self._csv.is_old = seen.text != expected
        else:
            self._csv.is_old = not self._import_csv(seen.text)
        self._csv.accept(seen)

    def _list_rows(self) -> dict[str, tuple[Span, ...]]:
        """Return the labels that hold now, by video; without those of no labels."""
        for video, track in self.state.tracks.items():
            mark = track.number, track.version
            if self._rows.get(video, ((),))[0] != mark:
                rows = tuple(track.merge())
                self._rows[video] = mark, rows, frozenset(rows)
        tracks = self.state.tracks
        return {v: kept[1] for v, kept in self._rows.items() if kept[1] and v in tracks}

    def _list_sets(self) -> _Version:
        """Return the labels that hold now, by video, in no order."""
        return {video: self._rows[video][2] for video in self._list_rows()}

    def _import_late(self, text: bytes) -> None:
        """Take in what was saved while we wrote; what is no labels is kept aside."""
        try:
            self._import_csv(text, is_late=True)
        except ValueError as error:
            path = self._csv.keep(text)
            self._note(
                f"What another program saved to {self.labels_path.name} while a label "
                f"was written is no labels file ({error}). It is kept: {path.name}."
            )
        self._csv.is_old = True

    def _import_csv(self, text: bytes, *, is_late: bool = False) -> bool:
        """Take in what the CSV file says, as actions yet to be written.

        Args:
            text: What it says.
            is_late: Whether it was saved into the file that had just been replaced, so
                that what it said before is no change.

        Returns:
            Whether the labels now are what the file says; if labels came to ours while
            the other program had the file open, they are more.
        """
        found = split_labels(parse_labels(text, where=self.labels_path.name))
        theirs = {v: tuple(normalise_spans(spans)) for v, spans in found.items()}
        base = self._find_base(
            {v: frozenset(spans) for v, spans in theirs.items()}, is_late=is_late
        )
        ours = self._list_rows()
        holds, clashes = {}, []
        for video in dict.fromkeys([*theirs, *ours]):
            parts = [rows.get(video, ()) for rows in (base, theirs, ours)]
            merged, is_clash = merge_edits(*parts)
            holds[video] = tuple(normalise_spans(merged))
            clashes += [video] * is_clash
        changed = {v: rows for v, rows in holds.items() if rows != ours.get(v, ())}
        is_first = self.state.n_actions == 0
        parts = [changed] if is_first else [{v: s} for v, s in changed.items()]
        for spans in parts if changed else ():
            action = Action(
                "import",
                by=self.annotator,
                video=next(iter(spans)),
                spans=spans,
                films=self.find_hashes(spans),
                is_first=is_first,
            )
            self._pend(action)
        if changed and not is_first:
            names = ", ".join(changed) if len(changed) < 4 else f"{len(changed)} videos"
            self._note(
                f"{self.labels_path.name} was changed outside ({names}): what it says "
                "now holds. Undo, in each video, brings back what the log said."
            )
        if clashes:
            self._note(
                f"{', '.join(clashes)} was labelled here while {self.labels_path.name} "
                "was edited elsewhere, partly the same time otherwise: there the file "
                "holds. Undo brings back what was labelled here."
            )
        return all(holds[video] == theirs.get(video, ()) for video in holds)

    def _find_base(self, theirs: _Version, *, is_late: bool) -> _Version:
        """Return what the CSV file said when another program read it, most likely.

        Labels may have come since. That is what differs least from what it saved; a
        copy of an earlier file that was put back as it was is meant to hold as it is.
        """
        ours, nothing = self._list_sets(), frozenset()
        measured: dict[tuple, float] = {}
        best, best_s = ours, math.inf
        for version in (ours, *reversed(self._versions)):
            total_s = 0.0
            for video in {*version, *theirs}:
                pair = version.get(video, nothing), theirs.get(video, nothing)
                key = video, id(pair[0])
                if key not in measured:
                    measured[key] = measure_difference(*pair)
                total_s += measured[key]
            if total_s < best_s:
                best, best_s = version, total_s
        self._versions.append(theirs)
        return best if best_s or is_late else ours

    def _pend(self, action: Action) -> None:
        """Make an action hold that is written together with the next one."""
        action = replace(action, at=_now())
        self._pending.append(action)
        self.state.apply(action)
        self._versions.append(self._list_sets())

    # --- writing ---------------------------------------------------------------

    def write(self, *actions: Action) -> None:
        """Put actions on disk, all or none, and make them hold.

        Args:
            actions: What the user did; the time is filled in.

        Raises:
            LabelNotSavedError: If it cannot be written; nothing has changed then.
            ValueError: If the CSV file was changed to something that is not labels,
                or the log by a newer program; nothing has changed then.
        """
        is_new = not self.log_path.exists()
        try:
            self.log_path.parent.mkdir(parents=True, exist_ok=True)
            with self._open_log() as file:
                self._catch_up(file)
                self._file.mend(file)
                self._save(file, actions)
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

    def _save(self, file: BinaryIO, actions: Sequence[Action]) -> None:
        """Append actions to the log, after those pending, then write the CSV file."""
        new = [replace(action.rounded(), at=_now()) for action in actions]
        for _ in range(_N_TRIES):
            lines = [*self._pending, *new]
            self._file.append(
                file, [replace(line, csv=self._csv.hash) for line in lines]
            )
            self._pending = []
            for action in new:
                self.state.apply(action)
                self._versions.append(self._list_sets())
            new = []
            self._write_csv()
            if not self._pending:  # nobody else saved in the meantime
                break

    def find_hashes(self, videos: Iterable[str]) -> dict[str, str]:
        """Return the sha256 of those of some videos that are known."""
        return {v: self._hashes[v] for v in videos if v in self._hashes}

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
        films = self.find_hashes([video])
        self.write(Action("film", video=video, how="same", old=parked[-1], films=films))

    def _format_csv(self) -> bytes:
        """Return the text of the CSV file that the log makes, as `format_labels`."""
        rows = sorted(self._list_rows().items())
        optional = tuple(
            c
            for c in OPTIONAL
            if any(getattr(span, c) for _, spans in rows for span in spans)
        )
        text = [",".join([*COLUMNS, *optional]).encode() + b"\n"]
        for video, spans in rows:
            key = self._rows[video][0], optional
            if self._lines.get(video, ((), b""))[0] != key:
                lines = format_rows(((video, span) for span in spans), optional)
                self._lines[video] = key, lines
            text.append(self._lines[video][1])
        return b"".join(text)

    def _write_csv(self) -> None:
        """Write the CSV file anew; the labels are safe in the log by then."""
        try:
            found = self._csv.write(self._format_csv())
            if found:
                self._import_late(found)
        except OSError as error:
            self._note(
                f"{self.labels_path.name} cannot be written "
                f"({error.strerror or error}); the labels are safe in "
                f"{self.log_path.name}, and the next label tries again."
            )


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """Let a million objects be made that all stay, without looking at them again."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _build_fold_key(head: bytes) -> str:
    """Name what was folded by the lines of the log, and by the code that folds."""
    code = ("utils.labelling.state", "utils.labelling.actions", "utils.labelling.spans")
    return build_key(code=code, log=hashlib.sha256(head).hexdigest())


def _describe_change(action: Action) -> str:
    """Return one sentence about a film that was renamed or replaced."""
    video = action.video
    if action.how == "renamed":
        return f"{video} is the film that was called {action.old}: its labels follow."
    return (
        f"{video} is not the film that was labelled under this name: those "
        "labels were set aside and are not used. If it is the same film, encoded "
        f"anew, adopt_labels({video!r}) brings them back."
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
