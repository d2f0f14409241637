"""Tests of `utils.plots.bars`, `utils.plots.lines` and `utils.plots.bodies`."""

from collections.abc import Iterator

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from utils.core.skeleton import KEYPOINTS
from utils.plots.bars import (
    describe_counts,
    plot_ablation,
    plot_ladder,
    plot_room,
)
from utils.plots.bodies import plot_outcomes, plot_weights
from utils.plots.lines import plot_draws, plot_intervals, plot_reliability

MODELS = ["pose_softmax", "mobilenet_frozen"]


@pytest.fixture(autouse=True)
def _no_window() -> Iterator[None]:
    mpl.use("agg")
    yield
    plt.close("all")


def _score(column: str, groups: list[str]) -> pd.DataFrame:
    """Two models' scores in each group."""
    rows = [(g, m, 0.9 - 0.1 * i) for i, m in enumerate(MODELS) for g in groups]
    table = pd.DataFrame(rows, columns=[column, "model", "accuracy"])
    return table.assign(
        accuracy_sd=0.05, n_people=6, n_frames=900, n_folds=5, n_seeds=1, floor=0.2
    )


def _read_texts(ax: plt.Axes) -> str:
    labels = [t.get_text() for t in ax.get_xticklabels() + ax.get_yticklabels()]
    return "\n".join([ax.get_title(), *labels, *(t.get_text() for t in ax.texts)])


def test_counts_are_told_in_words() -> None:
    table = pd.DataFrame({"n_people": [6, 4], "n_frames": 1200, "n_seeds": 1})
    assert describe_counts(table) == "4 to 6 people, 1,200 frames, 1 seed"


def test_ladder_shows_leaks_under_each_rung_and_counts_in_the_title() -> None:
    table = _score("rung", ["random", "people"]).assign(
        leak_near=[1.0, 0.0] * 2, leak_twin=np.nan, leak_video=[1.0, 0.0] * 2
    )
    table["leak_person"] = table["leak_video"]
    names = {"random": "random frames", "people": "people never seen"}
    ax = plot_ladder(table, names=names, floor=0.2)
    text = _read_texts(ax)
    assert "RANDOM FRAMES\n100% a neighbour within 1 s\n100% the same video" in text
    assert "near-duplicate" not in text  # not measured
    assert "6 people, 900 frames, 5 folds, 1 seed" in text
    assert len(ax.patches) == 4
    assert len({bar.get_hatch() for bar in ax.patches}) == 2


def test_room_test_draws_every_variant_and_the_floor() -> None:
    table = _score("variant", ["filmed", "blanked"])
    ax = plot_room(table, names={"filmed": "as filmed", "blanked": "blanked out"})
    assert "as filmed" in _read_texts(ax)
    assert any(np.allclose(line.get_ydata(), 0.2) for line in ax.lines)


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
    ax = plot_draws(pd.DataFrame(rows, columns=columns), by=by)
    assert ax.get_xscale() == "log"
    np.testing.assert_allclose(ax.lines[0].get_ydata(), 0.6)
    assert len(ax.collections) == 2
    assert "2 people, 60 frames, up to 3 draws" in ax.get_title()


def test_ablation_writes_the_points_lost() -> None:
    table = pd.DataFrame(
        {
            "question": ["coordinates", "parts"],
            "setting": ["normalised", "legs hidden"],
            "accuracy": [1.0, 0.75],
            "accuracy_sd": [0.0, np.nan],
            "difference": [0.0, -25.0],
            "n_people": 6,
            "n_frames": 900,
        }
    )
    text = _read_texts(plot_ablation(table))
    assert "0.750 (-25.0)" in text
    assert "legs hidden  (parts)" in text


def test_reliability_draws_the_diagonal_and_the_models_asked_for() -> None:
    table = pd.DataFrame(
        {
            "model": np.repeat(MODELS, 2),
            "confidence": [0.5, 0.9] * 2,
            "accuracy": [0.4, 0.8] * 2,
            "n_frames": [10, 90] * 2,
        }
    )
    assert len(plot_reliability(table).lines) == 3
    assert len(plot_reliability(table, models=MODELS[:1]).lines) == 2


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
    assert "0.800 [0.500, 0.900]" in _read_texts(ax)
    assert "4 people" in ax.get_title()


def test_weights_are_drawn_on_each_class_and_the_largest_are_named() -> None:
    weights = pd.DataFrame(
        {
            "label": np.repeat(["sit", "stand"], 17),
            "keypoint": list(KEYPOINTS) * 2,
            "weight_x": 0.0,
            "weight_y": np.arange(34) / 10,
            "size": np.arange(34) / 10,
        }
    )
    pose = np.random.default_rng(0).normal(size=(17, 2))
    figure = plot_weights(weights, {"sit": pose, "stand": pose})
    titles = [ax.get_title() for ax in figure.axes]
    assert titles == ["sit", "stand"]
    assert {"ankle", "knee"} <= {t.get_text() for t in figure.axes[1].texts}


def test_boxes_have_a_row_each_also_without_an_example() -> None:
    outcomes = ["both right", "only pose right", "only image right", "both wrong"]
    examples = pd.DataFrame(
        {
            "outcome": ["both right", "only pose right"],
            "subject": "ann",
            "label": "sit",
            "pose_predicted": "sit",
            "pose_probability": 0.9,
            "image_predicted": ["sit", "stand"],
            "image_probability": 0.8,
        }
    )
    counts = pd.DataFrame(
        {"outcome": outcomes, "n_frames": [8, 2, 0, 0], "share": 0.25}
    )
    images = [np.zeros((60, 80, 3), dtype=np.uint8)] * 2
    figure = plot_outcomes(examples, images, [np.ones((17, 3))] * 2, counts=counts)
    labels = [ax.get_ylabel() for ax in figure.axes if ax.get_ylabel()]
    assert labels[1].startswith("only pose right\n2 frames")
    assert len(labels) == 4
    assert "image: stand 80%" in figure.axes[1].get_title()
