"""Several models' probabilities made one: the mean of their logarithms."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from utils.core.tables import LEAST_PROBABILITY
from utils.evaluation.scores import find_classes, select_model

_KEY = ["fold", "seed", "video", "frame_idx"]


def fuse_models(
    predictions: pd.DataFrame, *, models: Sequence[str], name: str
) -> pd.DataFrame:
    """Let models that predicted the same frames answer together.

    Args:
        predictions: Table `predictions`.
        models: Who.
        name: Column `model` of the result.

    Returns:
        Table `predictions` of the frames, folds and seeds that all of them have: each
        probability the geometric mean of theirs, scaled to sum to 1.

    Raises:
        ValueError: If a model has no predictions.
    """
    columns = [f"p_{c}" for c in find_classes(predictions)]
    tables = [select_model(predictions, m).set_index(_KEY) for m in models]
    first = tables[0]
    for other in tables[1:]:
        first = first[first.index.isin(other.index)]
    shares = np.mean(
        [
            np.log(table.loc[first.index, columns].clip(lower=LEAST_PROBABILITY))
            for table in tables
        ],
        axis=0,
    )
    shares = np.exp(shares - shares.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    classes = np.array([c.removeprefix("p_") for c in columns], dtype=object)
    fused = first.reset_index().assign(
        model=name,
        predicted=classes[shares.argmax(axis=1)],
        probability=shares.max(axis=1),
    )
    fused[columns] = shares
    return fused[list(predictions)]
