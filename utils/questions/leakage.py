"""How much of a score is leak: the same models under ever stricter splits.

Each strategy says what validation frames may share with training frames. How far a
score falls from one to the next is how much of it was recognition, not understanding.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from utils.core.cache import build_key, read_kept, write_kept
from utils.core.files import hash_file
from utils.evaluation.scores import summarise_scores
from utils.frames.images import read_image
from utils.questions.answer import Answer, question, write_answer
from utils.training.duplicates import group_duplicates, hash_pictures
from utils.training.protocol import Model, RunModels, Split
from utils.training.splits import NEAR_S, STRATEGIES, build_strategies, measure_leaks

if TYPE_CHECKING:
    from utils.study import Study


@question
def leakage(study: "Study") -> Answer:
    """Ask how much of a score is leak: random frames first, people never seen last."""
    from utils.plots.bars import plot_leakage

    samples = study.samples
    if study.is_one_person:  # its folds are spans of time, and hold out nobody
        samples = samples.drop(columns="fold")
    strategies = build_strategies(samples, n_folds=study.n_folds, seed=study.seeds[0])
    hashes = _hash_samples(study)
    models = list(study.baselines)
    if study.budget == "full":  # fine-tuning takes long
        models += [m for n, m in study.models.items() if n == "mobilenet_finetuned"]
    table = score_strategies(
        study.samples, models, strategies, run=study.run, twins=group_duplicates(hashes)
    )
    chart = plot_leakage(table, names=STRATEGIES, floor=study.floor["accuracy"])
    return write_answer(
        "leakage",
        study.results,
        sentences=[describe_leakage(table, models=study.names)],
        table=table,
        charts={"leakage": chart},
    )


def _hash_samples(study: "Study") -> np.ndarray:
    """Hash the samples' pictures, or read what was hashed before."""
    paths = study.samples["path"]
    pictures = [hash_file(path) for path in paths]
    key = build_key(code=("utils.training.duplicates",), pictures=pictures)
    kept = study.cache / "hashes" / key
    hashes = read_kept(kept)
    if hashes is None:
        hashes = hash_pictures(paths, read_image=read_image)
        write_kept(kept, hashes)
    return hashes


def score_strategies(
    samples: pd.DataFrame,
    models: Sequence[Model],
    strategies: Mapping[str, Sequence[Split]],
    *,
    run: RunModels,
    twins: np.ndarray | None = None,
) -> pd.DataFrame:
    """Score the models on every strategy.

    Args:
        samples: Table `samples`.
        models: The models.
        strategies: Strategy to splits, from `build_strategies`.
        run: `compare.run_models` with its seeds, folder and processes filled in.
        twins: Group of near-duplicates of each row, for the share of leaks.

    Returns:
        Table with a row a strategy and model: `strategy`, `model`, the columns of
        `statistics.summarise_scores`, `n_train` (mean over folds) and the leaks.
    """
    tables = []
    for strategy, splits in strategies.items():
        _, predictions = run(samples, models, splits)
        table = summarise_scores(predictions)
        table.insert(0, "strategy", strategy)
        table["n_train"] = float(np.mean([len(s.train) for s in splits]))
        tables.append(table.assign(**measure_leaks(samples, splits, twins=twins)))
    return pd.concat(tables, ignore_index=True)


def describe_leakage(table: pd.DataFrame, *, models: Mapping[str, str]) -> str:
    """Say how much of the score under random frames was leak.

    Args:
        table: From `score_strategies`.
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
        parts.append(f"the {name} goes from {easy:.1%} to {honest:.1%} ({tail})")
    return text + f"with people never seen, {', '.join(parts)}."
