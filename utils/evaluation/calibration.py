"""Whether a model's probabilities mean what they say, and one number that mends them.

A temperature divides the logarithms of the probabilities: above 1 it makes them less
sure, below 1 surer; which class is predicted stays the same. For each person it is
fitted on the predictions of the others and never on the person's own (Guo et al.,
"On Calibration of Modern Neural Networks", ICML 2017, with people held out).
"""

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from utils.core.tables import LEAST_PROBABILITY, TooFewError
from utils.evaluation.scores import find_classes, score_predictions

TEMPERATURES = (0.1, 10.0)  # where it is looked for


def build_reliability(predictions: pd.DataFrame, *, n_bins: int = 10) -> pd.DataFrame:
    """Compare how sure each model was with how often it was right.

    Args:
        predictions: Table `predictions` with `subject` and `p_<class>`; seeds are
            taken together.
        n_bins: Bins of equal width from 0 to 1, of the predicted class's probability.

    Returns:
        Rows by `model` and `bin` (from 0; empty bins left out): `low`, `high`,
        `confidence` (mean probability), `accuracy`, `n_frames` (predictions over
        seeds, divided by the seeds), `n_people`.

    Raises:
        ValueError: If the predictions cannot be scored.
    """
    frames = score_predictions(predictions)
    which = np.minimum((frames["probability"] * n_bins).astype(int), n_bins - 1)
    groups = frames.assign(bin=which).groupby(["model", "bin"])
    table = pd.DataFrame(
        {
            "confidence": groups["probability"].mean(),
            "accuracy": groups["is_right"].mean(),
            "n_frames": groups.size(),
            "n_people": groups["subject"].nunique(),
        }
    ).reset_index()
    # the same frame under three seeds is one frame
    n_seeds = frames.groupby("model")["seed"].nunique()
    table["n_frames"] = table["n_frames"] / table["model"].map(n_seeds)
    table.insert(2, "low", table["bin"] / n_bins)
    table.insert(3, "high", (table["bin"] + 1) / n_bins)
    return table


def compute_calibration_error(reliability: pd.DataFrame) -> pd.Series:
    """Average the distance of confidence and accuracy over bins, by frames.

    Args:
        reliability: Table of `build_reliability`.

    Returns:
        Expected calibration error by model, 0 to 1. It is never quite 0 on few frames,
        even where the probabilities are right.
    """
    gaps = (reliability["confidence"] - reliability["accuracy"]).abs()
    frames = reliability["n_frames"]
    models = reliability["model"]
    return (gaps * frames).groupby(models).sum() / frames.groupby(models).sum()


def fit_temperature(probabilities: np.ndarray, y: np.ndarray) -> float:
    """Find the temperature at which the true classes `y` are most probable.

    It lies within 0.1 to 10: at an end of that range where the best lies beyond, as for
    predictions that are all right.
    """
    if not len(probabilities):
        raise ValueError("Expected predictions to fit a temperature on, got none.")
    logs, rows = _take_logs(probabilities), np.arange(len(probabilities))

    def loss(log_inverse: float) -> float:
        return -float(log_softmax(logs * np.exp(log_inverse), axis=1)[rows, y].mean())

    bounds = (-np.log(TEMPERATURES[1]), -np.log(TEMPERATURES[0]))
    # The loss is convex in 1 / temperature, so that there is one minimum to find.
    found = minimize_scalar(loss, bounds=bounds, method="bounded")
    best = min([*bounds, found.x], key=loss)
    return float(np.exp(-best))


def _take_logs(probabilities: np.ndarray) -> np.ndarray:
    """Return logarithms of probabilities, clipped as the scores are."""
    return np.log(np.clip(np.asarray(probabilities, float), LEAST_PROBABILITY, 1.0))


def apply_temperature(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Make probabilities less sure (temperature above 1) or surer (below 1)."""
    return np.exp(log_softmax(_take_logs(probabilities) / temperature, axis=1))


def calibrate_people(
    predictions: pd.DataFrame,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give each person the temperature that suits the other people.

    The others' predictions are of models that learnt from this person, as all but
    one fold did; the person's own predictions, which are scored, decide nothing.

    Args:
        predictions: Table `predictions` of held-out people, with `subject` and
            `p_<class>`.

    Returns:
        Predictions with `p_<class>` and `probability` at that temperature (which
        class is predicted stays), and a table `model`, `subject`, `temperature`,
        `n_fitted_on` (people).

    Raises:
        ValueError: If the predictions cannot be scored.
        TooFewError: If they show only one person.
    """
    frames = score_predictions(predictions)
    classes = find_classes(frames)
    columns = [f"p_{c}" for c in classes]
    y = pd.Index(classes).get_indexer(frames["label"])
    shares, rows = frames[columns].to_numpy(dtype=float), []
    mended = shares.copy()
    for model, places in frames.groupby("model", sort=False).indices.items():
        people = frames["subject"].to_numpy()[places]
        names = pd.unique(people)
        if len(names) < 2:
            raise TooFewError(
                f"Only {names[0]} is scored: what mends the probabilities is fitted on "
                "other people. Film one more person."
            )
        for subject in names:
            own, others = places[people == subject], places[people != subject]
            temperature = fit_temperature(shares[others], y[others])
            mended[own] = apply_temperature(shares[own], temperature)
            rows.append((model, subject, temperature, len(names) - 1))
    table = predictions.assign(**dict(zip(columns, mended.T, strict=True)))
    predicted = pd.Index(classes).get_indexer(frames["predicted"])
    table["probability"] = mended[np.arange(len(mended)), predicted]
    names = ["model", "subject", "temperature", "n_fitted_on"]
    return table, pd.DataFrame(rows, columns=names)


def summarise_calibration(
    predictions: pd.DataFrame, *, n_bins: int = 10
) -> pd.DataFrame:
    """Tell how far each model's probabilities are off, before and after mending.

    Args:
        predictions: Table `predictions` of held-out people.
        n_bins: Bins of the calibration error.

    Returns:
        One row a model: `model`, `n_people`, `ece`, `ece_mended`, `log_loss`,
        `log_loss_mended`, and the lowest, mean and highest `temperature` over people.

    Raises:
        ValueError: If the predictions cannot be scored.
        TooFewError: If they show only one person.
    """
    mended, temperatures = calibrate_people(predictions)
    parts = {"n_people": temperatures.groupby("model").size()}
    for end, table in (("", predictions), ("_mended", mended)):
        reliability = build_reliability(table, n_bins=n_bins)
        parts[f"ece{end}"] = compute_calibration_error(reliability)
        parts[f"log_loss{end}"] = (
            score_predictions(table).groupby("model")["loss"].mean()
        )
    spread = temperatures.groupby("model")["temperature"].agg(["min", "mean", "max"])
    parts |= {f"temperature_{name}": spread[name] for name in spread}
    table = pd.DataFrame(parts).reindex(predictions["model"].unique())
    return table.rename_axis("model").reset_index()
