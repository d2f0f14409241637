"""The state of one person's labelling, across clicks and restarts, without widgets.

Every call that changes labels writes one line to the log first and changes what is
shown after; if the line cannot be written it raises `LabelNotSavedError` and nothing
has changed. Positions count the sampled frames of the current video from 0; a frame
stands for the time from its own time stamp to the next frame's, the last one to the
video's end.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

UNSURE = "unsure"
NONE_OF_THESE = "none of these"
STEP_SIZES = (1, 5, 25)
UNITS = ("frame", "segment")
ORDERS = ("time", "uncertain", "rarest")


class LabelNotSavedError(OSError):
    """A label could not be put on disk, so it was refused and nothing has changed."""


@dataclass(frozen=True)
class Footage:
    """What is labelled.

    Attributes:
        videos: Table `videos`.
        frames: Table `frames`.
        keypoints: Table `keypoints`; without it no skeleton and no segments.
        features: Table `features`, normalised; without it no proposals of a class.
    """

    videos: pd.DataFrame
    frames: pd.DataFrame
    keypoints: pd.DataFrame | None = None
    features: pd.DataFrame | None = None


class Span(NamedTuple):
    """A stretch of time with one label: `start_s` <= t < `end_s`."""

    start_s: float
    end_s: float
    label: str
    annotator: str = ""
    labelled_at: str = ""


class Segment(NamedTuple):
    """A still pose or a move, as found from motion; positions, end excluded."""

    start: int
    end: int
    start_s: float
    end_s: float
    is_still: bool


class Proposal(NamedTuple):
    """A class proposed for a stretch; `label` is None where nothing is near."""

    label: str | None
    confidence: float
    start_s: float
    end_s: float


class Doubt(NamedTuple):
    """A stretch whose label all models contradict, for a second look."""

    video: str
    start_s: float
    end_s: float
    label: str
    predicted: str
    probability: float


class LabelSession:
    """One person labelling some videos into one labels file.

    Attributes:
        labels_path: The CSV that people read; the log lies beside it.
        annotator: Name put on every label; "" for none.
        videos: Names of the videos that have frames, in order.
        video: The current one.
        position: Playhead: index into the current video's frames.
        unit: What a class key labels: `"frame"` (as many as `step_size`) or
            `"segment"`.
        step_size: Frames an arrow key moves: 1, 5 or 25.
        order: What "next" means: `"time"`, `"uncertain"` or `"rarest"`.
        painting: The label that moving paints, or None.
        mark: `(start, end)` positions marked, end included; either may be None.
        message: The last thing worth telling the user, one sentence, or "".
        notices: What was noticed on opening or since (edited CSV, damaged log line,
            renamed video, another film under a known name), one sentence each.
        n_keys: Keys pressed so far.
    """

    def __init__(
        self,
        labels_path: Path,
        footage: Footage,
        *,
        classes: Sequence[str] = (),
        annotator: str | None = None,
    ) -> None:
        """Open the labels file and its log and resume where this person stopped.

        Args:
            labels_path: Labels CSV; it need not exist yet. Opening writes nothing.
            footage: What is labelled.
            classes: Classes to offer, in the order of keys 1 to 9; those in the labels
                and those added before follow.
            annotator: Name put on labels; None carries on as the one person who
                signed the labels there, if there is just one.

        Raises:
            ValueError: If the labels file or its log cannot be understood, or there
                is no video with frames; one sentence.
        """
        raise NotImplementedError

    # --- what is in view -------------------------------------------------------

    @property
    def n_frames(self) -> int:
        """Number of frames of the current video."""
        raise NotImplementedError

    @property
    def times_s(self) -> np.ndarray:
        """Time stamps of the current video's frames, float64 `(n_frames,)`."""
        raise NotImplementedError

    @property
    def time_s(self) -> float:
        """Time stamp under the playhead."""
        raise NotImplementedError

    @property
    def duration_s(self) -> float:
        """Where the current video's last frame ends."""
        raise NotImplementedError

    @property
    def subject(self) -> str:
        """Who is in the current video."""
        raise NotImplementedError

    @property
    def frame_idx(self) -> np.ndarray:
        """`frame_idx` of the current video's frames, int64 `(n_frames,)`."""
        raise NotImplementedError

    @property
    def image_paths(self) -> list[str]:
        """Paths of the current video's pictures, one a frame."""
        raise NotImplementedError

    @property
    def poses(self) -> np.ndarray | None:
        """Keypoints `(n_frames, 17, 3)`: x_px, y_px, score; None without keypoints."""
        raise NotImplementedError

    @property
    def has_person(self) -> np.ndarray:
        """Whether a person is seen, bool `(n_frames,)`; all True without keypoints."""
        raise NotImplementedError

    @property
    def segments(self) -> list[Segment]:
        """Still poses and moves of the current video; empty without keypoints."""
        raise NotImplementedError

    @property
    def segment(self) -> Segment | None:
        """The segment under the playhead."""
        raise NotImplementedError

    @property
    def spans(self) -> list[Span]:
        """This person's labels (and unsigned ones) in the current video, in order."""
        raise NotImplementedError

    @property
    def other_spans(self) -> list[Span]:
        """Other people's labels in the current video, which nothing here changes."""
        raise NotImplementedError

    @property
    def classes(self) -> list[str]:
        """Classes in the order of keys 1 to 9; not the two special answers."""
        raise NotImplementedError

    def label_at(self, position: int) -> str | None:
        """Return a frame's label (`UNSURE`, `NONE_OF_THESE` too), None if none."""
        raise NotImplementedError

    def find_unlabelled(self) -> list[tuple[float, float]]:
        """Return the stretches without label of the current video, in seconds."""
        raise NotImplementedError

    def describe(self) -> dict:
        """Return all a front end draws, as plain JSON values (see SESSION_API)."""
        raise NotImplementedError

    # --- moving ----------------------------------------------------------------

    def step(self, n_frames: int) -> None:
        """Move by some frames; paints what is passed while painting."""
        raise NotImplementedError

    def move_to(self, position: int) -> None:
        """Move as play does: what lies between is painted while painting."""
        raise NotImplementedError

    def jump_to(self, position: int) -> None:
        """Put the playhead somewhere; never paints; clamped to the video."""
        raise NotImplementedError

    def jump_to_time(self, time_s: float) -> None:
        """Put the playhead on the frame shown at a time."""
        raise NotImplementedError

    def go_to_video(self, video: str) -> None:
        """Change to a video, at the place where this person left it."""
        raise NotImplementedError

    def next_video(self) -> None:
        """Change to the next video; stays on the last."""
        raise NotImplementedError

    def previous_video(self) -> None:
        """Change to the previous video; stays on the first."""
        raise NotImplementedError

    def next_unlabelled(self) -> bool:
        """Jump to the next stretch without label, over videos too; False if none."""
        raise NotImplementedError

    def next_change(self) -> bool:
        """Jump to the next place where label or segment changes; False if none."""
        raise NotImplementedError

    def previous_change(self) -> bool:
        """Jump to the previous place where label or segment changes."""
        raise NotImplementedError

    def next_target(self) -> bool:
        """Jump to what should be labelled next by `order`; False if nothing is left."""
        raise NotImplementedError

    # --- labelling -------------------------------------------------------------

    def label(self, label: str) -> None:
        """Label what is meant (mark, else segment or frames) and go on to the next."""
        raise NotImplementedError

    def label_span(self, label: str, start_s: float, end_s: float) -> None:
        """Label a stretch of time of the current video, as dragging does."""
        raise NotImplementedError

    def erase(self) -> None:
        """Remove the label of what is meant: mark, else the label under the playhead.

        In units of frames: of the frames only.
        """
        raise NotImplementedError

    def erase_span(self, start_s: float, end_s: float) -> None:
        """Remove labels from a stretch of time of the current video."""
        raise NotImplementedError

    def begin_paint(self, label: str) -> None:
        """Start to paint: the frame under the playhead, then all that moving passes."""
        raise NotImplementedError

    def end_paint(self) -> None:
        """Stop painting; the whole stroke is one step for undo."""
        raise NotImplementedError

    def mark_start(self) -> None:
        """Mark the frame under the playhead as first of a stretch."""
        raise NotImplementedError

    def mark_end(self) -> None:
        """Mark the frame under the playhead as last of a stretch."""
        raise NotImplementedError

    def clear_mark(self) -> None:
        """Forget the mark."""
        raise NotImplementedError

    def undo(self) -> bool:
        """Take back this person's last action in this video; False if none."""
        raise NotImplementedError

    def redo(self) -> bool:
        """Do again what was taken back last in this video; False if none."""
        raise NotImplementedError

    # --- classes ---------------------------------------------------------------

    def add_class(self, name: str) -> None:
        """Add a class at the end of the list."""
        raise NotImplementedError

    def rename_class(self, old: str, new: str) -> None:
        """Rename a class; labels in all videos follow."""
        raise NotImplementedError

    def merge_class(self, old: str, into: str) -> None:
        """Give all labels of one class to another and drop it from the list."""
        raise NotImplementedError

    # --- proposals -------------------------------------------------------------

    @property
    def proposal(self) -> Proposal | None:
        """The class proposed for the segment in view; None if labelled or too early."""
        raise NotImplementedError

    def accept(self) -> bool:
        """Label the segment in view as proposed and go on; False without proposal."""
        raise NotImplementedError

    def find_look_alikes(self, *, n_groups: int = 12, seed: int = 0) -> pd.DataFrame:
        """Group the frames of all videos by pose.

        Returns:
            Table `group`, `video`, `frame_idx`, `time_s`, `path`, `label` (now, NaN if
            none), `distance` to the group's centre; most typical frames first.
        """
        raise NotImplementedError

    def count_change(self, frames: pd.DataFrame, label: str) -> float:
        """Return how many seconds would change if these frames took the label.

        Args:
            frames: Rows with `video` and `frame_idx`.
            label: The label.
        """
        raise NotImplementedError

    def label_many(self, frames: pd.DataFrame, label: str) -> float:
        """Label many frames, over videos, in one action; return seconds changed."""
        raise NotImplementedError

    # --- progress and second look ----------------------------------------------

    def summarise(self) -> pd.DataFrame:
        """Return seconds per class and person: `label`, `subject`, `seconds`."""
        raise NotImplementedError

    def advise(self) -> list[str]:
        """Return what to label next so that the split works, one sentence each."""
        raise NotImplementedError

    def go_to(self, doubt: Doubt) -> None:
        """Jump to a stretch that deserves a second look and mark it."""
        raise NotImplementedError

    def fix(self, doubt: Doubt) -> None:
        """Give such a stretch the label that the models predict."""
        raise NotImplementedError

    # --- keys ------------------------------------------------------------------

    def press(self, key: str) -> bool:
        """Do what a key does and count it; False for keys that mean nothing here."""
        raise NotImplementedError

    def adopt_labels(self, video: str) -> None:
        """Say that a changed file is the same film: its earlier labels count again."""
        raise NotImplementedError

    def refresh(self) -> bool:
        """Take in what other kernels or hand edits changed; True if anything did."""
        raise NotImplementedError

    def close(self) -> None:
        """End a stroke, save the place, close the log; safe to call twice."""
        raise NotImplementedError
