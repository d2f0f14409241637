"""How sure a score, or the difference of two models, is: intervals over people.

One value a person goes in; frames and seeds have been averaged before, because frames
of one person, and seeds on one split, are not fresh evidence.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special, stats

from utils.evaluation.scores import score_people, select_model

FEW_PEOPLE = 6  # below it no sign-flip test can reach 5 %: 2 / 2**5 = 0.0625
SOME_PEOPLE = 12
_METRICS = {"accuracy": (0.0, 1.0), "log_loss": (0.0, np.inf)}  # and their limits
_MOST_ENUMERATED = 8  # 6,435 different resamples
_BLOCK_CELLS = 2_000_000


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
    sd = max(float(values.std(ddof=1)), sd_floor)
    half = find_half_width(sd, n, level=level, n_train=n_train, shared_sd=shared_sd)
    return Interval(mean, mean - half, mean + half, n)


def find_half_width(
    sd: float, n: int, *, level: float, n_train: float, shared_sd: float
) -> float:
    """Return half the width of `t_interval` for `n` values of this spread."""
    half = special.stdtrit(n - 1, (1 + level) / 2)
    return float(half * _find_error(sd, n, n_train=n_train, shared_sd=shared_sd))


def _find_error(sd: float, n: int, *, n_train: float, shared_sd: float) -> float:
    """Return the standard error of the mean of at least two values."""
    return float(np.sqrt(sd**2 * (1 / n + 1 / n_train) + shared_sd**2))


def find_p_value(
    values: np.ndarray,
    *,
    n_train: float = np.inf,
    shared_sd: float = 0.0,
    sd_floor: float = 0.0,
) -> float:
    """Return the two-sided p value of a mean of 0; arguments as for `t_interval`.

    It is 1 for fewer than two values, or where all are 0.
    """
    values = check_values(values)
    mean = abs(float(values.mean()))
    if len(values) < 2 or mean == 0:
        return 1.0
    sd = max(float(values.std(ddof=1)), sd_floor)
    error = _find_error(sd, len(values), n_train=n_train, shared_sd=shared_sd)
    return float(2 * special.stdtr(len(values) - 1, -mean / error)) if error else 0.0


def bound_mean(
    values: np.ndarray,
    *,
    weights: np.ndarray | None = None,
    level: float = 0.95,
    n_draws: int = 10_000,
    seed: int = 0,
) -> Interval:
    """Bound a weighted mean over people who are a sample of those there could be.

    From 6 people on by bootstrap: people are drawn again, with replacement (up to 8
    people every resample is enumerated, so that nothing is random). The plain
    percentile interval is too narrow for few people; its tails are widened as in
    Hesterberg, "What Teachers Should Know About the Bootstrap" (arXiv 1411.5279), so
    that it is as wide as a t interval where the values are normal. Resamples of fewer
    than 6 people cannot reach far enough; there it is a t interval (the weighted mean
    linearised as a ratio).

    Args:
        values: One value a person, shape `(n_people,)`.
        weights: What each person weighs, for example frames; default: all the same.
        level: Share of such intervals that hold the true value.
        n_draws: Resamples, where they are not enumerated.
        seed: Decides the resamples.

    Returns:
        Interval; its ends are NaN for fewer than two people.

    Raises:
        ValueError: If a value is missing or a weight is not positive.
    """
    values = check_values(values)
    weights = np.ones(len(values)) if weights is None else np.asarray(weights, float)
    if weights.shape != values.shape or not (weights > 0).all():
        raise ValueError("Expected one weight above 0 for each value.")
    n, estimate = len(values), float(np.average(values, weights=weights))
    # resamples of so few people cannot reach far enough
    if n < FEW_PEOPLE:
        pulls = estimate + weights / weights.mean() * (values - estimate)
        return t_interval(pulls, level=level)
    means, chances = [], []
    for counts, chance in _iter_resamples(n, n_draws=n_draws, seed=seed):
        share = counts * weights
        means.append(share @ values / share.sum(axis=1))
        chances.append(chance)
    # Hesterberg's widened tails: as wide as a t interval where values are normal
    tail = stats.norm.cdf(np.sqrt(n / (n - 1)) * stats.t.ppf((1 - level) / 2, df=n - 1))
    ends = _find_quantiles(np.concatenate(means), np.concatenate(chances), tail)
    # Rounding in a resample must not put an end on the wrong side of the estimate.
    return Interval(estimate, min(ends[0], estimate), max(ends[1], estimate), n)


def _iter_resamples(
    n: int, *, n_draws: int, seed: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield blocks of how often each person is drawn, and each row's probability."""
    if n <= _MOST_ENUMERATED:
        yield _enumerate_resamples(n)
        return
    rng = np.random.default_rng(seed)
    block = max(1, _BLOCK_CELLS // n)
    for start in range(0, n_draws, block):
        size = min(block, n_draws - start)
        counts = rng.multinomial(n, np.full(n, 1 / n), size=size)
        yield counts, np.full(size, 1 / n_draws)


def _enumerate_resamples(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return every way to draw `n` of `n` people, and how probable each is."""
    counts = np.zeros((1, 0), dtype=int)
    for _ in range(n - 1):
        left = n - counts.sum(axis=1)
        rows = np.repeat(np.arange(len(counts)), left + 1)
        first = np.concatenate([np.arange(k + 1) for k in left])
        counts = np.column_stack([counts[rows], first])
    counts = np.column_stack([counts, n - counts.sum(axis=1)])
    return counts, stats.multinomial.pmf(counts, n, np.full(n, 1 / n))


def _find_quantiles(
    values: np.ndarray, chances: np.ndarray, tail: float
) -> tuple[float, float]:
    """Return the two values that leave `tail` of the probability beyond them."""
    order = np.argsort(values, kind="stable")
    values, chances = values[order], chances[order]
    low = np.searchsorted(np.cumsum(chances), tail)
    high = np.searchsorted(np.cumsum(chances[::-1]), tail)
    last = len(values) - 1
    return float(values[min(low, last)]), float(values[last - min(high, last)])


def flip_signs(
    differences: np.ndarray, *, n_draws: int = 20_000, seed: int = 0
) -> tuple[float, float]:
    """Test paired differences by flipping the sign of each person's in all ways.

    If the two models were alike, each person's difference could as well have had the
    other sign. Up to 14 people all patterns are tried; beyond, random ones.

    Args:
        differences: One difference a person, shape `(n_people,)`.
        n_draws: Patterns, where not all are tried.
        seed: Decides the random patterns.

    Returns:
        Two-sided p value, and the smallest that these people could have given.

    Raises:
        ValueError: If a difference is missing.

    Example:
        >>> flip_signs(np.array([0.1, 0.2, 0.1, 0.3]))
        (0.125, 0.125)
    """
    differences = check_values(differences)
    if len(differences) < 2:
        return 1.0, 1.0
    found, smallest = (
        stats.permutation_test(
            (values,),
            np.mean,
            permutation_type="samples",  # of one sample: flips signs
            n_resamples=n_draws,
            vectorized=True,
            rng=seed,
        ).pvalue
        for values in (differences, np.abs(differences))
    )
    return float(found), float(smallest)


def bound_scores(
    predictions: pd.DataFrame, *, level: float = 0.95, seed: int = 0
) -> pd.DataFrame:
    """Bound accuracy and log loss of every model by drawing people again, not frames.

    Frames of one person are alike, so that 1,000 frames of 4 people are 4 pieces of
    evidence. The models are not trained again: an interval tells how the score
    would move with other people to be predicted, not with others to learn from.

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
    for metric, limits in _METRICS.items():
        values = pairs[metric].to_numpy()
        bound = bound_mean(values, weights=weights, level=level, seed=seed)
        p_value, p_smallest = flip_signs(weights / weights.mean() * values, seed=seed)
        gains = values if metric == "accuracy" else -values
        note = [_note(bound, values)]
        if p_smallest > 1 - level:
            note.append(f"no result could have a p value below {p_smallest:.3g}")
        # two scores can differ by no more than their own limits allow
        most = limits[1] - limits[0]
        low, high = np.clip([bound.low, bound.high], -most, most)
        row = {"metric": metric, "difference": bound.estimate, "low": low}
        row |= {"high": high, "n_people": bound.n}
        row |= {"n_first_better": int((gains > 1e-12).sum())}
        row |= {"n_second_better": int((gains < -1e-12).sum())}
        row |= {"p_value": p_value, "p_smallest": p_smallest}
        rows.append(row | {"note": "; ".join(text for text in note if text)})
    return pd.DataFrame(rows)
