"""Tests of `utils.evaluation.calibration`."""

import numpy as np
import pandas as pd
import pytest

from tests.made_predictions import make_predictions, make_random_predictions
from utils.evaluation.calibration import (
    apply_temperature,
    build_reliability,
    calibrate_people,
    compute_calibration_error,
    fit_temperature,
    summarise_calibration,
)
from utils.evaluation.scores import find_classes


def _sharpen(table: pd.DataFrame, power: float) -> pd.DataFrame:
    """Make probabilities too sure (power above 1); their labels stay."""
    columns = [f"p_{c}" for c in find_classes(table)]
    shares = apply_temperature(table[columns].to_numpy(), 1 / power)
    table = table.assign(**dict(zip(columns, shares.T, strict=True)))
    return table.assign(probability=shares.max(axis=1))


def test_reliability_counts_each_bin() -> None:
    right = make_predictions({"a": [1, 1, 0, 1]}, sure=0.8)
    unsure = make_predictions({"b": [1, 0]}, sure=0.55)
    table = build_reliability(pd.concat([right, unsure])).set_index("bin")
    assert table.loc[8, ["confidence", "accuracy", "n_frames"]].tolist() == [
        pytest.approx(0.8),
        0.75,
        4,
    ]
    assert table.loc[5, "accuracy"] == 0.5
    assert table.loc[5, ["low", "high"]].tolist() == [0.5, 0.6]
    error = compute_calibration_error(table.reset_index())["pose_softmax"]
    assert error == pytest.approx(4 / 6 * 0.05 + 2 / 6 * 0.05)


def test_seeds_do_not_multiply_the_frames_of_a_bin() -> None:
    both = [make_predictions({"a": [1, 0]}, seed=seed) for seed in (1, 2)]
    assert build_reliability(pd.concat(both))["n_frames"].tolist() == [2.0]


def test_a_probability_of_one_falls_into_the_last_bin() -> None:
    table = build_reliability(make_predictions({"a": [1]}, sure=1.0))
    assert table["bin"].tolist() == [9]


def test_right_probabilities_have_a_small_error_and_a_temperature_of_one() -> None:
    summary = summarise_calibration(make_random_predictions(6, 1000))
    assert (summary["ece"] < 0.03).all()
    assert summary["temperature_mean"].to_list() == pytest.approx([1, 1], abs=0.08)


def test_too_sure_predictions_get_back_the_temperature_they_were_made_with() -> None:
    table = _sharpen(make_random_predictions(6, 1000), 2.5)
    mended, temperatures = calibrate_people(table)
    assert temperatures["temperature"].to_numpy() == pytest.approx(2.5, rel=0.1)
    assert (temperatures["n_fitted_on"] == 5).all()
    summary = summarise_calibration(table)
    assert (summary["ece"] > 0.1).all()
    assert (summary["ece_mended"] < 0.03).all()
    assert (summary["log_loss_mended"] < summary["log_loss"]).all()
    assert (mended["predicted"] == table["predicted"]).all()


def test_a_person_is_not_mended_with_the_persons_own_predictions() -> None:
    table = _sharpen(make_random_predictions(4, 200), 2)
    pose = table[table["model"] == "pose_softmax"]
    before = calibrate_people(pose)[1].set_index("subject")["temperature"]
    own = pose["subject"] == "person2"
    upset = pose.assign(label=pose["label"].where(~own, "class0"))
    after = calibrate_people(upset)[1].set_index("subject")["temperature"]
    assert after["person2"] == before["person2"]
    assert (after.drop("person2") != before.drop("person2")).all()


def test_fitted_temperature_is_the_best_of_a_fine_grid() -> None:
    rng = np.random.default_rng(0)
    shares, y = rng.dirichlet([0.3, 0.5, 0.4], size=300), rng.integers(0, 3, 300)
    grid = np.exp(np.linspace(np.log(0.1), np.log(10), 2000))
    losses = [
        -np.log(apply_temperature(shares, t)[np.arange(300), y]).mean() for t in grid
    ]
    assert fit_temperature(shares, y) == pytest.approx(
        grid[np.argmin(losses)], rel=0.01
    )


def test_faultless_predictions_stop_at_the_end_of_the_range() -> None:
    table = make_predictions({"a": [1, 1], "b": [1, 1]})
    temperatures = calibrate_people(table)[1]["temperature"]
    assert temperatures.to_list() == pytest.approx([0.1, 0.1])


def test_temperature_keeps_rows_summing_to_one_even_from_zeros() -> None:
    shares = apply_temperature(np.array([[1.0, 0.0], [0.0, 1.0]]), 3.0)
    assert np.allclose(shares.sum(axis=1), 1)
    assert np.isfinite(shares).all()
    assert np.allclose(apply_temperature(np.array([[0.2, 0.8]]), 1), [[0.2, 0.8]])


def test_one_person_cannot_be_mended() -> None:
    with pytest.raises(ValueError, match=r"Only a is scored.*Film one more person"):
        calibrate_people(make_predictions({"a": [1, 0]}))
