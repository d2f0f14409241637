"""What one person sees of videos and labels; nothing here moves or changes them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from utils.labelling.clips import Clip, Footage, build_clips
from utils.labelling.csv_store import check_name
from utils.labelling.cursor import Playhead
from utils.labelling.journal import LabelLog
from utils.labelling.progress import advise_labels, summarise_labels
from utils.labelling.proposals import Proposal
from utils.labelling.segments import Segment
from utils.labelling.spans import Span
from utils.labelling.view import LabelView

STEP_SIZES = (1, 5, 25)
UNITS = ("frame", "segment")


class LabelDesk:
    """Videos, labels and the place of one person.

    Positions count the sampled frames of the current video from 0; a frame stands for
    the time from its own time stamp to the next frame's, the last one to the end.

    Attributes:
        labels_path: The CSV that people read; the log lies beside it.
        annotator: Name put on every label; "" for none.
        videos: Names of the videos that have frames, in order.
        unit: What a class key labels: `"frame"` (as many as `step_size`) or
            `"segment"`.
        step_size: Frames an arrow key moves: 1, 5 or 25.
        order: What "next" means: `"time"`, `"uncertain"` or `"rarest"`.
        message: The last thing worth telling the user, one sentence, or "".
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

        Nothing is written but to mend files, or to let labels follow renamed films.

        Args:
            labels_path: Labels CSV; it need not exist yet.
            footage: What is labelled.
            classes: Classes to offer, in the order of keys 1 to 9; those in the labels
                and those added before follow.
            annotator: Name put on labels; None carries on as the one person who
                signed the labels there, if there is just one.

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
        films = dict(zip(videos["video"], videos["sha256"], strict=True))
        names = [check_name(name) for name in classes]
        self._log = LabelLog(
            labels_path, films=films, classes=names, annotator=annotator or ""
        )
        self.labels_path = self._log.labels_path
        self.annotator = self._carry_on() if annotator is None else annotator
        self._log.annotator = self.annotator
        self._view = LabelView(self._log, self._clips, self.annotator)
        place_path = self.labels_path.with_suffix(".session.json")
        self._playhead = Playhead(self._clips, place_path, who=self.annotator)
        self.videos = list(self._clips)
        self.unit = "segment" if footage.keypoints is not None else "frame"
        self.step_size, self.order = STEP_SIZES[0], "time"
        self.message, self.n_keys = "", 0

    def _carry_on(self) -> str:
        """Return the name of the one person who signed labels, "" if there is not."""
        tracks = self._log.state.tracks.values()
        names = {
            who for track in tracks for who, spans in track.layers.items() if spans
        }
        return names.pop() if len(names) == 1 else ""

    # --- the current video -------------------------------------------------------

    @property
    def _clip(self) -> Clip:
        return self._playhead.clip

    @property
    def video(self) -> str:
        """Name of the current video."""
        return self._playhead.video

    @property
    def position(self) -> int:
        """Playhead: index into the current video's frames."""
        return self._playhead.position

    @property
    def n_frames(self) -> int:
        """Number of frames of the current video."""
        return len(self._clip.times_s)

    @property
    def times_s(self) -> np.ndarray:
        """Time stamps of the current video's frames, float64 `(n_frames,)`."""
        return self._clip.times_s

    @property
    def time_s(self) -> float:
        """Time stamp under the playhead."""
        return float(self._clip.times_s[self.position])

    @property
    def duration_s(self) -> float:
        """Where the current video's last frame ends."""
        return self._clip.duration_s

    @property
    def subject(self) -> str:
        """Who is in the current video."""
        return self._clip.subject

    @property
    def frame_idx(self) -> np.ndarray:
        """`frame_idx` of the current video's frames, int64 `(n_frames,)`."""
        return self._clip.frame_idx

    @property
    def image_paths(self) -> list[str]:
        """Paths of the current video's pictures, one a frame."""
        return self._clip.frames["path"].tolist()

    @property
    def size_wh(self) -> tuple[int, int]:
        """Width and height of the current video's pictures, pixels."""
        first = self._clip.frames.iloc[0]
        return int(first["width_px"]), int(first["height_px"])

    @property
    def poses(self) -> np.ndarray | None:
        """Keypoints `(n_frames, 17, 3)`: x_px, y_px, score; None without keypoints."""
        return self._clip.poses

    @property
    def has_person(self) -> np.ndarray:
        """Whether a person is seen, bool `(n_frames,)`; all True without keypoints."""
        return self._clip.has_person

    @property
    def segments(self) -> list[Segment]:
        """Still poses and moves of the current video; empty without keypoints."""
        return self._clip.segments

    @property
    def segment(self) -> Segment | None:
        """The segment under the playhead."""
        if not self._clip.segments:
            return None
        return self._clip.segments[self._clip.segment_idx[self.position]]

    # --- labels ------------------------------------------------------------------

    @property
    def notices(self) -> list[str]:
        """What was noticed on opening or since, one sentence each.

        An edited CSV file, a damaged log line, a renamed video, another film under a
        known name.
        """
        return self._log.notices

    @property
    def classes(self) -> list[str]:
        """Classes in the order of keys 1 to 9; not the two special answers."""
        return list(self._log.state.classes)

    @property
    def spans(self) -> list[Span]:
        """This person's labels (and unsigned ones) in the current video, in order."""
        return self._view.spans(self.video)

    @property
    def other_spans(self) -> list[Span]:
        """Other people's labels in the current video, which nothing here changes."""
        return self._view.other_spans(self.video)

    def label_at(self, position: int) -> str | None:
        """Return a frame's label (`UNSURE`, `NONE_OF_THESE` too), None if none."""
        time_s = round(float(self._clip.times_s[position]), 3)
        return self._view.label_at(self.video, time_s)

    def find_unlabelled(self) -> list[tuple[float, float]]:
        """Return the stretches without label of the current video, in seconds."""
        return self._view.gaps(self.video)

    @property
    def proposals(self) -> list[Proposal]:
        """What is proposed for the current video's open segments, in order of time.

        In a long video just for those round the playhead.
        """
        if not self.segments:
            return []
        near = int(self._clip.segment_idx[self.position])
        found = self._view.proposals(self.video, near=near)
        return [proposal for proposal in found if proposal.label is not None]

    @property
    def proposal(self) -> Proposal | None:
        """The class proposed for the segment in view; None if labelled or too early."""
        segment = self.segment
        found = [p for p in self.proposals if p.start_s == segment.start_s]
        return found[0] if found else None

    def summarise(self) -> pd.DataFrame:
        """Return seconds per class and person: `label`, `subject`, `seconds`.

        Of all annotators; where they differ, what most of them say.
        """
        rows = [(clip.video, clip.subject) for clip in self._clips.values()]
        videos = pd.DataFrame(rows, columns=["video", "subject"])
        return summarise_labels(self._view.list_all(), videos)

    def advise(self) -> list[str]:
        """Return what to label next so that the split works, one sentence each."""
        n_people = len({clip.subject for clip in self._clips.values()})
        return advise_labels(self.summarise(), classes=self.classes, n_people=n_people)
