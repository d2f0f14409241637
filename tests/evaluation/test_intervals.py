"""Tests of `utils.evaluation.intervals`."""

import numpy as np
import pandas as pd
import pytest

from tests.made_predictions import make_predictions, make_random_predictions
from utils.evaluation.intervals import bound_scores, compare_models, pair_people
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
