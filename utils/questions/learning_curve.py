"""How the score grows with the people labelled, and how many are needed for it."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

_COLUMNS = ("model", "n_people", "draw", "accuracy")
_BAND = (0.1, 0.9)  # quantiles over draws


def average_curve(curve: pd.DataFrame) -> pd.DataFrame:
    """Average a learning curve over draws, with the band they span.

    Args:
        curve: Rows by `model`, `n_people`, `draw` and, if known, `subject` (left
            out): `accuracy`.

    Returns:
        Rows by `model` and `n_people`, ascending: `accuracy` (mean over draws), `low`
        and `high` (the middle 80 % of draws) and `n_draws`.

    Raises:
        ValueError: If a column is missing.
    """
    missing = [c for c in _COLUMNS if c not in curve]
    if missing:
        raise ValueError(
            f"The learning curve has no column {', '.join(missing)}; expected "
            f"{', '.join(_COLUMNS)}, found {', '.join(map(str, curve.columns))}."
        )
    draws = curve.groupby(["model", "n_people", "draw"])["accuracy"].mean()
    groups = draws.groupby(["model", "n_people"])
    table = {"accuracy": groups.mean(), "low": groups.quantile(_BAND[0])}
    table |= {"high": groups.quantile(_BAND[1]), "n_draws": groups.size()}
    return pd.DataFrame(table).reset_index()


def people_needed(curve: pd.DataFrame, target: float, *, model: str) -> float:
    """Find how many labelled people a model needs for an accuracy.

    Args:
        curve: Learning curve, as for `average_curve`.
        target: Accuracy to reach.
        model: Which model.

    Returns:
        The smallest number measured from which on, at every larger number too, the
        mean accuracy reaches the target; infinite if there is none in this data.

    Raises:
        ValueError: If a column is missing or the model has no rows.
    """
    means = _select_means(curve, model)
    short = np.flatnonzero(means["accuracy"].to_numpy() < target - 1e-12)
    first = short[-1] + 1 if len(short) else 0
    return float(means["n_people"].iloc[first]) if first < len(means) else np.inf


def _select_means(curve: pd.DataFrame, model: str) -> pd.DataFrame:
    """Return the averaged curve of one model, or raise `ValueError`."""
    means = average_curve(curve)
    own = means[means["model"] == model]
    if own.empty:
        known = ", ".join(means["model"].unique())
        raise ValueError(f"No model {model!r} in the learning curve; found {known}.")
    return own


def describe_people_needed(
    curve: pd.DataFrame,
    *,
    pose: str = "pose_softmax",
    image: str = "mobilenet_frozen",
    names: Sequence[str] = ("the pose model", "the image model"),
) -> str:
    """Say in one sentence what the fewest people give and what the other model needs.

    Args:
        curve: Learning curve, as for `average_curve`.
        pose: Model whose score with the fewest people is the target.
        image: Model whose need is told.
        names: What to call the two.

    Returns:
        For example "With 1 person the pose model reaches 0.95; the image model needs
        4 people for that."

    Raises:
        ValueError: If a column is missing or a model has no rows.
    """
    start = _select_means(curve, pose).iloc[0]
    last = _select_means(curve, image).iloc[-1]
    needed = people_needed(curve, start["accuracy"], model=image)
    given = (
        f"With {_count(start['n_people'])} {names[0]} reaches {start['accuracy']:.2f}; "
    )
    if not np.isfinite(needed):
        return (
            f"{given}{names[1]} never does in this data ({last['accuracy']:.2f} with "
            f"{_count(last['n_people'])})."
        )
    if needed <= start["n_people"]:
        return f"{given}{names[1]} needs no more than that either."
    return f"{given}{names[1]} needs {_count(needed)} for that."


def _count(n: float) -> str:
    """Write a number of people."""
    return f"{n:.0f} {'person' if n == 1 else 'people'}"
