"""Made posture classifiers: with any weights, or fitted on made-up bodies."""

import numpy as np
import pandas as pd

from utils.core.skeleton import KEYPOINTS
from utils.export.model_json import make_bodies
from utils.pose.features import build_pair
from utils.training.doubt import Doubt, fit_doubt
from utils.training.protocol import build_inputs
from utils.training.softmax import PoseClassifier, build_softmax, fit_classifier

FITTED_LABELS = ("lying", "sitting", "standing")
PEOPLE, N_EACH = ("Zoe Müller", "Anna Lee", "Bob Ray"), 60
LABELS = ("standing", "sitting", "squatting", "été")


def make_classifier(
    *,
    features: str = "normalised",
    labels: tuple[str, ...] = LABELS,
    seed: int = 0,
    with_doubt: bool = False,
) -> PoseClassifier:
    """Return a classifier with made weights, as sure of itself as a fitted one."""
    rng = np.random.default_rng(seed)
    x = rng.normal(scale=0.25, size=(100, 34)).astype(np.float32)
    x[:, 3] = 0.1  # a column that never changes
    model = build_softmax(x, n_classes=len(labels))
    kernel = rng.normal(scale=1.2, size=(34, len(labels)))
    model.layers[-1].set_weights([kernel, rng.normal(size=len(labels))])
    doubt = make_doubt(features=features) if with_doubt else None
    return PoseClassifier(model, labels, features, "movenet_lightning", doubt)


def make_tables() -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return keypoints, frames and samples of three people, one film each."""
    poses, sizes = make_bodies(len(PEOPLE) * N_EACH)
    people = np.repeat(PEOPLE, N_EACH)
    films = [f"{name} in the kitchen" for name in people]
    frame_idx = np.tile(np.arange(N_EACH) * 6, len(PEOPLE))
    frames = pd.DataFrame({"video": films, "frame_idx": frame_idx})
    frames = frames.assign(time_s=frame_idx / 29.97, path="/home/zoe/1.jpg")
    frames[["width_px", "height_px"]] = sizes
    frames["sharpness"] = 1.0
    keypoints = frames[["video", "frame_idx"]].loc[frames.index.repeat(17)]
    keypoints = keypoints.assign(keypoint=np.tile(KEYPOINTS, len(frames)))
    keypoints[["x_px", "y_px", "score"]] = poses.reshape(-1, 3)
    # by how high the hips are above the ankles: something to learn
    heights = poses[:, 15:17, 1].mean(axis=1) - poses[:, 11:13, 1].mean(axis=1)
    ranks = heights.argsort().argsort() * len(FITTED_LABELS) // len(heights)
    samples = frames[["video", "frame_idx", "time_s", "path"]].assign(
        subject=people, label=np.array(FITTED_LABELS)[ranks], camera="Zoe's phone"
    )
    return keypoints, frames, samples.iloc[::2].reset_index(drop=True)


def make_doubt(*, features: str = "normalised") -> Doubt:
    """Return a doubt about poses unlike those of `make_tables`."""
    keypoints, frames, samples = make_tables()
    x, mirrored = build_pair(keypoints, frames, samples, kind=features)
    inputs = build_inputs(samples, x, classes=FITTED_LABELS, mirrored=mirrored)
    return fit_doubt(inputs)


def fit_tables(*, features: str = "normalised", mirror: bool = True) -> PoseClassifier:
    """Return a classifier fitted on the samples of `make_tables`: 4 epochs, seed 5."""
    keypoints, frames, samples = make_tables()
    x, mirrored = build_pair(keypoints, frames, samples, kind=features, mirror=mirror)
    return fit_classifier(
        build_inputs(samples, x, classes=FITTED_LABELS, mirrored=mirrored),
        classes=FITTED_LABELS,
        features=features,
        network="movenet_thunder",
        n_epochs=4,
        seed=5,
    )
