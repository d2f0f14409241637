"""The posture classifier in use: softmax and small network averaged over many looks.

Both learn from every look at every frame as a row of its own; in use their
probabilities are averaged over the looks there are. One number more than the softmax
has, the shape of the pose's box, and one temperature, fitted on people left out among
those learnt from.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import joblib
import numpy as np
import pandas as pd
import sklearn
from scipy.optimize import minimize_scalar
from scipy.special import softmax
from sklearn.base import ClassifierMixin
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from utils.core.cache import build_key, read_kept, write_kept
from utils.core.parallel import run_tasks
from utils.core.skeleton import FEATURE_COLUMNS, N_KEYPOINTS
from utils.core.tables import LEAST_PROBABILITY
from utils.training.protocol import Inputs, Model, build_empty_history

if TYPE_CHECKING:
    import keras

CODE = ("utils.training.pose_best",)
N_HIDDEN = 64
WEIGHT_DECAY = 1.0
N_STEPS = 100  # of L-BFGS, which needs no learning rate; the softmax is done sooner
N_INNER_FOLDS = 3  # of people, for the temperature
TEMPERATURES = (0.6, 4.0)  # where it is looked for
ONE_PERSON = 1.5  # that of one person alone, with nobody to fit it on
# Share of frames of which poses say nothing: a body misread, a label at the border of
# two postures. It is spread over all classes, so that a few such frames neither cost
# 16 nats each nor decide the temperature.
LAPSES = 0.02
_NEVER = -1e4  # logarithm of what was not learnt from
_LEAST_SIZE = 0.01  # of a box side, so that a pose on one line has a shape too


def add_shape(x: np.ndarray, ops: ModuleType = np) -> np.ndarray:
    """Put log(width / height) of the pose's box beside its 34 numbers.

    Args:
        x: `(n, 34)`: x and y of each keypoint.
        ops: numpy, or `keras.ops` within a network.

    Returns:
        `(n, 35)`.

    Example:
        >>> lying = np.tile([0.0, 0.0, 0.5, 0.1], 9)[None, :34]
        >>> add_shape(lying)[0, 34].round(3)
        np.float64(1.609)
    """
    xy = ops.reshape(x, (-1, N_KEYPOINTS, 2))
    size = ops.max(xy, axis=1) - ops.min(xy, axis=1)
    size = ops.log(ops.maximum(size, _LEAST_SIZE))
    return ops.concatenate([x, size[:, :1] - size[:, 1:]], axis=1)


@dataclass(frozen=True)
class Mixture:
    """What was fitted: its members, and how far they are to be believed.

    Attributes:
        members: A number scale and a classifier each, of scikit-learn.
        n_classes: How many classes there are; one that was not learnt from is as good
            as impossible.
        temperature: Divides the members' mean logarithm; 1 changes nothing.
    """

    members: tuple[Pipeline, ...]
    n_classes: int
    temperature: float = 1.0

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Return probabilities `(n, n_classes)` for looks `(n, n_looks, 34)`."""
        return _join_looks(self.average_logs(x), self.temperature)

    def average_logs(self, x: np.ndarray) -> np.ndarray:
        """Return the members' mean logarithm, `(n, n_looks, n_classes)`."""
        rows = add_shape(x.reshape(-1, x.shape[-1]))
        total = np.zeros((len(rows), self.n_classes))
        for member in self.members:
            shares = np.zeros_like(total)
            shares[:, member.classes_] = member.predict_proba(rows)
            total += np.log(np.maximum(shares, LEAST_PROBABILITY))
        return (total / len(self.members)).reshape(*x.shape[:2], -1)


def _join_looks(logs: np.ndarray, temperature: float) -> np.ndarray:
    """Return probabilities `(n, n_classes)` from logarithms `(n, n_looks, …)`."""
    shares = softmax(logs / temperature, axis=-1).mean(axis=1)
    return (1 - LAPSES) * shares + LAPSES / shares.shape[1]


@threadpool_limits.wrap(limits=1)  # sums in another order differ in the last digit
def fit_mixture(inputs: Inputs, rows: np.ndarray, *, n_used: int, seed: int) -> Mixture:
    """Fit the classifier on some rows.

    Args:
        inputs: Looks `x`, and `mirrored`, `(n, n_looks, 34)`.
        rows: Rows to learn from: all their looks and mirror images.
        n_used: How many looks, from the first on, there are in use; the temperature
            suits their mean.
        seed: Decides all that is random.

    Returns:
        The members and their temperature.
    """
    whole = _fit_members(inputs, rows, seed=seed)
    people = inputs.people[rows]
    n_folds = min(N_INNER_FOLDS, len(np.unique(people)))
    if n_folds < 2:
        return replace(whole, temperature=ONE_PERSON)
    logs, y = [], []
    for train, val in GroupKFold(n_folds).split(rows, groups=people):
        part = _fit_members(inputs, rows[train], seed=seed)
        logs.append(part.average_logs(inputs.x[rows[val], :n_used]))
        y.append(inputs.y[rows[val]])
    fitted = _fit_temperature(np.concatenate(logs), np.concatenate(y))
    return replace(whole, temperature=fitted)


def find_mixture(
    inputs: Inputs, rows: np.ndarray, *, n_used: int, seed: int, folder: Path
) -> Mixture:
    """Fit the classifier on some rows, or read what was fitted on them before.

    Args:
        inputs: As for `fit_mixture`, and so `rows`, `n_used` and `seed`.
        rows: Rows to learn from.
        n_used: Looks in use.
        seed: Decides all that is random.
        folder: Where it is kept; safe to delete.

    Returns:
        The members and their temperature.
    """
    key = build_key(
        code=CODE,
        learnt=joblib.hash((inputs, np.asarray(rows, dtype=np.int64))),
        n_used=n_used,
        seed=seed,
    )
    path = Path(folder) / f"mixture-{key}"
    mixture = read_kept(path)
    if mixture is None:
        mixture = fit_mixture(inputs, rows, n_used=n_used, seed=seed)
        write_kept(path, mixture)
    return mixture


def find_mixtures(
    inputs: Inputs,
    each: Sequence[np.ndarray],
    *,
    n_jobs: int = 1,
    **options: object,
) -> list[Mixture]:
    """Fit the classifier on several sets of rows, in processes of their own.

    Args:
        inputs: As for `find_mixture`.
        each: Rows to learn from, set by set.
        n_jobs: Processes; for one set none is started.
        **options: As for `find_mixture`.

    Returns:
        What was fitted on each.
    """
    find = partial(find_mixture, inputs, **options)
    if len(each) > 1:
        for _ in run_tasks(find, each, n_jobs=n_jobs):
            pass  # kept: below they are read, in their order
    return [find(rows) for rows in each]


def _fit_members(inputs: Inputs, rows: np.ndarray, *, seed: int) -> Mixture:
    """Fit softmax and small network on all looks at some rows, at temperature 1."""
    versions = [inputs.x] if inputs.mirrored is None else [inputs.x, inputs.mirrored]
    x = np.concatenate([v[rows] for v in versions], axis=1)
    y = np.repeat(inputs.y[rows], x.shape[1])
    x = add_shape(x.reshape(len(y), -1))
    members = (
        LogisticRegression(max_iter=N_STEPS),
        MLPClassifier(
            (N_HIDDEN,),
            solver="lbfgs",
            alpha=WEIGHT_DECAY,
            max_iter=N_STEPS,
            random_state=seed,
        ),
    )
    if len(np.unique(y)) < 2:  # it has one answer
        members = (DummyClassifier(),)
    with warnings.catch_warnings():
        # all get the same number of steps, also those that are not done by then
        warnings.simplefilter("ignore", ConvergenceWarning)
        pipelines = [make_pipeline(StandardScaler(), m).fit(x, y) for m in members]
    return Mixture(tuple(pipelines), inputs.n_classes)


def _fit_temperature(logs: np.ndarray, y: np.ndarray) -> float:
    """Find the temperature at which true classes `y` are most probable."""
    rows = np.arange(len(y))

    def loss(log_temperature: float) -> float:
        shares = _join_looks(logs, np.exp(log_temperature))
        return -float(np.log(shares[rows, y]).mean())

    found = minimize_scalar(loss, bounds=np.log(TEMPERATURES), method="bounded")
    return float(np.exp(found.x))


def build_best_model(
    name: str, inputs: Inputs, *, n_used: int, folder: Path, n_seeds: int | None = None
) -> Model:
    """Make the classifier's part in the comparison.

    Args:
        name: Column `model` of its results.
        inputs: Looks `x`, and `mirrored`, `(n, n_looks, 34)`: it learns from all.
        n_used: How many of them, from the first on, it is scored with.
        folder: Where what is fitted is kept, to be used again; safe to delete.
        n_seeds: How many of the seeds it is repeated with; None is all.

    Returns:
        The model; its key holds the content of the inputs.
    """
    return Model(
        name,
        partial(_fit_rows, inputs=inputs, n_used=n_used, folder=folder),
        key=build_key(
            code=CODE,
            inputs=joblib.hash(inputs),
            n_used=n_used,
            sklearn=sklearn.__version__,
        ),
        n_parameters=count_parameters(inputs.n_classes),
        n_seeds=n_seeds,
        is_costly=True,
    )


def count_parameters(n_classes: int) -> int:
    """Return the weights of both members.

    Example:
        >>> count_parameters(6)
        2910
    """
    n_columns = len(FEATURE_COLUMNS) + 1
    return (n_columns + 1 + N_HIDDEN + 1) * n_classes + (n_columns + 1) * N_HIDDEN


def _fit_rows(
    train: np.ndarray,
    val: np.ndarray,
    *,
    seed: int,
    inputs: Inputs,
    n_used: int,
    folder: Path,
) -> tuple[pd.DataFrame, np.ndarray]:
    """Fit on some rows and predict others: a `Fit` of the comparison."""
    mixture = find_mixture(inputs, train, n_used=n_used, seed=seed, folder=folder)
    return build_empty_history(), mixture.predict(inputs.x[val, :n_used])


def build_network(mixture: Mixture) -> "keras.Model":
    """Write what was fitted as one Keras network: 34 numbers of one look in.

    Args:
        mixture: Members and temperature.

    Returns:
        Network that gives the probabilities of one look; their mean over looks is
        what `Mixture.predict` gives.
    """
    import keras
    from keras import ops

    given, logs = keras.Input((len(FEATURE_COLUMNS),)), []
    for scaler, member in mixture.members:
        scale = keras.layers.Normalization(mean=scaler.mean_, variance=scaler.scale_**2)
        z = scale(add_shape(given, ops))
        *hidden, last = _read_layers(member, mixture.n_classes)
        for kernel, bias in hidden:
            z = _write_layer(z, kernel, bias, activation="relu")
        shares = _write_layer(z, *last, activation="softmax")
        logs.append(ops.log(ops.maximum(shares, LEAST_PROBABILITY)))
    mean = keras.layers.Average()(logs) if len(logs) > 1 else logs[0]
    shares = ops.softmax(mean / mixture.temperature)
    shares = (1 - LAPSES) * shares + LAPSES / mixture.n_classes
    return keras.Model(given, shares)


def _read_layers(
    member: ClassifierMixin, n_classes: int
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return kernel and bias of each layer, the last one's columns all the classes."""
    n_columns, n_learnt = len(FEATURE_COLUMNS) + 1, len(member.classes_)
    if isinstance(member, MLPClassifier):
        layers = list(zip(member.coefs_, member.intercepts_, strict=True))
    elif isinstance(member, LogisticRegression):
        layers = [(member.coef_.T, member.intercept_)]
    else:
        layers = [(np.zeros((n_columns, n_learnt)), np.zeros(n_learnt))]
    kernel, bias = layers[-1]
    if n_learnt == 2:  # scikit-learn keeps one column: of the second against the first
        kernel, bias = np.pad(kernel, [(0, 0), (1, 0)]), np.pad(bias, (1, 0))
    whole = np.zeros((len(kernel), n_classes)), np.full(n_classes, _NEVER)
    whole[0][:, member.classes_], whole[1][member.classes_] = kernel, bias
    return [*layers[:-1], whole]


def _write_layer(
    z: "keras.KerasTensor", kernel: np.ndarray, bias: np.ndarray, *, activation: str
) -> "keras.KerasTensor":
    """Put a dense layer of known weights behind others."""
    import keras

    layer = keras.layers.Dense(len(bias), activation=activation)
    z = layer(z)
    layer.set_weights([kernel, bias])
    return z
