"""Bootstrap and sign-flip test over people, on plain arrays.

One value a person goes in, as in `utils.evaluation.means`.
"""

from collections.abc import Iterator

import numpy as np
from scipy import stats

from utils.evaluation.means import FEW_PEOPLE, Interval, check_values, t_interval

_MOST_ENUMERATED = 8  # 6,435 different resamples
_MOST_FLIPPED = 14  # 16,384 sign patterns
_BLOCK_CELLS = 2_000_000


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
    if n < FEW_PEOPLE:
        pulls = estimate + weights / weights.mean() * (values - estimate)
        return t_interval(pulls, level=level)
    means, chances = [], []
    for counts, chance in _iter_resamples(n, n_draws=n_draws, seed=seed):
        share = counts * weights
        means.append(share @ values / share.sum(axis=1))
        chances.append(chance)
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
    n, sizes = len(differences), np.abs(differences)
    if n <= _MOST_FLIPPED:
        bits = np.arange(2**n)[:, None] >> np.arange(n) & 1
        sums, extra = np.abs((1 - 2 * bits) @ sizes), 0
    else:
        # The pattern that was seen counts as one of those drawn.
        sums, extra = _flip_at_random(sizes, n_draws=n_draws, seed=seed), 1
    tolerance = 1e-12 + 1e-9 * sizes.sum()

    def share(bound: float) -> float:
        return float(((sums >= bound - tolerance).sum() + extra) / (len(sums) + extra))

    return share(abs(differences.sum())), share(sizes.sum())


def _flip_at_random(sizes: np.ndarray, *, n_draws: int, seed: int) -> np.ndarray:
    """Return the absolute sums of the sizes under random signs, in blocks."""
    rng = np.random.default_rng(seed)
    sums, block = np.empty(n_draws), max(1, _BLOCK_CELLS // len(sizes))
    for start in range(0, n_draws, block):
        part = sums[start : start + block]
        signs = 1.0 - 2.0 * rng.integers(0, 2, size=(len(part), len(sizes)))
        part[:] = np.abs(signs @ sizes)
    return sums
