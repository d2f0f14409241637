"""From a probability a frame to bouts, by the steady rule: what is held, and when.

A film is known whole, so that the rule's lag is taken back; see `utils.predict.steady`.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from utils.predict.steady import NONE_BELOW, find_holds

COLUMNS = ["video", "start_s", "end_s", "label", "probability"]
NONE, NOBODY = "none of these", "nobody"
_EPSILON_S = 1e-9


def build_bouts(
    times: pd.DataFrame,
    probabilities: np.ndarray,
    *,
    classes: Sequence[str],
    every_s: float,
    none_below: float = NONE_BELOW,
) -> pd.DataFrame:
    """Find the postures held in every video.

    Args:
        times: Frames of any videos, with `video` and `time_s`, any order.
        probabilities: `(n_frames, n_classes)`, as the model gave them; a row with NaN
            is a frame with nobody.
        classes: Class of each column.
        every_s: Sampling step in seconds; a frame stands for the step that follows it.
        none_below: A frame in which no probability reaches this is none of these.

    Returns:
        Table `video`, `start_s`, `end_s`, `label`, `probability` (mean over the bout),
        video by video; what no posture held has no row.
    """
    rows, names = [], list(classes)
    for video, places in times.groupby("video", sort=False).indices.items():
        order = places[times["time_s"].to_numpy()[places].argsort(kind="stable")]
        time_s, shares = times["time_s"].to_numpy(float)[order], probabilities[order]
        for hold in find_holds(
            time_s, shares, labels=names, every_s=every_s, none_below=none_below
        ):
            edges_s = np.array([hold.start_s, hold.end_s]) - _EPSILON_S
            first, last = np.searchsorted(time_s, edges_s)
            share = np.nanmean(shares[first:last, names.index(hold.label)])
            rows.append((video, hold.start_s, hold.end_s, hold.label, float(share)))
    return pd.DataFrame(rows, columns=COLUMNS)


def predict_each_frame(
    times: pd.DataFrame,
    probabilities: np.ndarray,
    *,
    classes: Sequence[str],
    every_s: float,
    none_below: float = NONE_BELOW,
) -> pd.DataFrame:
    """Give the posture held in each frame of one video.

    Args:
        times: Frames of one video in order of time, with `time_s`.
        probabilities: As for `build_bouts`.
        classes: Class of each column.
        every_s: Sampling step in seconds.
        none_below: As for `build_bouts`.

    Returns:
        Table `time_s`, `label` (`none of these` where none is held, `nobody` where
        nobody is seen either), `probability` of the label, NaN where it has none.
    """
    time_s, names = times["time_s"].to_numpy(float), list(classes)
    nobody = np.isnan(probabilities).any(axis=1)
    labels = np.where(nobody, NOBODY, NONE).astype(object)
    share = np.full(len(time_s), np.nan)
    for hold in find_holds(
        time_s, probabilities, labels=names, every_s=every_s, none_below=none_below
    ):
        edges_s = np.array([hold.start_s, hold.end_s]) - _EPSILON_S
        held = slice(*np.searchsorted(time_s, edges_s))
        labels[held] = hold.label
        share[held] = probabilities[held, names.index(hold.label)]
    return pd.DataFrame({"time_s": time_s, "label": labels, "probability": share})
