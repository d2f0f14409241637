"""Tests of `utils.evaluation.comparison`."""

import pandas as pd
import pytest

from utils.evaluation.comparison import COMPARISON_COLUMNS, summarise_rivals
from utils.training.protocol import Rival, fit_majority


def test_summary_has_the_agreed_columns_and_charges_the_upfront_seconds() -> None:
    rivals = [Rival("noisy", fit_majority, key="", n_parameters=7)]
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
    table = summarise_rivals(
        scores,
        history,
        rivals=rivals,
        upfront_s={"noisy": 10.0},
        ms_per_frame={"noisy": 3.0},
    )
    assert list(table) == COMPARISON_COLUMNS
    assert table["seconds_to_best"].iloc[0] == pytest.approx(10 + (1 + 2) / 2)
    assert table["n_parameters"].iloc[0] == 7
