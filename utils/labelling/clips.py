"""What is shown of one video: its frames and poses, cut into still poses and moves.

Segments are found by how fast the keypoints move. Lengths are told in body sizes, so
that near and far people, large and small pictures are treated alike; times are in
seconds, so that any sampling rate is.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pandas as pd

from utils.core.skeleton import FEATURE_COLUMNS, MIN_SCORE, stack_poses

# Slower than this is still: rendered people who hold a pose move 0.02 body sizes a
# second, people changing pose 0.1 and more, and MoveNet's jitter is below 0.1.
STILL_SPEED = 0.12
# A still pose lasts at least this long, and its frames lie within this many body sizes
# of its middle pose.
MIN_STILL_S = 0.5
STILL_REACH = 0.03

_MIN_KEYPOINTS = 6
# A last frame is shown at least this long where nothing tells.
_SHORT_S = 0.2


class Segment(NamedTuple):
    """A still pose or a move, as found from motion; positions, end excluded."""

    start: int
    end: int
    start_s: float
    end_s: float
    is_still: bool


def find_seen(poses: np.ndarray) -> np.ndarray:
    """Tell in which frames a person is seen: six keypoints or more that score 0.2.

    Args:
        poses: `(n_frames, 17, 3)`: x_px, y_px, score; NaN where missing.

    Returns:
        Bool `(n_frames,)`.
    """
    sure = (poses[..., 2] >= MIN_SCORE) & np.isfinite(poses[..., :2]).all(axis=-1)
    return sure.sum(axis=1) >= _MIN_KEYPOINTS


def measure_size(poses: np.ndarray) -> float:
    """Return the size of the body in pixels: the middle one of the poses' longer sides.

    Returns:
        NaN if nobody is seen.
    """
    xy = _keep_sure(poses[find_seen(poses)])
    if not len(xy):
        return np.nan
    sides = np.nanmax(xy, axis=1) - np.nanmin(xy, axis=1)
    return float(np.median(sides.max(axis=1)))


def _keep_sure(poses: np.ndarray) -> np.ndarray:
    """Return the coordinates, NaN where the score is low."""
    return np.where(poses[..., 2:] >= MIN_SCORE, poses[..., :2], np.nan)


def measure_distance(poses: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return how far apart poses are: the mean over keypoints sure in both, in pixels.

    Args:
        poses: `(n, 17, 3)`.
        others: `(n, 17, 3)`, or one pose `(17, 3)` to compare all with.

    Returns:
        `(n,)`; infinite where fewer than six keypoints are sure in both.
    """
    step = np.linalg.norm(_keep_sure(poses) - _keep_sure(others), axis=-1)
    n_sure = np.isfinite(step).sum(axis=1)
    mean = np.nansum(step, axis=1) / np.maximum(n_sure, 1)
    return np.where(n_sure >= _MIN_KEYPOINTS, mean, np.inf)


def measure_jitter(poses: np.ndarray) -> float:
    """Return how far the estimate alone moves a pose from frame to frame, in pixels.

    Told by how far frames lie from the middle of their two neighbours, which motion
    hardly changes; the factor makes it the distance of two frames, for equal noise.

    Returns:
        0 for fewer than three frames.
    """
    between = (poses[2:] + poses[:-2]) / 2
    between[..., 2] = np.minimum(poses[2:, :, 2], poses[:-2, :, 2])
    off = measure_distance(between, poses[1:-1])
    off = off[np.isfinite(off)]
    return float(np.median(off)) * np.sqrt(2 / 1.5) if len(off) else 0.0


def find_segments(
    poses: np.ndarray, times_s: np.ndarray, *, end_s: float
) -> list[Segment]:
    """Cut a video into still poses and the moves between them.

    A still pose is a run of slow frames; it then takes in the neighbours whose pose is
    as near to its middle pose as its own frames are. What is left are moves, cut where
    a person comes into view or leaves it.

    Args:
        poses: `(n_frames, 17, 3)`: x_px, y_px, score, in order of time.
        times_s: Time stamps `(n_frames,)`, rising.
        end_s: Where the last frame ends.

    Returns:
        Segments that cover the video without overlap, in order; empty without frames.
    """
    n_frames = len(times_s)
    if not n_frames:
        return []
    seen, bounds_s = find_seen(poses), np.append(times_s, end_s)
    stills = [
        (start, end)
        for start, end in _find_still_runs(poses, times_s)
        if bounds_s[end] - bounds_s[start] >= MIN_STILL_S
    ]
    stills = _widen(stills, poses)
    kind = np.where(seen, -1, -2)
    for number, (start, end) in enumerate(stills):
        kind[start:end] = number
    edges = [0, *np.flatnonzero(np.diff(kind)) + 1, n_frames]
    return [
        Segment(
            int(start), int(end), float(bounds_s[start]), float(bounds_s[end]), still
        )
        for start, end in pairwise(edges)
        for still in [bool(kind[start] >= 0)]
    ]


def _find_still_runs(poses: np.ndarray, times_s: np.ndarray) -> list[tuple[int, int]]:
    """Return runs of frames, end excluded, between which the pose moves slowly.

    The speed is taken over a quarter of a second or one step, whichever is longer, so
    that the estimate's jitter counts for little in closely sampled video.
    """
    n_frames, size_px = len(times_s), measure_size(poses)
    if not np.isfinite(size_px):
        return []
    step_s = float(np.median(np.diff(times_s))) if n_frames > 1 else 1.0
    reach = max(1, round(0.25 / max(step_s, 1e-3)))
    ahead = np.minimum(np.arange(n_frames) + reach, n_frames - 1)
    passed_s = np.maximum(times_s[ahead] - times_s, 1e-3)
    moved_px = _subtract(measure_distance(poses[ahead], poses), measure_jitter(poses))
    slow = (moved_px / size_px / passed_s)[: max(n_frames - reach, 1)] <= STILL_SPEED
    padded = np.concatenate([[False], slow, [False]])
    starts = np.flatnonzero(padded[1:] & ~padded[:-1])
    ends = np.flatnonzero(padded[:-1] & ~padded[1:])
    # A slow step from frame i to i + reach makes both ends, and all between, still.
    runs: list[tuple[int, int]] = []
    for start, end in zip(starts, ends + reach, strict=True):
        if runs and start < runs[-1][1]:
            start = runs[-1][1]
        if end > start:
            runs.append((int(start), int(min(end, n_frames))))
    return runs


def _subtract(distance_px: np.ndarray, jitter_px: float) -> np.ndarray:
    """Return distances without the part that jitter adds, which adds in squares."""
    return np.sqrt(np.maximum(np.square(distance_px) - jitter_px**2, 0))


def _widen(runs: list[tuple[int, int]], poses: np.ndarray) -> list[tuple[int, int]]:
    """Let runs take in the neighbours near their middle pose, up to the next run."""
    if not runs:
        return []
    reach_px = STILL_REACH * measure_size(poses)
    # A frame lies half as far, in squares, from a middle pose as from another frame.
    reach_px = float(np.hypot(reach_px, measure_jitter(poses) / np.sqrt(2)))
    widened: list[tuple[int, int]] = []
    limits = [*(run[0] for run in runs), len(poses)][1:]
    floor = 0
    for (start, end), limit in zip(runs, limits, strict=True):
        middle = _find_middle(poses[start:end])
        before = measure_distance(poses[floor:start], middle)[::-1] > reach_px
        after = measure_distance(poses[end:limit], middle) > reach_px
        start -= int(before.argmax()) if before.any() else len(before)
        end += int(after.argmax()) if after.any() else len(after)
        widened.append((start, end))
        floor = end
    return widened


def _find_middle(poses: np.ndarray) -> np.ndarray:
    """Return the middle value of each number of some poses, NaN where all are NaN."""
    if np.isfinite(poses).all():
        return np.median(poses, axis=0)  # many times as fast as `nanmedian`
    with warnings.catch_warnings():  # a keypoint that is never seen
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.nanmedian(poses, axis=0)


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

    @property
    def size_wh(self) -> tuple[int, int]:
        """Width and height of the pictures, pixels."""
        first = self.frames.iloc[0]
        return int(first["width_px"]), int(first["height_px"])

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
        """Return the positions of three frames in each of some spans, `(n, 3)`."""
        edges = np.searchsorted(self.times_s, np.array(spans) - 5e-4)
        first, last = edges[:, :1], np.maximum(edges[:, 1:] - 1, edges[:, :1])
        rows = np.rint(first + (last - first) * np.array([0.25, 0.5, 0.75]))
        return np.minimum(rows.astype(int), len(self.times_s) - 1)

    def find_position(self, time_s: float) -> int:
        """Return the frame shown at a time: the last one that has started."""
        at = int(np.searchsorted(self.times_s, time_s + 5e-4, side="right")) - 1
        return min(max(at, 0), len(self.frames) - 1)

    def find_runs(self, flags: np.ndarray) -> list[tuple[float, float]]:
        """Return the spans in seconds of the frames that are flagged."""
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
