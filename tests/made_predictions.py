"""Made predictions tables with known scores."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

CLASSES = ("sit", "stand")


def make_predictions(
    right: dict[str, Sequence[int]],
    *,
    model: str = "pose_softmax",
    seed: int = 0,
    sure: float = 0.8,
) -> pd.DataFrame:
    """Make one model's predictions of two classes, each person a fold.

    Args:
        right: Person to 1 for each frame told right and 0 for each told wrong;
            the labels of a person's frames alternate, `sit` first.
        model: Name of the model.
        seed: Its seed.
        sure: Probability given to the told class.
    """
    rows = []
    for fold, (subject, hits) in enumerate(right.items()):
        for frame_idx, hit in enumerate(hits):
            label = CLASSES[frame_idx % 2]
            predicted = label if hit else CLASSES[1 - frame_idx % 2]
            key = (f"{subject}_film", frame_idx, model, fold, seed)
            shares = [sure if c == predicted else 1 - sure for c in CLASSES]
            rows.append((*key, label, predicted, sure, subject, *shares))
    columns = ["video", "frame_idx", "model", "fold", "seed", "label", "predicted"]
    columns += ["probability", "subject", *(f"p_{c}" for c in CLASSES)]
    return pd.DataFrame(rows, columns=columns)


def make_random_predictions(
    n_people: int, n_frames: int, *, n_classes: int = 3, seed: int = 0
) -> pd.DataFrame:
    """Make predictions whose probabilities are right on average: labels drawn by them.

    Two models see the same frames, each with its own probabilities.
    """
    rng = np.random.default_rng(seed)
    classes = [f"class{i}" for i in range(n_classes)]
    tables = []
    for model in ("pose_softmax", "mobilenet_frozen"):
        shares = rng.dirichlet(np.ones(n_classes), size=n_people * n_frames)
        drawn = (shares.cumsum(axis=1) < rng.random((len(shares), 1))).sum(axis=1)
        person = np.repeat(np.arange(n_people), n_frames)
        names = np.array(classes, dtype=object)
        table = pd.DataFrame(shares, columns=[f"p_{c}" for c in classes])
        table["video"] = table["subject"] = [f"person{p}" for p in person]
        table["frame_idx"] = np.tile(np.arange(n_frames), n_people)
        table["model"], table["fold"], table["seed"] = model, person, 0
        table["label"] = names[np.minimum(drawn, n_classes - 1)]
        table["predicted"] = names[shares.argmax(axis=1)]
        table["probability"] = shares.max(axis=1)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)
