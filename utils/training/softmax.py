"""The softmax on numbers, pose or picture features: built, taught, asked for shares."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from utils.training.keras_loop import Schedule, fit_model, predict, seed_training

if TYPE_CHECKING:
    import keras

_LEAST_VARIANCE = 1e-10


def build_softmax(x: np.ndarray, *, n_classes: int) -> "keras.Model":
    """Build one dense softmax layer on inputs that the model standardises itself.

    Args:
        x: Training inputs `(n, n_columns)`: mean and variance are taken from them.
        n_classes: How many classes there are.

    Returns:
        Model with `n_columns * n_classes + n_classes` trainable weights.
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


@dataclass(frozen=True)
class Inputs:
    """What a softmax learns from: one row for each row of the samples table.

    Attributes:
        x: Numbers of every frame, `(n, n_columns)`.
        y: Class number of every frame; every class occurs.
        mirrored: Numbers of every frame's mirror image, learnt from as well, or None.
        told: Numbers to tell classes from in place of `x`, to ask what a model makes of
            changed pictures; it still stops by `x`. None: `x`.
    """

    x: np.ndarray
    y: np.ndarray
    mirrored: np.ndarray | None = None
    told: np.ndarray | None = None


def take_rows(inputs: Inputs, rows: np.ndarray) -> Inputs:
    """Return the inputs of some rows (numbers, or a mask)."""
    parts = (inputs.x, inputs.y, inputs.mirrored, inputs.told)
    return Inputs(*(None if part is None else part[rows] for part in parts))


def count_best_epochs(history: pd.DataFrame, *, model: str) -> int:
    """Return the median, over folds and seeds, of a model's best epoch.

    Args:
        history: Table `history`.
        model: Which model.

    Returns:
        Epochs, at least 1.
    """
    runs = history[history["model"] == model].sort_values("val_loss", kind="stable")
    best = runs.drop_duplicates(["fold", "seed"])["epoch"]
    return max(1, round(float(best.median())))


def fit_rows(
    train: np.ndarray,
    val: np.ndarray,
    *,
    seed: int,
    inputs: Inputs,
    schedule: Schedule,
) -> tuple[pd.DataFrame, np.ndarray]:
    """Teach a softmax on some rows and let it tell others: a `Fit` of the comparison.

    Args:
        train: Rows to learn from.
        val: Rows to stop by and to tell.
        seed: Decides first weights and order.
        inputs: What it learns from.
        schedule: How long and how fast.

    Returns:
        History and probabilities `(len(val), n_classes)`.
    """
    model, history = fit_softmax(inputs, train, val, schedule=schedule, seed=seed)
    told = inputs.x if inputs.told is None else inputs.told
    return history, predict(model, told[val])


def fit_softmax(
    inputs: Inputs,
    train: np.ndarray,
    val: np.ndarray,
    *,
    schedule: Schedule,
    seed: int,
) -> tuple["keras.Model", pd.DataFrame]:
    """Teach a softmax on some rows; arguments as for `fit_rows`.

    Returns:
        Model with the best weights, and history.
    """
    seed_training(seed)
    versions = [inputs.x] if inputs.mirrored is None else [inputs.x, inputs.mirrored]
    x = np.stack([v[train] for v in versions], axis=1).astype(np.float32)
    model = build_softmax(x.reshape(-1, x.shape[-1]), n_classes=int(inputs.y.max()) + 1)
    history = fit_model(
        model,
        (x, inputs.y[train]),
        watched=(inputs.x[train], inputs.y[train]),
        val=(inputs.x[val], inputs.y[val]),
        schedule=schedule,
        seed=seed,
    )
    return model, history


def number_classes(labels: Sequence[str], classes: Sequence[str]) -> np.ndarray:
    """Return each label's place among the classes, int64.

    Raises:
        ValueError: If a label is none of the classes.
    """
    numbers = pd.Index(classes).get_indexer(pd.Index(labels))
    if (numbers < 0).any():
        odd = np.asarray(labels, dtype=object)[numbers < 0][0]
        raise ValueError(
            f"Expected labels out of {', '.join(classes)}, got {odd!r}. Add the class "
            "or relabel."
        )
    return numbers.astype(np.int64)
