"""Which frames the models get wrong, of what kind; what was lost with nobody found."""

import numpy as np
import pandas as pd

from utils.core.skeleton import BODY_PARTS, HIPS, KEYPOINT_IDX, MIN_SCORE, SHOULDERS
from utils.evaluation.scores import find_classes, score_predictions, select_model

LIMBS = [KEYPOINT_IDX[name] for part in ("arms", "legs") for name in BODY_PARTS[part]]
_UNSURE, _MANY_LIMBS, _SIDE, _SELDOM = 0.4, 4, 0.35, 0.05
_FEW_ERRORS, _MANY_ERRORS, _MORE_OFTEN = 5, 0.15, 2.0  # of a kind that is hard
_NEAR_S, _HOLE = 0.3, 2.5  # a label ends where no frame follows for so many steps
KINDS: dict[str, str] = {
    "unsure": "have unsure keypoints",
    "cut": "lack arms or legs",
    "foreshortened": "look along the body",
    "new side": "are side views that others hardly show",
    "border": "lie within 0.3 s of a label's border",
}
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
        pose: The pose classifier.
        image: The picture classifier.

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


def sort_into_kinds(
    samples: pd.DataFrame, poses: np.ndarray, size_wh: np.ndarray
) -> pd.DataFrame:
    """Tell of what hard kind each labelled frame is, if any.

    Args:
        samples: Table `samples`.
        poses: `(n_samples, 17, 3)`: x_px, y_px, score.
        size_wh: Width and height of each frame, pixels, `(n_samples, 2)`.

    Returns:
        A bool column a kind, in the order of `samples`: `unsure` (mean score of the 17
        points below 0.4), `cut` (4 or more of the 8 points of arms and legs not seen,
        or at the picture's edge), `foreshortened` (the torso shorter than the shoulders
        are wide: seen along the body), `new side` (from the side, as less than 5 % of
        other people's frames of that posture are), `border` (within 0.3 s of where its
        label begins or ends).
    """
    xy, score = poses[..., :2], poses[..., 2]
    at_edge = ((xy <= 0.01 * size_wh[:, None]) | (xy >= 0.99 * size_wh[:, None])).any(
        axis=2
    )
    unseen = (score < MIN_SCORE) | at_edge
    shoulders, hips = xy[:, SHOULDERS], xy[:, HIPS]
    torso = np.linalg.norm(shoulders.mean(axis=1) - hips.mean(axis=1), axis=1)
    width = np.linalg.norm(shoulders[:, 0] - shoulders[:, 1], axis=1)
    is_side = pd.Series(width < _SIDE * torso, index=samples.index)
    return pd.DataFrame(
        {
            "unsure": score.mean(axis=1) < _UNSURE,
            "cut": unseen[:, LIMBS].sum(axis=1) >= _MANY_LIMBS,
            "foreshortened": torso < width,
            "new side": is_side & (_share_of_others(is_side, samples) < _SELDOM),
            "border": _find_borders(samples) < _NEAR_S,
        },
        index=samples.index,
    )


def _share_of_others(flags: pd.Series, samples: pd.DataFrame) -> pd.Series:
    """Return how often other people's frames of the same posture have a flag."""
    label, subject = samples["label"], samples["subject"]
    groups = flags.groupby(label), flags.groupby([label, subject])
    n_true, n_all = (
        groups[0].transform(how) - groups[1].transform(how) for how in ("sum", "size")
    )
    return n_true / n_all.clip(lower=1)


def _find_borders(samples: pd.DataFrame) -> np.ndarray:
    """Return the seconds from each frame to where its label begins or ends."""
    order = samples.sort_values(["video", "time_s"], kind="stable")
    step_s = order.groupby("video")["time_s"].diff()
    usual_s = step_s.median()
    is_new = step_s.isna() | (step_s > _HOLE * usual_s)
    is_new |= order["label"] != order["label"].shift()
    spans = order.groupby(is_new.cumsum())["time_s"]
    to_start = order["time_s"] - spans.transform("min")
    to_end = spans.transform("max") + usual_s - order["time_s"]
    near = np.minimum(to_start, to_end)
    return near.reindex(samples.index).to_numpy()


def count_kinds(kinds: pd.DataFrame, samples: pd.DataFrame) -> pd.DataFrame:
    """Count errors among the frames of each kind.

    Args:
        kinds: Table of `sort_into_kinds`.
        samples: `label`, `subject` and `wrong`, the share of seeds in which the frame
            was wrong; same index.

    Returns:
        A row a kind: `kind`, `n_frames`, `n_wrong`, `share_of_errors` (a frame can be
        of several kinds), `wrong` (share of its frames), `wrong_elsewhere`, the `label`
        and `subject` with more than half of its errors, if any, and `is_hard`: wrong
        twice as often as elsewhere, in 5 frames or more and 15 % of all errors.
    """
    wrong, rows = samples["wrong"], []
    for kind, flags in kinds.items():
        own, others = wrong[flags], wrong[~flags]
        share = own.sum() / wrong.sum() if wrong.sum() else np.nan
        most = [_find_most(own, samples[by]) for by in ("label", "subject")]
        rows.append(
            (kind, len(own), own.sum(), share, own.mean(), others.mean(), *most)
        )
    columns = ["kind", "n_frames", "n_wrong", "share_of_errors", "wrong"]
    columns += ["wrong_elsewhere", "label", "subject"]
    table = pd.DataFrame(rows, columns=columns)
    often = table["wrong"] >= _MORE_OFTEN * table["wrong_elsewhere"]
    many = table["share_of_errors"] >= _MANY_ERRORS
    return table.assign(is_hard=often & many & (table["n_wrong"] >= _FEW_ERRORS))


def _find_most(wrong: pd.Series, names: pd.Series) -> str | None:
    """Return the name with more than half of the errors, if there is one."""
    shares = wrong.groupby(names.loc[wrong.index]).sum()
    return shares.idxmax() if (shares > wrong.sum() / 2).any() else None
