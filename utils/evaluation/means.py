"""The mean over a handful of people, and how sure it is: t intervals and their words.

One value a person goes in; frames and seeds have been averaged before, because
frames of one person, and seeds on one split, are not fresh evidence.
"""

from dataclasses import dataclass

import numpy as np
from scipy import special

FEW_PEOPLE = 6  # below it no sign-flip test can reach 5 %: 2 / 2**5 = 0.0625
SOME_PEOPLE = 12


@dataclass(frozen=True)
class Interval:
    """An estimate and the range that is likely to hold the true value.

    Attributes:
        estimate: The value itself.
        low: Lower end; NaN if there are too few people for any.
        high: Upper end.
        n: How many people it rests on.
    """

    estimate: float
    low: float
    high: float
    n: int


def describe_few(n: int, *, noun: str = "people") -> str:
    """Return what a reader must know about an interval over `n` people; "" if nothing.

    Args:
        n: How many people.
        noun: What they are called.

    Example:
        >>> describe_few(4)
        'only 4 people: the interval is a rough guess'
    """
    if n < 2:
        return f"fewer than 2 {noun}: there can be no interval"
    if n < FEW_PEOPLE:
        return f"only {n} {noun}: the interval is a rough guess"
    if n < SOME_PEOPLE:
        return f"{n} {noun} are few: the interval itself is uncertain"
    return ""


def check_values(values: np.ndarray) -> np.ndarray:
    """Return one finite value a person as floats, or raise `ValueError`."""
    values = np.asarray(values, dtype=float)
    if values.ndim != 1 or not len(values) or not np.isfinite(values).all():
        raise ValueError(
            f"Expected one finite number a person, got {values.size} of shape "
            f"{values.shape} with {int((~np.isfinite(values)).sum())} missing."
        )
    return values


def t_interval(
    values: np.ndarray,
    *,
    level: float = 0.95,
    n_train: float = np.inf,
    shared_sd: float = 0.0,
    sd_floor: float = 0.0,
) -> Interval:
    """Bound a mean over people who were each predicted by a model of the others.

    The models of a cross-validation share most of their training people, so their
    errors move together and the plain t interval is too narrow. The variance of the
    mean is therefore taken as `sd**2 * (1 / n + 1 / n_train)`: the people trained on
    are a sample as well (Nadeau and Bengio, "Inference for the Generalization Error",
    Machine Learning 52, 2003, with one person, or fold, as the test set).

    Args:
        values: One value a person (or fold), shape `(n,)`.
        level: Share of such intervals that hold the true value.
        n_train: People (or folds) that each model learnt from; infinite: plain t.
        shared_sd: Standard error that all values have in common, where it is known.
        sd_floor: The standard deviation is never taken as less; four people can
            agree by chance, or because values are whole numbers.

    Returns:
        Interval; its ends are NaN for fewer than two values.

    Raises:
        ValueError: If a value is missing.
    """
    values = check_values(values)
    n, mean = len(values), float(values.mean())
    if n < 2:
        return Interval(mean, np.nan, np.nan, n)
    error = _find_error(values, n_train=n_train, shared_sd=shared_sd, sd_floor=sd_floor)
    half = float(special.stdtrit(n - 1, (1 + level) / 2)) * error
    return Interval(mean, mean - half, mean + half, n)


def _find_error(
    values: np.ndarray, *, n_train: float, shared_sd: float, sd_floor: float
) -> float:
    """Return the standard error of the mean of at least two values."""
    sd = max(float(values.std(ddof=1)), sd_floor)
    return float(np.sqrt(sd**2 * (1 / len(values) + 1 / n_train) + shared_sd**2))


def find_p_value(
    values: np.ndarray,
    *,
    n_train: float = np.inf,
    shared_sd: float = 0.0,
    sd_floor: float = 0.0,
) -> float:
    """Return the two-sided p value of a mean of 0, in agreement with `t_interval`.

    Args:
        values: One value a person (or fold), shape `(n,)`.
        n_train: As in `t_interval`.
        shared_sd: As in `t_interval`.
        sd_floor: As in `t_interval`.

    Returns:
        p value; 1 for fewer than two values, or where all are 0.

    Raises:
        ValueError: If a value is missing.
    """
    values = check_values(values)
    mean = abs(float(values.mean()))
    if len(values) < 2 or mean == 0:
        return 1.0
    error = _find_error(values, n_train=n_train, shared_sd=shared_sd, sd_floor=sd_floor)
    return float(2 * special.stdtr(len(values) - 1, -mean / error)) if error else 0.0
