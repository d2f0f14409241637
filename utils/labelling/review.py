"""Labels that deserve a second look: models contradict them, or annotators differ."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from utils.labelling.csv_store import split_labels
from utils.labelling.spans import Span


class Doubt(NamedTuple):
    """A span whose label all models contradict.

    Attributes:
        video: Where.
        start_s: Time stamp of its first frame.
        end_s: Where its last frame ends.
        label: What the labels say.
        predicted: What the models say.
        probability: How sure they are, 0 to 1, on average.
    """

    video: str
    start_s: float
    end_s: float
    label: str
    predicted: str
    probability: float


def find_doubts(
    predictions: pd.DataFrame,
    frames: pd.DataFrame,
    *,
    models: Sequence[str] = ("pose_softmax", "mobilenet_frozen"),
    min_s: float = 0.0,
) -> list[Doubt]:
    """List the spans in which every model contradicts the label, the same way.

    The predictions must be out of fold: made for people the model had not seen. Each
    model votes once a frame, with its mean over seeds.

    Args:
        predictions: Table `predictions`.
        frames: Table `frames`, for time stamps.
        models: Which models must agree: a pose classifier and a picture classifier.
        min_s: Leave out spans that are shorter.

    Returns:
        The most seconds of doubt first: seconds times probability.

    Raises:
        ValueError: If a model has no predictions.
    """
    missing = [m for m in models if m not in set(predictions["model"])]
    if missing:
        raise ValueError(
            f"No predictions of {', '.join(missing)}; there are those of "
            f"{', '.join(sorted(set(predictions['model'])))}. Choose among them."
        )
    votes = _find_contradictions(predictions[predictions["model"].isin(models)])
    ordered = frames.sort_values(["video", "time_s"])
    after = ordered.groupby("video")["time_s"].shift(-1)
    step = ordered.groupby("video")["time_s"].transform(lambda t: t.diff().median())
    timed = ordered[["video", "frame_idx", "time_s"]].assign(
        end_s=after.fillna(ordered["time_s"] + step.fillna(0.04))
    )
    timed = timed.merge(votes, on=["video", "frame_idx"], how="left")
    keys = (
        timed[["video", "label", "predicted"]]
        .astype(object)
        .where(timed["predicted"].notna(), "")
    )
    run = (keys != keys.shift()).any(axis=1).cumsum()
    doubts = [
        Doubt(
            rows["video"].iloc[0],
            float(rows["time_s"].iloc[0]),
            float(rows["end_s"].iloc[-1]),
            rows["label"].iloc[0],
            rows["predicted"].iloc[0],
            float(rows["probability"].mean()),
        )
        for _, rows in timed[timed["predicted"].notna()].groupby(run)
    ]
    kept = [d for d in doubts if d.end_s - d.start_s >= min_s]
    return sorted(kept, key=lambda d: (d.start_s - d.end_s) * d.probability)


def _find_contradictions(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return the frames that all models see as one other class than their label."""
    keys = ["video", "frame_idx", "label"]
    counted = predictions.groupby([*keys, "model", "predicted"], as_index=False).agg(
        n=("probability", "size"), probability=("probability", "mean")
    )
    best = counted.sort_values(["n", "probability"], ascending=False)
    best = best.drop_duplicates([*keys, "model"])
    votes = best.groupby(keys, as_index=False).agg(
        predicted=("predicted", "first"),
        n_said=("predicted", "nunique"),
        n_models=("model", "nunique"),
        probability=("probability", "mean"),
    )
    n_models = predictions["model"].nunique()
    is_doubt = (
        (votes["n_said"] == 1)
        & (votes["n_models"] == n_models)
        & (votes["predicted"] != votes["label"])
    )
    return votes.loc[is_doubt, [*keys, "predicted", "probability"]]


def compare_annotators(
    labels: pd.DataFrame, *, annotators: Sequence[str] | None = None
) -> pd.DataFrame:
    """Compare two people's labels where both labelled: kappa and seconds in dispute.

    Cohen's kappa (1960) of each class against all others, every moment weighing by its
    length, so that it does not depend on a sampling rate.

    Args:
        labels: Table `labels` with the column `annotator`.
        annotators: The two names; None takes the two there are.

    Returns:
        A row a class and, last, `all classes`: `label`, `kappa` (NaN where it is not
        defined, as when both only ever said this class), `seconds_agreed` (both said
        it), `seconds_disputed` (just one did).

    Raises:
        ValueError: If there are not two annotators, or they share no time.
    """
    first, second = _choose_annotators(labels, annotators)
    said = _align(labels, first, second)
    if not len(said):
        raise ValueError(
            f"{first} and {second} labelled no moment both, so there is nothing to "
            "compare. Let both label one video."
        )
    classes = sorted({*said["first"], *said["second"]})
    rows = []
    for label in classes:
        one, two = said["first"] == label, said["second"] == label
        agreed, disputed = said["seconds"][one & two], said["seconds"][one != two]
        rows.append((label, _kappa(one, two, said), agreed.sum(), disputed.sum()))
    same = said["first"] == said["second"]
    overall = _kappa(said["first"], said["second"], said)
    agreed_s, disputed_s = said["seconds"][same].sum(), said["seconds"][~same].sum()
    rows.append(("all classes", overall, agreed_s, disputed_s))
    columns = ["label", "kappa", "seconds_agreed", "seconds_disputed"]
    return pd.DataFrame(rows, columns=columns)


def _kappa(first: pd.Series, second: pd.Series, said: pd.DataFrame) -> float:
    """Return Cohen's kappa weighted by seconds, NaN where both only say one thing."""
    from sklearn.metrics import cohen_kappa_score

    if len(set(first) | set(second)) < 2:
        return np.nan
    weights = said["seconds"].to_numpy()
    return float(cohen_kappa_score(first, second, sample_weight=weights))


def _choose_annotators(
    labels: pd.DataFrame, annotators: Sequence[str] | None
) -> tuple[str, str]:
    """Return the two names to compare."""
    known = (
        sorted(labels["annotator"].dropna().unique()) if "annotator" in labels else []
    )
    names = list(annotators) if annotators is not None else known
    unknown = [name for name in names if name not in known]
    if len(names) != 2 or unknown:
        found = ", ".join(known) or "nobody signed a label"
        raise ValueError(
            f"Expected two annotators to compare, found: {found}. Name two of them, or "
            "let a second person label under another name."
        )
    return names[0], names[1]


def _align(labels: pd.DataFrame, first: str, second: str) -> pd.DataFrame:
    """Return the spans that both labelled: `first`, `second`, `seconds`."""
    rows = [
        (one, two, end_s - start_s)
        for spans in split_labels(labels).values()
        for start_s, end_s, one, two in _overlay(spans, first, second)
    ]
    return pd.DataFrame(rows, columns=["first", "second", "seconds"])


def _overlay(
    spans: Sequence[Span], first: str, second: str
) -> list[tuple[float, float, str, str]]:
    """Return the spans of one video that both labelled, with both labels."""
    pairs = [
        (max(a.start_s, b.start_s), min(a.end_s, b.end_s), a.label, b.label)
        for a in spans
        if a.annotator == first
        for b in spans
        if b.annotator == second
    ]
    return [pair for pair in pairs if pair[0] < pair[1]]
