"""The softmax on numbers, pose or picture features: built, fitted, saved, loaded."""

import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import joblib
import numpy as np
import pandas as pd

from utils.core.cache import build_key
from utils.core.files import atomic_path
from utils.training.doubt import Doubt, pack_doubt, unpack_doubt
from utils.training.keras_loop import Schedule, fit_model, predict, seed_training
from utils.training.protocol import Inputs, Model

if TYPE_CHECKING:
    import keras

CODE = ("utils.training.softmax", "utils.training.keras_loop")
SCHEDULE = Schedule(n_epochs=60, patience=10, batch_size=32, learning_rate=0.02)
_LEAST_VARIANCE = 1e-10
# What a run saves, as `<name>.keras`: the first that is there predicts film.
CLASSIFIERS = ("pose_best", "pose_softmax")


def build_softmax(x: np.ndarray, *, n_classes: int) -> "keras.Model":
    """Build one dense softmax layer on inputs that the network standardises itself.

    Args:
        x: Training inputs `(n, n_columns)`: mean and variance are taken from them.
        n_classes: How many classes there are.

    Returns:
        Network with `n_columns * n_classes + n_classes` trainable weights.
    """
    import keras

    variance = x.var(axis=0)
    # a column that never changes has no scale: it must not be blown up when it does
    variance = np.where(variance > _LEAST_VARIANCE, variance, 1.0)
    scale = keras.layers.Normalization(mean=x.mean(axis=0), variance=variance)
    # the loss is convex: from 0 it finds the least weights, from random ones it keeps
    # noise in every direction that the training frames do not span
    softmax = keras.layers.Dense(
        n_classes, activation="softmax", kernel_initializer="zeros"
    )
    return keras.Sequential([keras.Input((x.shape[1],)), scale, softmax])


def count_parameters(n_classes: int, *, n_columns: int = 34) -> int:
    """Return the weights of a softmax: one a number and class, one a class.

    Example:
        >>> count_parameters(6)
        210
    """
    return n_columns * n_classes + n_classes


def build_softmax_model(
    name: str, inputs: Inputs, *, schedule: Schedule = SCHEDULE
) -> Model:
    """Make a softmax's part in the comparison.

    Args:
        name: Column `model` of its results, such as `pose_softmax`.
        inputs: What it learns from.
        schedule: How long and how fast.

    Returns:
        The model; its key holds the content of the inputs.
    """
    return Model(
        name,
        partial(_fit_rows, inputs=inputs, schedule=schedule),
        key=build_key(code=CODE, schedule=repr(schedule), inputs=joblib.hash(inputs)),
        n_parameters=count_parameters(inputs.n_classes, n_columns=inputs.x.shape[1]),
    )


def _fit_rows(
    train: np.ndarray, val: np.ndarray, *, seed: int, inputs: Inputs, schedule: Schedule
) -> tuple[pd.DataFrame, np.ndarray]:
    """Fit a softmax on some rows and predict others: a `Fit` of the comparison."""
    network, history = fit_softmax(inputs, train, val, schedule=schedule, seed=seed)
    return history, predict(network, inputs.hide_columns(train, val))


def fit_softmax(
    inputs: Inputs,
    train: np.ndarray,
    val: np.ndarray,
    *,
    schedule: Schedule,
    seed: int,
) -> tuple["keras.Model", pd.DataFrame]:
    """Fit a softmax on some rows.

    Args:
        inputs: What it learns from.
        train: Rows to learn from.
        val: Rows to stop by.
        schedule: How long and how fast.
        seed: Decides the order.

    Returns:
        Network with the best weights, and history.
    """
    seed_training(seed)
    # each epoch shows a frame once, as it is or mirrored
    versions = [inputs.x] if inputs.mirrored is None else [inputs.x, inputs.mirrored]
    x = np.stack([v[train] for v in versions], axis=1).astype(np.float32)
    network = build_softmax(x.reshape(-1, x.shape[-1]), n_classes=inputs.n_classes)
    standardise, softmax = network.layers
    learner = _share_learner(x.shape[-1], inputs.n_classes)
    learner.set_weights(softmax.get_weights())
    history = fit_model(
        learner,
        (standardise(x).numpy(), inputs.y[train]),
        watched=(standardise(inputs.x[train]).numpy(), inputs.y[train]),
        val=(standardise(inputs.x[val]).numpy(), inputs.y[val]),
        schedule=schedule,
        seed=seed,
    )
    softmax.set_weights(learner.get_weights())
    return network, history


@lru_cache(maxsize=2)
def _share_learner(n_columns: int, n_classes: int) -> "keras.Model":
    """Return the softmax that all runs of one shape learn with, in turn.

    Its graph is traced once a process: that takes as long as learning.
    """
    import keras

    softmax = keras.layers.Dense(n_classes, activation="softmax")
    return keras.Sequential([keras.Input((n_columns,)), softmax])


@dataclass(frozen=True)
class PoseClassifier:
    """A finished posture classifier with what is needed to use it.

    Attributes:
        model: Keras model, 34 numbers in, a probability for each class out.
        classes: Class of each output, in order.
        features: Kind of the 34 numbers (`normalised`, `torso`, `raw`).
        network: Pose network that found the keypoints.
        doubt: Which poses are none of the classes; None names each.
        films: sha256 of the films it learnt from; empty where that is not known.
        people: Who was seen in them.
        looks: Name of the looks that are taken at each frame in use.
    """

    model: "keras.Model"
    classes: tuple[str, ...]
    features: str
    network: str
    doubt: Doubt | None = None
    films: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    looks: str = "one"

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Return probabilities `(n, n_classes)`, averaged where there are more looks.

        Args:
            x: The 34 numbers of each frame, `(n, 34)`, or of each look at it,
                `(n, n_looks, 34)`.
        """
        if x.ndim == 2:
            return predict(self.model, x)
        shares = predict(self.model, x.reshape(-1, x.shape[-1]))
        return shares.reshape(*x.shape[:2], len(self.classes)).mean(axis=1)


def count_best_epochs(history: pd.DataFrame, *, model: str) -> int:
    """Return the median, over folds and seeds, of a model's best epoch.

    Args:
        history: Table `history`.
        model: Which model.

    Returns:
        Epochs, at least 1.
    """
    runs = history[history["model"] == model].sort_values("val_loss", kind="stable")
    best = runs.drop_duplicates(["fold", "seed"])["epoch"]  # first is the lowest
    return max(1, round(float(best.median())))


def fit_classifier(
    inputs: Inputs,
    *,
    classes: Sequence[str],
    features: str,
    network: str,
    n_epochs: int,
    seed: int,
) -> PoseClassifier:
    """Fit the final classifier on every sample there is, for a number of epochs.

    Nobody is held out, so that it cannot stop by itself: the comparison's folds say
    how long to learn.

    Args:
        inputs: The 34 numbers of every sample, and of its mirrored pose.
        classes: Class names in order of their numbers.
        features: Kind of the 34 numbers.
        network: Pose network that found the keypoints.
        n_epochs: How long, at least 1.
        seed: Decides the order.

    Returns:
        The classifier.
    """
    rows = np.arange(len(inputs.x))
    # patience as long as the epochs: the training frames must not stop it
    schedule = replace(SCHEDULE, n_epochs=n_epochs, patience=n_epochs)
    model, _ = fit_softmax(inputs, rows, rows, schedule=schedule, seed=seed)
    return PoseClassifier(model, tuple(classes), features, network)


def save_classifier(classifier: PoseClassifier, path: Path) -> None:
    """Write a classifier as one `.keras` file, names and settings inside.

    Args:
        classifier: What to keep.
        path: Where to; must end in `.keras`.
    """
    about = {
        "classes": list(classifier.classes),
        "features": classifier.features,
        "network": classifier.network,
        "films": list(classifier.films),
        "people": list(classifier.people),
        "looks": classifier.looks,
    }
    with atomic_path(Path(path)) as part:
        classifier.model.save(part)
        # a .keras file is a zip: names and settings travel in the same file
        with zipfile.ZipFile(part, "a") as archive:
            archive.writestr("posenet.json", json.dumps(about))
            if classifier.doubt is not None:
                archive.writestr("doubt.npz", pack_doubt(classifier.doubt))


def save_classifiers(
    classifiers: Mapping[str, PoseClassifier], results: Path | str
) -> None:
    """Write the classifiers of a run; one that an earlier run left there goes.

    Args:
        classifiers: Name in `CLASSIFIERS` to classifier.
        results: The run's folder.
    """
    for name in CLASSIFIERS:
        path = Path(results) / f"{name}.keras"
        if name in classifiers:
            save_classifier(classifiers[name], path)
        else:
            path.unlink(missing_ok=True)


def find_classifier(results: Path | str) -> Path:
    """Return the file of the classifier that predicts film after a run.

    Args:
        results: The run's folder.

    Returns:
        The first of `CLASSIFIERS` that is there.

    Raises:
        FileNotFoundError: If none is.
    """
    for name in CLASSIFIERS:
        path = Path(results) / f"{name}.keras"
        if path.is_file():
            return path
    raise FileNotFoundError(
        f"There is no classifier in {results}. Run the notebook first (make run), or "
        "name one: MODEL=data/results/pose_best.keras."
    )


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
            has_doubt = "doubt.npz" in archive.namelist()
            doubt = unpack_doubt(archive.read("doubt.npz")) if has_doubt else None
        return PoseClassifier(
            keras.models.load_model(path, compile=False),
            tuple(about["classes"]),
            about["features"],
            about["network"],
            doubt=doubt,
            films=tuple(about.get("films", ())),
            people=tuple(about.get("people", ())),
            looks=about.get("looks", "one"),
        )
    except (KeyError, ValueError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"{path.name} is not a classifier that this project wrote. Save it again."
        ) from error
