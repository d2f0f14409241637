"""Made posture classifiers: any weights will do where only their way out is tested."""

import numpy as np

from utils.training.softmax import PoseClassifier, build_softmax

LABELS = ("standing", "sitting", "squatting", "été")


def make_classifier(
    *, features: str = "normalised", labels: tuple[str, ...] = LABELS, seed: int = 0
) -> PoseClassifier:
    """Return a classifier with made weights, as sure of itself as a taught one."""
    rng = np.random.default_rng(seed)
    x = rng.normal(scale=0.25, size=(100, 34)).astype(np.float32)
    x[:, 3] = 0.1  # a column that never changes
    model = build_softmax(x, n_classes=len(labels))
    kernel = rng.normal(scale=1.2, size=(34, len(labels)))
    model.layers[-1].set_weights([kernel, rng.normal(size=len(labels))])
    return PoseClassifier(model, labels, features, "movenet_lightning")
