"""Tests of `utils.plots.lines`."""

import numpy as np
import pandas as pd
import pytest

from utils.plots.lines import plot_intervals, plot_learning_curve, plot_reliability

MODELS = ["pose_softmax", "mobilenet_frozen"]


@pytest.mark.parametrize("by", ["n_people", "n_seconds"])
def test_draws_are_averaged_with_a_band_on_a_log_axis(by: str) -> None:
    rows = [
        (model, n, draw, who, 0.5 + 0.1 * draw, 30)
        for model in MODELS
        for n in (1, 2, 4)
        for draw in range(3)
        for who in "ab"
    ]
    columns = ["model", by, "draw", "subject", "accuracy", "n_frames"]
    ax = plot_learning_curve(pd.DataFrame(rows, columns=columns), by=by)
    assert ax.get_xscale() == "log"
    np.testing.assert_allclose(ax.lines[0].get_ydata(), 0.6)
    assert len(ax.collections) == 2
    assert "2 people, 60 frames, up to 3 draws" in ax.get_title()


def test_reliability_draws_the_diagonal_and_every_model() -> None:
    table = pd.DataFrame(
        {
            "model": np.repeat(MODELS, 2),
            "confidence": [0.5, 0.9] * 2,
            "accuracy": [0.4, 0.8] * 2,
            "n_frames": [10, 90] * 2,
        }
    )
    assert len(plot_reliability(table).lines) == 3


def test_intervals_write_score_and_limits() -> None:
    table = pd.DataFrame(
        {
            "model": MODELS,
            "metric": "accuracy",
            "estimate": [0.9, 0.8],
            "low": [0.7, 0.5],
            "high": [1.0, 0.9],
            "n_people": 4,
        }
    )
    ax = plot_intervals(table)
    assert "0.800 [0.500, 0.900]" in {text.get_text() for text in ax.texts}
    assert "4 people" in ax.get_title()
