"""The softmax on numbers, held against scikit-learn's."""

import numpy as np
import pytest

from tests.made_poses import make_inputs
from utils.training.keras_loop import Schedule, predict
from utils.training.softmax import (
    Inputs,
    build_softmax,
    fit_rows,
    fit_softmax,
    number_classes,
)

SCHEDULE = Schedule(n_epochs=30, patience=10, batch_size=32, learning_rate=0.02)


def test_softmax_has_34k_plus_k_weights_and_standardises_inside() -> None:
    x = np.random.default_rng(0).normal(7, 3, (50, 34)).astype(np.float32)
    model = build_softmax(x, n_classes=6)
    assert sum(int(np.prod(w.shape)) for w in model.trainable_weights) == 34 * 6 + 6
    scaled = np.asarray(model.layers[0](x))
    np.testing.assert_allclose(scaled.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(scaled.std(axis=0), 1, atol=1e-4)


def test_column_that_never_changes_does_no_harm() -> None:
    x = np.zeros((20, 3), dtype=np.float32)
    x[:, 1] = np.arange(20)
    model = build_softmax(x, n_classes=2)
    np.testing.assert_allclose(predict(model, x + 0.01), predict(model, x), atol=0.02)


def test_held_out_people_are_told_as_well_as_by_scikit_learn() -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    inputs, people = make_inputs(noise=2.0)
    train, val = np.flatnonzero(people > 0), np.flatnonzero(people == 0)
    history, shares = fit_rows(train, val, seed=0, inputs=inputs, schedule=SCHEDULE)
    x = np.concatenate([inputs.x[train], inputs.mirrored[train]])
    theirs = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))
    theirs.fit(x, np.tile(inputs.y[train], 2))
    accuracy = (shares.argmax(axis=1) == inputs.y[val]).mean()
    # 60 held-out frames: one frame is 1.7 points
    assert accuracy >= theirs.score(inputs.x[val], inputs.y[val]) - 0.02
    assert history["val_accuracy"].max() >= accuracy > 0.8


def test_model_learns_from_the_mirrored_rows_too() -> None:
    inputs, people = make_inputs(noise=0.1)
    elsewhere = Inputs(np.zeros_like(inputs.x), inputs.y, mirrored=inputs.x)
    rows = np.flatnonzero(people == 0)
    model, _ = fit_softmax(elsewhere, rows, rows, schedule=SCHEDULE, seed=0)
    assert (predict(model, inputs.x).argmax(axis=1) == inputs.y).mean() > 0.95


def test_changed_pictures_are_told_by_a_model_that_never_saw_them() -> None:
    inputs, people = make_inputs(noise=0.1)
    train, val = np.flatnonzero(people > 0), np.flatnonzero(people == 0)
    blank = Inputs(inputs.x, inputs.y, inputs.mirrored, told=np.zeros_like(inputs.x))
    history, shares = fit_rows(train, val, seed=0, inputs=blank, schedule=SCHEDULE)
    assert history["val_accuracy"].max() > 0.95
    assert len(np.unique(shares.argmax(axis=1))) == 1


def test_missing_numbers_are_refused() -> None:
    inputs, people = make_inputs()
    inputs.x[people == 0, 0] = np.nan
    train, val = np.flatnonzero(people > 0), np.flatnonzero(people == 0)
    with pytest.raises(ValueError, match="no probabilities for 60 of 60 frames"):
        fit_rows(train, val, seed=0, inputs=inputs, schedule=SCHEDULE)


def test_classes_are_numbered_in_their_order() -> None:
    assert number_classes(["b", "a", "b"], ["a", "b", "c"]).tolist() == [1, 0, 1]
    with pytest.raises(ValueError, match="Expected labels out of a, b, got 'lie'"):
        number_classes(["a", "lie"], ["a", "b"])
