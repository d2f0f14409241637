"""Tests of `utils.plots.bars` and `style`: what a chart holds, not how it looks."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.colors import to_hex

from utils.core.colours import colour_classes
from utils.plots.bars import (
    plot_ablation,
    plot_background,
    plot_label_seconds,
    plot_leakage,
    plot_time_strips,
)
from utils.plots.style import describe_counts

MODELS = ["pose_softmax", "mobilenet_frozen"]


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


def test_counts_are_written_in_words() -> None:
    table = pd.DataFrame({"n_people": [6, 4], "n_frames": 1200, "n_seeds": 1})
    assert describe_counts(table) == "4 to 6 people, 1,200 frames, 1 seed"


def test_leakage_shows_leaks_under_each_strategy_and_counts_in_the_title() -> None:
    table = _score("strategy", ["random", "people"]).assign(
        leak_near=[1.0, 0.0] * 2, leak_twin=np.nan, leak_video=[1.0, 0.0] * 2
    )
    table["leak_person"] = table["leak_video"]
    names = {"random": "random frames", "people": "people never seen"}
    ax = plot_leakage(table, names=names, floor=0.2)
    text = _read_texts(ax)
    assert "RANDOM FRAMES\n100% a neighbour within 1 s\n100% the same video" in text
    assert "near-duplicate" not in text  # not measured
    assert "6 people, 900 frames, 5 folds, 1 seed" in text
    assert len(ax.patches) == 4
    assert len({bar.get_hatch() for bar in ax.patches}) == 2


def test_background_test_draws_every_variant_and_the_floor() -> None:
    table = _score("variant", ["filmed", "blanked"])
    ax = plot_background(table, names={"filmed": "as filmed", "blanked": "blanked out"})
    assert "as filmed" in _read_texts(ax)
    assert any(np.allclose(line.get_ydata(), 0.2) for line in ax.lines)


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


def test_labelled_seconds_are_stacked_by_person() -> None:
    labelled = pd.DataFrame(
        {"label": ["sit", "sit", "stand"], "subject": ["a", "b", "a"], "seconds": 2.0}
    )
    ax = plot_label_seconds(labelled)
    assert ax.get_title().startswith("6 s labelled")
    assert max(bar.get_x() + bar.get_width() for bar in ax.patches) == 4


def test_time_strips_draw_every_span() -> None:
    spans = pd.DataFrame(
        {"start_s": [0.0, 1.0], "end_s": [1.0, 3.0], "label": ["a", "b"]}
    )
    looks = colour_classes(["a", "b"], looks={"b": {"colour": "#e69f00"}})
    ax = plot_time_strips({"true": spans, "pose": spans}, looks=looks)
    assert len(ax.patches) == 4
    assert [to_hex(bar.get_facecolor()) for bar in ax.patches] == ["#e69f00"] * 4
    assert [bool(bar.get_hatch()) for bar in ax.patches] == [False, True] * 2
    assert [t.get_text() for t in ax.get_yticklabels()] == ["true", "pose"]
    assert not ax.figure.legends  # each is named on its bar


def test_a_posture_too_short_to_be_named_on_its_bar_is_named_below() -> None:
    spans = pd.DataFrame(
        {"start_s": [0.0, 1.0], "end_s": [1.0, 60.0], "label": ["standing up", "lying"]}
    )
    ax = plot_time_strips({"true": spans}, looks=colour_classes(["lying"]))
    assert [t.get_text() for t in ax.texts] == ["lying"]
    (legend,) = ax.figure.legends
    assert [t.get_text() for t in legend.get_texts()] == ["standing up"]
