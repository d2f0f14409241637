"""Tests of `utils.questions.ablation`."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from utils.core.skeleton import FEATURE_COLUMNS
from utils.questions.ablation import (
    average_poses,
    average_weights,
    build_settings,
    describe_ablation,
    hide_parts,
    keep_place_only,
    list_columns,
    score_settings,
)
from utils.training.protocol import Inputs, run_models
from utils.training.splits import build_splits

CLASSES = ["kick", "rest"]


@pytest.fixture
def samples() -> pd.DataFrame:
    """3 people, 20 frames each, two classes in turn."""
    return pd.DataFrame(
        {
            "video": np.repeat(list("abc"), 20),
            "frame_idx": np.tile(np.arange(20), 3),
            "time_s": np.tile(np.arange(20) / 5, 3),
            "subject": np.repeat(list("abc"), 20),
            "label": np.tile(CLASSES, 30),
            "fold": np.repeat([0, 1, 2], 20),
        }
    )


@pytest.fixture
def inputs(samples: pd.DataFrame) -> Inputs:
    """34 numbers of which only the left ankle's height tells the class."""
    rng = np.random.default_rng(0)
    x = rng.normal(0, 0.1, (60, 34))
    y = pd.Index(CLASSES).get_indexer(samples["label"])
    x[:, FEATURE_COLUMNS.index("left_ankle_y")] -= 2.0 * (y == 0)
    return Inputs(x, y, samples["subject"].to_numpy(object), 2)


def test_columns_of_a_part_are_its_keypoints_x_and_y() -> None:
    names = [FEATURE_COLUMNS[i] for i in list_columns("arms")]
    assert names[:4] == ["left_elbow_x", "left_elbow_y"] + [
        "right_elbow_x",
        "right_elbow_y",
    ]
    with pytest.raises(ValueError, match="Expected one of face, arms, legs"):
        list_columns("tail")


def test_hiding_the_part_that_tells_the_class_costs_the_score(
    samples: pd.DataFrame, inputs: Inputs, tmp_path: Path
) -> None:
    table = score_settings(
        samples,
        {"parts": {"all": inputs, **hide_parts(inputs)}},
        build_splits(samples),
        run=partial(run_models, seeds=[0], folder=tmp_path),
    )
    rows = table.set_index("setting")
    assert rows.loc["all", "accuracy"] > 0.9
    assert rows.loc["face hidden", "accuracy"] > 0.9
    assert rows.loc["legs hidden", "accuracy"] < 0.8
    assert rows.loc["legs never seen", "accuracy"] < 0.8
    assert rows.loc["legs never seen", "n_numbers"] == 26
    assert rows.loc["legs hidden", "difference"] < -20
    assert "the lowest of 6 changes is legs" in describe_ablation(table)


def test_weights_name_the_keypoint_and_the_direction(
    samples: pd.DataFrame, inputs: Inputs
) -> None:
    weights = average_weights(inputs, build_splits(samples), classes=CLASSES)
    own = weights[weights["label"] == "kick"].set_index("keypoint")
    assert own["size"].idxmax() == "left_ankle"
    assert own.loc["left_ankle", "weight_y"] < 0  # up in the picture
    other = weights[weights["label"] == "rest"].set_index("keypoint")
    assert other.loc["left_ankle", "weight_y"] > 0


def test_mean_pose_is_that_of_the_class(inputs: Inputs) -> None:
    poses = average_poses(inputs, classes=CLASSES)
    assert poses["kick"][15, 1] == pytest.approx(-2, abs=0.1)
    assert poses["rest"].shape == (17, 2)


def test_place_alone_is_centre_and_size(inputs: Inputs) -> None:
    xy = np.zeros((60, 17, 2))
    xy[:, 0], xy[:, 1] = (0.2, 0.1), (0.4, 0.9)
    xy[:, 2:] = (0.3, 0.5)
    raw = Inputs(xy.reshape(60, -1), inputs.y, inputs.people, 2)
    np.testing.assert_allclose(keep_place_only(raw).x[0], [0.3, 0.5, 0.2, 0.8])


def test_every_question_is_asked_once_the_default_first(inputs: Inputs) -> None:
    kinds = {"raw": replace(inputs, x=inputs.x + 1), "normalised": inputs}
    settings = build_settings(kinds, default="normalised", mirrored=inputs.x)
    assert list(settings) == ["coordinates", "position", "mirroring", "parts"]
    assert list(settings["coordinates"]) == ["normalised", "raw"]
    assert settings["position"]["place and size alone"].x.shape[1] == 4
    with_mirrors = settings["mirroring"]["with mirror images"]
    assert with_mirrors.mirrored is inputs.x
    kinds["normalised"] = with_mirrors
    settings = build_settings(kinds, default="normalised", mirrored=inputs.x)
    assert settings["mirroring"]["without mirror images"].mirrored is None
