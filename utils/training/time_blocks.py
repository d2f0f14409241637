"""Folds from one person's videos: blocks of time with a gap, which flatter.

For where no second person is labelled yet; `splits.build_folds` holds people out.
"""

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedKFold

from utils.core.tables import check_table

# A block ends where no frame follows for this many times the usual distance.
_HOLE = 2.5


def build_time_blocks(
    samples: pd.DataFrame,
    *,
    n_folds: int = 5,
    seed: int = 0,
    block_s: float = 5.0,
    gap_s: float = 1.0,
) -> pd.DataFrame:
    """Divide the time of each video into blocks, with a gap where folds meet.

    A block is a stretch of one label, cut where it grows longer than `block_s`. The
    same person, clothes and room are on both sides, so the score flatters; it is what
    one person's videos allow.

    Args:
        samples: Table `samples`.
        n_folds: Number of folds, at least 2; fewer if a class has fewer blocks.
        seed: Decides which block goes where.
        block_s: Longest block, seconds.
        gap_s: Least distance between two folds in a video, seconds; frames nearer
            than this after another fold's are left out.

    Returns:
        The samples that remain, with `fold`, from 0.

    Raises:
        ValueError: If a class fills one block only.
    """
    samples = check_table(samples, "samples")
    order = samples.sort_values(["video", "time_s"])
    block = _find_blocks(order, block_s=block_s)
    n_blocks = block.groupby(order["label"]).nunique()
    n_folds = min(n_folds, int(n_blocks.min()))
    _check_counts(n_blocks, 2, f"blocks of {block_s:g} s")
    splitter = StratifiedKFold(n_folds, shuffle=True, random_state=seed)
    firsts = order[~block.duplicated()]  # a row a block: each counts the same
    fold_of = np.empty(len(firsts), dtype=np.int64)
    for fold, (_, val) in enumerate(splitter.split(firsts, firsts["label"])):
        fold_of[val] = fold
    order = order.assign(fold=fold_of[block.to_numpy()])
    kept = order[_is_clear(order, gap_s=gap_s)].sort_index().reset_index(drop=True)
    _check_counts(kept.groupby("label")["fold"].nunique(), 2, "folds")
    return kept


def _find_blocks(order: pd.DataFrame, *, block_s: float) -> pd.Series:
    """Number the blocks of samples sorted by video and time, from 0."""
    previous = order.shift()
    is_new_video = order["video"] != previous["video"]
    step_s = (order["time_s"] - previous["time_s"]).mask(is_new_video)
    is_hole = step_s > _HOLE * step_s.median()
    is_new = is_new_video | is_hole | (order["label"] != previous["label"])
    stretch = is_new.cumsum()
    start_s = order["time_s"].groupby(stretch).transform("first")
    part = ((order["time_s"] - start_s) / block_s + 1e-9).astype(np.int64)
    number = pd.factorize(pd.MultiIndex.from_arrays([stretch, part]))[0]
    return pd.Series(number, index=order.index)


def _is_clear(order: pd.DataFrame, *, gap_s: float) -> np.ndarray:
    """Mark the samples that keep `gap_s` from every earlier kept one of other folds."""
    is_clear = np.ones(len(order), dtype=bool)
    for rows in order.groupby("video").indices.values():
        times, folds = order["time_s"].to_numpy()[rows], order["fold"].to_numpy()[rows]
        last_s: dict[int, float] = {}
        for row, time_s, fold in zip(rows, times, folds, strict=True):
            others = [t for f, t in last_s.items() if f != fold]
            is_clear[row] = not others or time_s - max(others) > gap_s + 1e-6
            if is_clear[row]:
                last_s[fold] = time_s
    return is_clear


def _check_counts(counts: pd.Series, n_needed: int, what: str) -> None:
    """Raise `ValueError` if a class has fewer than `n_needed` of something."""
    if counts.min() < n_needed:
        raise ValueError(
            f"{counts.idxmin()!r} has {counts.min()} {what}, expected at least "
            f"{n_needed}. Label more of it, at another time, or leave the class out."
        )
