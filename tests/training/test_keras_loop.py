"""The loop in which models learn: stopping, bookkeeping, equal seeds."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from utils.training import keras_loop
from utils.training.keras_loop import (
    HISTORY_COLUMNS,
    Schedule,
    fit_model,
    predict,
    seed_training,
)
from utils.training.softmax import build_softmax

FAST = Schedule(n_epochs=6, patience=6, batch_size=16, learning_rate=0.05)
Data = tuple[np.ndarray, np.ndarray]


def make_data(n: int = 60, *, seed: int = 0) -> Data:
    """Return two classes decided by the first of three columns, not quite cleanly."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    x = rng.normal(size=(n, 3)) + np.outer(y, [2.0, 0, 0])
    return x.astype(np.float32), y


def fit(
    schedule: Schedule, *, seed: int = 0, train: Data | None = None
) -> tuple[object, pd.DataFrame]:
    x, y = train or make_data()
    seed_training(seed)
    model = build_softmax(x, n_classes=2)
    history = fit_model(
        model,
        (x[:, None], y),
        watched=(x, y),
        val=make_data(seed=1),
        schedule=schedule,
        seed=seed,
    )
    return model, history


def test_history_has_a_row_an_epoch_with_time_that_grows() -> None:
    _, history = fit(FAST)
    assert list(history) == HISTORY_COLUMNS
    assert history["epoch"].tolist() == [1, 2, 3, 4, 5, 6]
    assert history["seconds"].is_monotonic_increasing and history["seconds"][0] > 0
    assert history["loss"].iloc[-1] < history["loss"].iloc[0]
    assert history["accuracy"].between(0, 1).all()


def test_equal_seeds_give_equal_models_and_others_give_others() -> None:
    x = make_data(seed=2)[0]
    (one, first), (two, second), (three, _) = (
        fit(FAST, seed=seed) for seed in (3, 3, 4)
    )
    numbers = first.columns.drop(["seconds", "cpu_s"])
    pd.testing.assert_frame_equal(first[numbers], second[numbers], check_exact=True)
    np.testing.assert_array_equal(predict(one, x), predict(two, x))
    assert (predict(one, x) != predict(three, x)).any()


def test_model_ends_with_the_weights_of_its_lowest_validation_loss() -> None:
    # so high a rate that validation loss jumps up and down
    wild = Schedule(n_epochs=12, patience=12, batch_size=8, learning_rate=2.0)
    model, history = fit(wild)
    assert history["val_loss"].iloc[-1] > history["val_loss"].min()
    x, y = make_data(seed=1)
    given = np.clip(predict(model, x)[np.arange(len(y)), y], 1e-7, 1)
    assert -np.log(given).mean() == pytest.approx(history["val_loss"].min(), rel=1e-4)


def test_learning_stops_when_patience_is_at_its_end() -> None:
    wild = Schedule(n_epochs=100, patience=3, batch_size=8, learning_rate=2.0)
    _, history = fit(wild)
    best = history["val_loss"].idxmin()
    assert len(history) == best + 1 + 3 < 100


def test_losses_are_those_of_the_model_without_dropout() -> None:
    import keras

    x, y = make_data()
    seed_training(0)
    model = keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dropout(0.9),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )
    history = fit_model(
        model,
        (x[:, None], y),
        watched=(x, y),
        val=(x, y),
        schedule=FAST,
        seed=0,
    )
    np.testing.assert_array_equal(history["loss"], history["val_loss"])
    np.testing.assert_array_equal(history["accuracy"], history["val_accuracy"])


def test_versions_are_drawn_and_all_come_up() -> None:
    # the class shows in the second version alone
    x, y = make_data()
    versions = np.stack([np.zeros_like(x), x], axis=1)
    seed_training(0)
    model = build_softmax(x, n_classes=2)
    long = Schedule(n_epochs=30, patience=30, batch_size=16, learning_rate=0.05)
    fit_model(model, (versions, y), watched=(x, y), val=(x, y), schedule=long, seed=0)
    assert (predict(model, x).argmax(axis=1) == y).mean() > 0.7


@pytest.mark.parametrize("n", [1, 2, 5])
def test_few_frames_are_enough_to_learn_from(n: int) -> None:
    _, history = fit(FAST, train=make_data(n))
    assert len(history) == 6 and history.notna().all(axis=None)


def test_decaying_rate_falls_to_nothing_in_the_last_epoch() -> None:
    def last_change(decays: bool) -> float:
        fixed = Schedule(8, 8, 16, 0.05, decays=decays)
        loss = fit(fixed)[1]["loss"].to_numpy()
        return abs(loss[-1] - loss[-2])

    assert last_change(True) < 0.5 * last_change(False)


def test_predictions_are_probabilities_one_row_a_frame() -> None:
    model, _ = fit(FAST)
    shares = predict(model, make_data(700)[0])
    assert shares.shape == (700, 2) and shares.dtype == np.float64
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-12)
    assert predict(model, np.zeros((0, 3))).shape == (0, 2)


def test_inputs_are_left_alone() -> None:
    x, y = make_data()
    before: Callable[[], Data] = make_data
    fit(FAST, train=(x, y))
    np.testing.assert_array_equal(x, before()[0])
    np.testing.assert_array_equal(y, before()[1])


def test_few_frames_get_more_epochs() -> None:
    few = replace(FAST, n_epochs=2, min_steps=40)  # 60 frames: 15 steps of 4 an epoch
    _, history = fit(few, train=make_data(60))
    assert len(history) == 3
    assert len(fit(replace(few, min_steps=20))[1]) == 2


def test_short_fits_one_after_the_other_bring_no_warning_of_retracing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    # 80 frames make 16 steps of 5; ten steps at once make two parts, of 10 and 6
    monkeypatch.setattr(keras_loop, "_BYTES_AT_ONCE", 10 * 5 * 3 * 4)
    for _ in range(4):
        fit(replace(FAST, n_epochs=1), train=make_data(80))
    assert "retracing" not in caplog.text
