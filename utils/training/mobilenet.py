"""The picture classifiers: MobileNetV2 pretrained on ImageNet, frozen or fine-tuned.

All learn from the backbone features of each picture, or of the crop of the person in
it (`backbone`). Fine-tuning the last blocks, the head, on those is fine-tuning with a
fixed pool of augmented pictures; batch normalisation stays in inference mode
throughout. The softmax on top learns first, alone: from a softmax that knows nothing
the first steps spoil the pretrained blocks, and few frames do not mend them (Kumar and
others, ICLR 2022). At the end the better of the two is kept.

People held out, accuracy / log loss, frames 0.3 s apart, one seed:

    fine-tuned                     gmdcsa24       urfd
    all at once, rate 1e-3       .628 / .76  .806 / .50
    softmax first, then at 3e-5  .803 / .67
    softmax first, then at 1e-4  .872 / .57  .878 / .29
    softmax first, then at 3e-4  .848 / .55
    as it is now (0.2, 0.3 s)    .863 / .59  .876 / .30
      one augmented version      .881 / .46  .871 / .30
      frozen                     .856 / .62  .799 / .58
    on crops (0.2, 0.3 s)        .907 / .26  .919 / .21
      frozen                     .879 / .31  .895 / .33

On the demo one augmented version instead of two gives .722 instead of .762.
"""

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import joblib
import numpy as np
import pandas as pd

from utils.core.cache import build_key
from utils.training.backbone import load_head
from utils.training.keras_loop import Schedule, fit_model, predict
from utils.training.protocol import Inputs, Model
from utils.training.softmax import build_softmax_model, count_parameters, fit_softmax

if TYPE_CHECKING:
    import keras

CODE = (
    "utils.training.mobilenet",
    "utils.training.softmax",
    "utils.training.keras_loop",
)
N_FEATURES = 1280
N_WEIGHTS = 2_257_984  # of MobileNetV2 without its top
# The frozen network gets the longer schedule: its epochs cost next to nothing. The
# decay is strong since 1280 weights a class learn from few people: with 1e-3 the
# softmax was right up to 5 points less often than scikit-learn's on people held out.
FROZEN = Schedule(
    n_epochs=40, patience=10, batch_size=32, learning_rate=1e-3, weight_decay=20.0
)
FINETUNED: dict[str, Schedule] = {
    "quick": Schedule(2, 2, 32, 1e-4, weight_decay=1e-4, decays=True, min_steps=46),
    "full": Schedule(12, 4, 32, 1e-4, weight_decay=1e-4, decays=True),
}
# A run takes twenty times as long as one of the others; seeds repeat the same evidence.
N_SEEDS: dict[str, int | None] = {"quick": 1, "full": None}
DROPOUT = 0.2
_COUNTERS = ["epoch", "seconds", "cpu_s"]  # of a history: they run on
_N_WATCHED = 128  # training pictures that the training loss is measured on


def build_frozen_model(inputs: Inputs, *, name: str = "mobilenet_frozen") -> Model:
    """Make the frozen network's part in the comparison: a softmax on its features.

    Args:
        inputs: The 1280 features of every sample, and of its mirror image.
        name: Column `model` of its results.

    Returns:
        The model.
    """
    softmax = build_softmax_model(name, inputs, schedule=FROZEN)
    return replace(softmax, n_parameters=N_WEIGHTS + softmax.n_parameters)


def build_finetuned_model(
    features: np.ndarray,
    inputs: Inputs,
    *,
    budget: str = "quick",
    name: str = "mobilenet_finetuned",
) -> Model:
    """Make the fine-tuned network's part in the comparison.

    Args:
        features: Backbone features of every sample, as `embed_frames` gave them.
        inputs: What the frozen network's softmax learns from, of the same samples.
        budget: A name in `FINETUNED`: how many epochs at most, and how many seeds.
        name: Column `model` of its results.

    Returns:
        The model; its epochs begin with those of the softmax alone.

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
        name,
        partial(_fit_finetuned, features=features, inputs=inputs, schedule=schedule),
        key=build_key(
            code=CODE,
            schedules=[repr(FROZEN), repr(schedule)],
            inputs=joblib.hash((features, inputs)),
        ),
        n_parameters=N_WEIGHTS + n_softmax,
        n_seeds=N_SEEDS[budget],
        is_costly=True,
    )


def _fit_finetuned(
    train: np.ndarray,
    val: np.ndarray,
    *,
    seed: int,
    features: np.ndarray,
    inputs: Inputs,
    schedule: Schedule,
) -> tuple[pd.DataFrame, np.ndarray]:
    """Fine-tune on some rows and predict others: a `Fit` of the comparison."""
    softmax, before = fit_softmax(inputs, train, val, schedule=FROZEN, seed=seed)
    network, y = build_network(features.shape[2:], softmax, seed=seed), inputs.y
    start = network.get_weights()
    # measuring the loss on every training picture would take as long as learning
    watched = np.random.default_rng(seed).permutation(train)[:_N_WATCHED]
    after = fit_model(
        network,
        (features[train], y[train]),
        watched=(features[watched, 0], y[watched]),
        val=(features[val, 0], y[val]),
        schedule=schedule,
        seed=seed,
    )
    if after["val_loss"].min() >= before["val_loss"].min():
        network.set_weights(start)
    # one clock: what the softmax took was spent before the blocks began
    after[_COUNTERS] += before[_COUNTERS].iloc[-1]
    history = pd.concat([before, after], ignore_index=True)
    return history, predict(network, features[val, 0])


def build_network(
    shape: tuple[int, ...], softmax: "keras.Model", *, seed: int = 0
) -> "keras.Model":
    """Build a copy of the head with dropout and a softmax on top.

    Args:
        shape: Of one frame's backbone features, `(h, w, n_channels)`.
        softmax: What has learnt from the head's features, as `build_softmax` makes it;
            its layers become the network's.
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
    scale, top = softmax.layers
    x = keras.layers.Dropout(DROPOUT, seed=seed)(scale(x))
    return keras.Model(inputs, top(x))
