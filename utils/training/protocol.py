"""The protocol of the comparison: every rival on the same splits, seeds and rows.

A rival is a function that learns from some rows of the samples table and gives the
probabilities of others. Who it is, what it is fed and how it learns is its own
matter; which rows, folds and seeds it gets is decided here, once for all.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

import joblib
import numpy as np
import pandas as pd

from utils.core.cache import build_key
from utils.core.parallel import run_tasks
from utils.core.progress import open_bar
from utils.core.tables import check_table, read_table, write_table

STAGE_VERSION = 2


class Fit(Protocol):
    """How a rival learns: rows in, history and probabilities out."""

    def __call__(
        self, train: np.ndarray, val: np.ndarray, *, seed: int
    ) -> tuple[pd.DataFrame, np.ndarray]:
        """Learn from rows `train` and tell the classes of rows `val`.

        Args:
            train: Row numbers of the samples table to learn from.
            val: Row numbers to stop by and to predict.
            seed: Decides all that is random.

        Returns:
            History (the columns of table `history` after `seed`; empty where the
            rival has no epochs) and probabilities `(len(val), n_classes)`.
        """


@dataclass(frozen=True)
class Rival:
    """One model in the comparison.

    Attributes:
        name: Column `model` of every table.
        fit: How it learns.
        key: Text that decides its result beside rows and seed: recipe, settings and
            content of what it is fed. Results are cached by it.
        n_parameters: Weights of the finished model.
    """

    name: str
    fit: Fit
    key: str
    n_parameters: int


@dataclass(frozen=True)
class Split:
    """One division of the samples: row numbers to learn from and to be scored on."""

    fold: int
    train: np.ndarray
    val: np.ndarray


# `run_rivals` with its seeds, folder and processes filled in: what a question asks of.
Run = Callable[
    [pd.DataFrame, Sequence[Rival], Sequence[Split]], tuple[pd.DataFrame, pd.DataFrame]
]


def build_splits(samples: pd.DataFrame) -> list[Split]:
    """Turn the column `fold` into splits: each fold is validated on once.

    Args:
        samples: Table `samples` with `fold`.

    Returns:
        Splits in order of fold.

    Raises:
        ValueError: If there are fewer than two folds.
    """
    folds = samples["fold"].to_numpy()
    names = np.unique(folds)
    if len(names) < 2:
        raise ValueError(
            f"Expected at least two folds, got {len(names)}. Label another person."
        )
    return [
        Split(int(f), np.flatnonzero(folds != f), np.flatnonzero(folds == f))
        for f in names
    ]


def run_rivals(
    samples: pd.DataFrame,
    rivals: Sequence[Rival],
    splits: Sequence[Split],
    *,
    seeds: Sequence[int],
    folder: Path,
    n_jobs: int = 1,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Let every rival learn on every split with every seed.

    Each run is stored under a key made of all that decides it, so that only what
    changed runs again and an interrupted comparison goes on where it was.

    Args:
        samples: Table `samples`; its row order is what splits count in.
        rivals: The models.
        splits: Who learns from what.
        seeds: Repeats with other random numbers.
        folder: Where finished runs are kept.
        n_jobs: Processes; each learns with one thread.

    Returns:
        Tables `history` and `predictions`.
    """
    content = hash_samples(samples)
    classes = sorted(samples["label"].unique())
    jobs = [
        (rival, split, seed, _name_run(rival, split, seed, content, Path(folder)))
        for rival in rivals
        for split in splits
        for seed in seeds
    ]
    missing = [
        job for job in jobs if not job[3].with_suffix(".predictions.parquet").exists()
    ]
    if missing:
        runs = run_tasks(partial(_run, samples, classes), missing, n_jobs=n_jobs)
        with open_bar(total=len(missing), desc="Training", unit="run") as bar:
            for _ in runs:
                bar.update()
    read = [_read_run(path) for _, _, _, path in jobs]
    history = pd.concat([h for h, _ in read], ignore_index=True)
    predictions = pd.concat([p for _, p in read], ignore_index=True)
    return check_table(history, "history"), check_table(predictions, "predictions")


def hash_samples(samples: pd.DataFrame) -> str:
    """Return a key of which frames have which label and person, in which order."""
    columns = samples[["video", "frame_idx", "label", "subject"]]
    rows = pd.util.hash_pandas_object(columns, index=False).to_numpy()
    return build_key(rows=joblib.hash(rows))


def _name_run(
    rival: Rival, split: Split, seed: int, content: str, folder: Path
) -> Path:
    """Return the path, without suffix, that a run's results are kept under."""
    key = build_key(
        version=STAGE_VERSION,
        rival=[rival.name, rival.key],
        fold=split.fold,
        train=joblib.hash(np.asarray(split.train, dtype=np.int64)),
        val=joblib.hash(np.asarray(split.val, dtype=np.int64)),
        seed=seed,
        samples=content,
    )
    return folder / f"{rival.name}-{key}"


def _run(
    samples: pd.DataFrame,
    classes: Sequence[str],
    job: tuple[Rival, Split, int, Path],
) -> None:
    """Do one run and store its two tables; the second one marks that both are whole."""
    rival, split, seed, path = job
    history, probabilities = rival.fit(split.train, split.val, seed=seed)
    history = history.assign(model=rival.name, fold=split.fold, seed=seed)
    rows = build_predictions(samples.iloc[split.val], probabilities, classes=classes)
    rows = rows.assign(model=rival.name, fold=split.fold, seed=seed)
    write_table(history, path.with_suffix(".history.parquet"), "history")
    write_table(rows, path.with_suffix(".predictions.parquet"), "predictions")


def _read_run(path: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read back one run's history and predictions."""
    return (
        read_table(path.with_suffix(".history.parquet"), "history"),
        read_table(path.with_suffix(".predictions.parquet"), "predictions"),
    )


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


def fit_majority(
    train: np.ndarray, val: np.ndarray, *, seed: int, y: np.ndarray, n_classes: int
) -> tuple[pd.DataFrame, np.ndarray]:
    """Tell every frame the share of each class in training: the floor of every score.

    Args:
        train: Rows to count.
        val: Rows to predict.
        seed: Not used: there is nothing random.
        y: Class number of every row.
        n_classes: How many classes there are.

    Returns:
        Empty history, and the same probabilities for every row; a class counts as
        seen once more than it was, so that none is impossible.
    """
    del seed
    counts = np.bincount(y[train], minlength=n_classes) + 1.0
    shares = np.tile(counts / counts.sum(), (len(val), 1))
    return empty_history(), shares


def empty_history() -> pd.DataFrame:
    """Return a history without epochs, for rivals that do not learn in epochs."""
    columns = ["epoch", "seconds", "cpu_s", "loss", "accuracy"]
    columns += ["val_loss", "val_accuracy"]
    return pd.DataFrame({c: pd.Series(dtype="float64") for c in columns})
