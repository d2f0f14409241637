"""Tests of `utils.training.protocol`."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from utils.training.protocol import (
    Inputs,
    Model,
    build_empty_history,
    build_inputs,
    build_majority_model,
    build_predictions,
    extend_inputs,
    number_classes,
    run_models,
    take_rows,
)
from utils.training.splits import build_splits


@pytest.fixture
def samples() -> pd.DataFrame:
    """12 frames: 3 people, each sits for 2 and stands for 2; fold = person."""
    return pd.DataFrame(
        {
            "video": np.repeat(["a", "b", "c"], 4),
            "frame_idx": np.tile(np.arange(4), 3),
            "time_s": np.tile(np.arange(4) / 5, 3),
            "subject": np.repeat(["ann", "bob", "cy"], 4),
            "label": ["sit", "sit", "stand", "stand"] * 3,
            "fold": np.repeat([0, 1, 2], 4),
        }
    )


def _noisy_fit(
    train: np.ndarray, val: np.ndarray, *, seed: int, folder: Path
) -> tuple[pd.DataFrame, np.ndarray]:
    """Leave a trace of each call; history of two epochs, the first one better."""
    (folder / f"called-{seed}-{val[0]}").touch()
    first = np.random.default_rng(seed).uniform(0.1, 0.9, len(val))
    epochs = {"epoch": [1, 2], "seconds": [1.0, 2.0], "val_loss": [0.5, 0.7]}
    others = ("cpu_s", "loss", "accuracy", "val_accuracy")
    rest = {key: [0.5, 0.5] for key in others}
    return pd.DataFrame({**epochs, **rest}), np.column_stack([first, 1 - first])


def test_majority_gives_the_shares_of_training(samples: pd.DataFrame) -> None:
    inputs = build_inputs(samples, np.zeros((12, 1)), classes=["sit", "stand"])
    train = np.array([0, 1, 4, 2])  # three sit, one stand
    history, shares = build_majority_model(inputs).fit(train, np.array([8, 9]), seed=0)
    assert len(history) == 0
    assert np.allclose(shares, [[4 / 6, 2 / 6]] * 2)


def test_models_give_one_prediction_a_row_fold_and_seed(
    samples: pd.DataFrame, tmp_path: Path
) -> None:
    model = Model(
        "noisy", partial(_noisy_fit, folder=tmp_path), key="1", n_parameters=3
    )
    history, predictions = run_models(
        samples, [model], build_splits(samples), seeds=[0, 1], folder=tmp_path / "fits"
    )
    assert len(predictions) == 24
    assert len(history) == 3 * 2 * 2
    assert (predictions["label"].to_numpy()[:4] == samples["label"][:4]).all()
    assert np.allclose(predictions[["p_sit", "p_stand"]].sum(axis=1), 1)


def test_a_costly_model_is_repeated_with_fewer_seeds(
    samples: pd.DataFrame, tmp_path: Path
) -> None:
    fit = partial(_noisy_fit, folder=tmp_path)
    cheap = Model("cheap", fit, key="1", n_parameters=3)
    costly = replace(cheap, name="costly", n_seeds=1)
    _, predictions = run_models(
        samples,
        [costly, cheap],
        build_splits(samples),
        seeds=[5, 6, 7],
        folder=tmp_path / "fits",
    )
    seeds = predictions.groupby("model")["seed"].unique().map(list)
    assert seeds.to_dict() == {"costly": [5], "cheap": [5, 6, 7]}


def test_models_learn_again_only_what_changed(
    samples: pd.DataFrame, tmp_path: Path
) -> None:
    model = Model(
        "noisy", partial(_noisy_fit, folder=tmp_path), key="1", n_parameters=3
    )
    options = {"seeds": [0], "folder": tmp_path / "fits"}
    first = run_models(samples, [model], build_splits(samples), **options)
    for trace in tmp_path.glob("called-*"):
        trace.unlink()
    second = run_models(samples, [model], build_splits(samples), **options)
    assert not list(tmp_path.glob("called-*"))
    pd.testing.assert_frame_equal(first[1], second[1])
    relabelled = samples.assign(label=["stand", *samples["label"][1:]])
    run_models(relabelled, [model], build_splits(samples), **options)
    assert len(list(tmp_path.glob("called-*"))) == 3


def test_damaged_runs_are_made_again(samples: pd.DataFrame, tmp_path: Path) -> None:
    """100 flipped bits in kept histories and predictions: none is used."""
    model = Model(
        "noisy", partial(_noisy_fit, folder=tmp_path), key="1", n_parameters=3
    )
    options = {"seeds": [0], "folder": tmp_path / "fits"}
    first = run_models(samples, [model], build_splits(samples), **options)
    rng = np.random.default_rng(0)
    kept = sorted((tmp_path / "fits").iterdir())
    assert len(kept) == 3
    for _ in range(100):
        path = kept[rng.integers(len(kept))]
        content = bytearray(path.read_bytes())
        content[rng.integers(len(content))] ^= 1 << rng.integers(8)
        path.write_bytes(content)
        for trace in tmp_path.glob("called-*"):
            trace.unlink()
        again = run_models(samples, [model], build_splits(samples), **options)
        assert len(list(tmp_path.glob("called-*"))) == 1
        for one, two in zip(first, again, strict=True):
            pd.testing.assert_frame_equal(one, two)


def test_models_in_two_processes_give_what_one_gives(
    samples: pd.DataFrame, tmp_path: Path
) -> None:
    model = Model(
        "noisy", partial(_noisy_fit, folder=tmp_path), key="1", n_parameters=3
    )
    splits = build_splits(samples)
    one = run_models(samples, [model], splits, seeds=[0], folder=tmp_path / "one")
    two = run_models(
        samples, [model], splits, seeds=[0], folder=tmp_path / "two", n_jobs=2
    )
    pd.testing.assert_frame_equal(one[1], two[1])


def test_predictions_refuse_probabilities_of_another_shape(
    samples: pd.DataFrame,
) -> None:
    with pytest.raises(ValueError, match=r"shape \(12, 2\).*got \(12, 3\)"):
        build_predictions(samples, np.ones((12, 3)), classes=["sit", "stand"])


def test_an_empty_history_has_the_history_columns() -> None:
    assert "val_loss" in build_empty_history()


@pytest.fixture
def inputs(samples: pd.DataFrame) -> Inputs:
    x = np.arange(24.0).reshape(12, 2)
    return build_inputs(samples, x, classes=["sit", "stand"], mirrored=-x)


def test_inputs_are_those_of_the_samples(inputs: Inputs) -> None:
    assert inputs.y.tolist() == [0, 0, 1, 1] * 3
    assert (inputs.people[:4] == "ann").all() and inputs.n_classes == 2
    some = take_rows(inputs, np.array([4, 0]))
    assert some.people.tolist() == ["bob", "ann"] and some.mirrored[1, 1] == -1


def test_mirror_images_are_learnt_from_and_hidden_columns_hold_the_training_mean(
    inputs: Inputs,
) -> None:
    x, y = inputs.stack_learnt(np.array([0, 2]))
    assert (
        x.tolist() == [[0, 1], [4, 5], [0, -1], [-4, -5]] and y.tolist() == [0, 1] * 2
    )
    hidden = replace(inputs, hidden=(1,))
    shown = hidden.hide_columns(np.array([0, 2]), np.array([6]))
    assert shown.tolist() == [[12, 3]] and inputs.x[6, 1] == 13


def test_further_rows_stand_below_and_for_their_own_mirror_images(
    inputs: Inputs,
) -> None:
    y, people = np.append(inputs.y, 1), np.append(inputs.people, "dan")
    more = extend_inputs(inputs, np.array([[7.0, 8.0]]), y=y, people=people)
    assert more.x[12].tolist() == more.mirrored[12].tolist() == [7, 8]


def test_classes_are_numbered_in_their_order() -> None:
    assert number_classes(["b", "a", "b"], ["a", "b", "c"]).tolist() == [1, 0, 1]
    with pytest.raises(ValueError, match="Expected labels out of a, b, got 'lie'"):
        number_classes(["a", "lie"], ["a", "b"])
