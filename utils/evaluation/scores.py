"""Scores of every model from the predictions table, seeds and folds kept apart."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from utils.core.names import show_name
from utils.core.tables import LEAST_PROBABILITY, WORDS

# One correct, one fair to rare classes, one that punishes being sure and wrong.
METRICS = ("accuracy", "macro_f1", "log_loss")
COMPARISON_COLUMNS = [
    "model",
    "n_people",
    "n_frames",
    "n_parameters",
    "accuracy",
    "accuracy_sd",
    "macro_f1",
    "macro_f1_sd",
    "log_loss",
    "log_loss_sd",
    "seconds_to_best",
    "ms_per_frame",
]


def find_classes(predictions: pd.DataFrame) -> list[str]:
    """Return the classes that a predictions table has a column `p_<class>` for.

    Raises:
        ValueError: If there is none.
    """
    classes = [str(c)[2:] for c in predictions if str(c).startswith("p_")]
    if not classes:
        raise ValueError(
            "The predictions have no column p_<class>; expected one a class. Predict "
            "again."
        )
    return classes


def score_predictions(predictions: pd.DataFrame) -> pd.DataFrame:
    """Add to each prediction whether it is right, and its loss.

    Args:
        predictions: Table `predictions` with `subject` and `p_<class>`.

    Returns:
        Copy with `is_right` (float: 0 or 1) and `loss`, minus the logarithm of the
        probability given to the true class (nats), clipped at 1e-7.

    Raises:
        ValueError: If a person, label or probability is missing, or if the seeds of
            a model do not cover the same frames.
    """
    classes = find_classes(predictions)
    _check_predictions(predictions, classes)
    columns = pd.Index(classes).get_indexer(predictions["label"])
    shares = predictions[[f"p_{c}" for c in classes]].to_numpy(dtype=float)
    given = shares[np.arange(len(shares)), columns]
    right = predictions["label"].to_numpy() == predictions["predicted"].to_numpy()
    loss = -np.log(np.clip(given, LEAST_PROBABILITY, 1.0))
    return predictions.assign(is_right=right.astype(float), loss=loss)


def _check_predictions(predictions: pd.DataFrame, classes: list[str]) -> None:
    """Raise `ValueError` unless every row can be scored and every seed is complete."""
    if "subject" not in predictions or predictions["subject"].isna().any():
        raise ValueError(
            "Expected the person of every prediction in column subject, found some "
            "missing. Without it people cannot be counted: join it from the videos."
        )
    for column in ("label", "predicted"):
        other = ~predictions[column].isin(classes)
        if other.any():
            raise ValueError(
                f"{int(other.sum())} predictions have a {column} without a column "
                f"p_<class>, first {predictions.loc[other, column].iloc[0]!r}; "
                f"expected one of {', '.join(classes)}. Leave out unlabelled frames."
            )
    shares = predictions[[f"p_{c}" for c in classes]].to_numpy(dtype=float)
    # loose: probabilities may have been rounded in a CSV; `not … all` catches NaN
    if not (np.abs(shares.sum(axis=1) - 1) < 1e-2).all():
        raise ValueError(
            "Expected the p_<class> of every prediction to sum to 1; some are missing "
            "or do not. Predict again."
        )
    _check_seeds(predictions)


def _check_seeds(predictions: pd.DataFrame) -> None:
    """Raise `ValueError` if a model's seeds did not predict the same frames."""
    key = ["model", "fold", "video", "frame_idx"]
    expected = predictions.drop_duplicates(key).groupby("model").size()
    found = predictions.groupby(["model", "seed"]).size()
    short = found.index[found < found.index.get_level_values(0).map(expected)]
    if len(short):
        raise ValueError(
            f"The seeds of {short[0][0]} predict different frames; expected the same "
            f"for each, found some missing with seed {short[0][1]}. Run the missing "
            "folds."
        )


def summarise_scores(predictions: pd.DataFrame) -> pd.DataFrame:
    """Score every model, with its spread over folds and over seeds apart.

    A score is taken over all held-out frames at once, for each seed, and averaged
    over seeds. `<score>_sd` is the standard deviation over folds (n - 1) of the fold's
    score averaged over seeds; `<score>_sd_seeds` that over seeds of the score over
    all frames. Either is NaN where there is one fold or one seed.

    Args:
        predictions: Table `predictions` with `subject` and `p_<class>`.

    Returns:
        One row a model: `model`, `n_people`, `n_frames`, `n_folds`, `n_seeds`, and
        `accuracy`, `macro_f1` (over the classes that occur among the true labels) and
        `log_loss` (nats), each with `_sd` and `_sd_seeds`.

    Raises:
        ValueError: If the predictions cannot be scored.
    """
    frames = score_predictions(predictions)
    seeds = _score_groups(frames, ["model", "seed"])
    folds = _score_groups(frames, ["model", "fold", "seed"])
    # seeds are averaged first: they repeat the same evidence
    folds = folds.groupby(["model", "fold"], sort=False).mean()
    by_model, by_seed, by_fold = (
        table.groupby("model", sort=False) for table in (frames, seeds, folds)
    )
    parts = [
        _count_frames(frames, ["model"]),
        by_model["fold"].nunique().rename("n_folds"),
        by_model["seed"].nunique().rename("n_seeds"),
        by_seed.mean(),
        by_fold.std(ddof=1).add_suffix("_sd"),
        by_seed.std(ddof=1).add_suffix("_sd_seeds"),
    ]
    table = pd.concat(parts, axis=1)
    counts = ["n_people", "n_frames", "n_folds", "n_seeds"]
    scores = [m + end for m in METRICS for end in ("", "_sd", "_sd_seeds")]
    return table[counts + scores].rename_axis("model").reset_index()


def describe_failures(
    scores: pd.DataFrame, *, names: Mapping[str, str] | None = None
) -> list[str]:
    """Say which models are right no more often than a guess: they failed.

    Args:
        scores: From `summarise_scores`, with a row `majority`.
        names: Model to its name in sentences; others keep their own.

    Returns:
        One sentence; none where every model learnt.
    """
    accuracy, known = scores.set_index("model")["accuracy"], {**WORDS, **(names or {})}
    floor = accuracy.get("majority", 0.0)
    failed = [
        f"the {known.get(model, show_name(model))} ({share:.1%} right)"
        for model, share in accuracy.drop("majority", errors="ignore").items()
        if share <= floor
    ]
    if not failed:
        return []
    whose = "its scores say nothing of its kind"
    if len(failed) > 1:
        whose = "their scores say nothing of their kind"
    return [
        f"No better than always the same guess ({floor:.1%}): {', '.join(failed)}; "
        f"{whose}."
    ]


def _count_frames(frames: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Count people and different frames in each group."""
    once = frames.drop_duplicates([*by, "video", "frame_idx"])
    groups = once.groupby(by, sort=False)
    return pd.DataFrame(
        {"n_people": groups["subject"].nunique(), "n_frames": groups.size()}
    )


def _score_groups(frames: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Return accuracy, macro F1 and log loss of each group of scored frames."""
    groups = frames.groupby(by, sort=False)
    counts = _count_pairs(frames, groups.ngroup().to_numpy(), find_classes(frames))
    # a class that a fold does not show has no F1 and must not count as 0
    seen = counts.sum(axis=2) > 0
    f1 = _share(
        2 * np.diagonal(counts, axis1=1, axis2=2),
        counts.sum(axis=1) + counts.sum(axis=2),
    )
    table = groups[["is_right", "loss"]].mean()
    table["macro_f1"] = np.where(seen, f1, 0.0).sum(axis=1) / seen.sum(axis=1)
    return table.rename(columns={"is_right": "accuracy", "loss": "log_loss"})


def _count_pairs(
    frames: pd.DataFrame, group: np.ndarray, classes: Sequence[str]
) -> np.ndarray:
    """Count frames by group, true class and predicted class: `(groups, k, k)`."""
    k = len(classes)
    true = pd.Index(classes).get_indexer(frames["label"])
    predicted = pd.Index(classes).get_indexer(frames["predicted"])
    n_groups = int(group.max()) + 1 if len(group) else 0
    cells = np.bincount((group * k + true) * k + predicted, minlength=n_groups * k * k)
    return cells.reshape(n_groups, k, k)


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Divide, with NaN where the whole is nothing."""
    return np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0)


def count_confusions(predictions: pd.DataFrame, *, model: str) -> pd.DataFrame:
    """Count a model's predictions by true and predicted class, averaged over seeds.

    Args:
        predictions: Table `predictions`.
        model: Which model.

    Returns:
        Square table, rows true and columns predicted classes; values sum to the
        number of held-out frames and may be fractions where seeds differ.

    Raises:
        ValueError: If there is no such model or the predictions cannot be scored.
    """
    frames = score_predictions(select_model(predictions, model))
    classes = find_classes(frames)
    counts = _count_pairs(frames, np.zeros(len(frames), dtype=np.int64), classes)[0]
    table = pd.DataFrame(counts / frames["seed"].nunique(), classes, classes)
    return table.rename_axis(index="label", columns="predicted")


def find_recall(predictions: pd.DataFrame, *, model: str) -> pd.DataFrame:
    """Find how often each class is recognised, and what it is else taken for.

    Args:
        predictions: Table `predictions`.
        model: Which model.

    Returns:
        A row a class that is scored: `recognised` (share of its frames), `taken_for`
        (NaN if for nothing) and `taken_share`.

    Raises:
        ValueError: If there is no such model or the predictions cannot be scored.
    """
    counts = count_confusions(predictions, model=model)
    counts = counts[counts.sum(axis=1) > 0]
    shares = counts.div(counts.sum(axis=1), axis=0)
    right = pd.Series({label: shares.loc[label, label] for label in shares.index})
    wrong = shares.copy()
    for label in wrong.index:
        wrong.loc[label, label] = 0.0
    most = wrong.max(axis=1)
    table = {"taken_for": wrong.idxmax(axis=1).where(most > 0), "taken_share": most}
    return pd.DataFrame({"recognised": right, **table})


def select_model(predictions: pd.DataFrame, model: str) -> pd.DataFrame:
    """Return the rows of one model.

    Raises:
        ValueError: If there are none.
    """
    rows = predictions[predictions["model"] == model]
    if rows.empty:
        known = ", ".join(predictions["model"].unique())
        raise ValueError(f"No model {model!r} among the predictions; found {known}.")
    return rows


def score_classes(predictions: pd.DataFrame) -> pd.DataFrame:
    """Score every class of every model, averaged over seeds.

    Args:
        predictions: Table `predictions` with `subject` and `p_<class>`.

    Returns:
        Rows by `model` and `label`: `precision` (NaN if never predicted), `recall`,
        `f1`, and the `n_people` and `n_frames` that show the class.

    Raises:
        ValueError: If the predictions cannot be scored.
    """
    frames = score_predictions(predictions)
    classes = find_classes(frames)
    groups = frames.groupby(["model", "seed"], sort=False)
    counts = _count_pairs(frames, groups.ngroup().to_numpy(), classes)
    right = np.diagonal(counts, axis1=1, axis2=2)
    predicted, true = counts.sum(axis=1), counts.sum(axis=2)
    scores = {
        "precision": _share(right, predicted),
        "recall": _share(right, true),
        "f1": _share(2 * right, predicted + true),
    }
    means = {
        name: pd.DataFrame(values, groups.size().index, classes)
        .groupby("model", sort=False)
        .mean()
        for name, values in scores.items()
    }
    index = pd.MultiIndex.from_product(
        [means["f1"].index, classes], names=["model", "label"]
    )
    means = {name: table.to_numpy().ravel() for name, table in means.items()}
    table = _count_frames(frames, ["model", "label"])
    return pd.DataFrame(means, index).join(table, how="inner").reset_index()


def score_people(predictions: pd.DataFrame) -> pd.DataFrame:
    """Score every person under every model, averaged over seeds: the unit of evidence.

    Args:
        predictions: Table `predictions` with `subject` and `p_<class>`.

    Returns:
        Rows by `model` and `subject`: `n_frames`, `accuracy`, `macro_f1`, `log_loss`
        (nats), `accuracy_sd_seeds`.

    Raises:
        ValueError: If the predictions cannot be scored.
    """
    frames = score_predictions(predictions)
    runs = _score_groups(frames, ["model", "subject", "seed"])
    people = runs.groupby(["model", "subject"], sort=False)
    table = people.mean()[list(METRICS)]
    table["accuracy_sd_seeds"] = people["accuracy"].std(ddof=1)
    table.insert(0, "n_frames", _count_frames(frames, ["model", "subject"])["n_frames"])
    return table.reset_index()


def summarise_models(
    scores: pd.DataFrame,
    history: pd.DataFrame,
    *,
    n_parameters: Mapping[str, int],
    upfront_s: Mapping[str, float],
    ms_per_frame: Mapping[str, float],
) -> pd.DataFrame:
    """Join scores with sizes and times: the table `comparison.csv`.

    Args:
        scores: One row a model with the scores and their spread.
        history: Table `history`.
        n_parameters: Weights of each model, in the order of the rows.
        upfront_s: Seconds each model needs before its first epoch.
        ms_per_frame: Milliseconds from picture to posture, by model.

    Returns:
        Table with one row a model.
    """
    # the epoch whose weights were kept; of equal ones the first
    best = history.sort_values("val_loss", kind="stable")
    best = best.drop_duplicates(["model", "fold", "seed"])
    seconds = best.groupby("model")["seconds"].mean()
    table = scores.set_index("model").reindex(list(n_parameters))
    table["n_parameters"] = list(n_parameters.values())
    table["seconds_to_best"] = [
        seconds.get(m, 0.0) + upfront_s.get(m, 0.0) for m in n_parameters
    ]
    table["ms_per_frame"] = [ms_per_frame.get(m, 0.0) for m in n_parameters]
    return table.reset_index()[COMPARISON_COLUMNS]
