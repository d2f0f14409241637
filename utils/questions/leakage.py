"""The ladder of splits: the same models, held out ever more strictly, and what leaks.

Each rung says what validation frames may share with training frames. How far a score
falls from rung to rung is how much of it was recognition, not understanding.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from utils.evaluation.scores import summarise_scores
from utils.training.protocol import Model, RunModels, Split
from utils.training.splits import NEAR_S, measure_leaks


def run_ladder(
    samples: pd.DataFrame,
    models: Sequence[Model],
    ladder: Mapping[str, Sequence[Split]],
    *,
    run: RunModels,
    twins: np.ndarray | None = None,
) -> pd.DataFrame:
    """Score the models on every rung.

    Args:
        samples: Table `samples`.
        models: The models.
        ladder: Rung to splits, from `splits.build_strategies`.
        run: `protocol.run_models` with its seeds, folder and processes filled in.
        twins: Group of near-duplicates of each row, for the share of leaks.

    Returns:
        Table with a row a rung and model: `strategy`, `model`, the columns of
        `statistics.summarise_scores`, `n_train` (mean over folds) and the leaks.
    """
    tables = []
    for rung, splits in ladder.items():
        _, predictions = run(samples, models, splits)
        table = summarise_scores(predictions)
        table.insert(0, "strategy", rung)
        table["n_train"] = float(np.mean([len(s.train) for s in splits]))
        tables.append(table.assign(**measure_leaks(samples, splits, twins=twins)))
    return pd.concat(tables, ignore_index=True)


def read_ladder(table: pd.DataFrame, *, models: Mapping[str, str]) -> str:
    """Say how much of the score under random frames was leak.

    Args:
        table: From `run_ladder`.
        models: Model to its name in the sentence, in order.

    Returns:
        One sentence, on the step from random frames to people never seen.
    """
    accuracy = table.set_index(["strategy", "model"])["accuracy"]
    near = table.set_index("strategy").loc["random", "leak_near"]
    near = float(np.ravel(near)[0])
    text = (
        f"Under random frames {near:.0%} of the validation frames have a training "
        f"neighbour within {NEAR_S:g} s; "
    )
    if ("people", next(iter(models))) not in accuracy.index:
        return text + "nobody could be held out, so how much was leak is not known."
    parts = []
    for model, name in models.items():
        easy, honest = accuracy["random", model], accuracy["people", model]
        leak = 100 * (easy - honest)
        tail = f"{leak:.1f} points were leak" if leak >= 0.05 else "nothing was leak"
        parts.append(f"the {name} goes from {easy:.3f} to {honest:.3f} ({tail})")
    return text + f"with people never seen, {', '.join(parts)}."
