"""Tests of `utils.evaluation.intervals`: against scipy, and how often they hold."""

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tests.made_predictions import make_predictions, make_random_predictions
from utils.evaluation.intervals import (
    _enumerate_resamples,
    bound_mean,
    bound_scores,
    compare_models,
    describe_few,
    find_p_value,
    flip_signs,
    pair_people,
    t_interval,
)
from utils.evaluation.scores import summarise_scores

IMAGE = "mobilenet_frozen"


def _two_models(
    pose: dict[str, list[int]], image: dict[str, list[int]]
) -> pd.DataFrame:
    tables = [make_predictions(pose), make_predictions(image, model=IMAGE)]
    return pd.concat(tables, ignore_index=True)


def test_estimates_are_those_of_the_score_table() -> None:
    table = make_random_predictions(5, 30)
    bounds = bound_scores(table).pivot_table(
        index="model", columns="metric", values="estimate"
    )
    scores = summarise_scores(table).set_index("model")
    for metric in ("accuracy", "log_loss"):
        assert np.allclose(bounds[metric], scores[metric].loc[bounds.index])


def test_more_frames_of_the_same_people_do_not_narrow_the_interval() -> None:
    people = {f"p{i}": [1] * (i + 1) + [0] * (9 - i) for i in range(8)}
    many = {who: hits * 20 for who, hits in people.items()}
    few, lots = (bound_scores(make_predictions(t)).iloc[0] for t in (people, many))
    assert (few["low"], few["high"]) == pytest.approx((lots["low"], lots["high"]))


def test_intervals_stay_within_what_a_score_can_be() -> None:
    table = make_predictions({"a": [1, 1], "b": [1, 1], "c": [1, 0]})
    bounds = bound_scores(table).set_index("metric")
    assert bounds.loc["accuracy", "high"] == 1
    assert bounds.loc["log_loss", "low"] >= 0


def test_few_people_are_said_to_be_few() -> None:
    table = make_predictions({who: [1, 0, 1] for who in "abcd"})
    note = bound_scores(table)["note"].iloc[0]
    assert "only 4 people: the interval is a rough guess" in note
    assert "all 4 people gave the same" in note
    assert "up to 53% of people" in note


def test_difference_is_paired_by_person() -> None:
    # People differ by far more than the models, which differ by the same in each.
    pose = {f"p{i}": [1] * (2 + i) + [0] * (8 - i) for i in range(8)}
    image = {f"p{i}": [1] * (1 + i) + [0] * (9 - i) for i in range(8)}
    table = compare_models(_two_models(pose, image)).set_index("metric")
    accuracy = table.loc["accuracy"]
    assert accuracy["difference"] == pytest.approx(0.1)
    assert accuracy["low"] == pytest.approx(0.1)
    assert (accuracy["n_first_better"], accuracy["n_second_better"]) == (8, 0)
    assert accuracy["p_value"] == accuracy["p_smallest"] == pytest.approx(2 / 256)
    assert table.loc["log_loss", "difference"] < 0
    assert table.loc["log_loss", "n_first_better"] == 8


def test_test_over_few_people_names_the_smallest_p_value() -> None:
    people = {who: [1, 1] for who in "abcd"}
    worse = {who: [0, 1] for who in "abcd"}
    table = compare_models(_two_models(people, worse))
    assert (table["p_value"] == 0.125).all()
    assert (
        table["note"].str.contains("no result could have a p value below 0.125").all()
    )


def test_seeds_are_averaged_before_people_are_paired() -> None:
    pose = [make_predictions({"a": [1, s], "b": [1, 1]}, seed=s) for s in (0, 1)]
    image = make_predictions({"a": [0, 0], "b": [1, 1]}, model=IMAGE)
    pairs = pair_people(
        pd.concat([*pose, image]), first="pose_softmax", second=IMAGE
    ).set_index("subject")
    assert pairs["accuracy"].to_dict() == {"a": 0.75, "b": 0.0}


def test_models_that_saw_other_frames_are_not_compared() -> None:
    table = _two_models({"a": [1, 1]}, {"a": [1]})
    with pytest.raises(ValueError, match="1 were predicted by one alone"):
        compare_models(table)


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
