"""In a room that a model has never seen: rooms held out, and the people in them too."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from utils.core.tables import WORDS, write_csv
from utils.evaluation.claims import Evidence
from utils.evaluation.fusion import fuse_models
from utils.evaluation.scores import score_predictions, summarise_scores
from utils.evaluation.verdict import RULES, decide_claims
from utils.questions.answer import Answer, question, write_answer
from utils.training.protocol import Split
from utils.training.splits import build_room_splits

if TYPE_CHECKING:
    from utils.study import Study

POSE, CROP, FUSED = "pose_softmax", "mobilenet_crop", "pose_and_crop"
_RIVALS = {"room": "mobilenet_frozen", "room_crop": CROP}  # claim -> who pose meets
_NO_ROOMS = (
    "How it is in a room never seen is not known: no two rooms can be held out. Film "
    "in a second room, and name the rooms in the column camera of videos.csv."
)
_SHOWN = ["model", "accuracy", "log_loss", "known_room", "worst_room", "worst_accuracy"]


@question
def rooms(study: "Study") -> Answer:
    """Ask how often each model is right in a room it has never seen, on new people."""
    from utils.plots.bars import plot_rooms

    splits = build_room_splits(study.samples)
    if not splits:  # nothing went wrong: there is nothing to ask
        return Answer("rooms", (_NO_ROOMS,))
    predictions = predict_rooms(study, splits)
    by_room = score_rooms(predictions)
    write_csv(by_room, study.results / "rooms_each.csv")
    table = summarise_rooms(predictions, by_room, known=study.baseline_scores)
    verdicts = decide_claims(measure_rooms(by_room, n_people=study.n_people))
    write_csv(verdicts, study.results / "rooms_verdict.csv")
    floor = by_room[by_room["model"] == POSE]["floor"].mean()
    return write_answer(
        "rooms",
        study.results,
        sentences=[
            describe_rooms(table, study=study),
            *describe_fusion(table),
            *verdicts["sentence"],
        ],
        table=table,
        charts={"rooms": plot_rooms(by_room, floor=floor)},
        shown=table[_SHOWN].round(3),
    )


def predict_rooms(study: "Study", splits: Sequence[Split]) -> pd.DataFrame:
    """Fit the plain models with each room held out, and predict its frames.

    They stop by nothing that they are scored on, unlike those of the comparison.

    Args:
        study: The study.
        splits: From `build_room_splits`.

    Returns:
        Table `predictions` with `camera`; pose and crop fused among the models.
    """
    predictions = study.run(study.samples, study.contenders, splits)[1]
    fused = fuse_models(predictions, models=(POSE, CROP), name=FUSED)
    rooms_of = study.samples.drop_duplicates("video").set_index("video")["camera"]
    both = pd.concat([predictions, fused], ignore_index=True)
    return both.assign(camera=both["video"].map(rooms_of))


def score_rooms(predictions: pd.DataFrame) -> pd.DataFrame:
    """Score each model in each room, each person in it counting the same.

    Args:
        predictions: Table `predictions` with `camera`.

    Returns:
        Rows by `model` and `camera`: `n_people`, `n_frames`, `accuracy`, `log_loss`
        and `floor`, the share of the room's commonest class.
    """
    frames = score_predictions(predictions)
    key = ["model", "camera"]
    people = frames.groupby([*key, "subject"], sort=False)[["is_right", "loss"]].mean()
    table = people.groupby(key, sort=False).mean()
    table.columns = ["accuracy", "log_loss"]
    groups = frames.groupby(key, sort=False)
    table.insert(0, "n_people", groups["subject"].nunique())
    table.insert(1, "n_frames", groups.size())
    table["floor"] = groups["label"].agg(
        lambda labels: labels.value_counts(normalize=True).max()
    )
    return table.reset_index()


def summarise_rooms(
    predictions: pd.DataFrame, by_room: pd.DataFrame, *, known: pd.Series
) -> pd.DataFrame:
    """Score each model over all frames of rooms it has never seen.

    Args:
        predictions: Table `predictions`.
        by_room: From `score_rooms`.
        known: Accuracy by model with people held out, their rooms mostly seen.

    Returns:
        The columns of `summarise_scores`, `known_room` (that accuracy; NaN where it is
        not known), `n_rooms`, `worst_room` and `worst_accuracy`.
    """
    table = summarise_scores(predictions)
    table["known_room"] = table["model"].map(known)
    worst = by_room.loc[by_room.groupby("model")["accuracy"].idxmin()]
    worst = worst.set_index("model")
    table["n_rooms"] = by_room["camera"].nunique()
    table["worst_room"] = table["model"].map(worst["camera"])
    return table.assign(worst_accuracy=table["model"].map(worst["accuracy"]))


def measure_rooms(by_room: pd.DataFrame, *, n_people: int) -> dict[str, Evidence]:
    """Measure what claims on rooms rest on: one difference a room.

    People of one room share its light and its furniture, so that a room, not a person,
    is a piece of evidence. A few people in many rooms are still a few people.

    Args:
        by_room: From `score_rooms`.
        n_people: How many people there are in all rooms together.

    Returns:
        Evidence by claim: `room` against whole pictures, `room_crop` against crops.
    """
    wide = by_room.pivot_table(index="camera", columns="model", values="accuracy")
    n_train, least, doubt = max(len(wide) - 1, 1), RULES.min_units, ""
    if n_people < least:
        doubt = f"{n_people} people are too few, {least} are needed"
    return {
        claim: Evidence(
            (wide[POSE] - wide[rival]).to_numpy(), "rooms", n_train, doubt=doubt
        )
        for claim, rival in _RIVALS.items()
    }


def describe_rooms(table: pd.DataFrame, *, study: "Study") -> str:
    """Say how often each model is right in a room it has never seen.

    Args:
        table: From `summarise_rooms`.
        study: The study.

    Returns:
        One sentence, and who else was held out.
    """
    rows = table.set_index("model")
    names = {study.in_use: WORDS[study.in_use], **study.names}
    parts = []
    for model in (m for m in names if m in rows.index):
        text = f"the {names[model]} in {rows.loc[model, 'accuracy']:.0%}"
        if np.isfinite(rows.loc[model, "known_room"]):
            text += f" (in rooms it knows {rows.loc[model, 'known_room']:.0%})"
        parts.append(text)
    who = "the people scored are held out too"
    if study.n_people < 2:
        who = "the person is known: there is no other"
    n_rooms = int(table["n_rooms"].iloc[0])
    return (
        f"Right in a room never seen: {', '.join(parts)} of the frames. Each of "
        f"{n_rooms} rooms is held out once, {who}."
    )


def describe_fusion(table: pd.DataFrame) -> list[str]:
    """Say what asking pose and crop together brings, and what is left in a new room."""
    rows: Mapping[str, pd.Series] = table.set_index("model").T
    pose, fused = rows[POSE], rows[FUSED]
    gains = [100 * (fused[c] - pose[c]) for c in ("known_room", "accuracy")]
    if not np.isfinite(gains[0]):
        return []
    text = (
        f"Pose and crop together (mean of the logarithms of their probabilities): "
        f"{gains[0]:+.1f} points over pose alone in frames held out, {gains[1]:+.1f} "
        "in a room never seen."
    )
    if gains[0] > 0 and gains[1] < gains[0] / 2:
        text += " Most of that gain is knowing the room."
    return [text]
