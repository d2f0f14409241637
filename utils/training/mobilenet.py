"""The image models: MobileNetV2 pretrained on ImageNet, frozen or fine-tuned.

Both learn from the backbone features of each picture (`backbone`). Fine-tuning the
last blocks, the head, on those is fine-tuning with a fixed pool of augmented pictures;
batch normalisation stays in inference mode throughout.
"""

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import joblib
import numpy as np
import pandas as pd

from utils.core.cache import build_key
from utils.training.backbone import load_head
from utils.training.keras_loop import Schedule, fit_model, predict, seed_training
from utils.training.protocol import Inputs, Model
from utils.training.softmax import build_softmax_model, count_parameters

if TYPE_CHECKING:
    import keras

CODE = ("utils.training.mobilenet", "utils.training.keras_loop")
N_FEATURES = 1280
N_WEIGHTS = 2_257_984  # of MobileNetV2 without its top
# The frozen network gets the longer schedule: its epochs cost next to nothing.
FROZEN = Schedule(
    n_epochs=40, patience=10, batch_size=32, learning_rate=1e-3, weight_decay=1e-3
)
FINETUNED: dict[str, Schedule] = {
    "quick": Schedule(2, 2, 32, 1e-3, weight_decay=1e-4, decays=True, min_steps=46),
    "full": Schedule(12, 4, 32, 5e-4, weight_decay=1e-4, decays=True),
}
DROPOUT = 0.2
_N_WATCHED = 128  # training pictures that the training loss is measured on


def build_frozen_model(inputs: Inputs) -> Model:
    """Make the frozen network's part in the comparison: a softmax on its features.

    Args:
        inputs: The 1280 features of every sample, and of its mirror image.

    Returns:
        Model `mobilenet_frozen`.
    """
    softmax = build_softmax_model("mobilenet_frozen", inputs, schedule=FROZEN)
    return replace(softmax, n_parameters=N_WEIGHTS + softmax.n_parameters)


def build_finetuned_model(inputs: Inputs, *, budget: str = "quick") -> Model:
    """Make the fine-tuned network's part in the comparison.

    Args:
        inputs: Backbone features of every sample, as `embed_frames` gave them.
        budget: A name in `FINETUNED`: how many epochs at most.

    Returns:
        Model `mobilenet_finetuned`.

    Raises:
        ValueError: If there is no such budget.
    """
    if budget not in FINETUNED:
        raise ValueError(
            f"Expected BUDGET to be one of {', '.join(FINETUNED)}, got {budget!r}."
        )
    schedule = FINETUNED[budget]
    n_softmax = count_parameters(inputs.n_classes, n_columns=N_FEATURES)
    return Model(
        "mobilenet_finetuned",
        partial(_fit_finetuned, inputs=inputs, schedule=schedule),
        key=build_key(code=CODE, schedule=repr(schedule), inputs=joblib.hash(inputs)),
        n_parameters=N_WEIGHTS + n_softmax,
    )


def _fit_finetuned(
    train: np.ndarray,
    val: np.ndarray,
    *,
    seed: int,
    inputs: Inputs,
    schedule: Schedule,
) -> tuple[pd.DataFrame, np.ndarray]:
    """Fine-tune on some rows and predict others: a `Fit` of the comparison."""
    seed_training(seed)
    features, y = inputs.x, inputs.y
    network = build_network(features.shape[2:], n_classes=inputs.n_classes, seed=seed)
    # measuring the loss on every training picture would take as long as learning
    watched = np.random.default_rng(seed).permutation(train)[:_N_WATCHED]
    history = fit_model(
        network,
        (features[train], y[train]),
        watched=(features[watched, 0], y[watched]),
        val=(features[val, 0], y[val]),
        schedule=schedule,
        seed=seed,
    )
    return history, predict(network, features[val, 0])


def build_network(
    shape: tuple[int, ...], *, n_classes: int, seed: int = 0
) -> "keras.Model":
    """Build a copy of the head with dropout and a softmax on top.

    Args:
        shape: Of one frame's backbone features, `(h, w, n_channels)`.
        n_classes: How many classes there are.
        seed: Decides what is dropped; the first load of the pretrained network draws
            from the common seed, so that dropout needs its own.

    Returns:
        Network; batch normalisation does not learn and stays in inference mode.
    """
    import keras

    # a copy: the pretrained blocks are shared by all runs of this process
    pretrained = load_head()
    head = keras.models.clone_model(pretrained)
    head.set_weights(pretrained.get_weights())
    for layer in head.layers:
        layer.trainable = not isinstance(layer, keras.layers.BatchNormalization)
    inputs = keras.Input(shape)
    x = keras.layers.GlobalAveragePooling2D()(head(inputs, training=False))
    x = keras.layers.Dropout(DROPOUT, seed=seed)(x)
    softmax = keras.layers.Dense(
        n_classes, activation="softmax", kernel_initializer="zeros"
    )
    return keras.Model(inputs, softmax(x))
