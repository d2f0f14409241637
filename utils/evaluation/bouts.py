"""How well postures are found over time: bouts that people see, beside frames."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

# A labelled bout is found where one predicted bout of its posture covers this much of
# it, and a predicted bout can be extra where this much of it lies in labelled time.
MOST = 0.5
# Between two labelled bouts nobody said where the posture changed; where they lie
# further apart than this, the border between them says too little to be scored.
NEAR_S = 2.0
_EPSILON_S = 1e-6


def look_up(bouts: pd.DataFrame, frames: pd.DataFrame) -> np.ndarray:
    """Return the posture of each frame, by the bout its time stamp falls in.

    Args:
        bouts: `video`, `start_s`, `end_s`, `label`; those of a video do not overlap.
        frames: `video` and `time_s`, any order.

    Returns:
        Labels as objects, `(n_frames,)`; None where no bout is.
    """
    found = np.full(len(frames), None, dtype=object)
    by_video = frames.groupby("video", sort=False).indices
    for video, own in bouts.sort_values("start_s").groupby("video", sort=False):
        rows = by_video.get(video, np.zeros(0, dtype=int))
        time_s = frames["time_s"].to_numpy(float)[rows] + _EPSILON_S
        at = np.searchsorted(own["start_s"].to_numpy(), time_s, side="right") - 1
        inside = (at >= 0) & (time_s < own["end_s"].to_numpy()[at])
        found[rows[inside]] = own["label"].to_numpy(object)[at[inside]]
    return found


def score_bouts(bouts: pd.DataFrame, labelled: pd.DataFrame) -> dict[str, float]:
    """Compare predicted bouts with labelled ones.

    Args:
        bouts: Predicted: `video`, `start_s`, `end_s`, `label`; postures only, without
            "nobody" and the like.
        labelled: Labelled, likewise; those of a video do not overlap.

    Returns:
        `n_bouts` (labelled), `n_found`, `n_missed`, `n_extra` (predicted, mostly in
        labelled time, and not what found a labelled one: a wrong posture, or a second
        piece of a right one), `n_borders` (between labelled bouts of two postures at
        most 2 s apart, both found) and `border_error_s`: how far predicted ends and
        starts there lie from where the posture changed, on average; 0 within the time
        between the two that nobody labelled. NaN where there is no such border.
    """
    n_found, n_extra, errors = 0, 0, []
    parts = dict(iter(bouts.groupby("video", sort=False)))
    for video, spans in labelled.sort_values("start_s").groupby("video", sort=False):
        found = parts.get(video, bouts.iloc[:0])
        matches = _match(found, spans)
        n_found += int((matches >= 0).sum())
        n_extra += _count_extra(found, spans, matches)
        errors += _measure_borders(found, spans, matches)
    return {
        "n_bouts": len(labelled),
        "n_found": n_found,
        "n_missed": len(labelled) - n_found,
        "n_extra": n_extra,
        "n_borders": len(errors) // 2,
        "border_error_s": float(np.mean(errors)) if errors else np.nan,
    }


def _overlap(found: pd.DataFrame, spans: pd.DataFrame) -> np.ndarray:
    """Return the seconds that each span shares with each predicted bout."""
    ends = np.minimum.outer(spans["end_s"].to_numpy(), found["end_s"].to_numpy())
    starts = np.maximum.outer(spans["start_s"].to_numpy(), found["start_s"].to_numpy())
    return np.maximum(ends - starts, 0.0)


def _match(found: pd.DataFrame, spans: pd.DataFrame) -> np.ndarray:
    """Return which predicted bout finds each span, -1 where none does."""
    if found.empty:
        return np.full(len(spans), -1)
    same = np.equal.outer(spans["label"].to_numpy(), found["label"].to_numpy())
    shared_s = np.where(same, _overlap(found, spans), 0.0)
    best = shared_s.argmax(axis=1)
    lengths_s = (spans["end_s"] - spans["start_s"]).to_numpy()
    enough = shared_s[np.arange(len(best)), best] >= MOST * lengths_s - _EPSILON_S
    return np.where(enough, best, -1)


def _count_extra(found: pd.DataFrame, spans: pd.DataFrame, matches: np.ndarray) -> int:
    """Count predicted bouts that lie in labelled time and found nothing there."""
    inside_s = _overlap(found, spans).sum(axis=0)
    lengths_s = (found["end_s"] - found["start_s"]).to_numpy()
    is_inside = inside_s >= MOST * lengths_s - _EPSILON_S
    return int((is_inside & ~np.isin(np.arange(len(found)), matches)).sum())


def _measure_borders(
    found: pd.DataFrame, spans: pd.DataFrame, matches: np.ndarray
) -> list[float]:
    """Return how far the ends and starts at known borders are off, in seconds."""
    rows: list[Mapping[str, float]] = spans.to_dict("records")
    bouts, errors = found.to_dict("records"), []
    for idx in range(len(rows) - 1):
        before, after = rows[idx], rows[idx + 1]
        is_near = after["start_s"] - before["end_s"] <= NEAR_S
        both = min(matches[idx], matches[idx + 1]) >= 0
        if not (both and is_near and before["label"] != after["label"]):
            continue
        edges = bouts[matches[idx]]["end_s"], bouts[matches[idx + 1]]["start_s"]
        errors += [
            max(before["end_s"] - edge, edge - after["start_s"], 0.0) for edge in edges
        ]
    return errors
