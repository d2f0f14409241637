"""How sure each score, and each difference of two models, is: intervals over people."""

import numpy as np
import pandas as pd

from utils.evaluation.means import Interval, describe_few
from utils.evaluation.resampling import bound_mean, flip_signs
from utils.evaluation.scores import score_people, select_model

_METRICS = {"accuracy": (0.0, 1.0), "log_loss": (0.0, np.inf)}  # and their limits


def bound_scores(
    predictions: pd.DataFrame, *, level: float = 0.95, seed: int = 0
) -> pd.DataFrame:
    """Bound accuracy and log loss of every model by drawing people again, not frames.

    Frames of one person are alike, so that 1,000 frames of 4 people are 4 pieces of
    evidence. The models are not trained again: an interval tells how the score
    would move with other people to be told, not with others to learn from.

    Args:
        predictions: Table `predictions` with `subject` and `p_<class>`.
        level: Share of such intervals that hold the true value.
        seed: Decides the resamples.

    Returns:
        Rows by `model` and `metric`: `estimate` (over frames, seeds averaged, as in
        `summarise_scores`), `low`, `high`, `n_people` and `note`, which says what few
        or equal people do to the interval.

    Raises:
        ValueError: If the predictions cannot be scored.
    """
    people = score_people(predictions)
    rows = []
    for model, own in people.groupby("model", sort=False):
        for metric, limits in _METRICS.items():
            values, weights = own[metric].to_numpy(), own["n_frames"].to_numpy()
            bound = bound_mean(values, weights=weights, level=level, seed=seed)
            low, high = np.clip([bound.low, bound.high], *limits)
            row = {"model": model, "metric": metric, "estimate": bound.estimate}
            row |= {"low": low, "high": high, "n_people": bound.n}
            rows.append(row | {"note": _note(bound, values)})
    return pd.DataFrame(rows)


def _note(bound: Interval, values: np.ndarray) -> str:
    """Return what a reader must know about an interval, or an empty text."""
    notes = [describe_few(bound.n)]
    if bound.n > 1 and np.ptp(values) < 1e-12:
        unseen = 1 - 0.05 ** (1 / bound.n)
        notes.append(
            f"all {bound.n} people gave the same, so the interval has no width; up to "
            f"{unseen:.0%} of people may still be otherwise"
        )
    return "; ".join(note for note in notes if note)


def pair_people(predictions: pd.DataFrame, *, first: str, second: str) -> pd.DataFrame:
    """Score two models person by person.

    Args:
        predictions: Table `predictions` with `subject` and `p_<class>`.
        first: One model.
        second: The other.

    Returns:
        One row a person, sorted: `subject`, `n_frames`, and `accuracy` and `log_loss`
        (each averaged over seeds), first minus second.

    Raises:
        ValueError: If a model is missing, or the two did not predict the same frames.
    """
    both = [select_model(predictions, model) for model in (first, second)]
    frames = [
        pd.MultiIndex.from_frame(rows[["video", "frame_idx"]].drop_duplicates())
        for rows in both
    ]
    odd = frames[0].symmetric_difference(frames[1])
    if len(odd):
        raise ValueError(
            f"{first} and {second} must predict the same frames; {len(odd)} were "
            f"predicted by one alone, first {odd[0]}. Predict them with both."
        )
    people = score_people(pd.concat(both)).set_index("subject").sort_index()
    one, two = (people[people["model"] == model] for model in (first, second))
    difference = one[list(_METRICS)] - two[list(_METRICS)]
    return difference.assign(n_frames=one["n_frames"]).reset_index()


def compare_models(
    predictions: pd.DataFrame,
    *,
    first: str = "pose_softmax",
    second: str = "mobilenet_frozen",
    level: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """Bound and test the paired difference of two models over people.

    Args:
        predictions: Table `predictions` with `subject` and `p_<class>`.
        first: One model.
        second: The other.
        level: Share of such intervals that hold the true difference.
        seed: Decides the resamples.

    Returns:
        One row a metric: `metric`, `difference` (first minus second, over frames),
        `low`, `high`, `n_people`, `n_first_better`, `n_second_better`, `p_value`
        (people's signs flipped), `p_smallest` (no result of these people could have
        given a smaller one) and `note`.

    Raises:
        ValueError: If a model is missing, or the two did not predict the same frames.
    """
    pairs = pair_people(predictions, first=first, second=second)
    weights, rows = pairs["n_frames"].to_numpy(dtype=float), []
    for metric in _METRICS:
        values = pairs[metric].to_numpy()
        bound = bound_mean(values, weights=weights, level=level, seed=seed)
        p_value, p_smallest = flip_signs(weights / weights.mean() * values, seed=seed)
        gains = values if metric == "accuracy" else -values
        note = [_note(bound, values)]
        if p_smallest > 1 - level:
            note.append(f"no result could have a p value below {p_smallest:.3g}")
        row = {"metric": metric, "difference": bound.estimate, "low": bound.low}
        row |= {"high": bound.high, "n_people": bound.n}
        row |= {"n_first_better": int((gains > 1e-12).sum())}
        row |= {"n_second_better": int((gains < -1e-12).sum())}
        row |= {"p_value": p_value, "p_smallest": p_smallest}
        rows.append(row | {"note": "; ".join(text for text in note if text)})
    return pd.DataFrame(rows)
