"""Tests of `utils.plots.curves`: what a chart holds, not how it looks."""

import itertools

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from utils.plots.curves import (
    plot_confusions,
    plot_curve_pair,
    plot_curves,
)


@pytest.fixture
def history() -> pd.DataFrame:
    """Two folds of one seed; fold 1 stopped after epoch 2 of 3."""
    return pd.DataFrame(
        {
            "model": "pose_softmax",
            "fold": [0, 0, 0, 1, 1],
            "seed": 0,
            "epoch": [1, 2, 3, 1, 2],
            "seconds": [1.0, 2.0, 3.0, 1.0, 2.0],
            "loss": 0.5,
            "accuracy": 0.9,
            "val_loss": [1.0, 0.8, 0.6, 0.6, 0.4],
            "val_accuracy": [0.5, 0.6, 0.7, 0.7, 0.8],
        }
    )


def _val_line(ax: plt.Axes) -> np.ndarray:
    lines = [line for line in ax.lines if line.get_linestyle() == "-"]
    return next(line.get_xydata() for line in lines if len(line.get_xydata()) == 3)


def test_curve_is_the_mean_over_folds_and_a_stopped_run_keeps_its_last_value(
    history: pd.DataFrame,
) -> None:
    line = _val_line(plot_curves(history, metric="loss"))
    np.testing.assert_allclose(line, [[1, 0.8], [2, 0.6], [3, 0.5]])


def test_seconds_axis_starts_after_what_was_needed_before(
    history: pd.DataFrame,
) -> None:
    ax = plot_curves(history, against="seconds", upfront_s={"pose_softmax": 60.0})
    assert _val_line(ax)[0, 0] == pytest.approx(61.0)


def test_curves_begin_untrained_and_what_came_before_training_is_dotted(
    history: pd.DataFrame,
) -> None:
    upfront_s = {"pose_softmax": 60.0}
    figure = plot_curve_pair(history, metric="loss", upfront_s=upfront_s, n_classes=4)
    left, right = figure.axes
    assert left.get_ylim() == right.get_ylim()
    for ax, start in ((left, 0), (right, 60)):
        line = next(line for line in ax.lines if line.get_linestyle() == "-")
        np.testing.assert_allclose(line.get_xydata()[0], [start, np.log(4)])
    dotted = next(line for line in right.lines if line.get_linestyle() == ":")
    np.testing.assert_allclose(dotted.get_xydata(), [[6, np.log(4)], [60, np.log(4)]])


def test_names_at_the_ends_of_lines_keep_apart(history: pd.DataFrame) -> None:
    twin = history.assign(model="mobilenet_frozen")
    ax = plot_curves(pd.concat([history, twin]), metric="accuracy")
    heights = sorted(text.xy[1] for text in ax.texts)
    assert heights[1] - heights[0] >= 0.08 - 1e-9
    assert heights[1] <= 1


def test_accuracy_axis_runs_from_0_to_1(history: pd.DataFrame) -> None:
    ax = plot_curves(history, metric="accuracy")
    assert ax.get_ylim() == (0, 1.02)


def test_confusion_writes_share_of_the_true_class_and_count() -> None:
    counts = pd.DataFrame([[3, 1], [0, 2]], index=["a", "b"], columns=["a", "b"])
    ax = plot_confusions({"pose_softmax": counts}).axes[0]
    texts = {t.get_text() for t in ax.texts}
    assert texts == {"75%\n3", "25%\n1", "100%\n2"}


def test_numbers_of_the_seconds_axis_keep_apart(history: pd.DataFrame) -> None:
    upfront_s = {"pose_softmax": 40.0}
    figure = plot_curve_pair(history, metric="loss", upfront_s=upfront_s, n_classes=4)
    figure.draw_without_rendering()
    ax = figure.axes[1]
    low, high = ax.get_xlim()
    labels = [
        label.get_window_extent()
        for place, label in zip(ax.get_xticks(), ax.get_xticklabels(), strict=True)
        if low <= place <= high
    ]
    assert len(labels) > 1
    assert all(one.x1 < two.x0 for one, two in itertools.pairwise(labels))
    assert not any(label.get_text() for label in ax.get_xticklabels(minor=True))
