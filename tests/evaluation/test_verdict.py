"""Tests of `utils.evaluation.verdict`: made data with known truth; how often it errs.

The default run checks the rule on made differences (fast) and on a few comparisons
of models that really learn; the slow tests check 200 of these for each number of
people, and how often a true effect is found, and print the rates.
"""

import io
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest

from tests.made_studies import MODELS, View, make_studies
from utils.evaluation.claims import Evidence
from utils.evaluation.intervals import find_p_value
from utils.evaluation.verdict import (
    ALIKE,
    CANNOT_TELL,
    CLAIMS,
    COVER,
    FALSE,
    TRUE,
    Rules,
    _find_levels,
    build_verdicts,
    decide_claims,
)

NAMES = list(CLAIMS)
# What a study asks of its people; of its rooms it asks apart.
ASKED = [name for name in NAMES if CLAIMS[name].family != "rooms"]
ORIGINAL = [name for name in NAMES if CLAIMS[name].family == "original"]
CROP = "better_than_crop"
CLEAR = View(offset_sd=0.1, noise_sd=0.3, hard_sd=0.1, rate=2.0, upfront_s=0.5)
# Two good models, the second worse by about twice the smallest difference that matters.
GOOD = View(offset_sd=0.3, noise_sd=0.6, hard_sd=0.1)
WORSE = View(offset_sd=0.38, noise_sd=0.83, hard_sd=0.1, rate=0.38, epoch_s=0.16)
# Many numbers to learn by heart: overfits by twice what matters, 0.2 nats, more.
OVER = View(offset_sd=0.5, noise_sd=0.6, hard_sd=0.1, n_numbers=80, rate=1.0)
DIM = View(offset_sd=0.8, n_numbers=30, rate=0.03, epoch_s=0.5, upfront_s=2.0)


def _evidence(values: np.ndarray, *, n_train: float | None = None) -> Evidence:
    return Evidence(values, n_train=len(values) - 1 if n_train is None else n_train)


def _draw_differences(
    rng: np.random.Generator, shape: str, n_people: int, *, effect: float = 0.0
) -> dict[str, Evidence]:
    """Draw every claim's differences, with what the folds share.

    As in a cross-validation the values move together: what is shared varies as much as
    the mean of one value a person does.
    """
    evidence = {}
    for name in ASKED:
        noise = {
            "normal": lambda size: rng.normal(size=size),
            "heavy": lambda size: rng.standard_t(3, size=size) / np.sqrt(3),
            "skewed": lambda size: rng.exponential(size=size) - 1,
        }[shape]
        shared = rng.normal() / np.sqrt(n_people)
        evidence[name] = _evidence(effect + 0.5 * (noise(n_people) + shared))
    return evidence


def _rates(verdicts: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray, float]:
    """Return shares of TRUE and FALSE by claim, and of any verdict at all."""
    table = np.array(verdicts)
    told = (table == TRUE) | (table == FALSE)
    return (
        (table == TRUE).mean(axis=0),
        (table == FALSE).mean(axis=0),
        float(told.any(axis=1).mean()),
    )


@pytest.mark.parametrize(
    ("shape", "most"), [("normal", 0.02), ("heavy", 0.03), ("skewed", 0.05)]
)
@pytest.mark.parametrize("n_people", [4, 6, 12])
def test_nothing_to_tell_is_not_told(shape: str, most: float, n_people: int) -> None:
    # Skewed: the models are alike on average only; for most people one is better.
    rng = np.random.default_rng(20 + n_people)
    true, false, _ = _rates(
        [
            decide_claims(_draw_differences(rng, shape, n_people))["verdict"].to_numpy()
            for _ in range(200)
        ]
    )
    assert (true + false).mean() <= most


@pytest.mark.parametrize("n_people", [4, 6, 12])
def test_large_effects_are_told_the_right_way_round(n_people: int) -> None:
    rng = np.random.default_rng(n_people)
    for sign, right, wrong in ((1, 0, 1), (-1, 1, 0)):
        rates = _rates(
            [
                decide_claims(
                    _draw_differences(rng, "normal", n_people, effect=sign * 3.0)
                )["verdict"].to_numpy()
                for _ in range(25)
            ]
        )
        assert rates[right].min() >= 0.5
        assert rates[wrong].max() == 0


def _judge_studies(
    n_studies: int,
    n_people: int,
    views: Sequence[tuple[View, View, View]],
    *,
    seed: int,
) -> tuple[np.ndarray, np.ndarray, float]:
    """Judge made comparisons, a few of each kind in turn; return the rates."""
    verdicts = []
    for turn, start in enumerate(range(0, n_studies, 10)):
        studies = make_studies(
            min(10, n_studies - start),
            n_people=n_people,
            views=views[turn % len(views)],
            seed=seed + start,
        )
        for study in studies:
            table = build_verdicts(
                study.history,
                study.predictions,
                models=MODELS,
                curve=study.curve,
                upfront_s=study.upfront_s,
            )
            verdicts.append(table["verdict"].to_numpy())
    return _rates(verdicts)


def test_models_that_learn_alike_are_not_told_apart() -> None:
    assert _judge_studies(10, 4, [(View(), View(), View())], seed=3)[2] == 0


def test_models_that_learn_differently_are_told_apart() -> None:
    true, false, _ = _judge_studies(4, 6, [(CLEAR, DIM, DIM)], seed=4)
    assert true.mean() >= 0.5
    assert false.max() == 0
    true, false, _ = _judge_studies(4, 6, [(DIM, CLEAR, CLEAR)], seed=5)
    assert false.mean() >= 0.5
    assert true.max() == 0


@pytest.mark.slow
@pytest.mark.parametrize("n_people", [4, 6, 12])
def test_false_verdicts_are_rare_in_200_studies(
    n_people: int, capsys: pytest.CaptureFixture[str]
) -> None:
    # People differ, differ greatly (some are hard), and hardly differ.
    views = (View(), View(offset_sd=2.0, hard_sd=0.8, rate=0.03), View(offset_sd=0.3))
    alike = [(view, view, view) for view in views]
    true, false, told = _judge_studies(200, n_people, alike, seed=100)
    rates = dict(zip(ASKED, (true + false).round(3).tolist(), strict=True))
    with capsys.disabled():
        print(f"\n{n_people} people: false verdicts {rates}, any {told:.3f}")  # noqa: T201 (the figures)
    assert (true + false).max() <= 0.05
    assert told <= 0.05


@pytest.mark.slow
@pytest.mark.parametrize(("n_people", "least"), [(6, 0.0), (12, 0.8)])
def test_twice_the_smallest_difference_that_matters_is_found(
    n_people: int, least: float, capsys: pytest.CaptureFixture[str]
) -> None:
    # Both are good; the image model is worse by about twice what matters in all but
    # overfitting: 10 points, 0.2 nats, 2.25 times. See the means that are printed.
    studies = make_studies(
        200, n_people=n_people, views=(GOOD, WORSE, WORSE), n_frames=60, seed=77
    )
    tables = [
        build_verdicts(
            s.history,
            s.predictions,
            models=MODELS,
            curve=s.curve,
            upfront_s=s.upfront_s,
        )
        for s in studies
    ]
    true, false, _ = _rates([table["verdict"].to_numpy() for table in tables])
    means = np.median([table["difference"] for table in tables], axis=0)
    with capsys.disabled():
        for name, mean, rate in zip(ASKED, means, true, strict=True):
            print(f"\n{n_people} people, {name}: {mean:.3f} found in {rate:.3f}")  # noqa: T201 (the figures)
    assert true[:2].min() >= least
    assert false.max() == 0


@pytest.mark.slow
@pytest.mark.parametrize(("n_people", "least"), [(6, 0.5), (12, 0.8)])
def test_twice_the_overfitting_that_matters_is_found(
    n_people: int, least: float, capsys: pytest.CaptureFixture[str]
) -> None:
    views, found, sizes = (GOOD, OVER, OVER), [], []
    for seed in range(20):
        for study in make_studies(
            10, n_people=n_people, views=views, n_frames=30, seed=1000 + seed
        ):
            table = build_verdicts(
                study.history, study.predictions, models=MODELS, curve=study.curve
            )
            own = table.iloc[ASKED.index("overfit")]
            found.append(own["verdict"])
            sizes.append(own["difference"])
    rate = np.mean([verdict == TRUE for verdict in found])
    with capsys.disabled():
        print(f"\n{n_people} people, overfit: {np.median(sizes):.3f} in {rate:.3f}")  # noqa: T201 (the figures)
    assert rate >= least
    assert FALSE not in found


@pytest.mark.slow
@pytest.mark.parametrize(("n_people", "least"), [(4, 0.1), (6, 0.6), (12, 0.8)])
def test_true_effects_are_found_in_most_studies(
    n_people: int, least: float, capsys: pytest.CaptureFixture[str]
) -> None:
    true, false, _ = _judge_studies(40, n_people, [(CLEAR, DIM, DIM)], seed=7)
    rates = dict(zip(ASKED, true.round(3).tolist(), strict=True))
    with capsys.disabled():
        print(f"\n{n_people} people: right verdicts {rates}")  # noqa: T201 (the figures)
    assert true.mean() >= least
    assert false.max() == 0


def test_few_people_decide_nothing_however_large_the_effect() -> None:
    evidence = {name: _evidence(np.array([9.0, 9.1, 9.2])) for name in NAMES}
    table = decide_claims(evidence)
    assert (table["verdict"] == CANNOT_TELL).all()
    assert table["sentence"].str.contains("3 people are too few, 4 are needed").all()
    assert table["n_needed"].isna().all()


def test_four_people_can_decide_what_is_huge_and_consistent() -> None:
    evidence = {name: _evidence(np.array([1.0, 1.1, 0.9, 1.05])) for name in NAMES}
    table = decide_claims(evidence)
    assert (table["verdict"] == TRUE).all()
    assert table["sentence"].str.contains("only 4 people").all()


def test_alike_models_are_said_to_be_alike() -> None:
    values = 0.001 * np.random.default_rng(0).normal(size=20)
    table = decide_claims({name: _evidence(values) for name in NAMES})
    assert (table["verdict"] == ALIKE).all()
    assert table["sentence"].str.startswith("Neither: ").all()
    assert (
        "equally often on people never seen, within 5 points ("
        in (table["sentence"].iloc[0])
    )


def test_a_sure_but_tiny_difference_makes_no_verdict() -> None:
    values = np.full(200, 0.045) + 0.01 * np.random.default_rng(0).normal(size=200)
    table = decide_claims({"loss": _evidence(values)})
    assert table["low"].iloc[0] > 0
    assert table["verdict"].iloc[0] == ALIKE


def test_a_difference_that_may_matter_or_not_is_not_told() -> None:
    values = 0.08 + 0.05 * np.random.default_rng(1).normal(size=20)
    row = decide_claims({"loss": _evidence(values)}).iloc[0]
    assert 0 < row["low"] < row["difference"] < 0.1 < row["high"]
    assert row["verdict"] == CANNOT_TELL
    assert "may be less than 0.1 nats, which would not matter" in row["sentence"]


def test_one_person_more_alike_than_others_is_not_trusted() -> None:
    # All four agree to the last digit, as whole epochs may: the spread has a floor.
    table = decide_claims({"epochs": _evidence(np.full(4, np.log(1.6)))})
    assert table["verdict"].iloc[0] == CANNOT_TELL


def test_what_cannot_be_told_says_what_it_would_take() -> None:
    values = 0.1 + 0.1 * np.random.default_rng(2).normal(size=8)
    row = decide_claims({COVER: _evidence(values)}).iloc[0]
    assert row["verdict"] == CANNOT_TELL
    needed = int(row["n_needed"])
    assert "but that may be chance (95.0% interval" in row["sentence"]
    assert row["sentence"].endswith(f" About {needed} people would decide it.")
    # as many people with this spread would, and one fewer would not
    spread = (values - values.mean()) / values.std(ddof=1)

    def decide(n: int) -> str:
        rows = np.resize(spread, n)
        rows = (rows - rows.mean()) / rows.std(ddof=1) * values.std(ddof=1)
        found = decide_claims({COVER: _evidence(values.mean() + rows)})
        return found["verdict"].iloc[0]

    assert decide(needed) == TRUE and decide(needed - 1) == CANNOT_TELL


def test_what_nobody_could_film_is_said_to_be_too_much() -> None:
    values = 0.01 + 0.4 * np.random.default_rng(2).normal(size=8)
    row = decide_claims({COVER: _evidence(values)}).iloc[0]
    assert np.isnan(row["n_needed"])
    assert row["sentence"].endswith("More than 200 people would be needed.")


def test_levels_follow_holm_within_each_family() -> None:
    rng = np.random.default_rng(1)
    effects = (5.0, 1.5, 1.0, 0.0, 0.0)
    evidence = {COVER: _evidence(5.0 + rng.normal(size=12))}
    evidence[CROP] = _evidence(rng.normal(size=12))
    evidence |= {
        name: _evidence(effect + rng.normal(size=12))
        for name, effect in zip(ORIGINAL, effects, strict=True)
    }
    p_values = sorted(
        find_p_value(evidence[name].differences, n_train=11, sd_floor=0.01)
        for name in ORIGINAL
    )
    levels = _find_levels(evidence)
    # the surer of the two on the cover has half of 5 %, and the other then all of it
    assert (levels.pop(COVER), levels.pop(CROP)) == (0.975, 0.95)
    assert _find_levels({COVER: evidence[COVER]}) == {COVER: 0.95}
    n_passed = 0
    while n_passed < 5 and p_values[n_passed] < 0.05 / (5 - n_passed):
        n_passed += 1
    assert 1 <= n_passed < 5
    assert min(levels.values()) == pytest.approx(1 - 0.05 / (5 - n_passed), abs=1e-12)
    assert max(levels.values()) == pytest.approx(0.99)


def test_a_claim_in_doubt_is_not_decided_but_costs_its_share() -> None:
    evidence = {name: _evidence(np.full(6, 2.0)) for name in NAMES}
    evidence["people"] = Evidence(np.array([]), doubt="there is no learning curve")
    table = decide_claims(evidence).set_index("claim")
    last = table.loc["The pose classifier needs fewer labelled people"]
    assert last["verdict"] == CANNOT_TELL
    assert np.isnan(last["difference"])
    assert last["sentence"] == (
        "Cannot tell whether the pose classifier needs fewer labelled people: there "
        "is no learning curve."
    )
    assert (table["verdict"] == TRUE).sum() == len(CLAIMS) - 1


def test_the_question_on_the_cover_comes_first_and_in_points() -> None:
    evidence = {name: _evidence(0.1 + 0.01 * np.arange(12.0)) for name in NAMES}
    row = decide_claims(evidence).iloc[0]
    assert row["difference"] == pytest.approx(0.155)
    assert row["sentence"].startswith(
        "Yes: the pose classifier is right more often than the whole-picture "
        "classifier on people never seen, by 15.5 points (97.5% interval +"
    )
    assert row["sentence"].endswith(", 12 people).")


def test_ratios_are_given_as_ratios() -> None:
    values = np.log([4.0, 4.2, 3.8, 4.1, 3.9, 4.0])
    row = decide_claims({"epochs": _evidence(values)}).iloc[0]
    assert row["difference"] == pytest.approx(4.0, abs=0.01)
    assert 1 < row["low"] < 4 < row["high"]
    assert row["sentence"].startswith(
        "Yes: the pose classifier converges in fewer epochs, the whole-picture "
        "classifier takes 4.00 times as many ("
    )


def test_a_false_claim_says_what_is_so_instead() -> None:
    row = decide_claims({"loss": _evidence(-np.linspace(0.9, 1.1, 8))}).iloc[0]
    assert row["verdict"] == FALSE
    assert row["sentence"].startswith(
        "No: the whole-picture classifier's validation loss is lower, by 1.00 nats ("
    )
    values = np.log([0.5, 0.52, 0.48, 0.51, 0.49, 0.5])
    row = decide_claims({"seconds": _evidence(values)}).iloc[0]
    assert row["sentence"].startswith(
        "No: the whole-picture classifier converges sooner, the pose network's seconds "
        "included, the whole-picture classifier takes 0.50 times as long ("
    )


def test_the_rule_is_written_beside_each_number() -> None:
    table = decide_claims({name: _evidence(np.ones(6)) for name in NAMES})
    assert list(table["claim"].str.lower()) == [
        claim.holds.lower() for claim in CLAIMS.values()
    ]
    for name, rule in zip(NAMES, table["rule"], strict=True):
        assert rule.startswith(CLAIMS[name].measure)
    rule = dict(zip(NAMES, table["rule"], strict=True))
    assert "at least 5 points" in rule[COVER]
    assert "at least 1.5 times" in rule["epochs"]
    assert "5% for all on the question on the cover together by Holm" in rule[CROP]
    assert "5% for all on rooms together by Holm" in rule["room_crop"]


def test_a_stricter_rule_tells_less() -> None:
    evidence = {name: _evidence(0.5 + 0.1 * np.arange(6.0)) for name in NAMES}
    assert (decide_claims(evidence)["verdict"] == TRUE).all()
    strict = decide_claims(evidence, rules=Rules(false_rate=1e-6))
    assert (strict["verdict"] == CANNOT_TELL).all()


def test_verdicts_of_one_study_are_a_table_that_can_be_written() -> None:
    study = make_studies(1, n_people=5, seed=9)[0]
    table = build_verdicts(study.history, study.predictions, curve=study.curve)
    assert list(table.columns) == [
        *("claim", "verdict", "difference", "low", "high", "unit", "level", "n"),
        *("n_unit", "n_needed", "rule", "sentence"),
    ]
    assert len(pd.read_csv(io.StringIO(table.to_csv(index=False)))) == 6  # no crops
