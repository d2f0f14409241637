"""What a labelling session shows of one video: its frames, poses and segments."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from utils.core.skeleton import FEATURE_COLUMNS, stack_poses
from utils.labelling.segments import Segment, find_seen, find_segments

_SHORT_S = 0.2


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


@dataclass
class Clip:
    """One video's frames in order of time, and what is known of them.

    Attributes:
        video: Its name.
        subject: Who is in it.
        frames: Its rows of the table `frames`, by time.
        duration_s: Where its last frame ends.
        keypoints: Its rows of the table `keypoints`, or None.
        features: Its rows of the table `features`, or None.
    """

    video: str
    subject: str
    frames: pd.DataFrame
    duration_s: float
    keypoints: pd.DataFrame | None = field(default=None, repr=False)
    features: pd.DataFrame | None = field(default=None, repr=False)

    @cached_property
    def times_s(self) -> np.ndarray:
        """Time stamps, float64 `(n_frames,)`."""
        return self.frames["time_s"].to_numpy(dtype=float)

    @cached_property
    def bounds_s(self) -> np.ndarray:
        """Where frames start, and where the last one ends, `(n_frames + 1,)`."""
        return np.append(self.times_s, self.duration_s)

    @cached_property
    def frame_idx(self) -> np.ndarray:
        """Frame numbers in the file, int64 `(n_frames,)`."""
        return self.frames["frame_idx"].to_numpy(dtype=np.int64)

    @cached_property
    def poses(self) -> np.ndarray | None:
        """Keypoints `(n_frames, 17, 3)`: x_px, y_px, score; None without them."""
        if self.keypoints is None:
            return None
        return stack_poses(self.keypoints, self.frames)

    @cached_property
    def x(self) -> np.ndarray | None:
        """Features `(n_frames, 34)`; NaN where missing; None without features."""
        if self.features is None:
            return None
        table = self.features.set_index("frame_idx").reindex(self.frame_idx)
        return table[list(FEATURE_COLUMNS)].to_numpy(dtype=float)

    @cached_property
    def has_person(self) -> np.ndarray:
        """Whether a person is seen, bool `(n_frames,)`; all True without keypoints."""
        if self.poses is None:
            return np.ones(len(self.frames), dtype=bool)
        return find_seen(self.poses)

    @cached_property
    def segments(self) -> list[Segment]:
        """Still poses and moves; empty without keypoints."""
        if self.poses is None:
            return []
        return find_segments(self.poses, self.times_s, end_s=self.duration_s)

    @cached_property
    def segment_idx(self) -> np.ndarray:
        """Number of the segment that each frame is in, int `(n_frames,)`."""
        lengths = [segment.end - segment.start for segment in self.segments]
        return np.repeat(np.arange(len(lengths)), lengths)

    @cached_property
    def segment_x(self) -> np.ndarray:
        """Features that stand for each segment, `(n_segments, 34)`.

        Of a still pose the middle value of each coordinate, of a move its middle frame.
        """
        if self.x is None or not self.segments:
            return np.zeros((0, len(FEATURE_COLUMNS)))
        rows = []
        for segment in self.segments:
            x = self.x[segment.start : segment.end]
            middle = x[len(x) // 2]
            if segment.is_still and np.isfinite(x).all():
                middle = np.median(x, axis=0)
            rows.append(middle)
        return np.array(rows)

    def pick_rows(self, spans: Sequence[tuple[float, float]]) -> np.ndarray:
        """Return the positions of three frames in each of some stretches, `(n, 3)`."""
        edges = np.searchsorted(self.times_s, np.array(spans) - 5e-4)
        first, last = edges[:, :1], np.maximum(edges[:, 1:] - 1, edges[:, :1])
        rows = np.rint(first + (last - first) * np.array([0.25, 0.5, 0.75]))
        return np.minimum(rows.astype(int), len(self.times_s) - 1)

    def find_position(self, time_s: float) -> int:
        """Return the frame shown at a time: the last one that has started."""
        at = int(np.searchsorted(self.times_s, time_s + 5e-4, side="right")) - 1
        return min(max(at, 0), len(self.frames) - 1)

    def find_runs(self, flags: np.ndarray) -> list[tuple[float, float]]:
        """Return the stretches in seconds of the frames that are flagged."""
        padded = np.concatenate([[False], flags, [False]]).astype(int)
        starts, ends = (
            np.flatnonzero(np.diff(padded) > 0),
            np.flatnonzero(np.diff(padded) < 0),
        )
        return [
            (float(self.bounds_s[a]), float(self.bounds_s[b]))
            for a, b in zip(starts, ends, strict=True)
        ]


def build_clips(footage: Footage) -> dict[str, Clip]:
    """Return a clip for each video that has frames, in order of the videos table.

    The last frame ends with the video; where the file says that it is over by then,
    one sampling step later, at most 0.2 s.
    """
    parts = {
        name: _split(getattr(footage, name))
        for name in ("frames", "keypoints", "features")
    }
    clips = {}
    for video in footage.videos.itertuples():
        frames = parts["frames"].get(video.video)
        if frames is None:
            continue
        if not frames["time_s"].is_monotonic_increasing:
            frames = frames.sort_values("time_s")
        clips[video.video] = Clip(
            video.video,
            str(video.subject),
            frames,
            _find_end(frames["time_s"].to_numpy(dtype=float), video.duration_s),
            parts["keypoints"].get(video.video),
            parts["features"].get(video.video),
        )
    return clips


def _find_end(times_s: np.ndarray, duration_s: float) -> float:
    """Return where the last frame ends: with the video, if that is after it."""
    if duration_s > times_s[-1] + 1e-3:
        return float(duration_s)
    step_s = float(np.median(np.diff(times_s))) if len(times_s) > 1 else _SHORT_S
    return float(times_s[-1]) + min(max(step_s, 0.01), _SHORT_S)


def _split(table: pd.DataFrame | None) -> dict[str, pd.DataFrame]:
    """Return the rows of each video."""
    if table is None:
        return {}
    if len(table) and (table["video"] == table["video"].iloc[0]).all():
        return {table["video"].iloc[0]: table}
    return dict(iter(table.groupby("video", sort=False)))
