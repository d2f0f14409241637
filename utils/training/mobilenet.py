"""The rival: MobileNetV2 pretrained on ImageNet, frozen or with its last blocks tuned.

Both learn from what the blocks that never change make of each picture
(`image_trunk`). Tuning the others on that is fine-tuning with a fixed pool of
augmented pictures; batch normalisation stays in inference mode throughout.
"""

from functools import partial
from typing import TYPE_CHECKING

import joblib
import numpy as np
import pandas as pd

from utils.core.cache import build_key
from utils.training.augment import choose_canvas, fit_canvas
from utils.training.backbone import (
    compile_tail,
    compile_trunk,
    load_tail,
    look_at_frames,
    pool_views,
)
from utils.training.keras_loop import Schedule, fit_model, predict, seed_training
from utils.training.softmax import Inputs, fit_rows

if TYPE_CHECKING:
    import keras

    from utils.training.protocol import Fit

__all__ = ["look_at_frames", "pool_views"]  # of image_trunk, for the notebook

STAGE_VERSION = 5
N_FEATURES = 1280
FROZEN = Schedule(
    n_epochs=40, patience=10, batch_size=32, learning_rate=1e-3, weight_decay=1e-3
)
FINETUNED: dict[str, Schedule] = {
    "quick": Schedule(2, 2, 32, 1e-3, weight_decay=1e-4, decays=True, min_steps=46),
    "full": Schedule(12, 4, 32, 5e-4, weight_decay=1e-4, decays=True),
}
DROPOUT = 0.2
_N_WATCHED = 128  # training pictures that the training loss is measured on


def build_frozen_fit(inputs: Inputs) -> tuple["Fit", str]:
    """Make the frozen network's part in the comparison: a softmax on its features.

    Args:
        inputs: The 1280 features of every sample, and of its mirror image.

    Returns:
        What learns, and a key of all that decides the result.
    """
    key = build_key(
        version=STAGE_VERSION, schedule=repr(FROZEN), inputs=joblib.hash(inputs)
    )
    return partial(fit_rows, inputs=inputs, schedule=FROZEN), key


def build_finetuned_fit(
    views: np.ndarray, y: np.ndarray, *, budget: str = "quick"
) -> tuple["Fit", str]:
    """Make the fine-tuned network's part in the comparison.

    Args:
        views: What `look_at_frames` gave, of every sample.
        y: Class number of every sample.
        budget: A name in `FINETUNED`: how many epochs at most.

    Returns:
        What learns, and a key of all that decides the result.

    Raises:
        ValueError: If there is no such budget.
    """
    if budget not in FINETUNED:
        raise ValueError(
            f"Expected BUDGET to be one of {', '.join(FINETUNED)}, got {budget!r}."
        )
    schedule = FINETUNED[budget]
    fit = partial(fit_finetuned, views=views, y=y, schedule=schedule)
    inputs = joblib.hash([views, y])
    return fit, build_key(version=STAGE_VERSION, schedule=repr(schedule), inputs=inputs)


def fit_finetuned(
    train: np.ndarray,
    val: np.ndarray,
    *,
    seed: int,
    views: np.ndarray,
    y: np.ndarray,
    schedule: Schedule,
) -> tuple[pd.DataFrame, np.ndarray]:
    """Tune the last blocks and a softmax on some rows and tell others.

    Args:
        train: Rows to learn from.
        val: Rows to stop by and to tell.
        seed: Decides first weights, versions and order.
        views: What `look_at_frames` gave, of every sample.
        y: Class number of every sample.
        schedule: How long and how fast.

    Returns:
        History and probabilities `(len(val), n_classes)`.
    """
    seed_training(seed)
    model = build_finetuned(views.shape[2:], n_classes=int(y.max()) + 1, seed=seed)
    watched = np.random.default_rng(seed).permutation(train)[:_N_WATCHED]
    history = fit_model(
        model,
        (views[train], y[train]),
        watched=(views[watched, 0], y[watched]),
        val=(views[val, 0], y[val]),
        schedule=schedule,
        seed=seed,
    )
    return history, predict(model, views[val, 0])


def build_finetuned(
    shape: tuple[int, ...], *, n_classes: int, seed: int = 0
) -> "keras.Model":
    """Build a copy of the last blocks with dropout and a softmax on top.

    Args:
        shape: Of one frame as the trunk gives it, `(h, w, n_channels)`.
        n_classes: How many classes there are.
        seed: Decides what is dropped; the first load of the pretrained network draws
            from the common seed, so that dropout needs its own.

    Returns:
        Model; batch normalisation does not learn and stays in inference mode.
    """
    import keras

    pretrained = load_tail()
    tail = keras.models.clone_model(pretrained)
    tail.set_weights(pretrained.get_weights())
    for layer in tail.layers:
        layer.trainable = not isinstance(layer, keras.layers.BatchNormalization)
    inputs = keras.Input(shape)
    x = keras.layers.GlobalAveragePooling2D()(tail(inputs, training=False))
    x = keras.layers.Dropout(DROPOUT, seed=seed)(x)
    softmax = keras.layers.Dense(
        n_classes, activation="softmax", kernel_initializer="zeros"
    )
    outputs = softmax(x)
    return keras.Model(inputs, outputs)


def embed_image(image: np.ndarray) -> np.ndarray:
    """Return the frozen network's features of one picture.

    Args:
        image: RGB uint8 `(height, width, 3)`.

    Returns:
        float32 `(1, 1280)`.
    """
    canvas_wh = choose_canvas(image)
    look = compile_trunk(canvas_wh)(fit_canvas(image, canvas_wh=canvas_wh)[None])
    return compile_tail(look.shape[1:])(look)


def count_parameters(n_classes: int) -> int:
    """Return the weights of MobileNetV2 without top (2,257,984) and of the softmax.

    Example:
        >>> count_parameters(6)
        2265670
    """
    return 2_257_984 + N_FEATURES * n_classes + n_classes
