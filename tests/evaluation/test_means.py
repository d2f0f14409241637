"""Tests of `utils.evaluation.means`."""

import numpy as np
import pytest
from scipy import stats

from utils.evaluation.means import describe_few, find_p_value, t_interval


def test_t_interval_agrees_with_scipy_without_overlap() -> None:
    values = np.array([0.1, 0.4, 0.2, 0.6, 0.3])
    bound = t_interval(values, level=0.9)
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.9)
    assert (bound.low, bound.high) == pytest.approx((expected.low, expected.high))
    assert find_p_value(values) == pytest.approx(stats.ttest_1samp(values, 0).pvalue)


def test_shared_training_people_widen_the_interval() -> None:
    values = np.array([0.1, 0.4, 0.2, 0.6])
    plain, wide = t_interval(values), t_interval(values, n_train=3)
    ratio = (wide.high - wide.low) / (plain.high - plain.low)
    assert ratio == pytest.approx(np.sqrt((1 / 4 + 1 / 3) / (1 / 4)))


def test_p_value_is_where_the_interval_touches_nothing() -> None:
    values = np.array([0.1, 0.5, 0.2, 0.6, 0.3])
    options = {"n_train": 4, "shared_sd": 0.05, "sd_floor": 0.3}
    p_value = find_p_value(values, **options)
    assert t_interval(values, level=1 - p_value, **options).low == pytest.approx(0)


def test_people_who_agree_by_chance_do_not_make_a_sure_mean() -> None:
    bound = t_interval(np.full(4, 0.3), sd_floor=0.1)
    assert bound.high - bound.low > 0.3


def test_fewer_than_two_people_have_no_interval() -> None:
    bound = t_interval(np.array([0.3]))
    assert np.isnan(bound.low)
    assert find_p_value(np.array([0.3])) == 1


def test_a_missing_value_is_refused() -> None:
    with pytest.raises(ValueError, match=r"one finite number a person.*1 missing"):
        t_interval(np.array([0.1, np.nan]))


def test_few_people_are_named() -> None:
    assert describe_few(1) == "fewer than 2 people: there can be no interval"
    assert "only 5 people" in describe_few(5)
    assert "6 folds are few" in describe_few(6, noun="folds")
    assert describe_few(12) == ""
