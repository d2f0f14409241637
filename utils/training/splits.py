"""Who learns and who is held out: samples, folds, split strategies, and what leaks.

People are held out by `build_folds`; `build_strategies` divides the same samples in
easier ways too, to show how much of a score is leak.
"""

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from utils.core.tables import TooFewError, check_table
from utils.training.protocol import Split

STRATEGIES: dict[str, str] = {
    "random": "random frames",
    "times": "another time in the same video, with a gap",
    "videos": "another video of the same person",
    "people": "people never seen",
    "cameras": "neither room nor people seen",
}
# How near to a validation frame a training frame of the same video counts as a leak.
NEAR_S = 1.0
# Time stamps are decimals: 1.2 - 0.2 must count as within 1.0.
_TOLERANCE_S = 1e-6
# A span of time ends where no frame follows for this many times the usual distance.
_HOLE = 2.5


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
            f"None of {len(frames)} frames has a label. Label some spans first."
        )
    who = videos[[c for c in ("video", "subject", "camera") if c in videos]]
    return check_table(samples.merge(who, on="video", how="left"), "samples")


def choose_folds(
    samples: pd.DataFrame, *, n_folds: int = 5, seed: int = 0
) -> tuple[pd.DataFrame, str]:
    """Hold people out; where there is one person only, spans of time.

    Args:
        samples: Table `samples`.
        n_folds: Number of folds, at least 2; fewer where people or time give fewer.
        seed: Decides who, or what, goes together.

    Returns:
        The samples with `fold`, from 0 (of one person, fewer of them: what lies between
        two folds is left out), and a sentence that says what is held out.

    Raises:
        ValueError: If nothing can be held out, person or time.
    """
    people, lone = samples["subject"].unique(), _find_lone(samples)
    n_shared = samples["label"].nunique() - len(lone)
    if len(people) > 1 and n_shared > 1:
        folds = build_folds(samples, n_folds=n_folds, seed=seed)
        text = (
            f"Whole people are held out: {len(people)} in {folds['fold'].nunique()} "
            "folds."
        )
        for label, who in lone.items():
            text += (
                f" Only {who} shows {label}: it is learnt, but cannot be scored until "
                "another person shows it."
            )
        return folds, text
    folds = build_time_folds(samples, n_folds=n_folds, seed=seed)
    why = "No two postures are shown by two people"
    if len(people) == 1:
        why = f"Only {people[0]} is labelled"
    text = (
        f"{why}: moments of the same films are held out, in {folds['fold'].nunique()} "
        "groups. Same person, same room: such scores are flattering. Film one more "
        "person doing all of it to know."
    )
    n_shown = folds.groupby("label")["fold"].nunique()
    for label in n_shown.index[n_shown < 2]:
        text += f" {label} is learnt, but cannot be scored: label it once more."
    return folds, text


def build_folds(
    samples: pd.DataFrame, *, n_folds: int = 5, seed: int = 0
) -> pd.DataFrame:
    """Divide the people into folds, so that nobody is both learnt from and scored.

    Classes are kept as even as the people allow (scikit-learn's
    `StratifiedGroupKFold`). That splitter may leave a fold empty or a training part
    without a class; then, with a warning, each person becomes a fold.

    Args:
        samples: Table `samples`.
        n_folds: Number of folds, at least 2; fewer people give as many folds as people.
        seed: Decides who goes with whom.

    Returns:
        The samples with `fold`, from 0.

    Raises:
        TooFewError: If there is one person, or fewer than two classes that two people
            show.
    """
    samples = check_table(samples, "samples")
    check_people(samples)
    person, names = pd.factorize(samples["subject"], sort=True)
    n_folds = min(n_folds, len(names))
    fold = _assign_people(samples["label"], person, n_folds=n_folds, seed=seed)
    if fold is None:
        warnings.warn(
            f"In {n_folds} folds, one would be empty or a class would be missing from "
            f"training: each of {len(names)} people is a fold of their own.",
            stacklevel=2,
        )
        fold = person
    return samples.assign(fold=fold)


def _check_two(names: Sequence[str]) -> None:
    """Raise `TooFewError` unless there are two people: the one error of it."""
    if len(names) < 2:
        raise TooFewError(
            f"Only one person is labelled, {names[0]}: none can be held out. Film one "
            "more person, or say in videos.csv who is who."
        )


def check_people(samples: pd.DataFrame) -> None:
    """Raise `TooFewError`, one sentence, if no person can be held out honestly."""
    classes = samples["label"].unique()
    if len(classes) < 2:
        raise TooFewError(
            f"Only one class is labelled, {classes[0]!r}: there is nothing to tell "
            "apart. Label a second posture."
        )
    _check_two(samples["subject"].unique())
    lone = _find_lone(samples)
    if len(classes) - len(lone) < 2:
        label, who = next(iter(lone.items()))
        raise TooFewError(
            f"Only {who} shows {label!r}: held out, nobody would be left to learn it "
            "from, and fewer than two classes remain. Label another person doing it."
        )


def _find_lone(samples: pd.DataFrame) -> dict[str, str]:
    """Return the classes that one person alone shows, and who that is."""
    shown_by = samples.groupby("label")["subject"].unique()
    return {label: who[0] for label, who in shown_by.items() if len(who) == 1}


def _assign_people(
    labels: pd.Series, person: np.ndarray, *, n_folds: int, seed: int
) -> np.ndarray | None:
    """Return the fold of each row, people kept together, or None where it cannot be.

    Folds are numbered by the first person in each. It cannot be if a fold would be
    empty or a training part without a class.
    """
    if n_folds == len(np.unique(person)):
        fold = person.astype(np.int64)
    elif labels.value_counts().max() < n_folds:
        return None
    else:
        splitter = StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed)
        with warnings.catch_warnings():  # of few members: checked below
            warnings.simplefilter("ignore", UserWarning)
            fold = _number_parts(splitter.split(labels, labels, person), len(labels))
        # the splitter numbers folds by chance: number them by the people in them
        first = pd.Series(person).groupby(fold).min().rank().astype(np.int64) - 1
        fold = pd.Series(fold).map(first).to_numpy()
    # what one person alone shows is missing from training in any case: see build_splits
    shown = pd.Series(person).groupby(labels.to_numpy()).transform("nunique") > 1
    counts = pd.crosstab(fold[shown], labels.to_numpy()[shown])
    is_whole = len(counts) == n_folds and (counts.sum() > counts).all(axis=None)
    return fold if is_whole else None


def _number_parts(
    parts: Iterable[tuple[np.ndarray, np.ndarray]], n_rows: int
) -> np.ndarray:
    """Turn the parts of a splitter of scikit-learn into a fold number for each row."""
    fold = np.full(n_rows, -1, dtype=np.int64)
    for number, (_, val) in enumerate(parts):
        fold[val] = number
    return fold


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


def build_splits(samples: pd.DataFrame) -> list[Split]:
    """Turn the column `fold` into splits: each fold is validated on once.

    A frame whose class nobody in the other folds shows is not scored: no model could
    know it.

    Args:
        samples: Table `samples` with `fold`.

    Returns:
        Splits in order of fold.

    Raises:
        ValueError: If there are fewer than two folds.
    """
    folds, labels = samples["fold"].to_numpy(), samples["label"].to_numpy()
    if len(np.unique(folds)) < 2:
        _check_two(samples["subject"].unique())
        raise ValueError(
            "Expected at least two folds, got 1. Divide the samples again."
        )
    return keep_learnable(_split_by(folds), labels)


def keep_learnable(splits: Iterable[Split], labels: np.ndarray) -> list[Split]:
    """Score no frame whose class is not learnt from; leave out splits without any.

    Args:
        splits: Who learns and who is scored.
        labels: Class of every row.

    Returns:
        The splits that are left.
    """
    kept = [
        replace(s, val=s.val[np.isin(labels[s.val], labels[s.train])]) for s in splits
    ]
    return [split for split in kept if len(split.val)]


def _split_by(fold: np.ndarray) -> list[Split]:
    """Turn fold numbers into splits; -1 is always learnt from, never scored."""
    names = [int(f) for f in np.unique(fold) if f >= 0]
    splits = [
        Split(f, np.flatnonzero(fold != f), np.flatnonzero(fold == f)) for f in names
    ]
    return splits if len(names) > 1 else []


def build_time_folds(
    samples: pd.DataFrame,
    *,
    n_folds: int = 5,
    seed: int = 0,
    span_s: float = 5.0,
    gap_s: float = 1.0,
) -> pd.DataFrame:
    """Divide the time of one person's videos into spans, with a gap where folds meet.

    A span has one label; it is cut where it grows longer than `span_s`. The
    same person, clothes and room are on both sides, so the score flatters.

    Args:
        samples: Table `samples`.
        n_folds: Number of folds, at least 2; fewer if a class has fewer spans.
        seed: Decides which span goes where.
        span_s: Longest span, seconds; halved, with the gap, twice at most, where a
            class would fill one span only.
        gap_s: Frames nearer than this, in seconds, after another fold's are left out.

    Returns:
        The samples that remain, with `fold`, from 0. A class that fills one span only
        is in one fold only.

    Raises:
        ValueError: If fewer than two classes fill two spans.
    """
    samples = check_table(samples, "samples")
    order = samples.sort_values(["video", "time_s"])
    for shorter in (1, 2, 4):
        span = _cut_spans(order, span_s=span_s / shorter)
        n_spans = span.groupby(order["label"]).nunique()
        if n_spans.min() > 1:
            break
    # each fold must hold every class, so that the rarest one limits the folds
    often = n_spans[n_spans > 1]
    _check_often(often.index, n_spans.index)
    splitter = StratifiedKFold(
        min(n_folds, int(often.min())), shuffle=True, random_state=seed
    )
    firsts = order[~span.duplicated()]  # a row a span: each counts the same
    with warnings.catch_warnings():  # of a class in one span: see above
        warnings.simplefilter("ignore", UserWarning)
        fold_of = _number_parts(splitter.split(firsts, firsts["label"]), len(firsts))
    order = order.assign(fold=fold_of[span.to_numpy()])
    # between shorter spans a gap as wide would leave nothing
    kept = (
        order[_is_clear(order, gap_s=gap_s / shorter)]
        .sort_index()
        .reset_index(drop=True)
    )
    n_shown = kept.groupby("label")["fold"].nunique()
    _check_often(n_shown.index[n_shown > 1], n_spans.index)
    return kept


def _check_often(often: Sequence[str], classes: Sequence[str]) -> None:
    """Raise `ValueError` if fewer than two classes can be held out at one time."""
    if len(often) < 2:
        rare = next(label for label in classes if label not in often)
        raise ValueError(
            f"{rare!r} is labelled at one time only: held out, nothing would be left "
            "to learn it from, and fewer than two postures remain. Label more of it, "
            "at another time."
        )


def _cut_spans(order: pd.DataFrame, *, span_s: float) -> pd.Series:
    """Number the spans of samples sorted by video and time, from 0."""
    previous = order.shift()
    is_new_video = order["video"] != previous["video"]
    step_s = (order["time_s"] - previous["time_s"]).mask(is_new_video)
    is_hole = step_s > _HOLE * step_s.median()
    is_new = is_new_video | is_hole | (order["label"] != previous["label"])
    whole = is_new.cumsum()
    start_s = order["time_s"].groupby(whole).transform("first")
    # a little more, since 5.0 - 0.0 may come out as 4.999…
    part = ((order["time_s"] - start_s) / span_s + 1e-9).astype(np.int64)
    number = pd.factorize(pd.MultiIndex.from_arrays([whole, part]))[0]
    return pd.Series(number, index=order.index)


def _is_clear(order: pd.DataFrame, *, gap_s: float) -> np.ndarray:
    """Mark the samples that keep `gap_s` from every earlier kept one of other folds."""
    is_clear = np.ones(len(order), dtype=bool)
    for rows in order.groupby("video").indices.values():
        times, folds = order["time_s"].to_numpy()[rows], order["fold"].to_numpy()[rows]
        last_s: dict[int, float] = {}
        for row, time_s, fold in zip(rows, times, folds, strict=True):
            others = [t for f, t in last_s.items() if f != fold]
            is_clear[row] = not others or time_s - max(others) > gap_s + _TOLERANCE_S
            if is_clear[row]:
                last_s[fold] = time_s
    return is_clear


def build_strategies(
    samples: pd.DataFrame, *, n_folds: int = 5, gap_s: float = NEAR_S, seed: int = 0
) -> dict[str, list[Split]]:
    """Divide the samples in each way that they allow.

    Args:
        samples: Table `samples`; `fold` (by person) and `camera` where known.
        n_folds: Folds of a strategy at most; `people` keeps the folds it has.
        gap_s: Under `times`, training frames this near in time to a validation frame
            of the same video are left out.
        seed: Decides the random frames.

    Returns:
        Strategy to splits, in the order of `STRATEGIES`. `videos` is absent where
        nobody has two, `people` and `cameras` where fewer than two are known.
    """
    folds = {
        "random": _deal_frames(len(samples), n_folds, seed),
        "times": _cut_times(samples, n_folds),
        "videos": _deal_videos(samples, n_folds),
    }
    found = {name: _split_by(fold) for name, fold in folds.items()}
    found["times"] = [_leave_gap(samples, s, gap_s) for s in found["times"]]
    found["cameras"] = build_room_splits(samples) if "fold" in samples else []
    # the folds that all models are compared on; of one person alone they are of time
    own = samples.groupby("subject")["fold"].nunique() if "fold" in samples else None
    are_people = own is not None and len(own) > 1 and own.max() == 1
    found["people"] = build_splits(samples) if are_people else []
    full = {name: [s for s in found[name] if len(s.train)] for name in STRATEGIES}
    return {name: splits for name, splits in full.items() if splits}


def _deal_frames(n: int, n_folds: int, seed: int) -> np.ndarray:
    """Deal frames to folds at random, as a plain train/test split does."""
    return np.random.default_rng(seed).permutation(np.arange(n) % n_folds)


def _cut_times(samples: pd.DataFrame, n_folds: int) -> np.ndarray:
    """Cut each video's labelled frames into equal parts, one a fold.

    Which part goes to which fold turns from video to video: else one fold would hold
    the end of every video.
    """
    groups = samples.groupby("video")
    rank = groups["time_s"].rank(method="first").to_numpy() - 1
    size = groups["time_s"].transform("size").to_numpy()
    part = np.floor(rank * n_folds / size).astype(int)
    return (part + pd.factorize(samples["video"])[0]) % n_folds


def _leave_gap(samples: pd.DataFrame, split: Split, gap_s: float) -> Split:
    """Leave out training frames that lie nearer than the gap to validation frames."""
    near = find_near(samples, split.train, split.val, within_s=gap_s)
    return Split(split.fold, split.train[~near], split.val)


def _deal_videos(samples: pd.DataFrame, n_folds: int) -> np.ndarray:
    """Deal the videos of people who have several, so that each is split over folds."""
    videos = samples[["subject", "video"]].drop_duplicates()
    videos = videos.sort_values(["subject", "video"], kind="stable")
    video_no = videos.groupby("subject").cumcount()
    n_videos = videos.groupby("subject")["video"].transform("size")
    videos["fold"] = (pd.factorize(videos["subject"])[0] + video_no) % n_folds
    videos.loc[n_videos < 2, "fold"] = -1
    return samples["video"].map(videos.set_index("video")["fold"]).to_numpy()


def build_room_splits(samples: pd.DataFrame) -> list[Split]:
    """Hold out each room in turn: neither it nor the people scored are learnt from.

    A room whose people are seen nowhere else is scored at once, learning from all other
    rooms. People who are in several rooms are scored fold by fold, the others of them
    being learnt from in their other rooms. One person alone stays in training.

    Args:
        samples: Table `samples` with `fold` and `camera` (the room).

    Returns:
        Splits, in order of room; none where fewer than two rooms are named. What
        names no room is only learnt from.
    """
    if "camera" not in samples or samples["camera"].nunique() < 2:
        return []
    room, subject = samples["camera"], samples["subject"]
    n_rooms = room.groupby(subject).transform("nunique")
    groups = np.where(n_rooms > 1, samples["fold"], -1)  # -1: at home in one room
    is_alone = subject.nunique() < 2
    splits = []
    for name in sorted(room.dropna().unique()):
        here = (room == name).to_numpy()
        for group in np.unique(groups[here]) if not is_alone else [None]:
            val = here if is_alone else here & (groups == group)
            known = np.isin(subject, [] if is_alone else subject[val].unique())
            train = np.flatnonzero(~here & ~known)
            if len(train):
                splits.append(Split(len(splits), train, np.flatnonzero(val)))
    return keep_learnable(splits, samples["label"].to_numpy())


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
        # sorted: the nearest is the one before or the one after
        before = at - there[np.maximum(place - 1, 0)]
        after = there[np.minimum(place, len(there) - 1)] - at
        near[asked] = (
            np.minimum(np.abs(before), np.abs(after)) <= within_s + _TOLERANCE_S
        )
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
        splits: The splits of one strategy.
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
