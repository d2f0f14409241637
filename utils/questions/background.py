"""The room test: models that learnt from whole pictures are told changed ones.

A model that still tells the posture when the person is gone has learnt the room.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from utils.evaluation.scores import score_predictions
from utils.training.protocol import Model, RunModels, Split

# A model reads the room if, without the person, it beats the commonest class by this.
ROOM_MARGIN = 0.1


def stack_room(samples: pd.DataFrame, room: pd.DataFrame) -> pd.DataFrame:
    """Put the changed frames below the samples, as further samples.

    Args:
        samples: Table `samples` with `fold`.
        room: From `room_pictures.make_room_pictures`.

    Returns:
        Table `samples`; the first `len(samples)` rows are to learn from, the others
        to be told. What models are fed must have its rows in this order.
    """
    columns = list(samples)
    return pd.concat([samples, room[columns]], ignore_index=True)


def split_room(stacked: pd.DataFrame, *, n_samples: int) -> list[Split]:
    """Let each fold's people, in changed pictures, be told from whole ones of others.

    Args:
        stacked: From `stack_room`.
        n_samples: Rows of it to learn from: the samples.

    Returns:
        A split a fold.
    """
    fold, is_whole = stacked["fold"].to_numpy(), np.arange(len(stacked)) < n_samples
    splits = [
        Split(
            int(f),
            np.flatnonzero(is_whole & (fold != f)),
            np.flatnonzero(~is_whole & (fold == f)),
        )
        for f in np.unique(fold)
    ]
    return [split for split in splits if len(split.train) and len(split.val)]


def run_room_test(
    samples: pd.DataFrame,
    room: pd.DataFrame,
    models: Sequence[Model],
    *,
    run: RunModels,
) -> pd.DataFrame:
    """Score models on the frames as filmed and on every variant of them.

    Args:
        samples: Table `samples` with `fold`.
        room: From `room_pictures.make_room_pictures`.
        models: The models, fed the rows of `stack_room`.
        run: `protocol.run_models` with its seeds, folder and processes filled in.

    Returns:
        Table with a row a variant and model: `variant`, `model`, `n_people`,
        `n_frames`, `accuracy`, `accuracy_sd` (over people), `log_loss`, and `floor`,
        the share of the commonest class.
    """
    stacked = stack_room(samples, room)
    splits = split_room(stacked, n_samples=len(samples))
    _, predictions = run(stacked, models, splits)
    frames = score_predictions(predictions)
    variant = room.drop_duplicates("video").set_index("video")["variant"]
    frames["variant"] = frames["video"].map(variant)
    floor = float(frames["label"].value_counts(normalize=True).max())
    key = ["variant", "model"]
    n_seeds = frames.groupby(key, sort=False)["seed"].nunique()
    people = frames.groupby([*key, "subject"], sort=False)["is_right"].mean()
    groups = frames.groupby(key, sort=False)
    table = groups.agg(
        n_people=("subject", "nunique"),
        n_frames=("is_right", "size"),
        accuracy=("is_right", "mean"),
        log_loss=("loss", "mean"),
    )
    table["n_frames"] //= n_seeds
    table.insert(3, "accuracy_sd", people.groupby(key, sort=False).std())
    order = pd.MultiIndex.from_product(
        [room["variant"].unique(), [model.name for model in models]], names=key
    )
    return table.reindex(order).assign(floor=floor).reset_index()


def read_room(table: pd.DataFrame, *, models: Mapping[str, str]) -> str:
    """Say who still tells the posture without the person.

    Args:
        table: From `run_room_test`.
        models: Model to its name in the sentence, in order.

    Returns:
        One sentence a model. The rule: a model reads the room if it beats the share
        of the commonest class by more than 10 points with the person blanked out.
    """
    accuracy = table.set_index(["variant", "model"])["accuracy"]
    floor, sentences = float(table["floor"].iloc[0]), []
    for model, name in models.items():
        gone, whole = accuracy["blanked", model], accuracy["filmed", model]
        other = accuracy["other room", model]
        verdict = (
            "it reads the room"
            if gone > floor + ROOM_MARGIN
            else "it does not live on the room alone"
        )
        sentences.append(
            f"Without the person the {name} is right {gone:.0%} of the time "
            f"(commonest class {floor:.0%}): {verdict}. In another room it goes from "
            f"{whole:.0%} to {other:.0%}."
        )
    return " ".join(sentences)
