"""The ladder of splits: the same models, held out ever more strictly, and what leaks.

Each rung says what validation frames may share with training frames. How far a score
falls from rung to rung is how much of it was recognition, not understanding.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from utils.evaluation.scores import summarise_scores
from utils.training.protocol import Rival, Run, Split, build_splits

RUNGS: dict[str, str] = {
    "random": "random frames",
    "blocks": "blocks of time, with a gap",
    "clips": "another clip of the same person",
    "people": "people never seen",
    "cameras": "rooms never seen",
}
# How near to a validation frame a training frame of the same video counts as a leak.
NEAR_S = 1.0


def build_ladder(
    samples: pd.DataFrame, *, n_folds: int = 5, gap_s: float = NEAR_S, seed: int = 0
) -> dict[str, list[Split]]:
    """Divide the samples in each way that they allow.

    Args:
        samples: Table `samples`; `fold` (by person) and `camera` where known.
        n_folds: Folds of a rung at most; `people` keeps the folds it has.
        gap_s: Under `blocks`, training frames this near in time to a validation frame
            of the same video are left out.
        seed: Decides the random frames.

    Returns:
        Rung to splits, in the order of `RUNGS`. `clips` is absent where nobody has
        two clips, `people` and `cameras` where fewer than two are known.
    """
    folds = {
        "random": _deal_frames(len(samples), n_folds, seed),
        "blocks": _cut_blocks(samples, n_folds),
        "clips": _deal_clips(samples, n_folds),
        "cameras": _deal_cameras(samples, n_folds),
    }
    ladder = {rung: _build_from_folds(fold) for rung, fold in folds.items()}
    ladder["blocks"] = [_leave_gap(samples, s, gap_s) for s in ladder["blocks"]]
    ladder["people"] = build_splits(samples) if "fold" in samples else []
    full = {rung: [s for s in ladder[rung] if len(s.train)] for rung in RUNGS}
    return {rung: splits for rung, splits in full.items() if splits}


def _build_from_folds(fold: np.ndarray) -> list[Split]:
    """Turn fold numbers into splits; -1 is always learnt from, never scored."""
    names = [int(f) for f in np.unique(fold) if f >= 0]
    splits = [
        Split(f, np.flatnonzero(fold != f), np.flatnonzero(fold == f)) for f in names
    ]
    return splits if len(names) > 1 else []


def _deal_frames(n: int, n_folds: int, seed: int) -> np.ndarray:
    """Deal frames to folds at random, as a plain train/test split does."""
    return np.random.default_rng(seed).permutation(np.arange(n) % n_folds)


def _cut_blocks(samples: pd.DataFrame, n_folds: int) -> np.ndarray:
    """Cut each video's labelled frames into equal blocks of time, one a fold.

    Which block goes to which fold turns from video to video: else one fold would hold
    the end of every video.
    """
    groups = samples.groupby("video")
    rank = groups["time_s"].rank(method="first").to_numpy() - 1
    size = groups["time_s"].transform("size").to_numpy()
    block = np.floor(rank * n_folds / size).astype(int)
    return (block + pd.factorize(samples["video"])[0]) % n_folds


def _leave_gap(samples: pd.DataFrame, split: Split, gap_s: float) -> Split:
    """Leave out training frames that lie nearer than the gap to validation frames."""
    near = find_near(samples, split.train, split.val, within_s=gap_s)
    return Split(split.fold, split.train[~near], split.val)


def _deal_clips(samples: pd.DataFrame, n_folds: int) -> np.ndarray:
    """Deal the clips of people who have several, so that each is split over folds."""
    clips = samples[["subject", "video"]].drop_duplicates()
    clips = clips.sort_values(["subject", "video"], kind="stable")
    clip_no = clips.groupby("subject").cumcount()
    n_clips = clips.groupby("subject")["video"].transform("size")
    clips["fold"] = (pd.factorize(clips["subject"])[0] + clip_no) % n_folds
    clips.loc[n_clips < 2, "fold"] = -1
    return samples["video"].map(clips.set_index("video")["fold"]).to_numpy()


def _deal_cameras(samples: pd.DataFrame, n_folds: int) -> np.ndarray:
    """Deal cameras to folds, the largest first, each to the emptiest fold."""
    fold = np.full(len(samples), -1)
    if "camera" not in samples:
        return fold
    counts = samples["camera"].value_counts()
    load = np.zeros(min(n_folds, max(1, len(counts))), dtype=int)
    for camera, n_frames in counts.items():
        emptiest = int(load.argmin())
        fold[(samples["camera"] == camera).to_numpy()] = emptiest
        load[emptiest] += n_frames
    return fold


def find_near(
    samples: pd.DataFrame, rows: np.ndarray, others: np.ndarray, *, within_s: float
) -> np.ndarray:
    """Tell which rows have one of the others near in time, in the same video.

    Args:
        samples: Table `samples`.
        rows: Row numbers to ask of.
        others: Row numbers to look for.
        within_s: Seconds; a distance of exactly this counts as near.

    Returns:
        Bool array, one value for each of `rows`.
    """
    video = pd.factorize(samples["video"])[0]
    time_s = samples["time_s"].to_numpy(float)
    near = np.zeros(len(rows), dtype=bool)
    for number in np.unique(video[rows]):
        asked = np.flatnonzero(video[rows] == number)
        there = np.sort(time_s[others[video[others] == number]])
        if not len(there):
            continue
        at = time_s[rows[asked]]
        place = np.searchsorted(there, at)
        before = at - there[np.maximum(place - 1, 0)]
        after = there[np.minimum(place, len(there) - 1)] - at
        near[asked] = np.minimum(np.abs(before), np.abs(after)) <= within_s + 1e-9
    return near


def measure_leaks(
    samples: pd.DataFrame,
    splits: Sequence[Split],
    *,
    within_s: float = NEAR_S,
    twins: np.ndarray | None = None,
) -> dict[str, float]:
    """Measure how many validation frames have a close relation in training.

    Args:
        samples: Table `samples`.
        splits: The splits of one rung.
        within_s: How near in time a neighbour of the same video is.
        twins: Group of near-duplicates of each row (`duplicates.group_duplicates`).

    Returns:
        Shares 0 to 1 over all validation frames: `leak_near`, `leak_twin` (NaN
        without `twins`), `leak_video`, `leak_person`.
    """
    groups = {"leak_video": samples["video"], "leak_person": samples["subject"]}
    if twins is not None:
        groups["leak_twin"] = pd.Series(twins, index=samples.index)
    codes = {name: pd.factorize(values)[0] for name, values in groups.items()}
    found: dict[str, list[np.ndarray]] = {"leak_near": []}
    for split in splits:
        near = find_near(samples, split.val, split.train, within_s=within_s)
        found["leak_near"].append(near)
        for name, code in codes.items():
            shared = np.isin(code[split.val], code[split.train])
            found.setdefault(name, []).append(shared)
    shares = {name: float(np.concatenate(f).mean()) for name, f in found.items()}
    return {"leak_twin": np.nan, **shares}


def run_ladder(
    samples: pd.DataFrame,
    rivals: Sequence[Rival],
    ladder: Mapping[str, Sequence[Split]],
    *,
    run: Run,
    twins: np.ndarray | None = None,
) -> pd.DataFrame:
    """Score the models on every rung.

    Args:
        samples: Table `samples`.
        rivals: The models.
        ladder: Rung to splits, from `build_ladder`.
        run: `compare.run_rivals` with its seeds, folder and processes filled in.
        twins: Group of near-duplicates of each row, for the share of leaks.

    Returns:
        Table with a row a rung and model: `rung`, `model`, the columns of
        `statistics.summarise_scores`, `n_train` (mean over folds) and the leaks.
    """
    tables = []
    for rung, splits in ladder.items():
        _, predictions = run(samples, rivals, splits)
        table = summarise_scores(predictions)
        table.insert(0, "rung", rung)
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
    accuracy = table.set_index(["rung", "model"])["accuracy"]
    near = table.set_index("rung").loc["random", "leak_near"]
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
