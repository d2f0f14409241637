"""The protocol of the comparison: every model on the same splits, seeds and rows.

A model is a function that learns from some rows of the samples table and gives the
probabilities of others. What it is and how it learns is its own matter; which rows,
folds and seeds it gets is decided here, once for all.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Protocol

import joblib
import numpy as np
import pandas as pd

from utils.core.cache import build_key, read_kept, write_kept
from utils.core.parallel import open_bar, run_tasks
from utils.core.tables import check_table

CODE = ("utils.training.protocol",)  # what decides a run beside its model
_TABLES = ("history", "predictions")


class Fit(Protocol):
    """How a model learns: rows in, history and probabilities out."""

    def __call__(
        self, train: np.ndarray, val: np.ndarray, *, seed: int
    ) -> tuple[pd.DataFrame, np.ndarray]:
        """Learn from rows `train` and predict the classes of rows `val`.

        Args:
            train: Row numbers of the samples table to learn from.
            val: Row numbers to stop by and to predict.
            seed: Decides all that is random.

        Returns:
            History (the columns of table `history` after `seed`; empty where the
            model has no epochs) and probabilities `(len(val), n_classes)`.
        """


@dataclass(frozen=True)
class Model:
    """One model in the comparison.

    Attributes:
        name: Column `model` of every table.
        fit: How it learns.
        key: Text that decides its result beside rows and seed: code, settings and
            content of its inputs. Results are cached by it.
        n_parameters: Weights of the finished model.
        n_seeds: How many of the seeds it is repeated with, at most; None is all.
        is_costly: Whether a run takes long: it begins before those of the others.
    """

    name: str
    fit: Fit
    key: str
    n_parameters: int
    n_seeds: int | None = None
    is_costly: bool = False


@dataclass(frozen=True)
class Split:
    """One division of the samples: row numbers to learn from and to be scored on."""

    fold: int
    train: np.ndarray
    val: np.ndarray


@dataclass(frozen=True)
class Inputs:
    """What a model learns from: one row for each row of the samples table.

    Attributes:
        x: Numbers of each frame, `(n, n_columns)`; for fine-tuning, backbone features
            of its versions.
        y: Class number of each frame, `(n,)`.
        people: Person of each frame, `(n,)`; inner folds keep people together.
        n_classes: How many classes there are.
        mirrored: The same frames mirrored; learnt from as well, never scored.
        hidden: Columns that hold their training mean in the frames to be scored.
    """

    x: np.ndarray
    y: np.ndarray
    people: np.ndarray
    n_classes: int
    mirrored: np.ndarray | None = None
    hidden: tuple[int, ...] = ()

    def stack_learnt(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the numbers and classes of rows, and of their mirror images below."""
        x, y = self.x[rows], self.y[rows]
        if self.mirrored is None:
            return x, y
        return np.concatenate([x, self.mirrored[rows]]), np.concatenate([y, y])

    def hide_columns(self, train: np.ndarray, val: np.ndarray) -> np.ndarray:
        """Return the numbers of rows `val`, hidden columns at their mean in `train`."""
        x = self.x[val]
        if self.hidden:
            columns = list(self.hidden)
            x[:, columns] = self.x[train][:, columns].mean(axis=0)
        return x


# `run_models` with its seeds, folder and processes filled in: what a question asks of.
RunModels = Callable[
    [pd.DataFrame, Sequence[Model], Sequence[Split]], tuple[pd.DataFrame, pd.DataFrame]
]


def build_inputs(
    samples: pd.DataFrame,
    x: np.ndarray,
    *,
    classes: Sequence[str],
    mirrored: np.ndarray | None = None,
) -> Inputs:
    """Join numbers with the classes and people of the samples.

    Args:
        samples: Table `samples`.
        x: Numbers of each sample, `(n, n_columns)`.
        classes: Class names in order of their numbers.
        mirrored: Numbers of each sample's mirror image, learnt from as well.

    Returns:
        The inputs.

    Raises:
        ValueError: If a label is none of the classes.
    """
    y = number_classes(samples["label"], classes)
    people = samples["subject"].to_numpy()
    return Inputs(x, y, people, n_classes=len(classes), mirrored=mirrored)


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


def take_rows(inputs: Inputs, rows: np.ndarray) -> Inputs:
    """Return the inputs of some rows (numbers, or a mask)."""
    mirrored = None if inputs.mirrored is None else inputs.mirrored[rows]
    x, y, people = inputs.x[rows], inputs.y[rows], inputs.people[rows]
    return replace(inputs, x=x, y=y, people=people, mirrored=mirrored)


def extend_inputs(
    inputs: Inputs, x: np.ndarray, *, y: np.ndarray, people: np.ndarray
) -> Inputs:
    """Put further rows below, to be predicted and not learnt from.

    Args:
        inputs: What there is.
        x: Numbers of the further rows, `(n, n_columns)`; also stand in for their
            mirror images.
        y: Class number of every row, the further ones included.
        people: Person of every row, likewise.

    Returns:
        Inputs of all rows.
    """
    mirrored = inputs.mirrored
    if mirrored is not None:
        mirrored = np.concatenate([mirrored, x])
    x = np.concatenate([inputs.x, x])
    return replace(inputs, x=x, y=y, people=people, mirrored=mirrored)


def run_models(
    samples: pd.DataFrame,
    models: Sequence[Model],
    splits: Sequence[Split],
    *,
    seeds: Sequence[int],
    folder: Path,
    n_jobs: int = 1,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Let every model learn on every split with every seed.

    Each run is stored under a key made of all that decides it, so that only what
    changed runs again and an interrupted comparison goes on where it was.

    Args:
        samples: Table `samples`; its row order is what splits count in.
        models: The models.
        splits: Who learns from what.
        seeds: Repeats with other random numbers.
        folder: Where finished runs are kept.
        n_jobs: Processes; each learns with one thread.

    Returns:
        Tables `history` and `predictions`.
    """
    content = _hash_samples(samples)
    classes = sorted(samples["label"].unique())
    jobs = [
        (model, split, seed, _name_run(model, split, seed, content, Path(folder)))
        for model in models
        for split in splits
        for seed in seeds[: model.n_seeds]
    ]
    kept = {job[3]: read_kept(job[3]) for job in jobs}
    missing = [job for job in jobs if kept[job[3]] is None]
    # else one process works at the end while the others wait
    missing.sort(key=lambda job: not job[0].is_costly)
    if missing:
        runs = run_tasks(partial(_run, samples, classes), missing, n_jobs=n_jobs)
        with open_bar(total=len(missing), desc="Training", unit="run") as bar:
            for _ in runs:
                bar.update()
        kept |= {path: read_kept(path) for *_, path in missing}
    history, predictions = (
        check_table(pd.concat(tables, ignore_index=True), name)
        for name, tables in zip(_TABLES, zip(*kept.values(), strict=True), strict=True)
    )
    return history, predictions


def _hash_samples(samples: pd.DataFrame) -> str:
    """Return a key of which frames have which label and person, in which order."""
    # without `fold` and `path`: neither changes what a run learns or says
    columns = samples[["video", "frame_idx", "label", "subject"]]
    rows = pd.util.hash_pandas_object(columns, index=False).to_numpy()
    return build_key(rows=joblib.hash(rows))


def _name_run(
    model: Model, split: Split, seed: int, content: str, folder: Path
) -> Path:
    """Return the path that a run's results are kept under."""
    # the rows themselves, not the name of the fold, decide the result; the name is
    # part of the key because it is a column of the stored tables
    key = build_key(
        code=CODE,
        model=[model.name, model.key],
        fold=split.fold,
        train=joblib.hash(np.asarray(split.train, dtype=np.int64)),
        val=joblib.hash(np.asarray(split.val, dtype=np.int64)),
        seed=seed,
        samples=content,
    )
    return folder / f"{model.name}-{key}"


def _run(
    samples: pd.DataFrame,
    classes: Sequence[str],
    job: tuple[Model, Split, int, Path],
) -> None:
    """Do one run and keep its two tables."""
    model, split, seed, path = job
    history, probabilities = model.fit(split.train, split.val, seed=seed)
    rows = build_predictions(samples.iloc[split.val], probabilities, classes=classes)
    tables = [
        check_table(table.assign(model=model.name, fold=split.fold, seed=seed), name)
        for name, table in zip(_TABLES, (history, rows), strict=True)
    ]
    write_kept(path, tables)


def build_predictions(
    samples: pd.DataFrame, probabilities: np.ndarray, *, classes: Sequence[str]
) -> pd.DataFrame:
    """Join frames with what a model says of them.

    Args:
        samples: Frames: `video`, `frame_idx`; `time_s`, `subject`, `label` if known.
        probabilities: `(n_frames, n_classes)`.
        classes: Class of each column.

    Returns:
        The columns of table `predictions` but for `model`, `fold`, `seed`.

    Raises:
        ValueError: If the shapes do not agree.
    """
    if probabilities.shape != (len(samples), len(classes)):
        raise ValueError(
            f"Expected probabilities of shape ({len(samples)}, {len(classes)}), one "
            f"row a frame and one column a class, got {probabilities.shape}."
        )
    known = [c for c in ("time_s", "subject", "label") if c in samples]
    rows = samples[["video", "frame_idx", *known]].reset_index(drop=True)
    best = probabilities.argmax(axis=1)
    rows["predicted"] = np.asarray(classes, dtype=object)[best]
    rows["probability"] = probabilities.max(axis=1).astype(float)
    shares = {
        f"p_{c}": probabilities[:, i].astype(float) for i, c in enumerate(classes)
    }
    return rows.assign(**shares)


def build_majority_model(inputs: Inputs) -> Model:
    """Make the floor of every score: each class by its share in training.

    Args:
        inputs: Only the classes are looked at.

    Returns:
        Model `majority`.
    """
    fit = partial(_fit_majority, y=inputs.y, n_classes=inputs.n_classes)
    key = build_key(code=CODE, y=joblib.hash(inputs.y), n_classes=inputs.n_classes)
    return Model("majority", fit, key=key, n_parameters=inputs.n_classes)


def _fit_majority(
    train: np.ndarray, val: np.ndarray, *, seed: int, y: np.ndarray, n_classes: int
) -> tuple[pd.DataFrame, np.ndarray]:
    """Give every frame the same shares: a `Fit` of the comparison."""
    del seed  # nothing is random
    # one more of each class than there was, so that none is impossible
    counts = np.bincount(y[train], minlength=n_classes) + 1.0
    return build_empty_history(), np.tile(counts / counts.sum(), (len(val), 1))


def build_empty_history() -> pd.DataFrame:
    """Return a history without epochs, for models that do not learn in epochs."""
    columns = ["epoch", "seconds", "cpu_s", "loss", "accuracy"]
    columns += ["val_loss", "val_accuracy"]
    return pd.DataFrame({c: pd.Series(dtype="float64") for c in columns})
