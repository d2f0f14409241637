"""The pose model: one dense softmax on the 34 numbers of a pose; kept in one file."""

import json
import zipfile
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import joblib
import numpy as np

from utils.core.cache import build_key
from utils.core.files import atomic_path
from utils.training.keras_loop import Schedule, predict
from utils.training.softmax import Inputs, fit_rows, fit_softmax

if TYPE_CHECKING:
    import keras

    from utils.training.protocol import Fit

STAGE_VERSION = 2
SCHEDULE = Schedule(n_epochs=60, patience=10, batch_size=32, learning_rate=0.02)


@dataclass(frozen=True)
class PoseClassifier:
    """A finished pose model with what is needed to use it.

    Attributes:
        model: Keras model, 34 numbers in, a probability for each class out.
        classes: Class of each output, in order.
        features: Kind of features it was taught with (`normalised`, `torso`, `raw`).
        pose_model: Pose network that found the keypoints.
    """

    model: "keras.Model"
    classes: tuple[str, ...]
    features: str
    pose_model: str

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Return probabilities `(n, n_classes)` for numbers `(n, 34)`."""
        return predict(self.model, x)


def build_fit(inputs: Inputs) -> tuple["Fit", str]:
    """Make the pose model's part in the comparison.

    Args:
        inputs: The 34 numbers of every sample, and of its mirrored pose.

    Returns:
        What learns, and a key of all that decides the result.
    """
    key = build_key(
        version=STAGE_VERSION, schedule=repr(SCHEDULE), inputs=joblib.hash(inputs)
    )
    return partial(fit_rows, inputs=inputs, schedule=SCHEDULE), key


def count_parameters(n_classes: int, *, n_columns: int = 34) -> int:
    """Return the trainable weights of a softmax: one a number and class, one a class.

    Example:
        >>> count_parameters(6)
        210
    """
    return n_columns * n_classes + n_classes


def teach_classifier(inputs: Inputs, *, n_epochs: int, seed: int) -> "keras.Model":
    """Teach the final model on every sample there is, for a given number of epochs.

    Nobody is held out, so that it cannot stop by itself: the comparison's folds tell
    how long to learn.

    Args:
        inputs: The 34 numbers of every sample, and of its mirrored pose.
        n_epochs: How long, at least 1.
        seed: Decides first weights and order.

    Returns:
        The Keras model.
    """
    rows = np.arange(len(inputs.x))
    schedule = replace(SCHEDULE, n_epochs=n_epochs, patience=n_epochs)
    return fit_softmax(inputs, rows, rows, schedule=schedule, seed=seed)[0]


def save_classifier(classifier: PoseClassifier, path: Path) -> None:
    """Write a classifier as one `.keras` file, names and settings inside.

    Args:
        classifier: What to keep.
        path: Where to; must end in `.keras`.
    """
    about = {
        "classes": list(classifier.classes),
        "features": classifier.features,
        "pose_model": classifier.pose_model,
    }
    with atomic_path(Path(path)) as part:
        classifier.model.save(part)
        with zipfile.ZipFile(part, "a") as archive:
            archive.writestr("posenet.json", json.dumps(about))


def load_classifier(path: Path) -> PoseClassifier:
    """Read a classifier back.

    Args:
        path: File that `save_classifier` wrote.

    Returns:
        The classifier.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is not such a file.
    """
    import keras

    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"No classifier at {path}. Run the notebook first.")
    try:
        with zipfile.ZipFile(path) as archive:
            about = json.loads(archive.read("posenet.json"))
        model = keras.models.load_model(path, compile=False)
    except (KeyError, ValueError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"{path.name} is not a classifier that this project wrote. Save it again."
        ) from error
    classes = tuple(about["classes"])
    return PoseClassifier(model, classes, about["features"], about["pose_model"])
