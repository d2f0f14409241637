"""Tests of `utils.evaluation.claims`."""

import numpy as np
import pandas as pd
import pytest

from tests.made_predictions import make_predictions
from utils.evaluation.claims import measure_claims, measure_training

MODELS = ("pose_softmax", "mobilenet_frozen")


def _run(
    model: str,
    val_loss: list[float],
    *,
    loss: list[float] | None = None,
    fold: int = 0,
    seed: int = 0,
) -> pd.DataFrame:
    """Return a run's history; each epoch takes 2 seconds."""
    table = pd.DataFrame({"val_loss": val_loss, "loss": loss or val_loss})
    table["epoch"] = np.arange(1, len(table) + 1)
    return table.assign(model=model, fold=fold, seed=seed, seconds=2.0 * table["epoch"])


def _history(folds: int = 2) -> pd.DataFrame:
    """Pose reaches 0.1 in 2 epochs, image 0.2 in 4; the loss of guessing is 0.69."""
    runs = [
        run
        for fold in range(folds)
        for run in (
            _run(MODELS[0], [0.6, 0.2, 0.1, 0.15], fold=fold),
            _run(
                MODELS[1],
                [0.65, 0.6, 0.5, 0.2, 0.4],
                loss=[0.6, 0.5, 0.3, 0.05, 0.01],
                fold=fold,
            ),
        )
    ]
    return pd.concat(runs, ignore_index=True)


def _predictions() -> pd.DataFrame:
    pose = make_predictions({"a": [1, 1], "b": [1, 1]}, sure=0.8)
    image = make_predictions({"a": [1, 0], "b": [0, 0]}, model=MODELS[1], sure=0.8)
    return pd.concat([pose, image], ignore_index=True)


def _curve(gaps: dict[int, dict[str, float]]) -> pd.DataFrame:
    """Return a learning curve of two draws with these gaps by size and person."""
    rows = [
        (model, size, draw, subject, 0.5 + (gap if model == MODELS[0] else 0.0))
        for size, people in gaps.items()
        for subject, gap in people.items()
        for draw in (0, 1)
        for model in MODELS
    ]
    return pd.DataFrame(
        rows, columns=["model", "n_people", "draw", "subject", "accuracy"]
    )


def test_speed_is_the_first_epoch_that_reaches_what_both_reach() -> None:
    table = measure_training(_history(), models=MODELS, n_classes=2)
    pose, image = (table[table["model"] == m].iloc[0] for m in MODELS)
    # 95 % of the way from log(2) to 0.2, the best of the worse model.
    assert pose["target"] == pytest.approx(0.2 + 0.05 * (np.log(2) - 0.2))
    assert (pose["epochs"], image["epochs"]) == (2, 4)
    assert (pose["seconds"], image["seconds"]) == pytest.approx((4, 8))
    assert (pose["epochs_to_best"], image["epochs_to_best"]) == (3, 4)


def test_overfitting_is_measured_at_the_best_epoch() -> None:
    table = measure_training(_history(), models=MODELS, n_classes=2)
    image = table[table["model"] == MODELS[1]].iloc[0]
    assert image["gap"] == pytest.approx(0.2 - 0.05)
    assert image["gap_last"] == pytest.approx(0.4 - 0.01)


def test_seeds_are_averaged_so_that_folds_are_what_counts() -> None:
    quick = _run(MODELS[0], [0.1, 0.1], seed=1)
    slow = _run(MODELS[0], [0.6, 0.6, 0.6, 0.1], seed=2)
    image = _run(MODELS[1], [0.6, 0.1], seed=1)
    table = measure_training(
        pd.concat([quick, slow, image]), models=MODELS, n_classes=2
    )
    assert table["epochs"].tolist() == pytest.approx([2, 2])  # sqrt(1 * 4), and 2
    assert len(table) == 2


def test_every_difference_is_above_zero_where_the_claim_holds() -> None:
    evidence = measure_claims(
        _history(),
        _predictions(),
        models=MODELS,
        curve=_curve({1: {"a": 0.2, "b": 0.4}, 2: {"a": 0.0, "b": 0.2}}),
        upfront_s={MODELS[0]: 6.0, MODELS[1]: 0.0},
    )
    found = {name: own.differences for name, own in evidence.items()}
    assert found["better"] == pytest.approx([0.5, 1.0])
    assert found["epochs"] == pytest.approx(np.log([2, 2]))
    assert found["seconds"] == pytest.approx(np.log([0.8, 0.8]))
    costs = np.log([0.8 / 0.8, 0.8 / 0.2])  # of a frame told right, and wrong
    assert found["loss"] == pytest.approx([costs.mean(), costs[1]])
    assert found["overfit"] == pytest.approx([0.15, 0.15])
    assert found["people"] == pytest.approx([0.1, 0.3])
    assert not any(own.doubt for own in evidence.values())


def test_people_who_learn_together_are_counted_for_the_overlap() -> None:
    table = _predictions().assign(fold=0)
    table.loc[table["subject"] == "b", "fold"] = 1
    evidence = measure_claims(_history(), table, models=MODELS)
    assert evidence["loss"].n_train == 1
    assert evidence["better"].n_train == 1
    assert evidence["epochs"].n_train == 1


def test_where_each_person_is_a_fold_folds_are_people() -> None:
    table = _predictions()
    table["fold"] = (table["subject"] == "b").astype(int)
    evidence = measure_claims(_history(), table, models=MODELS)
    assert {own.unit for own in evidence.values()} == {"people"}
    together = measure_claims(_history(), table.assign(fold=0), models=MODELS)
    assert together["epochs"].unit == "folds"


def test_what_is_not_known_is_doubted_not_guessed() -> None:
    evidence = measure_claims(_history(), _predictions(), models=MODELS)
    assert "seconds before the first epoch" in evidence["seconds"].doubt
    assert "no learning curve" in evidence["people"].doubt


def test_curves_that_cross_are_doubted() -> None:
    curve = _curve({1: {"a": 0.3, "b": 0.3}, 2: {"a": -0.1, "b": -0.1}})
    evidence = measure_claims(_history(), _predictions(), models=MODELS, curve=curve)
    assert evidence["people"].doubt == "the learning curves cross"


def test_a_curve_of_single_draws_is_doubted() -> None:
    curve = _curve({1: {"a": 0.3, "b": 0.3}})
    curve = curve[curve["draw"] == 0]
    evidence = measure_claims(_history(), _predictions(), models=MODELS, curve=curve)
    assert "too few draws" in evidence["people"].doubt


def test_draws_that_differ_add_to_the_error_of_the_curve() -> None:
    curve = _curve({1: {"a": 0.3, "b": 0.3, "c": 0.3}})
    same = measure_claims(_history(), _predictions(), models=MODELS, curve=curve)
    assert same["people"].shared_sd == 0
    lucky = (curve["model"] == MODELS[0]) & (curve["draw"] == 1)
    curve.loc[lucky, "accuracy"] += 0.2
    apart = measure_claims(_history(), _predictions(), models=MODELS, curve=curve)
    assert apart["people"].shared_sd == pytest.approx(0.1 * np.sqrt(2) / np.sqrt(2))


def test_a_model_that_never_learnt_has_no_speed() -> None:
    history = _history()
    image = history["model"] == MODELS[1]
    history["val_loss"] = history["val_loss"].where(~image, 1.0)
    evidence = measure_claims(history, _predictions(), models=MODELS)
    for claim in ("epochs", "seconds", "overfit"):
        assert "the whole-picture classifier did no better" in evidence[claim].doubt
    assert evidence["loss"].doubt == ""


def test_models_must_have_learnt_on_the_same_folds() -> None:
    history = _history()
    one = history[(history["model"] == MODELS[0]) | (history["fold"] == 0)]
    with pytest.raises(ValueError, match="must have learnt on the same folds"):
        measure_training(one, models=MODELS, n_classes=2)
    with pytest.raises(ValueError, match="No model 'mobilenet_frozen' in the history"):
        measure_training(_run(MODELS[0], [0.1]), models=MODELS, n_classes=2)
    with pytest.raises(ValueError, match="epochs without a loss"):
        measure_training(history.assign(loss=np.nan), models=MODELS, n_classes=2)
