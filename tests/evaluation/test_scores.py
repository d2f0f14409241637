"""Tests of `utils.evaluation.scores`."""

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

from tests.made_predictions import make_predictions, make_random_predictions
from utils.core.tables import check_table
from utils.evaluation.scores import (
    COMPARISON_COLUMNS,
    count_confusions,
    describe_failures,
    find_recall,
    score_classes,
    score_people,
    score_predictions,
    summarise_models,
    summarise_scores,
)


def test_scores_agree_with_scikit_learn() -> None:
    table = make_random_predictions(4, 50)
    pose = table[table["model"] == "pose_softmax"]
    scores = summarise_scores(table).set_index("model").loc["pose_softmax"]
    shares = pose[["p_class0", "p_class1", "p_class2"]]
    truth, told = pose["label"], pose["predicted"]
    assert scores["accuracy"] == pytest.approx(metrics.accuracy_score(truth, told))
    f1 = metrics.f1_score(truth, told, average="macro")
    assert scores["macro_f1"] == pytest.approx(f1)
    assert scores["log_loss"] == pytest.approx(metrics.log_loss(truth, shares))
    assert (scores["n_people"], scores["n_frames"]) == (4, 200)
    assert (scores["n_folds"], scores["n_seeds"]) == (4, 1)


def test_class_scores_agree_with_scikit_learn() -> None:
    table = make_random_predictions(3, 40)
    pose = table[table["model"] == "pose_softmax"]
    expected = metrics.precision_recall_fscore_support(
        pose["label"], pose["predicted"], labels=["class0", "class1", "class2"]
    )
    scores = score_classes(table)
    own = scores[scores["model"] == "pose_softmax"]
    assert list(own["label"]) == ["class0", "class1", "class2"]
    columns = ["precision", "recall", "f1", "n_frames"]
    assert np.allclose(own[columns].to_numpy().T, expected)
    assert (own["n_people"] == 3).all()


def test_spread_over_folds_and_over_seeds_are_kept_apart() -> None:
    # Person a: 1.0 and 0.5 with the two seeds; person b: 0.5 and 0.0.
    one = make_predictions({"a": [1, 1, 1, 1], "b": [1, 1, 0, 0]}, seed=1)
    two = make_predictions({"a": [1, 1, 0, 0], "b": [0, 0, 0, 0]}, seed=2)
    scores = summarise_scores(pd.concat([one, two])).iloc[0]
    assert scores["accuracy"] == pytest.approx(0.5)
    assert scores["accuracy_sd"] == pytest.approx(np.std([0.75, 0.25], ddof=1))
    assert scores["accuracy_sd_seeds"] == pytest.approx(np.std([0.75, 0.25], ddof=1))
    # A third, different seed changes the spread over seeds, not what folds mean.
    three = make_predictions({"a": [1, 1, 1, 0], "b": [1, 0, 0, 0]}, seed=3)
    scores = summarise_scores(pd.concat([one, two, three])).iloc[0]
    assert scores["accuracy_sd"] == pytest.approx(np.std([0.75, 0.25], ddof=1))
    assert scores["accuracy_sd_seeds"] == pytest.approx(0.25)


def test_one_fold_or_one_seed_has_no_spread() -> None:
    scores = summarise_scores(make_predictions({"a": [1, 0]})).iloc[0]
    assert np.isnan(scores["accuracy_sd"])
    assert np.isnan(scores["log_loss_sd_seeds"])


def test_scores_go_by_the_predictions_not_by_the_order_of_rows() -> None:
    table = make_random_predictions(3, 20)
    mixed = table.sample(frac=1, random_state=0)
    one, two = (summarise_scores(t).set_index("model") for t in (table, mixed))
    pd.testing.assert_frame_equal(one, two.loc[one.index])


def test_macro_f1_counts_only_classes_that_a_fold_shows() -> None:
    table = make_predictions({"a": [1, 1, 1, 1], "b": [1]})  # b never stands
    scores = summarise_scores(table).iloc[0]
    assert scores["macro_f1"] == 1
    assert scores["macro_f1_sd"] == 0


def test_one_sure_mistake_costs_a_finite_loss() -> None:
    frames = score_predictions(make_predictions({"a": [0]}, sure=1.0))
    assert frames["loss"].tolist() == pytest.approx([-np.log(1e-7)])


def test_confusions_average_seeds_and_sum_to_the_frames() -> None:
    one = make_predictions({"a": [1, 1, 0, 1]}, seed=1)
    two = make_predictions({"a": [1, 1, 1, 1]}, seed=2)
    counts = count_confusions(pd.concat([one, two]), model="pose_softmax")
    assert counts.loc["sit"].tolist() == [1.5, 0.5]
    assert counts.loc["stand"].tolist() == [0.0, 2.0]


def test_people_are_scored_one_by_one_seeds_averaged() -> None:
    one = make_predictions({"a": [1, 1, 1, 1], "b": [1, 0]}, seed=1)
    two = make_predictions({"a": [1, 1, 0, 0], "b": [1, 0]}, seed=2)
    people = score_people(pd.concat([one, two])).set_index("subject")
    assert people["accuracy"].to_dict() == {"a": 0.75, "b": 0.5}
    assert people["n_frames"].to_dict() == {"a": 4, "b": 2}
    assert people.loc["b", "accuracy_sd_seeds"] == 0


def test_scores_take_a_checked_predictions_table_and_leave_it_alone() -> None:
    table = check_table(make_random_predictions(2, 10), "predictions")
    before = table.copy()
    summarise_scores(table)
    pd.testing.assert_frame_equal(table, before)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.drop(columns="subject"), "people cannot be counted"),
        (lambda t: t.assign(label="lie"), "first 'lie'; expected one of sit, stand"),
        (lambda t: t.assign(label=None), "Leave out unlabelled frames"),
        (lambda t: t.assign(p_sit=np.nan), "to sum to 1"),
        (lambda t: t.drop(columns=["p_sit", "p_stand"]), "no column p_<class>"),
        (lambda t: t.iloc[1:], "seeds of pose_softmax predict different frames"),
    ],
)
def test_predictions_that_cannot_be_scored_are_refused(change, message) -> None:  # noqa: ANN001 (a lambda)
    both = [make_predictions({"a": [1, 0]}, seed=seed) for seed in (1, 2)]
    with pytest.raises(ValueError, match=message):
        summarise_scores(change(pd.concat(both, ignore_index=True)))


def test_an_unknown_model_is_refused() -> None:
    with pytest.raises(ValueError, match="No model 'nobody' among the predictions"):
        count_confusions(make_predictions({"a": [1]}), model="nobody")


def test_summary_has_the_agreed_columns_and_charges_the_upfront_seconds() -> None:
    scores = pd.DataFrame(
        {c: [0.5] for c in COMPARISON_COLUMNS if c not in ("model", "n_parameters")}
    ).assign(model="noisy")
    history = pd.DataFrame(
        {
            "model": "noisy",
            "fold": [0, 0, 1, 1],
            "seed": 0,
            "epoch": [1, 2, 1, 2],
            "seconds": [1.0, 2.0, 1.0, 2.0],
            "val_loss": [0.5, 0.7, 0.5, 0.3],
        }
    )
    table = summarise_models(
        scores,
        history,
        n_parameters={"noisy": 7},
        upfront_s={"noisy": 10.0},
        ms_per_frame={"noisy": 3.0},
    )
    assert list(table) == COMPARISON_COLUMNS
    assert table["seconds_to_best"].iloc[0] == pytest.approx(10 + (1 + 2) / 2)
    assert table["n_parameters"].iloc[0] == 7


def test_a_model_no_better_than_a_guess_is_said_to_have_failed() -> None:
    scores = pd.DataFrame(
        {
            "model": ["majority", "pose_softmax", "mobilenet_frozen", "own_model"],
            "accuracy": [0.5, 0.51, 0.5, 0.2],
        }
    )
    (told,) = describe_failures(scores, names={"mobilenet_frozen": "crop classifier"})
    assert told == (
        "No better than always the same guess (50.0%): the crop classifier "
        "(50.0% right), the own model (20.0% right); their scores say nothing of their "
        "kind."
    )
    assert describe_failures(scores.head(2)) == []


def test_recall_names_what_a_class_is_else_taken_for() -> None:
    table = find_recall(
        make_predictions({"ann": [1, 0, 1, 0], "bob": [0, 1, 1, 1]}),
        model="pose_softmax",
    )
    assert table.loc["sit"].tolist() == [0.75, "stand", 0.25]
    assert table.loc["stand"].tolist() == [0.5, "sit", 0.5]
    right = find_recall(make_predictions({"ann": [1, 1]}), model="pose_softmax")
    assert right["taken_for"].isna().all() and right["recognised"].eq(1).all()
