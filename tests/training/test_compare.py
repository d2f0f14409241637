"""Tests of `utils.training.protocol`."""

from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from utils.training.protocol import (
    Rival,
    build_predictions,
    build_splits,
    empty_history,
    fit_majority,
    run_rivals,
)


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


def test_splits_validate_each_row_once_and_never_learn_from_it(
    samples: pd.DataFrame,
) -> None:
    splits = build_splits(samples)
    assert sorted(np.concatenate([s.val for s in splits])) == list(range(12))
    for split in splits:
        people = samples["subject"]
        assert not set(people.iloc[split.train]) & set(people.iloc[split.val])


def test_splits_refuse_a_single_fold(samples: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match="Label another person"):
        build_splits(samples.assign(fold=0))


def test_majority_tells_the_shares_of_training(samples: pd.DataFrame) -> None:
    y = (samples["label"] == "stand").to_numpy().astype(int)
    train = np.array([0, 1, 4, 2])  # three sit, one stand
    history, shares = fit_majority(train, np.array([8, 9]), seed=0, y=y, n_classes=2)
    assert len(history) == 0
    assert np.allclose(shares, [[4 / 6, 2 / 6]] * 2)


def test_rivals_give_one_prediction_a_row_fold_and_seed(
    samples: pd.DataFrame, tmp_path: Path
) -> None:
    rival = Rival(
        "noisy", partial(_noisy_fit, folder=tmp_path), key="1", n_parameters=3
    )
    history, predictions = run_rivals(
        samples, [rival], build_splits(samples), seeds=[0, 1], folder=tmp_path / "fits"
    )
    assert len(predictions) == 24
    assert len(history) == 3 * 2 * 2
    assert (predictions["label"].to_numpy()[:4] == samples["label"][:4]).all()
    assert np.allclose(predictions[["p_sit", "p_stand"]].sum(axis=1), 1)


def test_rivals_learn_again_only_what_changed(
    samples: pd.DataFrame, tmp_path: Path
) -> None:
    rival = Rival(
        "noisy", partial(_noisy_fit, folder=tmp_path), key="1", n_parameters=3
    )
    options = {"seeds": [0], "folder": tmp_path / "fits"}
    first = run_rivals(samples, [rival], build_splits(samples), **options)
    for trace in tmp_path.glob("called-*"):
        trace.unlink()
    second = run_rivals(samples, [rival], build_splits(samples), **options)
    assert not list(tmp_path.glob("called-*"))
    pd.testing.assert_frame_equal(first[1], second[1])
    relabelled = samples.assign(label=["stand", *samples["label"][1:]])
    run_rivals(relabelled, [rival], build_splits(samples), **options)
    assert len(list(tmp_path.glob("called-*"))) == 3


def test_rivals_in_two_processes_give_what_one_gives(
    samples: pd.DataFrame, tmp_path: Path
) -> None:
    rival = Rival(
        "noisy", partial(_noisy_fit, folder=tmp_path), key="1", n_parameters=3
    )
    splits = build_splits(samples)
    one = run_rivals(samples, [rival], splits, seeds=[0], folder=tmp_path / "one")
    two = run_rivals(
        samples, [rival], splits, seeds=[0], folder=tmp_path / "two", n_jobs=2
    )
    pd.testing.assert_frame_equal(one[1], two[1])


def test_predictions_refuse_probabilities_of_another_shape(
    samples: pd.DataFrame,
) -> None:
    with pytest.raises(ValueError, match=r"shape \(12, 2\).*got \(12, 3\)"):
        build_predictions(samples, np.ones((12, 3)), classes=["sit", "stand"])


def test_an_empty_history_has_the_history_columns() -> None:
    assert "val_loss" in empty_history()
