"""The loop in which every Keras model learns: same stopping, same clock, same seeds."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from utils.core.tables import LEAST_PROBABILITY

if TYPE_CHECKING:
    import keras

SCORE_COLUMNS = ["loss", "accuracy", "val_loss", "val_accuracy"]
HISTORY_COLUMNS = ["epoch", "seconds", "cpu_s", *SCORE_COLUMNS]
# With few frames batches shrink, down to this, so that an epoch has this many steps.
_MIN_BATCH, _MIN_STEPS = 4, 16
_BYTES_AT_ONCE = 32 << 20  # of float32 inputs; stored as float16, they are half
_N_PREDICTED = 256  # frames predicted at once


@dataclass(frozen=True)
class Schedule:
    """How long and how fast a model learns.

    Attributes:
        n_epochs: Most epochs.
        patience: Epochs without a lower validation loss before it stops.
        batch_size: Frames a step at most.
        learning_rate: Of AdamW, at the start.
        weight_decay: Of AdamW.
        decays: Whether the learning rate falls to 0 along a cosine over all epochs.
        min_steps: With few frames an epoch is short: epochs are added up to this many
            steps.
    """

    n_epochs: int
    patience: int
    batch_size: int
    learning_rate: float
    weight_decay: float = 0.0
    decays: bool = False
    min_steps: int = 0


def seed_training(seed: int) -> None:
    """Make what follows repeatable: seeds of Python, NumPy and Keras, one thread.

    Threads can be limited before TensorFlow's first operation only; later calls leave
    them as they are.
    """
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(seed)
    # sums in another order would differ in the last digit, and so would the results
    tf.config.experimental.enable_op_determinism()
    try:
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    except RuntimeError:
        return


def fit_model(
    model: "keras.Model",
    train: tuple[np.ndarray, np.ndarray],
    *,
    watched: tuple[np.ndarray, np.ndarray],
    val: tuple[np.ndarray, np.ndarray],
    schedule: Schedule,
    seed: int,
) -> pd.DataFrame:
    """Fit a model; afterwards it has the weights of its lowest validation loss.

    Each epoch shows every training frame once, in one of its versions (the picture as
    it is, its mirror image, …), drawn at random; an incomplete last batch is left out,
    other frames each time. Losses and accuracies are those of the model as it is used
    (no dropout, no augmentation), measured after each epoch; measuring is not counted
    as training. The loop is our own: `Model.fit` takes up to ten times as long over
    models this small.

    Args:
        model: Model with softmax output; it is changed.
        train: Versions of each frame, `(n, n_versions, …)`, and class numbers `(n,)`.
        watched: Training frames, not augmented, to measure the training loss on.
        val: Frames to stop by.
        schedule: How long and how fast.
        seed: Decides order and versions.

    Returns:
        One row an epoch: `epoch` from 1, `seconds` of training so far by the clock and
        `cpu_s` by the processor, `loss`, `accuracy`, `val_loss`, `val_accuracy`.

    Raises:
        ValueError: If inputs are not numbers, or learning runs away.
    """
    versions, y = train
    batch_size = _choose_batch_size(len(y), schedule)
    n_steps = len(y) // batch_size
    n_epochs = max(schedule.n_epochs, -(-schedule.min_steps // n_steps))
    step = _compile_steps(
        model,
        schedule,
        batch_size=batch_size,
        n_steps=n_steps * n_epochs if schedule.decays else 0,
    )
    step.reset()
    run = _compile_prediction(model)
    shown = [(_hold_parts(x), labels) for x, labels in (watched, val)]
    rng, rows, seconds, cpu_s = np.random.default_rng(seed), [], 0.0, 0.0
    best_loss, best_epoch, best_weights = np.inf, 0, model.get_weights()
    for epoch in range(1, n_epochs + 1):
        started, started_cpu = time.perf_counter(), time.process_time()
        order = rng.permutation(len(y))[: n_steps * batch_size]
        version = rng.integers(0, versions.shape[1], len(order))
        for steps in _cut_steps(versions, order.reshape(n_steps, batch_size)):
            picked = order.reshape(n_steps, batch_size)[steps]
            drawn = versions[picked, version.reshape(n_steps, batch_size)[steps]]
            step.take(drawn, y[picked])
        seconds += time.perf_counter() - started
        cpu_s += time.process_time() - started_cpu
        scores = [
            value for parts, labels in shown for value in _score(run, parts, labels)
        ]
        rows.append((epoch, seconds, cpu_s, *scores))
        if scores[2] < best_loss:
            best_loss, best_epoch, best_weights = scores[2], epoch, model.get_weights()
        # the lowest so far was `patience` epochs ago: it will not come any more
        if epoch - best_epoch >= schedule.patience:
            break
    model.set_weights(best_weights)
    return pd.DataFrame(rows, columns=HISTORY_COLUMNS)


def _choose_batch_size(n_rows: int, schedule: Schedule) -> int:
    """Return a batch size that gives some steps an epoch, however few the frames."""
    fewer = max(_MIN_BATCH, n_rows // _MIN_STEPS)
    return min(schedule.batch_size, fewer, n_rows)


def _cut_steps(versions: np.ndarray, order: np.ndarray) -> list[slice]:
    """Cut an epoch's steps into parts small enough to be held as float32."""
    step_bytes = 4 * order.shape[1] * int(np.prod(versions.shape[2:]))
    n_at_once = max(1, _BYTES_AT_ONCE // step_bytes)
    return [slice(i, i + n_at_once) for i in range(0, len(order), n_at_once)]


class _Steps(NamedTuple):
    """A compiled way to learn.

    Attributes:
        take: Takes a step for each batch of inputs `(k, n, …)` and classes `(k, n)`.
        reset: Makes the optimizer forget the steps before.
    """

    take: Callable[[np.ndarray, np.ndarray], None]
    reset: Callable[[], None]


# Kept, since a network that learns again, from other frames, need not be traced again.
@lru_cache(maxsize=2)
def _compile_steps(
    model: "keras.Model", schedule: Schedule, *, batch_size: int, n_steps: int
) -> _Steps:
    """Compile a graph that takes a step for each batch of `(k, n, …)` inputs.

    It is traced here, once and for any k: the last part of an epoch is shorter, and a
    graph anew for each length would be a trace an epoch, of which TensorFlow warns.
    `n_steps` is how many there will be in all, for a rate that decays.
    """
    import keras
    import tensorflow as tf

    rate = schedule.learning_rate
    if schedule.decays:
        rate = keras.optimizers.schedules.CosineDecay(rate, n_steps)
    optimizer = keras.optimizers.AdamW(rate, weight_decay=schedule.weight_decay)
    # decay pulls towards 0, and a bias has no reason to be there
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    optimizer.build(model.trainable_variables)
    start = [variable.numpy() for variable in optimizer.variables]
    measure = keras.losses.SparseCategoricalCrossentropy()

    @tf.function
    def take_steps(x: tf.Tensor, y: tf.Tensor) -> None:
        for step in tf.range(tf.shape(y)[0]):
            with tf.GradientTape() as tape:
                loss = measure(y[step], model(x[step], training=True))
            slopes = tape.gradient(loss, model.trainable_variables)
            optimizer.apply_gradients(
                zip(slopes, model.trainable_variables, strict=True)
            )

    shape = (None, batch_size, *model.input_shape[1:])
    run = take_steps.get_concrete_function(
        tf.TensorSpec(shape, tf.float32), tf.TensorSpec(shape[:2], tf.int64)
    )

    def reset() -> None:
        for variable, value in zip(optimizer.variables, start, strict=True):
            variable.assign(value)

    return _Steps(
        lambda x, y: run(tf.constant(x, tf.float32), tf.constant(y, tf.int64)), reset
    )


@lru_cache(maxsize=2)
def _compile_prediction(model: "keras.Model") -> Callable[[np.ndarray], np.ndarray]:
    """Return a function from inputs to class probabilities, of the model as it is."""
    import tensorflow as tf

    spec = tf.TensorSpec((None, *model.input_shape[1:]), tf.float32)
    run = tf.function(lambda x: model(x, training=False)).get_concrete_function(spec)
    return lambda x: run(tf.convert_to_tensor(x, tf.float32)).numpy()


def _score(
    run: Callable[[np.ndarray], np.ndarray], parts: Sequence, y: np.ndarray
) -> tuple[float, float]:
    """Return log loss (nats; clipped as in `LEAST_PROBABILITY`) and accuracy."""
    shares = _predict_parts(run, parts)
    given = np.clip(shares[np.arange(len(y)), y], LEAST_PROBABILITY, 1.0)
    return float(-np.log(given).mean()), float((shares.argmax(axis=1) == y).mean())


def _hold_parts(x: np.ndarray) -> list:
    """Cut inputs into parts to predict; small ones TensorFlow holds, epoch by epoch."""
    import tensorflow as tf

    parts = _cut_parts(x)
    if 4 * x.size > _BYTES_AT_ONCE:
        return parts
    return [tf.constant(part, tf.float32) for part in parts]


def _cut_parts(x: np.ndarray) -> list[np.ndarray]:
    """Cut inputs into parts of frames predicted at once."""
    return [x[i : i + _N_PREDICTED] for i in range(0, len(x), _N_PREDICTED)]


def _predict_parts(
    run: Callable[[np.ndarray], np.ndarray], parts: Sequence
) -> np.ndarray:
    """Return class probabilities, float64, rows summing to 1."""
    shares = np.concatenate([run(part) for part in parts]).astype(np.float64)
    # a lost number spreads over its whole row, and over all rows once it is learnt from
    n_lost = int(np.isnan(shares).any(axis=1).sum())
    if n_lost:
        raise ValueError(
            f"The model gives no probabilities for {n_lost} of {len(shares)} frames. "
            "Leave out frames with missing numbers, or lower the learning rate."
        )
    return shares / shares.sum(axis=1, keepdims=True)


def predict(model: "keras.Model", x: np.ndarray) -> np.ndarray:
    """Return class probabilities of a model as it is used, without augmentation.

    Args:
        model: Model with softmax output.
        x: Inputs, `(n, …)`.

    Returns:
        float64 `(n, n_classes)`, rows summing to 1.
    """
    if not len(x):
        return np.zeros((0, model.output_shape[-1]))
    return _predict_parts(
        lambda part: np.asarray(model(part.astype(np.float32), training=False)),
        _cut_parts(x),
    )
