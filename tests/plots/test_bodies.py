"""Tests of `utils.plots.bodies`."""

import numpy as np
import pandas as pd

from utils.core.skeleton import KEYPOINTS
from utils.plots.bodies import plot_outcomes, plot_weights


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


def test_outcomes_have_a_row_each_also_without_an_example() -> None:
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
    poses = [np.ones((17, 3))] * 2
    figure = plot_outcomes(examples, images, poses, counts=counts, rival="crop")
    labels = [ax.get_ylabel() for ax in figure.axes if ax.get_ylabel()]
    assert labels[1].startswith("only pose right\n2 frames")
    assert len(labels) == 4
    assert labels[2].startswith("only crop right")
    assert "crop: stand 80%" in figure.axes[1].get_title()
