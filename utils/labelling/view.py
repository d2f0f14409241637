"""One person's look at the labels: spans, seconds, what is open, what is proposed.

It shows their own labels and those nobody signed, their own on top. It only reads;
what it works out is kept until the labels change.
"""

from collections import Counter
from collections.abc import Mapping

import numpy as np
import pandas as pd

from utils.labelling.clips import Clip
from utils.labelling.journal import LabelLog
from utils.labelling.proposals import (
    MIN_STRETCHES,
    Proposal,
    References,
    build_references,
    propose_labels,
)
from utils.labelling.segments import Segment
from utils.labelling.spans import (
    UNSURE,
    Span,
    find_gaps,
    find_span,
    merge_layers,
    put_span,
)
from utils.labelling.tracks import Track

_BLOCK = 100


class LabelView:
    """What one person sees of the labels.

    Attributes:
        clips: The videos shown.
        annotator: Whose labels; "" for those nobody signed alone.
    """

    def __init__(
        self, log: LabelLog, clips: Mapping[str, Clip], annotator: str
    ) -> None:
        """Look at the labels of some videos as one person.

        Args:
            log: The labels.
            clips: The videos.
            annotator: Whose labels.
        """
        self.clips = clips
        self.annotator = annotator
        self._log = log
        self._kept: dict[tuple, tuple[object, object]] = {}

    def _track(self, video: str) -> Track:
        """Return a video's track; one that is not kept where there is none."""
        return self._log.state.tracks.get(video) or _NO_LABELS

    def _keep(self, key: tuple, mark: object, build: object) -> object:
        """Return what was built for a key, built anew if its mark has changed."""
        if key not in self._kept or self._kept[key][0] != mark:
            self._kept[key] = (mark, build())
        return self._kept[key][1]

    def _mark(self, video: str) -> tuple[int, int]:
        """Return what changes when a video's labels do."""
        track = self._track(video)
        return track.number, track.version

    def spans(self, video: str) -> list[Span]:
        """Return this person's labels and unsigned ones, in order, not overlapping."""
        return self._keep(
            ("spans", video), self._mark(video), lambda: self._merge(video)
        )

    def _merge(self, video: str) -> list[Span]:
        """Lay a person's own labels over those nobody signed."""
        layers = self._track(video).layers
        spans = list(layers.get("", []))
        if self.annotator:
            for span in layers.get(self.annotator, []):
                spans = put_span(spans, span)
        return spans

    def other_spans(self, video: str) -> list[Span]:
        """Return what other people labelled, in order; it may overlap."""
        layers = self._track(video).layers.items()
        return merge_layers(v for k, v in layers if k not in ("", self.annotator))

    def label_at(self, video: str, time_s: float) -> str | None:
        """Return the label at a moment, None if there is none."""
        span = find_span(self.spans(video), time_s)
        return span.label if span else None

    def gaps(self, video: str) -> list[tuple[float, float]]:
        """Return the stretches of a video without label."""
        clip = self.clips[video]
        start_s = float(clip.times_s[0])
        return find_gaps(self.spans(video), start_s, clip.duration_s)

    def seconds(self) -> dict[str, float]:
        """Return the labelled seconds of each label in all videos."""
        total: Counter[str] = Counter()
        for video in self.clips:
            total.update(
                self._keep(
                    ("seconds", video), self._mark(video), lambda v=video: self._sum(v)
                )
            )
        return {label: round(seconds, 3) for label, seconds in total.items()}

    def _sum(self, video: str) -> dict[str, float]:
        """Return the seconds of each label in one video."""
        total: dict[str, float] = {}
        for span in self.spans(video):
            total[span.label] = total.get(span.label, 0.0) + span.end_s - span.start_s
        return total

    def list_all(self) -> pd.DataFrame:
        """Return all labels of all people in the videos shown, as a table `labels`."""
        rows = [
            (video, *span)
            for video in self.clips
            for span in self._track(video).merge()
        ]
        columns = ["video", "start_s", "end_s", "label", "annotator", "labelled_at"]
        return pd.DataFrame(rows, columns=columns)

    # --- what is open, and proposed ----------------------------------------------

    def open_segments(self, video: str) -> list[Segment]:
        """Return the segments less than half of which is labelled."""
        segments = self.clips[video].segments
        return [segments[i] for i in self._find_open(video)]

    def _find_open(self, video: str) -> np.ndarray:
        """Return the numbers of the segments less than half of which is labelled."""
        return self._keep(
            ("open", video), self._mark(video), lambda: self._measure_open(video)
        )

    def _measure_open(self, video: str) -> np.ndarray:
        """Measure how much of each segment is labelled; return those mostly not."""
        times_s = np.array([s[2:4] for s in self.clips[video].segments]).reshape(-1, 2)
        spans = self.spans(video)
        edges_s = np.array([s[:2] for s in spans]).ravel()
        lengths_s = np.array([(0.0, s.end_s - s.start_s) for s in spans]).ravel()
        if not len(spans):
            return np.arange(len(times_s))
        labelled_s = np.interp(times_s, edges_s, np.cumsum(lengths_s))
        return np.flatnonzero(2 * np.diff(labelled_s)[:, 0] < np.diff(times_s)[:, 0])

    def count_missing(self) -> int:
        """Return how many stretches must yet be labelled before classes are proposed.

        At least 1 without features, or while there is one class only.
        """
        labels = [
            s.label for v in self.clips for s in self.spans(v) if s.label != UNSURE
        ]
        has_features = any(clip.features is not None for clip in self.clips.values())
        can_tell = has_features and len(set(labels)) > 1
        return max(MIN_STRETCHES - len(labels), 0 if can_tell else 1)

    def proposals(self, video: str, *, near: int | None = None) -> list[Proposal]:
        """Return a proposal for open segments with features, in order of time.

        Its label is None where the pose is unlike anything labelled, or between
        classes. Empty before enough is labelled.

        Args:
            video: Which video.
            near: Number of a segment: of a long video just those round it, up to some
                hundred, so that the answer never takes long. None takes all.
        """
        block = -1 if near is None else near // _BLOCK
        marks = block, tuple(self._mark(v) for v in self.clips)
        key = ("proposals", video, near is None)
        return self._keep(key, marks, lambda: self._propose(video, block))

    def _propose(self, video: str, block: int) -> list[Proposal]:
        """Work out the proposals of one video, of some blocks or, if -1, of all."""
        clip, numbers = self.clips[video], self._find_open(video)
        if block >= 0:
            low, high = (block - 1) * _BLOCK, (block + 2) * _BLOCK
            numbers = numbers[(numbers >= low) & (numbers < high)]
        if clip.x is None or not len(numbers) or self.count_missing():
            return []
        found = propose_labels(self._references(), clip.segment_x[numbers])
        return [
            Proposal(*clip.segments[number][2:4], *proposed)
            for number, proposed in zip(numbers, found, strict=True)
        ]

    def _references(self) -> References:
        """Return the labelled poses of all videos."""
        marks = tuple(self._mark(v) for v in self.clips)
        return self._keep(("references",), marks, self._gather)

    def _gather(self) -> References:
        """Gather some poses of each labelled stretch of each video."""
        x, labels, stretches, n_stretches = [np.zeros((0, 34))], [], [], 0
        for video, clip in self.clips.items():
            spans = [span for span in self.spans(video) if span.label != UNSURE]
            if clip.x is None or not spans:
                continue
            rows = clip.pick_rows([span[:2] for span in spans])
            x.append(clip.x[rows.ravel()])
            labels += [span.label for span in spans for _ in range(rows.shape[1])]
            numbers = np.arange(n_stretches, n_stretches + len(spans))
            stretches.append(np.repeat(numbers, rows.shape[1]))
            n_stretches += len(spans)
        return build_references(
            np.concatenate(x),
            np.array(labels, dtype=object),
            np.concatenate([np.zeros(0), *stretches]),
        )


_NO_LABELS = Track()
