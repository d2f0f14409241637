"""Which frames the models get wrong, and what was lost because nobody was found."""

import numpy as np
import pandas as pd

from utils.evaluation.scores import find_classes, score_predictions, select_model

OUTCOMES = ("both right", "only pose right", "only image right", "both wrong")


def _average_seeds(predictions: pd.DataFrame) -> pd.DataFrame:
    """Average probabilities over seeds and take the most probable class.

    Args:
        predictions: Table `predictions` with `subject` and `p_<class>`.

    Returns:
        One row a model and frame: `model`, `video`, `frame_idx`, `subject`, `label`,
        `predicted`, `probability` and the `p_<class>`.

    Raises:
        ValueError: If the predictions cannot be scored.
    """
    frames = score_predictions(predictions)
    classes = find_classes(frames)
    columns = [f"p_{c}" for c in classes]
    key = ["model", "video", "frame_idx", "subject", "label"]
    table = frames.groupby(key, sort=False)[columns].mean()
    shares = table.to_numpy()
    table.insert(0, "predicted", np.asarray(classes, object)[shares.argmax(axis=1)])
    table.insert(1, "probability", shares.max(axis=1))
    return table.reset_index()


def sort_into_outcomes(
    predictions: pd.DataFrame,
    *,
    pose: str = "pose_softmax",
    image: str = "mobilenet_frozen",
) -> pd.DataFrame:
    """Sort frames by which of two models got them right.

    Args:
        predictions: Table `predictions` with `subject` and `p_<class>`; seeds are
            averaged.
        pose: The pose model.
        image: The image model.

    Returns:
        One row a frame that both predicted: `video`, `frame_idx`, `outcome` (one of
        `OUTCOMES`), `confidence`, `subject`, `label`, `pose_predicted`,
        `pose_probability`, `image_predicted`, `image_probability`; outcomes in order,
        highest confidence first. Confidence is the probability that the wrong model
        gave to its answer; where both agree in being right or wrong, that of the less
        sure one.

    Raises:
        ValueError: If a model is missing or the predictions cannot be scored.
    """
    key = ["video", "frame_idx", "subject", "label"]
    # seeds are averaged before a class is taken, as a committee would decide
    one, two = (
        _average_seeds(select_model(predictions, model))
        .set_index(key)[["predicted", "probability"]]
        .add_prefix(f"{name}_")
        for name, model in (("pose", pose), ("image", image))
    )
    table = one.join(two, how="inner").reset_index()
    pose_right = (table["pose_predicted"] == table["label"]).to_numpy()
    image_right = (table["image_predicted"] == table["label"]).to_numpy()
    which = np.where(
        pose_right, np.where(image_right, 0, 1), np.where(image_right, 2, 3)
    )
    sure = table[["pose_probability", "image_probability"]].to_numpy()
    confidence = np.select([which == 1, which == 2], [sure[:, 1], sure[:, 0]])
    confidence = np.where((which == 0) | (which == 3), sure.min(axis=1), confidence)
    table["outcome"] = pd.Categorical.from_codes(
        which, categories=OUTCOMES, ordered=True
    )
    table["confidence"] = confidence
    table = table.sort_values(
        ["outcome", "confidence", "video", "frame_idx"],
        ascending=[True, False, True, True],
    )
    first = ["video", "frame_idx", "outcome", "confidence", "subject", "label"]
    rest = [c for c in table if c not in first]
    return table[first + rest].reset_index(drop=True)


def count_outcomes(outcomes: pd.DataFrame) -> pd.DataFrame:
    """Count frames and people of each outcome.

    Args:
        outcomes: Table of `sort_into_outcomes`.

    Returns:
        One row an outcome, empty ones too: `outcome`, `n_frames`, `share`, `n_people`.
    """
    groups = outcomes.groupby("outcome", observed=False)
    table = pd.DataFrame(
        {"n_frames": groups.size(), "n_people": groups["subject"].nunique()}
    )
    table.insert(1, "share", table["n_frames"] / max(len(outcomes), 1))
    return table.reset_index()


def pick_examples(outcomes: pd.DataFrame, *, n_per_outcome: int = 6) -> pd.DataFrame:
    """Pick frames to show: the surest of each outcome, a posture of a video once first.

    Args:
        outcomes: Table of `sort_into_outcomes`.
        n_per_outcome: At most so many an outcome.

    Returns:
        Rows of `outcomes`. A second frame of the same video and label, which would look
        like the first, comes only after every other video and label had its turn.
    """
    turn = outcomes.groupby(["outcome", "video", "label"], observed=True).cumcount()
    table = outcomes.assign(turn=turn).sort_values(["outcome", "turn"], kind="stable")
    table = table.groupby("outcome", observed=True).head(n_per_outcome)
    return table.drop(columns="turn").reset_index(drop=True)


def _has_person(frames: pd.DataFrame, people: pd.DataFrame) -> np.ndarray:
    """Return for each frame whether a person was found in it."""
    key = ["video", "frame_idx"]
    found = pd.MultiIndex.from_frame(people.loc[people["has_person"].astype(bool), key])
    return pd.MultiIndex.from_frame(frames[key]).isin(found)


def score_survivors(
    predictions: pd.DataFrame, samples: pd.DataFrame, people: pd.DataFrame
) -> pd.DataFrame:
    """Score every model with and without the frames in which nobody was found.

    Args:
        predictions: Table `predictions` with `subject` and `p_<class>`.
        samples: Table `samples`: every labelled frame, also those not predicted.
        people: Table with `video`, `frame_idx`, `has_person`.

    Returns:
        One row a model, seeds averaged: `model`, `n_frames` (labelled), `n_lost`
        (nobody found), `n_unpredicted`, and the accuracies
        `accuracy` (of all labelled frames; one without a prediction is wrong),
        `accuracy_survivors` (of frames with a person that were predicted) and
        `accuracy_lost_wrong` (of all labelled frames, those without a person wrong).

    Raises:
        ValueError: If the predictions cannot be scored.
    """
    frames = score_predictions(predictions)
    key, n_labelled = ["video", "frame_idx"], len(samples)
    labelled = pd.MultiIndex.from_frame(samples[key])
    frames = frames[pd.MultiIndex.from_frame(frames[key]).isin(labelled)]
    seen = _has_person(frames, people)
    n_lost = int((~_has_person(samples, people)).sum())
    # a frame counts once a seed; seeds are averaged at the end
    frames = frames.assign(seen=seen, right_seen=frames["is_right"] * seen, n=1)
    sums = frames.groupby(["model", "seed"], sort=False)
    sums = sums[["is_right", "seen", "right_seen", "n"]].sum().astype(float)
    sums = sums.groupby("model", sort=False).mean()
    table = pd.DataFrame({"n_frames": n_labelled, "n_lost": n_lost}, index=sums.index)
    table["n_unpredicted"] = n_labelled - sums["n"].astype(int)
    table["accuracy"] = sums["is_right"] / n_labelled
    table["accuracy_survivors"] = sums["right_seen"] / sums["seen"].replace(0, np.nan)
    table["accuracy_lost_wrong"] = sums["right_seen"] / n_labelled
    return table.reset_index()
