"""Who learns and who is held out: samples, folds, and how much leaks between them."""

import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold

from utils.core.tables import check_table


def build_samples(
    frames: pd.DataFrame, labels: Sequence[str | float], videos: pd.DataFrame
) -> pd.DataFrame:
    """Join frames with their label and person; what has no label is left out.

    Args:
        frames: Table `frames`.
        labels: The label of each row of `frames`, missing where it has none.
        videos: Table `videos`; says who is in each, and `camera` if known.

    Returns:
        Table `samples` in the order of `frames`. What is not in it is unlabelled.

    Raises:
        ValueError: If `labels` has another length, a frame's video is not in `videos`,
            or nothing is labelled.
    """
    frames = check_table(frames, "frames")
    label = pd.Series(list(labels), dtype="object")
    if len(label) != len(frames):
        raise ValueError(
            f"Expected a label, or none, for each of {len(frames)} frames, got "
            f"{len(label)}."
        )
    unknown = sorted(set(frames["video"]) - set(videos["video"]))
    if unknown:
        raise ValueError(
            f"Frames of {', '.join(unknown)} have no row in the table of videos. "
            "List the video, or remove its frames."
        )
    columns = ["video", "frame_idx", "time_s", "path"]
    samples = frames[columns].assign(label=label)[label.notna()]
    if samples.empty:
        raise ValueError(
            f"None of {len(frames)} frames has a label. Label some stretches first."
        )
    who = videos[[c for c in ("video", "subject", "camera") if c in videos]]
    return check_table(samples.merge(who, on="video", how="left"), "samples")


def build_folds(
    samples: pd.DataFrame, *, n_folds: int = 5, seed: int = 0, group: str = "subject"
) -> pd.DataFrame:
    """Divide the people into folds, so that nobody is both learnt from and scored.

    Classes are kept as even as the people allow (scikit-learn's
    `StratifiedGroupKFold`). That splitter may leave a fold empty or a training part
    without a class; then, with a warning, each person becomes a fold.

    Args:
        samples: Table `samples`.
        n_folds: Number of folds, at least 2; fewer people give as many folds as people.
        seed: Decides who goes with whom.
        group: What is kept together: `subject`, or `camera` for rooms never seen.

    Returns:
        The samples with `fold`, from 0.

    Raises:
        ValueError: If there is one class, one person, or a class shown by one person.
    """
    samples = check_table(samples, "samples")
    check_groups(samples, group=group)
    groups, names = pd.factorize(samples[group], sort=True)
    n_folds = min(n_folds, len(names))
    fold = assign_folds(samples["label"], groups, n_folds=n_folds, seed=seed)
    if fold is None:
        warnings.warn(
            f"In {n_folds} folds, one would be empty or a class would be missing from "
            f"training: each of {len(names)} {group}s is a fold of its own.",
            stacklevel=2,
        )
        fold = groups
    return samples.assign(fold=fold)


def check_groups(samples: pd.DataFrame, *, group: str = "subject") -> None:
    """Raise `ValueError`, in one sentence, if no `group` can be held out honestly."""
    who = {"subject": "person", "camera": "camera"}.get(group, group)
    if group not in samples or samples[group].isna().any():
        raise ValueError(
            f"Not every sample says its {group}. Fill in the column {group} of "
            "videos.csv."
        )
    classes, groups = samples["label"].unique(), samples[group].unique()
    if len(classes) < 2:
        raise ValueError(
            f"Only one class is labelled, {classes[0]!r}: there is nothing to tell "
            "apart. Label a second posture."
        )
    if len(groups) < 2:
        raise ValueError(
            f"Only one {who} is labelled, {groups[0]}: none can be held out. Label "
            f"another {who}, or name who is who in videos.csv; until then "
            "`time_blocks` gives folds, but flatters."
        )
    shown_by = samples.groupby("label")[group].unique()
    once = shown_by[shown_by.map(len) == 1]
    if len(once):
        raise ValueError(
            f"Only {once.iloc[0][0]} shows {once.index[0]!r}: held out, nobody would "
            f"be left to learn it from. Label another {who} doing it, or leave the "
            "class out."
        )


def assign_folds(
    labels: pd.Series, groups: np.ndarray, *, n_folds: int, seed: int
) -> np.ndarray | None:
    """Return the fold of each row, groups kept together, or None where it cannot be.

    Args:
        labels: Label of each row.
        groups: Number of the group of each row.
        n_folds: Number of folds, at most the number of groups.
        seed: Decides which groups go together.

    Returns:
        Fold of each row, numbered by the first group in it; None if a fold would be
        empty or a training part without a class.
    """
    if n_folds == len(np.unique(groups)):
        fold = groups.astype(np.int64)
    elif labels.value_counts().max() < n_folds:
        return None
    else:
        fold = np.empty(len(labels), dtype=np.int64)
        splitter = StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed)
        with warnings.catch_warnings():  # of few members: checked below
            warnings.simplefilter("ignore", UserWarning)
            parts = splitter.split(labels, labels, groups)
            for number, (_, val) in enumerate(parts):
                fold[val] = number
        first = pd.Series(groups).groupby(fold).min().rank().astype(np.int64) - 1
        fold = pd.Series(fold).map(first).to_numpy()
    counts = pd.crosstab(fold, labels.to_numpy())
    is_whole = len(counts) == n_folds and (counts.sum() > counts).all(axis=None)
    return fold if is_whole else None


def summarise_folds(samples: pd.DataFrame) -> pd.DataFrame:
    """Count the frames of each fold, person and class.

    Args:
        samples: Table `samples` with `fold`.

    Returns:
        A row for each fold and person in it, a column for each class, and `total`.
    """
    rows = [samples["fold"], samples["subject"]]
    counts = pd.crosstab(rows, samples["label"])
    return counts.assign(total=counts.sum(axis=1)).rename_axis(columns=None)


def leak_share(
    samples: pd.DataFrame, is_val: np.ndarray, *, within_s: float = 1.0
) -> float:
    """Return the share of held-out frames that have a near twin in training.

    A near twin is a frame of the same video at most `within_s` away in time. Split by
    person it is 0; split at random it is near 1, and the score is mostly memory.

    Args:
        samples: Table `samples`.
        is_val: True for the rows held out; the others are learnt from.
        within_s: How near in time, seconds.

    Returns:
        Share from 0 to 1; NaN if nothing is held out.
    """
    table = samples[["video", "time_s"]].assign(is_val=np.asarray(is_val, dtype=bool))
    n_leaks = 0
    for _, rows in table.groupby("video"):
        learnt = np.sort(rows.loc[~rows["is_val"], "time_s"].to_numpy())
        held_out = rows.loc[rows["is_val"], "time_s"].to_numpy()
        # time stamps are decimals: 1.2 - 0.2 must count as within 1.0
        start = np.searchsorted(learnt, held_out - within_s - 1e-6)
        end = np.searchsorted(learnt, held_out + within_s + 1e-6)
        n_leaks += int((end > start).sum())
    n_val = int(table["is_val"].sum())
    return n_leaks / n_val if n_val else float("nan")


def measure_leak(samples: pd.DataFrame, *, within_s: float = 1.0) -> float:
    """Return `leak_share` over all folds, each held out once.

    Args:
        samples: Table `samples` with `fold`.
        within_s: How near in time, seconds.

    Returns:
        Share from 0 to 1.
    """
    folds = samples["fold"].to_numpy()
    leaks = [
        leak_share(samples, folds == fold, within_s=within_s) * (folds == fold).sum()
        for fold in np.unique(folds)
    ]
    return float(sum(leaks) / len(samples))
