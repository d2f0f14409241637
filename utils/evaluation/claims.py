"""What each claim is measured by: one number a person, or a fold.

The first two are the question on the cover, of whole pictures and of crops; the others
are claims of the original project, of whole pictures.
Every difference is written so that it is above 0 where the claim holds. Seeds are
averaged first: they repeat the same evidence.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from utils.evaluation.intervals import FEW_PEOPLE, pair_people
from utils.evaluation.scores import find_classes, select_model

# How much of the spread over people comes from who was learnt from, as a share of what
# Nadeau and Bengio take: measured on made studies with known truth (test_verdict).
TRAINING_SHARE = {"accuracy": 0.5, "log_loss": 1.0}
CROSS_MARGIN = 0.01  # accuracy; curves nearer than this do not cross
WAY_SHARE = 0.95  # of the way from guessing to the level that both models reach


@dataclass(frozen=True)
class Evidence:
    """Paired differences of the two models.

    Attributes:
        differences: One a unit; above 0 speaks for the claim.
        unit: What a unit is, `people` or `folds`.
        n_train: How many units each model learnt from; infinite where `shared_sd`
            says what that does.
        shared_sd: Standard error of the mean that comes from who was learnt from.
        doubt: Why these differences cannot decide anything; empty if they can.
    """

    differences: np.ndarray
    unit: str = "people"
    n_train: float = np.inf
    shared_sd: float = 0.0
    doubt: str = ""


def measure_training(
    history: pd.DataFrame, *, models: tuple[str, str], n_classes: int
) -> pd.DataFrame:
    """Measure how each model learnt in each fold, seeds averaged.

    The target of a fold is a validation loss that every run of both models reaches:
    95 % of the way from blind guessing, `log(n_classes)`, to the best loss of the run
    whose best is the worst.

    Args:
        history: Table `history` (`seconds` since training began).
        models: Names of the pose classifier and the picture classifier.
        n_classes: How many classes there are.

    Returns:
        Rows by `model` and `fold`: `target` (nats), `epochs` and `seconds` until a
        run first reaches it (geometric means), `epochs_to_best`, `best_val_loss` and
        `gap`, the validation loss minus the training loss at the best epoch (whose
        weights are kept), and `gap_last`, the same at the last epoch.

    Raises:
        ValueError: If a model has no history, or one has a fold that the other lacks.
    """
    runs = pd.concat([_select_runs(history, m) for m in models], ignore_index=True)
    folds = runs.groupby("model")["fold"].unique()
    if set(folds[models[0]]) != set(folds[models[1]]):
        raise ValueError(
            f"{models[0]} and {models[1]} must have learnt on the same folds; found "
            f"{sorted(folds[models[0]])} and {sorted(folds[models[1]])}. Run both."
        )
    key = ["model", "fold", "seed"]
    runs = runs.sort_values([*key, "epoch"]).assign(gap=runs["val_loss"] - runs["loss"])
    # the target must be within reach of every run, or one would have no epoch
    best = runs.loc[runs.groupby(key)["val_loss"].idxmin()].set_index(key)
    target = best.groupby("fold")["val_loss"].max()
    target += (1 - WAY_SHARE) * (np.log(n_classes) - target).clip(lower=0)
    runs["target"] = runs["fold"].map(target)
    reached = runs[runs["val_loss"] <= runs["target"]].groupby(key).first()
    last = runs.groupby(key).last()
    table = pd.DataFrame(
        {
            "target": reached["target"],
            # logarithms: the mean over seeds is then a geometric one, as of ratios
            "epochs": np.log(reached["epoch"]),
            "seconds": np.log(reached["seconds"].clip(lower=1e-6)),
            "epochs_to_best": best["epoch"],
            "best_val_loss": best["val_loss"],
            "gap": best["gap"],
            "gap_last": last["gap"],
        }
    )
    table = table.groupby(["model", "fold"]).mean()
    table[["epochs", "seconds"]] = np.exp(table[["epochs", "seconds"]])
    return table.reset_index()


def _select_runs(history: pd.DataFrame, model: str) -> pd.DataFrame:
    """Return the history of one model, or raise `ValueError`."""
    runs = history[history["model"] == model].reset_index(drop=True)
    if runs.empty:
        known = ", ".join(history["model"].unique())
        raise ValueError(f"No model {model!r} in the history; found {known}.")
    if runs[["loss", "val_loss"]].isna().to_numpy().any():
        raise ValueError(f"The history of {model} has epochs without a loss.")
    return runs


def measure_claims(
    history: pd.DataFrame,
    predictions: pd.DataFrame,
    *,
    models: tuple[str, ...],
    curve: pd.DataFrame | None = None,
    upfront_s: Mapping[str, float] | None = None,
) -> dict[str, Evidence]:
    """Measure all claims.

    Args:
        history: Table `history`.
        predictions: Table `predictions` with `subject` and `p_<class>`.
        models: Names of the pose model, the model on whole pictures and, if there is
            one, that on crops of the person.
        curve: Learning curve with `model`, `n_people`, `draw`, `subject` (left out)
            and `accuracy`.
        upfront_s: Seconds before the first epoch, by model: the pose network over
            all frames, the image network's features.

    Returns:
        Evidence by claim: `better`, `better_than_crop` if there are crops, `epochs`,
        `seconds`, `loss`, `overfit`, `people`.

    Raises:
        ValueError: If a model is missing or the two did not see the same frames.
    """
    n_classes, (models, crops) = (
        len(find_classes(predictions)),
        (models[:2], models[2:]),
    )
    training = measure_training(history, models=models, n_classes=n_classes)
    pose, image = (
        training[training["model"] == model].set_index("fold") for model in models
    )
    # a fold of one person is a person: as many units as there can be
    own = select_model(predictions, models[0])
    unit = "people" if own["fold"].nunique() == own["subject"].nunique() else "folds"
    evidence = {"better": _compare_people(predictions, models, "accuracy")}
    for crop in crops:
        pair = models[0], crop
        evidence["better_than_crop"] = _compare_people(predictions, pair, "accuracy")
    evidence |= {
        "epochs": _compare_folds(np.log(image["epochs"] / pose["epochs"]), unit),
        "seconds": _compare_seconds(pose, image, models, upfront_s or {}, unit),
        "loss": _compare_people(predictions, models, "log_loss"),
        # who is hard is hard to predict, and to learn from in all other folds: what the
        # folds share works against the spread and needs no room of its own
        "overfit": replace(
            _compare_folds(image["gap"] - pose["gap"], unit), n_train=np.inf
        ),
        "people": _compare_curves(curve, models),
    }
    best = training.groupby("model")["best_val_loss"].mean()
    # no better than blind guessing: how fast it got there says nothing
    if (best >= np.log(n_classes)).any():
        name = dict(zip(models, ("pose", "whole-picture"), strict=True))[best.idxmax()]
        lost = f"the {name} classifier did no better on people never seen than guessing"
        for claim in ("epochs", "seconds", "overfit"):
            evidence[claim] = replace(evidence[claim], doubt=lost)
    return evidence


def _compare_folds(differences: pd.Series, unit: str) -> Evidence:
    """Take one value a fold; each model learnt from all the other folds."""
    return Evidence(differences.to_numpy(), unit, max(len(differences) - 1, 1))


def _compare_seconds(
    pose: pd.DataFrame,
    image: pd.DataFrame,
    models: tuple[str, str],
    upfront_s: Mapping[str, float],
    unit: str,
) -> Evidence:
    """Compare the logarithms of seconds to the target, counted from the pictures on."""
    if set(models) - set(upfront_s):
        doubt = "the seconds before the first epoch (pose network, image features) "
        return Evidence(np.array([]), unit, doubt=doubt + "are not given")
    one, two = (
        table["seconds"] + upfront_s[model]
        for table, model in zip((pose, image), models, strict=True)
    )
    return _compare_folds(np.log(two / one), unit)


def _compare_people(
    predictions: pd.DataFrame, models: tuple[str, str], metric: str
) -> Evidence:
    """Compare a score person by person, each person counting the same."""
    pairs = pair_people(predictions, first=models[0], second=models[1])
    differences = pairs[metric].to_numpy() * (-1 if metric == "log_loss" else 1)
    people = select_model(predictions, models[0]).groupby("fold")["subject"].nunique()
    n_train = max(float(len(pairs) - people.mean()), 1.0)  # all but one fold
    # a handful of accuracies is too far from normal for any less than all of it
    share = TRAINING_SHARE[metric] if len(pairs) >= FEW_PEOPLE else 1.0
    return Evidence(differences, "people", n_train / share)


def _compare_curves(curve: pd.DataFrame | None, models: tuple[str, str]) -> Evidence:
    """Compare accuracy at equal numbers of labelled people, person by person.

    A person's value is the mean, over the numbers of people learnt from, of pose minus
    image accuracy on that person, draws averaged first: the area between the two
    learning curves on a logarithmic axis. A curve that is higher at every number
    needs fewer people for any score.
    """
    if curve is None or "subject" not in curve:
        lack = "there is no learning curve that names the people left out"
        return Evidence(np.array([]), doubt=lack)
    key = ["n_people", "draw", "subject"]
    wide = curve.pivot_table(index=key, columns="model", values="accuracy")
    if set(models) - set(wide):
        lack = "the learning curve lacks one of the models"
        return Evidence(np.array([]), doubt=lack)
    gaps = (wide[models[0]] - wide[models[1]]).dropna()
    sizes = gaps.groupby("n_people").mean()
    crossing = sizes.min() < -CROSS_MARGIN and sizes.max() > CROSS_MARGIN
    values = gaps.groupby(["n_people", "subject"]).mean().groupby("subject").mean()
    shared_sd = _find_draw_error(gaps, n_others=len(values) - 1)
    doubt = "the learning curves cross" if crossing else ""
    if not np.isfinite(shared_sd):
        doubt = "the learning curve has too few draws"
    return Evidence(values.to_numpy(), shared_sd=shared_sd, doubt=doubt)


def _find_draw_error(gaps: pd.Series, *, n_others: int) -> float:
    """Return the standard error of the mean gap that comes from who was learnt from.

    Draws of `size` people out of `n_others` overlap: they are worth at most
    `n_others / size` separate ones. The people predicted are taken out first, so that
    their differences are not counted twice. All sizes learn from the same people and
    are taken to move together; one whose draws never meet on a person says nothing
    and is taken to be like the others. NaN if no size has draws that meet.
    """
    people = gaps.groupby(["n_people", "subject"])
    met = people.transform("size").groupby("n_people").transform("max") > 1
    left = (gaps - people.transform("mean"))[met]
    draws = left.groupby(["n_people", "draw"]).mean().groupby("n_people")
    worth = draws.size().clip(upper=n_others / draws.size().index.astype(float))
    return float((draws.std(ddof=1) / np.sqrt(worth)).mean())
