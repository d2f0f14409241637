"""From a probability per frame to bouts: stretches of time with one posture."""

from collections.abc import Sequence

import numpy as np
import pandas as pd


def smooth_probabilities(
    probabilities: np.ndarray, time_s: np.ndarray, *, half_life_s: float = 0.3
) -> np.ndarray:
    """Average each class's probability over time, forwards and backwards.

    Exponential weights by time, not by frame, so that any sampling rate gives the same
    steadiness; both directions together do not shift the changes in time.

    Args:
        probabilities: `(n_frames, n_classes)`, in order of time.
        time_s: Time stamps, `(n_frames,)`, not falling.
        half_life_s: After this many seconds a frame weighs half; 0 changes nothing.

    Returns:
        Array of the same shape; rows sum to 1.

    Raises:
        ValueError: If the lengths differ or time runs backwards.
    """
    probabilities = np.asarray(probabilities, dtype=float)
    time_s = np.asarray(time_s, dtype=float)
    if len(probabilities) != len(time_s):
        raise ValueError(
            f"Expected a time stamp a frame, got {len(time_s)} time stamps for "
            f"{len(probabilities)} frames."
        )
    if (np.diff(time_s) < 0).any():
        raise ValueError("Expected frames in order of time. Sort them by `time_s`.")
    if half_life_s <= 0 or len(time_s) == 0:
        return probabilities.copy()
    decay = np.exp2(-np.diff(time_s) / half_life_s)
    weighted = np.column_stack([probabilities, np.ones(len(time_s))])
    both = _decay_sum(weighted, decay) - weighted
    both += _decay_sum(weighted[::-1], decay[::-1])[::-1]
    return both[:, :-1] / both[:, -1:]


def _decay_sum(values: np.ndarray, decay: np.ndarray) -> np.ndarray:
    """Return running sums of rows in which what came before fades by `decay`."""
    sums = values.copy()
    for row in range(1, len(sums)):
        sums[row] += decay[row - 1] * sums[row - 1]
    return sums


def build_bouts(
    times: pd.DataFrame,
    probabilities: np.ndarray,
    *,
    classes: Sequence[str],
    every_s: float,
    min_bout_s: float = 0.5,
) -> pd.DataFrame:
    """Join neighbouring frames of one predicted posture into bouts.

    A bout shorter than `min_bout_s` is given to the neighbour that the frames in it
    find more probable. A gap of more than two sampling steps ends a bout.

    Args:
        times: Frames of one video in order of time, with `video` and `time_s`.
        probabilities: `(n_frames, n_classes)`, smoothed or not.
        classes: Class of each column.
        every_s: Sampling step in seconds; a frame stands for the step that follows it.
        min_bout_s: Shortest bout kept.

    Returns:
        Table `video`, `start_s`, `end_s`, `label`, `probability` (mean over the bout).
    """
    columns = ["video", "start_s", "end_s", "label", "probability"]
    if not len(times):
        return pd.DataFrame(columns=columns)
    time_s = times["time_s"].to_numpy(dtype=float)
    parts = np.split(
        np.arange(len(time_s)), np.flatnonzero(np.diff(time_s) > 2 * every_s) + 1
    )
    rows = []
    for part in parts:
        best = _drop_short(probabilities[part], time_s[part], every_s, min_bout_s)
        edges = np.flatnonzero(np.diff(best)) + 1
        for bout in np.split(np.arange(len(part)), edges):
            at, label = part[bout], best[bout[0]]
            end_s = time_s[part[bout[-1] + 1]] if bout[-1] + 1 < len(part) else None
            end_s = time_s[at[-1]] + every_s if end_s is None else end_s
            share = float(probabilities[at, label].mean())
            rows.append(
                (times["video"].iloc[0], time_s[at[0]], end_s, classes[label], share)
            )
    return pd.DataFrame(rows, columns=columns)


def build_all_bouts(
    times: pd.DataFrame,
    probabilities: np.ndarray,
    *,
    classes: Sequence[str],
    every_s: float,
) -> pd.DataFrame:
    """Smooth and join the frames of every video.

    Args:
        times: Frames of any videos, with `video` and `time_s`, any order.
        probabilities: `(n_frames, n_classes)`, as the model gave them.
        classes: Class of each column.
        every_s: Sampling step in seconds.

    Returns:
        Table as of `build_bouts`, video by video.
    """
    times = times.reset_index(drop=True)
    parts = [
        build_bouts(times[:0], probabilities[:0], classes=classes, every_s=every_s)
    ]
    for _, rows in times.groupby("video", sort=False):
        rows = rows.sort_values("time_s")
        smooth = smooth_probabilities(
            probabilities[rows.index], rows["time_s"].to_numpy()
        )
        parts.append(build_bouts(rows, smooth, classes=classes, every_s=every_s))
    parts = [part for part in parts if len(part)] or parts
    return pd.concat(parts, ignore_index=True)


def predict_each_frame(
    times: pd.DataFrame, probabilities: np.ndarray, *, classes: Sequence[str]
) -> pd.DataFrame:
    """Give the smoothed posture of each frame of one video.

    Args:
        times: Frames of one video in order of time, with `time_s`.
        probabilities: `(n_frames, n_classes)`.
        classes: Class of each column.

    Returns:
        Table `time_s`, `label`, `probability`.
    """
    smooth = smooth_probabilities(probabilities, times["time_s"].to_numpy())
    best = smooth.argmax(axis=1)
    return pd.DataFrame(
        {
            "time_s": times["time_s"].to_numpy(),
            "label": np.asarray(classes, dtype=object)[best],
            "probability": smooth.max(axis=1),
        }
    )


def _drop_short(
    probabilities: np.ndarray, time_s: np.ndarray, every_s: float, min_bout_s: float
) -> np.ndarray:
    """Return the class of each frame after short bouts went to a neighbour."""
    best = probabilities.argmax(axis=1)
    while True:
        edges = np.flatnonzero(np.diff(best)) + 1
        starts, ends = np.r_[0, edges], np.r_[edges, len(best)]
        lengths_s = np.append(time_s, time_s[-1] + every_s)[ends] - time_s[starts]
        short = int(lengths_s.argmin())
        if len(starts) == 1 or lengths_s[short] >= min_bout_s - 1e-9:
            return best
        bout = slice(starts[short], ends[short])
        neighbours = [
            best[starts[i]] for i in (short - 1, short + 1) if 0 <= i < len(starts)
        ]
        means = probabilities[bout].mean(axis=0)
        best[bout] = max(neighbours, key=lambda label: means[label])
