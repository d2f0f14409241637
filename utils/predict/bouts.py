"""From a probability a frame to bouts, by the steady rule: what is held, and when.

Two answers stand beside the postures: `nobody`, where no person was found, and `none of
these`, where a pose is unlike those learnt from or no posture is likelier than all
others together. For the steady rule they are columns like the postures.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from utils.predict.steady import FILM, NONE_BELOW, Rule, average_over, find_holds

COLUMNS = ["video", "start_s", "end_s", "label", "probability"]
NONE, NOBODY = "none of these", "nobody"
_EPSILON_S = 1e-9


def build_bouts(
    times: pd.DataFrame,
    probabilities: np.ndarray,
    *,
    classes: Sequence[str],
    every_s: float,
    rule: Rule = FILM,
) -> pd.DataFrame:
    """Find what is held in every video.

    Args:
        times: Frames of any videos, with `video` and `time_s`, any order.
        probabilities: `(n_frames, n_classes)`, as `predict_frames` gives them: a row
            of NaN is a frame with nobody, a row of 0 one that is none of these.
        classes: Class of each column.
        every_s: Sampling step in seconds; a frame stands for the step that follows it.
        rule: When a posture is held.

    Returns:
        Table `video`, `start_s`, `end_s`, `label`, `probability` (mean over the bout;
        NaN for the two answers that are no class), video by video; what is held for
        too short a time has no row.
    """
    rows = []
    for video, places in times.groupby("video", sort=False).indices.items():
        order = places[times["time_s"].to_numpy()[places].argsort(kind="stable")]
        time_s, shares = times["time_s"].to_numpy(float)[order], probabilities[order]
        for start_s, end_s, label, share, _ in _find_bouts(
            time_s, shares, classes=classes, every_s=every_s, rule=rule
        ):
            rows.append((video, start_s, end_s, label, share))
    return pd.DataFrame(rows, columns=COLUMNS)


def predict_each_frame(
    times: pd.DataFrame,
    probabilities: np.ndarray,
    *,
    classes: Sequence[str],
    every_s: float,
) -> pd.DataFrame:
    """Give what is held in each frame of one video.

    Args:
        times: Frames of one video in order of time, with `time_s`.
        probabilities: As for `build_bouts`.
        classes: Class of each column.
        every_s: Sampling step in seconds.

    Returns:
        Table `time_s`, `label` (`none of these` where nothing is held, `nobody` where
        nobody is seen either), `probability` of the label, NaN where it has none.
    """
    time_s = times["time_s"].to_numpy(float)
    nobody = np.isnan(probabilities).any(axis=1)
    labels = np.where(nobody, NOBODY, NONE).astype(object)
    share = np.full(len(time_s), np.nan)
    for *_, label, _, held in _find_bouts(
        time_s, probabilities, classes=classes, every_s=every_s, rule=FILM
    ):
        labels[held] = label
        if label in classes:
            share[held] = probabilities[held, list(classes).index(label)]
    return pd.DataFrame({"time_s": time_s, "label": labels, "probability": share})


def _find_bouts(
    time_s: np.ndarray,
    probabilities: np.ndarray,
    *,
    classes: Sequence[str],
    every_s: float,
    rule: Rule,
) -> list[tuple[float, float, str, float, slice]]:
    """Return start, end, label, mean probability and frames of what is held."""
    names = [*classes, *(name for name in (NONE, NOBODY) if name not in classes)]
    shares = _add_answers(probabilities, names)
    means = average_over(time_s, shares, every_s=every_s, mean_s=rule.mean_s)
    # where no posture is likely on average, it is none of these
    means[means.max(axis=1, initial=0.0) < NONE_BELOW] = _one_of(names, NONE)
    rows = []
    for hold in find_holds(time_s, means, labels=names, every_s=every_s, rule=rule):
        edges_s = np.array([hold.start_s, hold.end_s]) - _EPSILON_S
        held = slice(*np.searchsorted(time_s, edges_s))
        column, share = names.index(hold.label), np.nan
        if column < len(classes):
            share = float(np.nanmean(probabilities[held, column]))
        rows.append((hold.start_s, hold.end_s, hold.label, share, held))
    return rows


def _add_answers(probabilities: np.ndarray, names: list[str]) -> np.ndarray:
    """Return shares that sum to 1, the two answers that are no class among them."""
    shares = np.zeros((len(probabilities), len(names)))
    shares[:, : probabilities.shape[1]] = np.nan_to_num(probabilities)
    shares[np.isnan(probabilities).any(axis=1)] = _one_of(names, NOBODY)
    shares[shares.sum(axis=1) == 0] = _one_of(names, NONE)
    return shares


def _one_of(names: list[str], name: str) -> np.ndarray:
    """Return the shares of a frame that is sure of one answer."""
    return np.array([float(own == name) for own in names])
