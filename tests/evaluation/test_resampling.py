"""Tests of `utils.evaluation.resampling`."""

import itertools

import numpy as np
import pytest
from scipy import stats

from utils.evaluation.means import t_interval
from utils.evaluation.resampling import _enumerate_resamples, bound_mean, flip_signs


def test_enumerated_resamples_are_all_there_are() -> None:
    counts, chances = _enumerate_resamples(3)
    seen = {
        tuple(np.bincount(draw, minlength=3))
        for draw in itertools.product(range(3), repeat=3)
    }
    assert {tuple(row) for row in counts} == seen
    assert len(counts) == len(seen) == 10
    assert chances.sum() == pytest.approx(1)
    assert chances[(counts == 1).all(axis=1)] == pytest.approx(6 / 27)


def test_enumerated_and_drawn_resamples_agree() -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(size=8)
    exact = bound_mean(values)
    counts = rng.multinomial(8, np.full(8, 1 / 8), size=200_000)
    tail = stats.norm.cdf(np.sqrt(8 / 7) * stats.t.ppf(0.025, df=7))
    ends = np.quantile(counts @ values / 8, [tail, 1 - tail])
    assert (exact.low, exact.high) == pytest.approx(tuple(ends), abs=0.02)


def test_bootstrap_of_many_normal_people_is_as_wide_as_a_t_interval() -> None:
    values = np.random.default_rng(2).normal(size=40)
    boot, t = bound_mean(values, seed=1), t_interval(values)
    assert (boot.low, boot.high) == pytest.approx((t.low, t.high), abs=0.05)


def test_interval_holds_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(3)
    for n, least in ((4, 0.90), (6, 0.88), (12, 0.88), (30, 0.88)):
        held = [
            bound.low <= 0.8 <= bound.high
            for bound in (
                bound_mean(rng.beta(8, 2, size=n), n_draws=500, seed=i)
                for i in range(150)
            )
        ]
        assert np.mean(held) >= least - 0.04, f"{n} people"


def test_weights_make_the_estimate_a_mean_over_frames() -> None:
    bound = bound_mean(np.array([1.0, 0.0, 0.5]), weights=np.array([98, 1, 1]))
    assert bound.estimate == pytest.approx(0.985)
    six = np.array([1.0, 0.0, 0.5, 0.7, 0.2, 0.9])
    heavy = bound_mean(six, weights=np.array([1, 1, 1, 1, 1, 995.0]))
    assert heavy.estimate == pytest.approx(np.average(six, weights=[1] * 5 + [995]))
    assert heavy.low <= heavy.estimate <= heavy.high


def test_equal_people_give_an_interval_without_width() -> None:
    for n in (4, 7, 20):
        bound = bound_mean(np.full(n, 0.7))
        assert (bound.low, bound.high) == pytest.approx((0.7, 0.7))


def test_same_seed_same_interval() -> None:
    values = np.random.default_rng(0).normal(size=20)
    assert bound_mean(values, seed=5) == bound_mean(values, seed=5)


def test_one_person_has_no_interval() -> None:
    assert np.isnan(bound_mean(np.array([0.9])).low)


def test_weights_must_be_above_zero() -> None:
    with pytest.raises(ValueError, match="one weight above 0"):
        bound_mean(np.array([0.5, 0.6]), weights=np.array([0, 1]))


def test_sign_flips_agree_with_scipy() -> None:
    rng = np.random.default_rng(4)
    for n in (3, 7, 12):
        values = rng.normal(0.4, 1, size=n)
        expected = stats.permutation_test(
            (values, np.zeros(n)),
            lambda x, y, axis: np.sum(x - y, axis=axis),
            permutation_type="samples",
            vectorized=True,
        )
        assert flip_signs(values)[0] == pytest.approx(expected.pvalue)


def test_four_people_cannot_reach_five_per_cent() -> None:
    assert flip_signs(np.array([5.0, 6.0, 7.0, 8.0])) == (0.125, 0.125)
    assert flip_signs(np.arange(1.0, 7.0))[1] == pytest.approx(2 / 64)


def test_people_without_a_difference_raise_the_smallest_p_value() -> None:
    p_value, smallest = flip_signs(np.array([1.0, 2.0, 3.0, 0.0, 0.0]))
    assert p_value == smallest == pytest.approx(0.25)


def test_random_flips_are_near_all_flips() -> None:
    rng = np.random.default_rng(6)
    values = rng.normal(0.3, 1, size=16)
    p_value, smallest = flip_signs(values, seed=1)
    bits = np.arange(2**16)[:, None] >> np.arange(16) & 1
    sums = np.abs((1 - 2 * bits) @ np.abs(values))
    exact = np.mean(sums >= abs(values.sum()) - 1e-9)
    assert p_value == pytest.approx(exact, abs=0.02)
    assert smallest == pytest.approx(1 / 20_001, abs=1e-4)


def test_alike_models_are_called_different_at_most_as_often_as_said() -> None:
    rng = np.random.default_rng(7)
    p_values = [flip_signs(rng.standard_t(2, size=9))[0] for _ in range(400)]
    assert np.mean(np.array(p_values) <= 0.05) <= 0.08
