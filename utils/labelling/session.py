"""One person's labelling, across clicks and restarts, without widgets.

The public methods of `Session` are the verbs that the front end sends, each with the
parts of its message as arguments (`describe`, what is drawn, apart). A verb that labels
returns when its line is in the log, on disk; if it cannot be written it raises
`LabelNotSavedError` and nothing has changed. Call it from one thread.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd

from utils.core.colours import CLASS_KEYS, ClassLook, colour_classes
from utils.core.files import show_path
from utils.labelling.actions import Action
from utils.labelling.clips import Clip, Footage, build_clips
from utils.labelling.csv_store import check_name
from utils.labelling.cursor import Playhead
from utils.labelling.journal import LabelLog
from utils.labelling.labels import advise_labels, summarise_labels
from utils.labelling.proposals import ORDERS, Proposer, group_poses, rank_proposals
from utils.labelling.review import Doubt
from utils.labelling.spans import (
    NONE_OF_THESE,
    SPECIAL_LABELS,
    UNSURE,
    Span,
    find_gaps,
    find_span,
    sum_overlap,
)
from utils.labelling.state import Track, find_unit

UNITS = ("frame", "segment")
_COLOUR = re.compile("#[0-9a-f]{6}")
NEXT_STEP = "run the cells below (menu Run: Run Selected Cell and All Below)"
# Look-alikes are sought in all videos up to this many frames, else in the current one.
_MAX_LOOK_ALIKES = 20_000
# A time in the log, of whole milliseconds, may lie this far from a frame's own.
_HALF_MS = 5e-4

# What the front end should do now: "text" to show, "position" to go to, …
Answer = dict[str, object]


class Session:
    """One person labelling some videos into one labels file.

    Positions count the sampled frames of a video from 0; a frame stands for the time
    from its own time stamp to the next frame's, the last one to the end.

    Attributes:
        labels_path: The CSV that people read; the log lies beside it.
        annotator: Name put on every label; "" for none.
        videos: Names of the videos that have frames, in order.
        unit: What "next" goes to: a `"frame"` without label, or an open `"segment"`.
        order: Which comes next: `"time"`, `"uncertain"` or `"rarest"`.
        doubts: Labels that deserve a second look and were not dealt with yet.
        doubt_idx: Which of them was gone to last, None if none.
        program: The one that labels are most likely exported for.
    """

    def __init__(
        self,
        labels_path: Path,
        footage: Footage,
        *,
        classes: Sequence[str] = (),
        annotator: str | None = None,
        program: str = "csv",
    ) -> None:
        """Open the labels file and its log and resume where this person stopped.

        Nothing is written but to mend files, or to let labels follow renamed films.

        Args:
            labels_path: Labels CSV; it need not exist yet.
            footage: What is labelled.
            classes: Classes to offer, in the order of keys 1 to 9; those in the labels
                and those added before follow.
            annotator: Name put on labels; None carries on as the one person who
                signed the labels there, if there is just one.
            program: The one that labels are most likely exported for.

        Raises:
            ValueError: If the labels file or its log cannot be understood, there is no
                video with frames, or a name cannot be written; one sentence.
        """
        self._clips = build_clips(footage)
        if not self._clips:
            raise ValueError(
                "Expected frames of at least one video, got none. Extract frames first."
            )
        if annotator:
            annotator = check_name(annotator, what="annotator")
        videos = footage.videos
        hashes = dict(zip(videos["video"], videos["sha256"], strict=True))
        names = [check_name(name) for name in classes]
        self._log = LabelLog(
            labels_path, hashes=hashes, classes=names, annotator=annotator or ""
        )
        self.labels_path = self._log.labels_path
        self.program, self._facts = program, videos
        self.annotator = self._carry_on() if annotator is None else annotator
        self._log.annotator = self.annotator
        self._proposer = Proposer(self._clips, self._track, self.annotator)
        place_path = self._log.log_path.with_suffix("").with_suffix(".session.json")
        self._playhead = Playhead(self._clips, place_path, who=self.annotator)
        self.videos = list(self._clips)
        self.unit = "segment" if footage.keypoints is not None else "frame"
        self.order = ORDERS[0]
        self.doubts: list[Doubt] = []
        self.doubt_idx: int | None = None
        self._stroke: Action | None = None  # the first line of what is being painted
        self._alikes: tuple[object, pd.DataFrame] = (None, pd.DataFrame())

    def _carry_on(self) -> str:
        """Return the name of the one person who signed labels, "" if there is not."""
        tracks = self._log.state.tracks.values()
        names = {
            who for track in tracks for who, spans in track.layers.items() if spans
        }
        return names.pop() if len(names) == 1 else ""

    # --- what is drawn ---------------------------------------------------------------

    @property
    def clip(self) -> Clip:
        """The current video: its frames, poses and segments."""
        return self._playhead.clip

    @property
    def video(self) -> str:
        """Name of the current video."""
        return self._playhead.video

    @property
    def position(self) -> int:
        """Playhead: index into the current video's frames."""
        return self._playhead.position

    def describe(self, *, is_partial: bool = False) -> dict:
        """Return what a front end draws besides pictures, as plain JSON values.

        Args:
            is_partial: Leave out what needs segments, which are sought meanwhile.

        Returns:
            Of the current video: `video`, `spans` (own and unsigned labels),
            `other_spans`, `segments`, `no_person`, `proposals`, `n_until_proposals`. Of
            all: `can_undo`, `can_redo`, `classes` in order, `looks` as
            `describe_classes`, `unit`, `order`, `seconds` by label, `notices` (one
            sentence each).
        """
        clip, state, track = self.clip, self._log.state, self._track(self.video)
        proposals = [] if is_partial else self._list_proposals()
        return {
            "is_partial": is_partial,
            "video": self.video,
            "unit": self.unit,
            "order": self.order,
            "classes": list(state.classes),
            "looks": self.describe_classes(),
            "spans": [list(span[:3]) for span in track.show(self.annotator)],
            "other_spans": [list(s[:3]) for s in track.show_others(self.annotator)],
            "segments": [] if is_partial else [list(s[2:]) for s in clip.segments],
            "no_person": [list(run) for run in clip.find_runs(~clip.has_person)],
            "proposals": [list(proposal) for proposal in proposals],
            "n_until_proposals": self._proposer.count_missing(),
            "can_undo": state.can("undo", self.annotator),
            "can_redo": state.can("redo", self.annotator),
            "seconds": self._sum_seconds(),
            "notices": list(self._log.notices),
        }

    def describe_classes(self) -> list[ClassLook]:
        """Return how each class and special answer looks, as `colour_classes`."""
        state = self._log.state
        return colour_classes(state.classes, (NONE_OF_THESE, UNSURE), looks=state.looks)

    def describe_film(self, video: str) -> tuple[Path, float]:
        """Return a video's file, and where players start it on its own clock."""
        row = self._facts.loc[self._facts["video"] == video].iloc[0]
        starts_at_s = row.get("starts_at_s", 0.0)
        return Path(row["path"]), 0.0 if pd.isna(starts_at_s) else float(starts_at_s)

    def summarise(self) -> tuple[pd.DataFrame, list[str]]:
        """Return seconds per class and person, and what to label next.

        Returns:
            Table `label`, `subject`, `seconds` of all annotators (where they differ,
            what most of them say); advice, one sentence each.
        """
        tracks = {video: self._track(video) for video in self._clips}
        rows = [(v, *span) for v, track in tracks.items() for span in track.merge()]
        columns = ["video", "start_s", "end_s", "label", "annotator", "labelled_at"]
        people = [(clip.video, clip.subject) for clip in self._clips.values()]
        summary = summarise_labels(
            pd.DataFrame(rows, columns=columns),
            pd.DataFrame(people, columns=["video", "subject"]),
        )
        n_people = len({subject for _, subject in people})
        classes = self._log.state.classes
        return summary, advise_labels(summary, classes=classes, n_people=n_people)

    def _track(self, video: str) -> Track:
        """Return a video's labels; empty ones that are not kept where there are none.

        The log's state may be read anew at any time, so it is asked each time.
        """
        return self._log.state.tracks.get(video) or _NO_LABELS

    def _spans(self, video: str) -> list[Span]:
        """Return this person's labels and unsigned ones in a video, in order."""
        return self._track(video).show(self.annotator)

    def _sum_seconds(self) -> dict[str, float]:
        """Return the labelled seconds of each label in all videos."""
        total: Counter[str] = Counter()
        for video in self._clips:
            total.update(self._track(video).sum_seconds(self.annotator))
        return {label: round(seconds, 3) for label, seconds in total.items()}

    def _list_proposals(self) -> list:
        """Return what is proposed for the current video's open segments.

        In a long video just for those round the playhead.
        """
        if not self.clip.segments:
            return []
        near = int(self.clip.segment_idx[self.position])
        found = self._proposer.propose(self.video, near=near)
        return [proposal for proposal in found if proposal.label is not None]

    # --- labelling -------------------------------------------------------------------
    # Each verb acts in the video, and from the place, in which the user gave it.

    @contextmanager
    def _at(self, video: str, position: int) -> Iterator[None]:
        """Go to where an action was given; come back from another video after it.

        What follows of a stroke that is refused is refused too.
        """
        now = self.video
        if video != now:
            self._open(video)
        self._playhead.move(position)
        try:
            yield
        except (OSError, ValueError):
            self._stroke = None
            raise
        finally:
            if video != now:
                self._open(now)

    def label(
        self,
        video: str,
        position: int,
        start_s: float,
        end_s: float,
        label: str | None,
    ) -> Answer:
        """Give a span of time a label; None removes the label it has.

        Raises:
            ValueError: If there is no such class or no such time.
            LabelNotSavedError: If it cannot be written.
        """
        with self._at(video, position):
            self._put(label, start_s, end_s)
        return {}

    def paint_begin(
        self, video: str, position: int, start_s: float, end_s: float, label: str
    ) -> Answer:
        """Begin a stroke; one that is under way ends first."""
        with self._at(video, position):
            self._stroke = self._put(label, start_s, end_s)
        return {}

    def paint_to(
        self, video: str, position: int, start_s: float, end_s: float, label: str
    ) -> Answer:
        """Prolong the stroke by what the playhead has passed since."""
        with self._at(video, position):
            if self._stroke is None or self._stroke.label != label:
                raise ValueError("The stroke had ended before this. Start it anew.")
            self._put(label, start_s, end_s, stroke=self._stroke.id)
        return {}

    def paint_end(self) -> Answer:
        """End the stroke; the whole of it is one step for undo."""
        self._stroke = None
        return {}

    def accept(
        self,
        video: str,
        position: int,
        start_s: float,
        end_s: float,
        label: str,
        goes_to: int | None,
    ) -> Answer:
        """Label a segment as it was proposed, and go on.

        Args:
            video: Where.
            position: Where the playhead was.
            start_s: Start of the segment.
            end_s: Its end.
            label: The class that the front end showed.
            goes_to: Where the front end has gone on already; None leaves it to
                `order`, perhaps in another video.
        """
        self.label(video, position, start_s, end_s, label)
        if video != self.video:
            return {}
        if goes_to is not None:
            self._playhead.move(goes_to)
            return {}
        self._go_on()
        return {"position": self.position}

    def label_many(
        self, video: str, position: int, frames: Sequence, label: str
    ) -> Answer:
        """Label many frames, `[video, frame_idx]` each, over videos, in one action."""
        with self._at(video, position):
            self._check_label(label)
            seconds = self.count(frames, label)["seconds"]
            self._write("paint", label=label, spans=self._join_frames(frames))
        return {"text": f"{seconds:.1f} s changed to {label}."}

    def undo(self) -> Answer:
        """Take back the last thing this person did, in whichever video; go there."""
        return self._turn("undo")

    def redo(self) -> Answer:
        """Do again what was taken back last, and go there."""
        return self._turn("redo")

    def fix(self) -> Answer:
        """Give the label gone to by `doubt` the class that the models predict."""
        if self.doubt_idx is None:
            return {"text": "Press J first, or choose in the list Second look."}
        doubt = self.doubts[self.doubt_idx]
        if doubt.video != self.video:
            self._open(doubt.video)
        self._put(doubt.predicted, doubt.start_s, doubt.end_s)
        del self.doubts[self.doubt_idx]
        self.doubt_idx = None
        return {"text": f"{doubt.label} became {doubt.predicted}."}

    def _put(
        self, label: str | None, start_s: float, end_s: float, stroke: str = ""
    ) -> Action:
        """Label, or erase, the part of a span that lies in the current video."""
        if label is not None:
            self._check_label(label)
        start_s, end_s = sorted((float(start_s), float(end_s)))
        duration_s = self.clip.duration_s
        clipped = max(start_s, 0.0), min(end_s, duration_s)
        if not clipped[1] - clipped[0] >= 1e-3:
            raise ValueError(
                f"{start_s:g} to {end_s:g} s is no time of {self.video}, which lasts "
                f"{duration_s:.3f} s. Choose a span inside it."
            )
        do = "erase" if label is None else "paint"
        spans = {self.video: [clipped]}
        return self._write(do, label=label or "", spans=spans, stroke=stroke)

    def _check_label(self, label: str) -> None:
        """Raise `ValueError` unless a label is a class or a special answer."""
        classes = self._log.state.classes
        if label not in (*classes, *SPECIAL_LABELS):
            known = ", ".join(classes) or "none yet"
            raise ValueError(f"{label!r} is not a class ({known}). Add it first.")

    def _write(self, do: str, **parts: object) -> Action:
        """Put an action on disk and make it hold. Any other than a stroke's ends it."""
        if not parts.get("stroke"):
            self._stroke = None
        spans: Mapping[str, Sequence[tuple]] = parts.pop("spans", {})
        action = Action(
            do,
            by=self.annotator,
            video=parts.pop("video", self.video),
            spans={
                v: tuple(Span(*s[:2], "") for s in part) for v, part in spans.items()
            },
            films=self._log.find_hashes(spans),
            **parts,
        )
        self._log.write(action)
        return action

    def _turn(self, do: str) -> Answer:
        """Undo or redo an action, if there is one, in its video."""
        self._stroke = None
        found = self._log.find_last(do, self.annotator)
        if found is None:
            return {"text": f"There is nothing to {do}."}
        video, action = found
        if video != self.video and video in self._clips:
            self._open(video)
        self._write(do, video=video, of=find_unit(action))
        starts = [span.start_s for span in action.spans.get(self.video, ())]
        if starts and action.do != "import":
            self._playhead.move(self.clip.find_position(min(starts)))
        said = {"undo": "Taken back", "redo": "Done again"}[do]
        return {
            "position": self.position,
            "text": f"{said}: {_describe(action, video)}.",
        }

    # --- moving ----------------------------------------------------------------------

    def ready(self) -> Answer:
        """Begin anew, as when a page is opened: no stroke, everybody's labels."""
        self._stroke = None
        return {"is_changed": self._log.refresh()}

    def open(self, video: str, move: int = 0) -> Answer:
        """Change to the video `move` places after one, where this person left it.

        Raises:
            ValueError: If it has no frames here.
        """
        self._check_video(video)
        at = self.videos.index(video) + move
        if not 0 <= at < len(self.videos):
            return {"text": f"This is the {'last' if move > 0 else 'first'} video."}
        if self.videos[at] != self.video:
            self._open(self.videos[at])
        return {}

    def place(self, video: str, position: int) -> Answer:
        """Note where the playhead rests, and take in what others labelled."""
        if video == self.video and self._stroke is None:
            self._playhead.move(position)
        return {"is_changed": self._log.refresh()}

    def next(self, video: str, position: int) -> Answer:
        """Go on from a place to what should be labelled next, by `order`."""
        answer = self.place(video, position)
        if not self._go_on():
            answer["text"] = self._describe_rest()
        return answer | {"position": self.position}

    def _describe_rest(self) -> str:
        """Say what is left once all still poses are labelled, and what comes next."""
        given = self._sum_seconds().keys() - {UNSURE}
        if len(given) == 1:
            return (
                f"All still poses are labelled, and all as {given.pop()}. Two postures "
                "are needed at least: name another class and label it, too."
            )
        moving_s = sum(
            segment.end_s - segment.start_s
            for video in self._clips
            for segment in self._proposer.open_segments(video)
        )
        left = f" {moving_s:.0f} s of moving between postures are not: that is fine."
        return (
            f"All still poses are labelled.{left * (moving_s >= 1)} Next: {NEXT_STEP}."
        )

    def set(self, unit: str | None = None, order: str | None = None) -> Answer:
        """Choose what "next" means."""
        if unit is not None:
            self.unit = unit
        if order is not None:
            self.order = order
        return {"is_changed": order is not None}

    def doubt(self, nth: int | None = None) -> Answer:
        """Go to a label that deserves a second look: the nth, or the one after."""
        if not self.doubts:
            return {"text": "No label is in doubt."}
        if nth is None:
            nth = 0 if self.doubt_idx is None else self.doubt_idx + 1
        nth %= len(self.doubts)
        doubt = self.doubts[nth]
        self.open(doubt.video)
        self._playhead.move(self.clip.find_position(doubt.start_s))
        self.doubt_idx = nth
        return {"position": self.position}

    def _open(self, video: str) -> None:
        """Change to a video, at the place where it was left; ends a stroke."""
        self._check_video(video)
        self._stroke = None
        self._playhead.open(video)

    def _check_video(self, video: str) -> None:
        """Raise `ValueError` if a video has no frames."""
        if video not in self._clips:
            raise ValueError(
                f"There are no frames of {video!r}: it was removed, or frames were not "
                "extracted. Its labels stay in the file."
            )

    def _go_on(self) -> bool:
        """Go to what should be labelled next by `order`; False if nothing is left.

        In units of segments that is a still pose; moves are left to the person. Other
        orders than that of time look for the most useful segment of this video first.
        """
        if self.unit == "frame" or not self.clip.segments:
            return self._go_to_first(self._find_gaps)
        proposals = (
            self._proposer.propose(self.video) if self.order != ORDERS[0] else []
        )
        stills = {
            s.start_s for s in self._proposer.open_segments(self.video) if s.is_still
        }
        proposals = [p for p in proposals if p.start_s in stills]
        if not proposals:
            return self._go_to_first(self._find_stills)
        ranked = rank_proposals(proposals, self.order, seconds=self._sum_seconds())
        start_s = proposals[ranked[0]].start_s
        self._playhead.move(self.clip.find_position(start_s))
        return True

    def _find_gaps(self, video: str) -> list[int]:
        """Return the first frame of each span of a video without label."""
        clip = self._clips[video]
        gaps = find_gaps(self._spans(video), float(clip.times_s[0]), clip.duration_s)
        starts_s = np.array([start_s for start_s, _ in gaps])
        starts = np.searchsorted(clip.times_s, starts_s - _HALF_MS)
        return starts[starts < len(clip.times_s)].tolist()

    def _find_stills(self, video: str) -> list[int]:
        """Return the first frame of each open still pose of a video."""
        return [s.start for s in self._proposer.open_segments(video) if s.is_still]

    def _go_to_first(self, find: Callable[[str], list[int]]) -> bool:
        """Go to the next place, from video to video, and round to this one's start."""
        at = self.videos.index(self.video)
        places = [p for p in find(self.video) if p > self.position]
        for video in (*self.videos[at + 1 :], *self.videos[: at + 1]):
            if places:
                break
            places = find(video)
            if places and video != self.video:
                self._open(video)
        if places:
            self._playhead.move(min(places))
        return bool(places)

    # --- look-alikes -----------------------------------------------------------------

    def grid(self, group: int) -> Answer:
        """Show a group of frames that look alike, counted from 0 over and over."""
        if (
            self._alikes[0] != self._log.state.n_actions
        ):  # each label changes what is shown
            self._alikes = self._log.state.n_actions, self._find_look_alikes()
        if self._alikes[1].empty:
            return {"text": "There are no keypoints, so no look-alikes."}
        return {"alikes": self._alikes[1], "group": group}

    def count(self, frames: Sequence, label: str) -> Answer:
        """Return how many seconds would change if some frames took a label."""
        seconds = sum(
            end_s - start_s - sum_overlap(self._spans(v), start_s, end_s, label=label)
            for v, spans in self._join_frames(frames).items()
            for start_s, end_s in spans
        )
        return {"seconds": seconds}

    def _find_look_alikes(self) -> pd.DataFrame:
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
        spans = map(
            find_span, map(self._spans, found["video"]), found["time_s"].round(3)
        )
        found["label"] = [np.nan if span is None else span.label for span in spans]
        group, distance = group_poses(x, n_groups=12)
        found = found.assign(group=group, distance=distance)
        found = found[np.isfinite(x).any(axis=1)]
        ordered = found.sort_values(["group", "distance"], ignore_index=True)
        return ordered[["group", *columns, "label", "distance"]]

    def _join_frames(self, frames: Sequence) -> dict[str, list[tuple]]:
        """Return the time of some frames, by video, neighbours joined."""
        joined = {}
        table = pd.DataFrame(frames, columns=["video", "frame_idx"])
        for video, rows in table.groupby("video", sort=False):
            clip = self._clips[video]
            runs = clip.find_runs(np.isin(clip.frame_idx, rows["frame_idx"]))
            joined[video] = [(round(s, 3), round(e, 3)) for s, e in runs]
        return joined

    # --- other programs --------------------------------------------------------------

    def export(self, program: str) -> Answer:
        """Write the labels for another program, into a folder beside the labels file.

        Args:
            program: One of `formats.convert.PROGRAMS`.

        Raises:
            ValueError: If the program is not known.
            OSError: If a file cannot be written.
        """
        from utils.labelling.formats.convert import export_labels

        folder = self.labels_path.with_name(f"{self.labels_path.stem}_exported")
        if not self.labels_path.exists():
            return {"text": "Nothing is labelled yet, so there is nothing to export."}
        folder.mkdir(exist_ok=True)
        files = export_labels(
            self.labels_path, self._facts, folder, program=program, overwrite=True
        )
        names = ", ".join(path.name for path in files[:3])
        more = f" and {len(files) - 3} more" if len(files) > 3 else ""
        return {"text": f"Written into {show_path(folder)}: {names}{more}."}

    # --- classes, films --------------------------------------------------------------

    def add_class(self, name: str) -> Answer:
        """Add a class at the end of the list.

        Raises:
            ValueError: If the name cannot be used or is taken.
            LabelNotSavedError: If it cannot be written.
        """
        name = self._check_new_class(name)
        self._write("add", label=name)
        text = f"{name} is a class. Esc leaves the field, then its key labels."
        return {"text": text, "is_changed": True}

    def rename_class(self, old: str, new: str) -> Answer:
        """Rename a class; labels in all videos follow."""
        self._check_old_class(old)
        new = self._check_new_class(new)
        self._write("rename", old=old, label=new)
        return {"text": f"{old} is called {new}.", "is_changed": True}

    def merge_class(self, old: str, into: str) -> Answer:
        """Give all labels of one class to another and drop it from the list."""
        self._check_old_class(old)
        if old == into:
            raise ValueError(f"{old!r} cannot be merged into itself. Choose another.")
        self._check_label(into)
        self._write("merge", old=old, label=into)
        return {"text": f"{old} is part of {into}.", "is_changed": True}

    def delete_class(self, name: str) -> Answer:
        """Drop a class from the list, and all its labels in all videos."""
        self._check_old_class(name)
        seconds = self._sum_seconds().get(name, 0.0)
        self._write("delete", old=name)
        text = f"{name} and {seconds:.1f} s of it are deleted; undo brings them back."
        return {"text": text, "is_changed": True}

    def move_class(self, name: str, to: int) -> Answer:
        """Give a class another place in the list, from 0: its key changes with it."""
        self._check_old_class(name)
        rest = [each for each in self._log.state.classes if each != name]
        at = min(max(to, 0), len(rest))
        self._write("move", label=name, old=[*rest, ""][at])
        return {"text": f"{name} is number {at + 1}.", "is_changed": True}

    def look_class(self, name: str, how: str, value: str) -> Answer:
        """Give a class a colour or a key of its own; who had that key gets another.

        Args:
            name: The class.
            how: `"colour"` or `"key"`.
            value: The colour as `#rrggbb`, or one of `CLASS_KEYS`.

        Raises:
            ValueError: If there is no such class, colour or key.
        """
        self._check_old_class(name)
        is_colour = how == "colour" and _COLOUR.fullmatch(value)
        if not is_colour and not (how == "key" and value in [*CLASS_KEYS]):
            raise ValueError(
                f"Expected a colour as #rrggbb or a key among {CLASS_KEYS}, got "
                f"{how} {value!r}."
            )
        self._write("look", label=name, how=how, old=value)
        return {"text": f"{name} has the {how} {value}.", "is_changed": True}

    def adopt_labels(self, video: str) -> Answer:
        """Say that a changed file is the same film: its earlier labels count again."""
        self._log.adopt_labels(video)
        return {"is_changed": True}

    def _check_new_class(self, name: str) -> str:
        """Return a name for a class, trimmed, if it is not taken."""
        name = check_name(name)
        if name in (*self._log.state.classes, *SPECIAL_LABELS):
            raise ValueError(f"{name!r} is there already. Choose another name.")
        return name

    def _check_old_class(self, name: str) -> None:
        """Raise `ValueError` if there is no such class."""
        classes = self._log.state.classes
        if name not in classes:
            known = ", ".join(classes) or "none yet"
            raise ValueError(f"There is no class {name!r}; there are: {known}.")


def _describe(action: Action, video: str) -> str:
    """Return what an action did, for a sentence about it."""
    if action.do in ("paint", "erase"):
        what = action.label or "what was erased"
        videos = list(action.spans)
        if len(videos) != 1:
            return f"{what} in {len(videos)} videos"
        spans = action.spans[videos[0]]
        start_s, end_s = min(s.start_s for s in spans), max(s.end_s for s in spans)
        return f"{what}, {start_s:.1f} to {end_s:.1f} s in {videos[0]}"
    if action.do == "import":  # of another program's file, or of ours edited elsewhere
        return "imported labels" if action.old else "edited file"
    if action.do == "look":
        return f"{action.how} of {action.label}"
    words = {"add": "new class", "delete": "deleted class"}
    what = words.get(action.do, f"{action.do} of class")
    return f"{what} {action.old or action.label}".strip()


_NO_LABELS = Track()
