"""The state of one person's labelling, across clicks and restarts, without widgets.

Every call that changes labels writes one line to the log first and changes what is
shown after; if the line cannot be written it raises `LabelNotSavedError` and nothing
has changed. Call it from one thread.
"""

import numpy as np
import pandas as pd

from utils.labelling.clips import Footage
from utils.labelling.csv_store import check_name
from utils.labelling.desk import STEP_SIZES, UNITS
from utils.labelling.journal import LabelNotSavedError
from utils.labelling.keys import KEYS
from utils.labelling.painting import LabelPainting
from utils.labelling.proposals import ORDERS, Proposal, group_poses
from utils.labelling.review import Doubt
from utils.labelling.segments import Segment
from utils.labelling.spans import (
    NONE_OF_THESE,
    SPECIAL_LABELS,
    UNSURE,
    Span,
    sum_overlap,
)

__all__ = [
    "KEYS",
    "NONE_OF_THESE",
    "ORDERS",
    "STEP_SIZES",
    "UNITS",
    "UNSURE",
    "Doubt",
    "Footage",
    "LabelNotSavedError",
    "LabelSession",
    "Proposal",
    "Segment",
    "Span",
]

# Look-alikes are sought in all videos up to this many frames, else in the current one.
_MAX_LOOK_ALIKES = 20_000


class LabelSession(LabelPainting):
    """One person labelling some videos into one labels file.

    See `LabelDesk` for what it shows and how it is opened, `LabelMoves` and
    `LabelPainting` for most of what it does.
    """

    def add_class(self, name: str) -> None:
        """Add a class at the end of the list.

        Raises:
            ValueError: If the name cannot be used or is taken.
            LabelNotSavedError: If it cannot be written.
        """
        name = self._check_new_class(name)
        self._write("add", label=name)

    def rename_class(self, old: str, new: str) -> None:
        """Rename a class; labels in all videos follow."""
        self._check_old_class(old)
        self._write("rename", old=old, label=self._check_new_class(new))

    def merge_class(self, old: str, into: str) -> None:
        """Give all labels of one class to another and drop it from the list."""
        self._check_old_class(old)
        if old == into:
            raise ValueError(f"{old!r} cannot be merged into itself. Choose another.")
        self._check_label(into)
        self._write("merge", old=old, label=into)

    def _check_new_class(self, name: str) -> str:
        """Return a name for a class, trimmed, if it is not taken."""
        name = check_name(name)
        if name in (*self.classes, *SPECIAL_LABELS):
            raise ValueError(f"{name!r} is there already. Choose another name.")
        return name

    def _check_old_class(self, name: str) -> None:
        """Raise `ValueError` if there is no such class."""
        if name not in self.classes:
            known = ", ".join(self.classes) or "none yet"
            raise ValueError(f"There is no class {name!r}; there are: {known}.")

    # --- proposals, look-alikes, second look -----------------------------------------

    def accept(self) -> bool:
        """Label the segment in view as proposed and go on; False without proposal."""
        proposal = self.proposal
        if proposal is None:
            self.message = "Nothing is proposed here."
            return False
        self._paint(proposal.label, [proposal[:2]])
        self.next_target()
        return True

    def find_look_alikes(self, *, n_groups: int = 12, seed: int = 0) -> pd.DataFrame:
        """Group frames by pose: of all videos, or of the current one if they are many.

        Returns:
            Table `group`, `video`, `frame_idx`, `time_s`, `path`, `label` (now, NaN if
            none), `distance` to the group's centre; most typical frames first.
        """
        clips = [clip for clip in self._clips.values() if clip.features is not None]
        if sum(len(clip.times_s) for clip in clips) > _MAX_LOOK_ALIKES:
            clips = [clip for clip in clips if clip.video == self.video]
        columns = ["video", "frame_idx", "time_s", "path"]
        if not clips:
            return pd.DataFrame(columns=["group", *columns, "label", "distance"])
        x = np.concatenate([clip.x for clip in clips])
        found = pd.concat([clip.frames[columns] for clip in clips], ignore_index=True)
        times_s = found["time_s"].round(3)
        labels = map(self._view.label_at, found["video"], times_s)
        found["label"] = [np.nan if label is None else label for label in labels]
        group, distance = group_poses(x, n_groups=n_groups, seed=seed)
        found = found.assign(group=group, distance=distance)
        found = found[np.isfinite(x).any(axis=1)]
        ordered = found.sort_values(["group", "distance"], ignore_index=True)
        return ordered[["group", *columns, "label", "distance"]]

    def count_change(self, frames: pd.DataFrame, label: str) -> float:
        """Return how many seconds would change if these frames took the label.

        Args:
            frames: Rows with `video` and `frame_idx`.
            label: The label.
        """
        return sum(
            end_s
            - start_s
            - sum_overlap(self._view.spans(v), start_s, end_s, label=label)
            for v, spans in self._join_frames(frames).items()
            for start_s, end_s in spans
        )

    def _join_frames(self, frames: pd.DataFrame) -> dict[str, list[tuple]]:
        """Return the time of some frames, by video, neighbours joined."""
        joined = {}
        for video, rows in frames.groupby("video", sort=False):
            clip = self._clips[video]
            runs = clip.find_runs(np.isin(clip.frame_idx, rows["frame_idx"]))
            joined[video] = [(round(s, 3), round(e, 3)) for s, e in runs]
        return joined

    def label_many(self, frames: pd.DataFrame, label: str) -> float:
        """Label many frames, over videos, in one action; return seconds changed."""
        self._check_label(label)
        seconds = self.count_change(frames, label)
        self._write("paint", label=label, spans=self._join_frames(frames))
        return seconds

    def go_to(self, doubt: Doubt) -> None:
        """Jump to a stretch that deserves a second look and mark it."""
        self.go_to_video(doubt.video)
        self.jump_to_time(doubt.start_s)
        self.mark = (self.position, self._clip.find_position(doubt.end_s - 1e-3))

    def fix(self, doubt: Doubt) -> None:
        """Give such a stretch the label that the models predict."""
        if doubt.video != self.video:
            self.go_to_video(doubt.video)
        self.label_span(doubt.predicted, doubt.start_s, doubt.end_s)
        self.clear_mark()

    # --- keys, other kernels ---------------------------------------------------------

    def press(self, key: str) -> bool:
        """Do what a key does and count it; False for keys that mean nothing here.

        Raises:
            ValueError: If it makes no sense now; one sentence.
            LabelNotSavedError: If a label cannot be written.
        """
        self.n_keys += 1
        if key not in KEYS or not KEYS[key].call:
            return False
        getattr(self, KEYS[key].call)(*KEYS[key].arguments)
        return True

    def change_step(self) -> None:
        """Go on to the next size of a step."""
        known = self.step_size in STEP_SIZES
        at = STEP_SIZES.index(self.step_size) if known else -1
        self.step_size = STEP_SIZES[(at + 1) % len(STEP_SIZES)]

    def change_unit(self) -> None:
        """Change between labelling segments and frames."""
        self.unit = UNITS[1 - UNITS.index(self.unit)]

    def adopt_labels(self, video: str) -> None:
        """Say that a changed file is the same film: its earlier labels count again."""
        self._log.adopt_labels(video)

    def refresh(self) -> bool:
        """Take in what other kernels or hand edits changed; True if anything did."""
        return self._log.refresh()

    def close(self) -> None:
        """End a stroke and keep the place; safe to call twice."""
        self.end_paint()
        self.jump_to(self.position)

    def describe(self) -> dict:
        """Return all a front end draws, as plain JSON values."""
        clip, state = self._clip, self._log.state
        seconds, proposal = self._view.seconds(), self.proposal
        return {
            "video": self.video,
            "videos": self.videos,
            "subject": self.subject,
            "annotator": self.annotator,
            "position": self.position,
            "n_frames": self.n_frames,
            "time_s": self.time_s,
            "duration_s": self.duration_s,
            "classes": self.classes,
            "unit": self.unit,
            "step_size": self.step_size,
            "order": self.order,
            "painting": self.painting,
            "mark": list(self.mark),
            "spans": [list(span[:3]) for span in self.spans],
            "other_spans": [list(span[:4]) for span in self.other_spans],
            "unlabelled": [list(gap) for gap in self.find_unlabelled()],
            "no_person": [list(run) for run in clip.find_runs(~clip.has_person)],
            "segments": [list(segment[2:]) for segment in clip.segments],
            "proposals": [list(found) for found in self.proposals],
            "proposal": None if proposal is None else proposal._asdict(),
            "n_until_proposals": self._view.count_missing(),
            "can_undo": state.next_undo(self.video, self.annotator) is not None,
            "can_redo": state.next_redo(self.video, self.annotator) is not None,
            "message": self.message,
            "notices": list(self.notices),
            "n_keys": self.n_keys,
            "seconds": {name: seconds.get(name, 0.0) for name in self.classes}
            | seconds,
            "labelled_s": round(sum(seconds.values()), 3),
            "total_s": round(sum(c.duration_s for c in self._clips.values()), 3),
        }
