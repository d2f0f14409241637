"""Made comparisons with known truth, from models that really learn.

Each study has people who each show every class; the pose model and the two image
models see three different, independent views of them. All are softmax regressions
trained by gradient descent with each person held out in turn, so that their errors are
tied as in a true cross-validation: the folds share training people, some are hard,
seeds differ. Without an effect the views are drawn alike: whatever a verdict
then says is false.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

MODELS = ("pose_softmax", "mobilenet_frozen", "mobilenet_crop")
CLASSES = ("sitting", "squatting", "standing")


@dataclass(frozen=True)
class View:
    """How a model sees people.

    Attributes:
        offset_sd: How far apart people are, all their frames shifted alike.
        noise_sd: How far apart frames of one person are.
        hard_sd: Spread of the logarithm of a person's noise: some people are hard.
        n_numbers: Numbers a frame.
        rate: Learning rate.
        epoch_s: Seconds an epoch.
        upfront_s: Seconds before the first epoch.
    """

    offset_sd: float = 1.0
    noise_sd: float = 1.0
    hard_sd: float = 0.3
    n_numbers: int = 6
    rate: float = 0.5
    epoch_s: float = 0.1
    upfront_s: float = 1.0


@dataclass(frozen=True)
class Study:
    """One made comparison: what a notebook would hand to the verdict."""

    history: pd.DataFrame
    predictions: pd.DataFrame
    curve: pd.DataFrame
    upfront_s: dict[str, float]


def make_studies(
    n_studies: int,
    *,
    n_people: int,
    views: tuple[View, View, View] = (View(), View(), View()),
    n_seeds: int = 2,
    n_frames: int = 9,
    seed: int = 0,
) -> list[Study]:
    """Make comparisons of a pose model and two image models, one view each."""
    rng = np.random.default_rng(seed)
    y = np.tile(np.arange(len(CLASSES)), n_frames // len(CLASSES))
    parts = []
    for view in views:
        x = _make_frames(rng, view, y, n_studies, n_people)
        curves, shares = _train(rng, view, x, y, n_seeds)
        parts.append((curves, shares, _learn_from_few(x, y, seed)))
    upfront = {m: v.upfront_s for m, v in zip(MODELS, views, strict=True)}
    studies = []
    for i in range(n_studies):
        tables = [
            (_history(curves[i], v), _predictions(shares[i], y), few[i])
            for v, (curves, shares, few) in zip(views, parts, strict=True)
        ]
        joined = [
            pd.concat(
                [t[k].assign(model=m) for m, t in zip(MODELS, tables, strict=True)],
                ignore_index=True,
            )
            for k in range(3)
        ]
        studies.append(Study(*joined, upfront))
    return studies


def _make_frames(
    rng: np.random.Generator, view: View, y: np.ndarray, n_studies: int, n_people: int
) -> np.ndarray:
    """Return frames `(studies, people, frames, numbers + 1)`, the last one constant."""
    shape = (n_studies, n_people)
    centres = np.zeros((len(CLASSES), view.n_numbers))
    centres[:, : len(CLASSES)] = 1.5 * np.eye(len(CLASSES))
    offset = view.offset_sd * rng.normal(size=(*shape, 1, view.n_numbers))
    hard = np.exp(view.hard_sd * rng.normal(size=(*shape, 1, 1)))
    noise = rng.normal(size=(*shape, len(y), view.n_numbers))
    x = centres[y] + hard * (offset + view.noise_sd * noise)
    return np.concatenate([x, np.ones((*x.shape[:-1], 1))], axis=-1)


def _train(
    rng: np.random.Generator, view: View, x: np.ndarray, y: np.ndarray, n_seeds: int
) -> tuple[np.ndarray, np.ndarray]:
    """Train with each person held out.

    Returns losses and accuracies `(studies, folds, seeds, epochs, 4)` and held-out
    probabilities at the best epoch `(studies, folds, seeds, frames, classes)`.
    """
    n_studies, n_people, n_frames, n_numbers = x.shape
    k, n_epochs, patience = len(CLASSES), 40, 8
    keep = np.array([np.delete(np.arange(n_people), f) for f in range(n_people)])
    train = x[:, keep].reshape(n_studies, n_people, 1, -1, n_numbers)
    truth, val_truth = np.eye(k)[np.tile(y, n_people - 1)], np.eye(k)[y]
    weights = 0.1 * rng.normal(size=(n_studies, n_people, n_seeds, n_numbers, k))
    best = np.full((n_studies, n_people, n_seeds), np.inf)
    kept = np.zeros((*best.shape, n_frames, k))
    rows = []
    for _ in range(n_epochs):
        predicted = _softmax(train @ weights)
        order = rng.random(size=(n_studies, n_people, n_seeds, train.shape[-2])) < 0.7
        error = (predicted - truth) * order[..., None]
        weights -= view.rate * np.swapaxes(train, -1, -2) @ error / order.shape[-1]
        val_predicted = _softmax(x[:, :, None] @ weights)
        row = [*_score(predicted, truth), *_score(val_predicted, val_truth)]
        better = row[2] < best
        best = np.where(better, row[2], best)
        kept[better] = val_predicted[better]
        rows.append(np.stack(row, axis=-1))
    curves = np.stack(rows, axis=3)
    stop = curves[..., 2].argmin(axis=3) + patience
    curves[np.arange(n_epochs) > stop[..., None]] = np.nan
    return curves, kept


def _softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def _score(predicted: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return log loss and accuracy over frames."""
    given = (predicted * truth).sum(axis=-1)
    return -np.log(given + 1e-9).mean(axis=-1), (given >= predicted.max(-1)).mean(
        axis=-1
    )


def _learn_from_few(x: np.ndarray, y: np.ndarray, seed: int) -> list[pd.DataFrame]:
    """Return each study's learning curve, by least squares on a few people.

    Both views are fitted on the same draws, as in a paired comparison.
    """
    rng = np.random.default_rng(seed)
    n_studies, n_people, _, n_numbers = x.shape
    truth, rows = np.eye(len(CLASSES))[y], []
    for size in sorted({s for s in (1, 2, 4, 8) if s < n_people} | {n_people - 1}):
        circle = np.tile(rng.permutation(n_people), 2)
        for draw in range(min(n_people, 6)):
            who = circle[draw : draw + size]
            train = x[:, who].reshape(n_studies, -1, n_numbers)
            gram = np.swapaxes(train, 1, 2) @ train + 0.5 * np.eye(n_numbers)
            aim = np.swapaxes(train, 1, 2) @ np.tile(truth, (size, 1))
            predicted = (x @ np.linalg.solve(gram, aim)[:, None]).argmax(axis=-1)
            right = (predicted == y).mean(axis=-1)
            rows += [
                (size, draw, p, right[:, p]) for p in set(range(n_people)) - {*who}
            ]
    accuracy = np.array([row[3] for row in rows])
    frame = pd.DataFrame([r[:3] for r in rows], columns=["n_people", "draw", "subject"])
    frame["subject"] = "person" + frame["subject"].astype(str)
    return [frame.assign(accuracy=accuracy[:, i]) for i in range(n_studies)]


def _history(curves: np.ndarray, view: View) -> pd.DataFrame:
    """Turn one study's losses into rows of table `history`."""
    grid = np.stack(np.indices(curves.shape[:3]), axis=-1).reshape(-1, 3)
    table = pd.DataFrame(grid, columns=["fold", "seed", "epoch"])
    names = ["loss", "accuracy", "val_loss", "val_accuracy"]
    table[names] = curves.reshape(-1, 4)
    table["epoch"] += 1
    table["seconds"] = view.epoch_s * table["epoch"]
    return table.dropna()


def _predictions(shares: np.ndarray, y: np.ndarray) -> pd.DataFrame:
    """Turn one study's held-out probabilities into rows of table `predictions`."""
    grid = np.stack(np.indices(shares.shape[:3]), axis=-1).reshape(-1, 3)
    table = pd.DataFrame(grid, columns=["fold", "seed", "frame_idx"])
    names, flat = np.array(CLASSES, dtype=object), shares.reshape(-1, len(CLASSES))
    table["subject"] = "person" + table["fold"].astype(str)
    table["video"] = table["subject"]
    table["label"] = names[y[table["frame_idx"]]]
    table["predicted"] = names[flat.argmax(axis=1)]
    table["probability"] = flat.max(axis=1)
    table[[f"p_{c}" for c in CLASSES]] = flat
    return table
