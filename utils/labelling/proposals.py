"""Propose a class for what is not labelled yet, from poses like those labelled.

Everything here is arithmetic on the 34 numbers of normalised poses; lengths are box
sides (root mean square over keypoints). A coordinate that is NaN in either of two
poses is left out of their distance.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from utils.core.skeleton import MIRROR_IDX
from utils.labelling.clips import Clip, Segment
from utils.labelling.spans import UNSURE, Span
from utils.labelling.state import Track

# Before this many spans are labelled nothing is proposed: too few poses to know.
MIN_SPANS = 10
ORDERS = ("time", "uncertain", "rarest")

_N_NEIGHBOURS = 5
_N_REFERENCES = 600
_N_MEASURED = 200
# A pose may also be like the mirror image of a labelled one (the same posture facing
# the other way), but not as much: where left and right are classes, the real one wins.
_MIRRORED_FACTOR = 1.25
# Below this share of the votes nothing is proposed.
MIN_CONFIDENCE = 0.7
# How far from every labelled pose a pose may lie and still be like one of them: twice
# what poses of one class usually lie apart, in different spans, but at least this.
_MIN_LIMIT = 0.1
_MAX_LIMIT = 0.2
_LIMIT_FACTOR = 2.0
# Of a long video, proposals are worked out for this many segments at a time.
_N_NEAR = 100


class Proposal(NamedTuple):
    """A class proposed for a span of time.

    Attributes:
        start_s: Where it starts.
        end_s: Where it ends.
        label: The class; None if the pose is far from everything labelled, or between
            classes.
        confidence: 0 to 1: the share of the nearest labelled poses that agree.
    """

    start_s: float
    end_s: float
    label: str | None
    confidence: float


class Proposer:
    """What is open to one person in some videos, and what is proposed there.

    It only reads; what it works out is kept until the labels change.
    """

    def __init__(
        self, clips: Mapping[str, Clip], find_track: Callable[[str], Track], by: str
    ) -> None:
        """Start with nothing worked out.

        Args:
            clips: The videos, by name.
            find_track: Gives the labels of a video as they are now.
            by: Whose labels are looked at, besides those nobody signed.
        """
        self._clips, self._find_track, self._by = clips, find_track, by
        self._kept: dict[tuple, tuple[object, object]] = {}

    def _spans(self, video: str) -> list[Span]:
        """Return what this person sees of a video's labels."""
        return self._find_track(video).show(self._by)

    def _mark(self, *videos: str) -> tuple:
        """Return what changes when the labels of some videos do."""
        return tuple((t.number, t.version) for t in map(self._find_track, videos))

    def _keep(self, key: tuple, mark: object, build: Callable[[], object]) -> object:
        """Return what was built for a key, built anew if its mark has changed."""
        if key not in self._kept or self._kept[key][0] != mark:
            self._kept[key] = (mark, build())
        return self._kept[key][1]

    def open_segments(self, video: str) -> list[Segment]:
        """Return the segments less than half of which is labelled."""
        segments = self._clips[video].segments
        return [segments[i] for i in self._find_open(video)]

    def _find_open(self, video: str) -> np.ndarray:
        """Return the numbers of the segments less than half of which is labelled."""

        def measure() -> np.ndarray:
            segments, spans = self._clips[video].segments, self._spans(video)
            times_s = np.array([s[2:4] for s in segments]).reshape(-1, 2)
            if not spans:
                return np.arange(len(times_s))
            edges_s = np.array([s[:2] for s in spans]).ravel()
            lengths_s = np.array([(0.0, s.end_s - s.start_s) for s in spans]).ravel()
            labelled_s = np.interp(times_s, edges_s, np.cumsum(lengths_s))
            is_open = 2 * np.diff(labelled_s) < np.diff(times_s)
            return np.flatnonzero(is_open[:, 0])

        return self._keep(("open", video), self._mark(video), measure)

    def count_missing(self) -> int:
        """Return how many spans must yet be labelled before classes are proposed.

        At least 1 without features, or while there is one class only.
        """
        labels = [
            s.label for v in self._clips for s in self._spans(v) if s.label != UNSURE
        ]
        has_features = any(clip.features is not None for clip in self._clips.values())
        can_propose = has_features and len(set(labels)) > 1
        return max(MIN_SPANS - len(labels), 0 if can_propose else 1)

    def propose(self, video: str, *, near: int | None = None) -> list[Proposal]:
        """Return a proposal for open segments with features, in order of time.

        Its label is None where the pose is unlike anything labelled, or between
        classes. Empty before enough is labelled.

        Args:
            video: Which video.
            near: Number of a segment: of a long video just those round it, up to some
                hundred, so that the answer never takes long. None takes all.
        """
        nth = -1 if near is None else near // _N_NEAR

        def work_out() -> list[Proposal]:
            clip, numbers = self._clips[video], self._find_open(video)
            if near is not None:
                low, high = (nth - 1) * _N_NEAR, (nth + 2) * _N_NEAR
                numbers = numbers[(numbers >= low) & (numbers < high)]
            if clip.x is None or not len(numbers) or self.count_missing():
                return []
            marks = self._mark(*self._clips)
            references = self._keep(("references",), marks, self._gather)
            found = propose_labels(references, clip.segment_x[numbers])
            return [
                Proposal(*clip.segments[number][2:4], *proposed)
                for number, proposed in zip(numbers, found, strict=True)
            ]

        marks = nth, self._mark(*self._clips)
        return self._keep(("proposals", video, near is None), marks, work_out)

    def _gather(self) -> "References":
        """Gather some poses of each labelled span of each video."""
        x, labels, span_idx, n_spans = [np.zeros((0, 34))], [], [], 0
        for video, clip in self._clips.items():
            spans = [span for span in self._spans(video) if span.label != UNSURE]
            if clip.x is None or not spans:
                continue
            rows = clip.pick_rows([span[:2] for span in spans])
            x.append(clip.x[rows.ravel()])
            labels += [span.label for span in spans for _ in range(rows.shape[1])]
            numbers = np.arange(n_spans, n_spans + len(spans))
            span_idx.append(np.repeat(numbers, rows.shape[1]))
            n_spans += len(spans)
        return build_references(
            np.concatenate(x),
            np.array(labels, dtype=object),
            np.concatenate([np.zeros(0), *span_idx]),
        )


@dataclass(frozen=True)
class References:
    """Labelled poses to compare with.

    Attributes:
        x: Their features, float `(n, 34)`.
        labels: Their labels, `(n,)`.
        limit: Beyond this distance from all of them a pose is unlike anything labelled.
    """

    x: np.ndarray
    labels: np.ndarray
    limit: float


def build_references(
    x: np.ndarray, labels: np.ndarray, span_idx: np.ndarray
) -> References:
    """Choose the labelled poses to compare with.

    Args:
        x: Features of labelled frames, `(n, 34)`; NaN where a keypoint is missing.
        labels: Label of each, `(n,)`.
        span_idx: Number of the labelled span each belongs to, `(n,)`.

    Returns:
        At most 600 of them, every class thinned alike.
    """
    labels = np.asarray(labels, dtype=object)
    usable = np.isfinite(x).any(axis=1)
    kept = _thin(np.flatnonzero(usable), labels[usable])
    x, labels, span_idx = x[kept], labels[kept], np.asarray(span_idx)[kept]
    if not len(x):
        return References(x, labels, _MIN_LIMIT)
    some = np.linspace(0, len(x) - 1, min(_N_MEASURED, len(x))).round().astype(int)
    distances = measure_distances(x[some], x)
    mates = (labels[some, None] == labels) & (span_idx[some, None] != span_idx)
    nearest = np.where(mates, distances, np.inf).min(axis=1)
    nearest = nearest[np.isfinite(nearest)]
    usual = float(np.quantile(nearest, 0.9)) if len(nearest) else 0.0
    limit = min(max(_MIN_LIMIT, _LIMIT_FACTOR * usual), _MAX_LIMIT)
    return References(x, labels, limit)


def _thin(rows: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return rows, so few of each class that all together are not too many."""
    names = set(labels)
    most = max(1, _N_REFERENCES // max(1, len(names)))
    kept = []
    for name in sorted(names):
        own = rows[labels == name]
        at = np.linspace(0, len(own) - 1, min(most, len(own))).round().astype(int)
        kept.append(own[at])
    return np.sort(np.concatenate(kept)) if kept else rows


def measure_distances(x: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the distance of each pose to each other pose.

    Args:
        x: `(n, 34)`.
        others: `(m, 34)`.

    Returns:
        `(n, m)`, per keypoint; infinite where no coordinate is there in both.
    """
    seen, other_seen = np.isfinite(x), np.isfinite(others)
    a, b = np.where(seen, x, 0.0), np.where(other_seen, others, 0.0)
    squares = a @ b.T
    squares *= -2
    if seen.all() and other_seen.all():  # the usual case, in a third of the time
        squares += np.square(a).sum(axis=1)[:, None]
        squares += np.square(b).sum(axis=1)
        squares /= x.shape[1] / 2
    else:
        one, two = seen.astype(float), other_seen.astype(float)
        n_shared = one @ two.T
        squares += np.square(a) @ two.T + one @ np.square(b).T
        squares /= np.maximum(n_shared, 1) / 2
        squares[n_shared == 0] = np.inf
    return np.sqrt(np.maximum(squares, 0, out=squares), out=squares)


def mirror_poses(x: np.ndarray) -> np.ndarray:
    """Return the mirror images of poses, left and right swapped.

    Args:
        x: Features centred on the body, `(n, 34)`: x then y of each keypoint.
    """
    mirrored = x.reshape(-1, len(MIRROR_IDX), 2)[:, list(MIRROR_IDX)] * (-1.0, 1.0)
    return mirrored.reshape(x.shape)


def propose_labels(
    references: References, x: np.ndarray
) -> list[tuple[str | None, float]]:
    """Propose a label for each of some poses.

    The five nearest labelled poses vote, nearer ones more.

    Args:
        references: Labelled poses.
        x: Features of the poses, `(n, 34)`.

    Returns:
        Label and confidence of each. The label is None where the votes disagree; the
        confidence 0, too, where the pose lies far from everything labelled.
    """
    if not len(references.x) or not len(x):
        return [(None, 0.0)] * len(x)
    names, codes = np.unique(references.labels.astype(str), return_inverse=True)
    distances = np.minimum(
        measure_distances(x, references.x),
        measure_distances(mirror_poses(x), references.x) * _MIRRORED_FACTOR,
    )
    k = min(_N_NEIGHBOURS, len(references.x))
    nearest = np.argpartition(distances, k - 1, axis=1)[:, :k]
    near = np.take_along_axis(distances, nearest, axis=1)
    weights = np.where(np.isfinite(near), 1 / (near + 1e-3) ** 2, 0.0)
    votes = np.zeros((len(x), len(names)))
    np.add.at(votes, (np.arange(len(x))[:, None], codes[nearest]), weights)
    shares = votes / np.maximum(votes.sum(axis=1, keepdims=True), 1e-12)
    best = shares.argmax(axis=1)
    is_near = near.min(axis=1) <= references.limit
    confidence = np.where(is_near, shares[np.arange(len(x)), best], 0.0)
    return [
        (str(names[one]) if share >= MIN_CONFIDENCE else None, float(share))
        for one, share in zip(best, confidence, strict=True)
    ]


def rank_proposals(
    proposals: Sequence[Proposal], order: str, *, seconds: Mapping[str, float]
) -> list[int]:
    """Order spans by which should be labelled next.

    Args:
        proposals: In order of time.
        order: `"time"`: as they come; `"uncertain"`: least confidence first, what is
            unlike anything labelled before all; `"rarest"`: the class with the fewest
            labelled seconds first, surest first.
        seconds: Labelled seconds of each class.

    Returns:
        Indices into `proposals`.

    Raises:
        ValueError: If there is no such order.
    """
    if order not in ORDERS:
        raise ValueError(f"Expected order {' | '.join(ORDERS)}, got {order!r}.")
    indices = list(range(len(proposals)))
    if order == "uncertain":
        indices.sort(key=lambda i: proposals[i].confidence)
    elif order == "rarest":
        indices.sort(
            key=lambda i: (
                proposals[i].label is None,
                seconds.get(proposals[i].label or "", 0.0),
                -proposals[i].confidence,
            )
        )
    return indices


def group_poses(
    x: np.ndarray, *, n_groups: int, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Group poses that look alike by k-means.

    Args:
        x: Features, `(n, 34)`. NaN counts as the middle of the box, 0.
        n_groups: How many groups, at most.
        seed: Where k-means starts.

    Returns:
        Group of each pose, int `(n,)`, larger groups first; its distance from the
        group's centre, `(n,)`.
    """
    from sklearn.cluster import KMeans

    filled = np.nan_to_num(x)
    n_groups = min(n_groups, len(np.unique(filled, axis=0)))
    if not n_groups:
        return np.zeros(0, dtype=int), np.zeros(0)
    found = KMeans(n_groups, n_init=2, random_state=seed).fit(filled)
    by_size = np.argsort(-np.bincount(found.labels_, minlength=n_groups), kind="stable")
    rank = np.empty(n_groups, dtype=int)
    rank[by_size] = np.arange(n_groups)
    off = np.linalg.norm(filled - found.cluster_centers_[found.labels_], axis=1)
    return rank[found.labels_], off / np.sqrt(x.shape[1] / 2)
