"""Does a model read the room: fit on whole pictures, score pictures without person.

A model that still knows the posture when the person is gone has learnt the room.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from utils.core.skeleton import index_poses, stack_poses
from utils.evaluation.scores import score_predictions
from utils.frames.background_images import VARIANTS, make_variants, pick_frames
from utils.frames.images import read_image
from utils.pose.features import build_features, build_inputs
from utils.pose.pictures import build_keypoints
from utils.questions.answer import Answer, question, write_answer
from utils.training.protocol import (
    Model,
    RunModels,
    Split,
    extend_inputs,
    number_classes,
)
from utils.training.sklearn_models import build_recipe_model
from utils.training.splits import keep_learnable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from utils.study import Study

# A model reads the room if, without the person, it beats the commonest class by this.
MARGIN = 0.1
FEW_PEOPLE = 4  # fewer agree by chance


@question
def background(study: "Study") -> Answer:
    """Ask whether a model still knows the posture when the person is gone."""
    from utils.plots.bars import plot_background

    picked = pick_frames(study.samples, budget=study.budget, seed=study.seeds[0])
    # Of other videos nothing is used: one more changes nothing here.
    frames, keypoints = (
        table[table["video"].isin(picked["video"])]
        for table in (study.frames, study.keypoints)
    )
    variants = make_variants(
        picked,
        frames,
        index_poses(keypoints),
        read_image=read_image,
        folder=study.cache / "background",
    )
    points = _find_points(study, picked, variants)
    models = _build_models(study, variants, points)
    table = score_variants(study.samples, variants, models, run=study.run)
    charts = {
        "background_examples": _plot_examples(study, variants, points),
        "background": plot_background(table, names=VARIANTS),
    }
    return write_answer(
        "background",
        study.results,
        sentences=describe_background(table, models=study.names),
        table=table,
        charts=charts,
    )


def _find_points(
    study: "Study", picked: pd.DataFrame, variants: pd.DataFrame
) -> pd.DataFrame:
    """Find the points in changed pictures; those of frames as filmed are known."""
    is_filmed = variants["variant"] == "filmed"
    known = build_keypoints(variants[is_filmed], stack_poses(study.keypoints, picked))
    return pd.concat([known, study.estimate(variants[~is_filmed])], ignore_index=True)


def _build_models(
    study: "Study", variants: pd.DataFrame, points: pd.DataFrame
) -> list[Model]:
    """Make the models, fed the samples and below them the changed pictures."""
    frames = variants.reindex(columns=study.frames.columns)
    numbers = build_features(points, frames, kind=study.features)
    # cut out where the network now finds somebody, as in use
    whole, crops = (
        study.pool(study.embed(pictures, mirrors=False, n_augmented=0)[:, 0])
        for pictures in (variants, study.cut_out(variants, points))
    )
    changed = {
        "pose_softmax": (study.pose_inputs, build_inputs(numbers, variants)),
        "mobilenet_frozen": (study.image_inputs, whole),
        "mobilenet_crop": (study.crop_inputs, crops),
    }
    stacked = stack_variants(study.samples, variants)
    y = number_classes(stacked["label"], study.classes)
    people = stacked["subject"].to_numpy()
    return [
        build_recipe_model(
            name,
            extend_inputs(inputs, x, y=y, people=people),
            recipe="logistic",
            tune=False,
        )
        for name, (inputs, x) in changed.items()
    ]


def _plot_examples(
    study: "Study", variants: pd.DataFrame, points: pd.DataFrame
) -> "Figure":
    """Show all variants of one frame, and the points that are found in each."""
    from utils.plots.sheets import plot_sheet

    shown = variants.head(len(VARIANTS))
    return plot_sheet(
        study.show_images(shown),
        poses=stack_poses(points, shown),
        titles=[VARIANTS[name] for name in shown["variant"]],
        title="The pictures of the background test",
    )


def stack_variants(samples: pd.DataFrame, variants: pd.DataFrame) -> pd.DataFrame:
    """Put the changed frames below the samples, as further samples.

    Args:
        samples: Table `samples` with `fold`.
        variants: From `make_variants`.

    Returns:
        Table `samples`; the first `len(samples)` rows are to learn from, the others
        to be scored. What models are fed must have its rows in this order.
    """
    columns = list(samples)
    return pd.concat([samples, variants[columns]], ignore_index=True)


def split_variants(stacked: pd.DataFrame, *, n_samples: int) -> list[Split]:
    """Score each fold's people, in changed pictures, by models fitted on the others.

    Args:
        stacked: From `stack_variants`.
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
    return keep_learnable(splits, stacked["label"].to_numpy())


def score_variants(
    samples: pd.DataFrame,
    variants: pd.DataFrame,
    models: Sequence[Model],
    *,
    run: RunModels,
) -> pd.DataFrame:
    """Score models on the frames as filmed and on every variant of them.

    Args:
        samples: Table `samples` with `fold`.
        variants: From `make_variants`.
        models: The models, fed the rows of `stack_variants`.
        run: `protocol.run_models` with its seeds, folder and processes filled in.

    Returns:
        Table with a row a variant and model: `variant`, `model`, `n_people`,
        `n_frames`, `accuracy`, `accuracy_sd` (over people), `log_loss`, and `floor`,
        the share of the commonest class.
    """
    stacked = stack_variants(samples, variants)
    splits = split_variants(stacked, n_samples=len(samples))
    _, predictions = run(stacked, models, splits)
    frames = score_predictions(predictions)
    variant = variants.drop_duplicates("video").set_index("video")["variant"]
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
        [variants["variant"].unique(), [model.name for model in models]], names=key
    )
    return table.reindex(order).assign(floor=floor).reset_index()


def describe_background(table: pd.DataFrame, *, models: Mapping[str, str]) -> list[str]:
    """Say who still knows the posture without the person.

    Args:
        table: From `score_variants`.
        models: Model to its name in the sentence, in order.

    Returns:
        One sentence a model. The rule: a model reads the room if it beats the share
        of the commonest class by more than 10 points with the person blanked out;
        with fewer than 4 people that is not said to be sure.
    """
    accuracy = table.set_index(["variant", "model"])["accuracy"]
    floor, sentences = float(table["floor"].iloc[0]), []
    n_people = int(table["n_people"].max())
    for model, name in models.items():
        gone, whole = accuracy["blanked", model], accuracy["filmed", model]
        other = accuracy["other room", model]
        verdict = "it does not live on the room alone"
        if gone > floor + MARGIN:
            verdict = "it reads the room"
            if n_people < FEW_PEOPLE:
                who = "1 person" if n_people == 1 else f"{n_people} people"
                verdict = f"it reads the room, or that is chance on {who}"
        sentences.append(
            f"Without the person the {name} is right {gone:.0%} of the time "
            f"(commonest class {floor:.0%}): {verdict}. In another room it goes from "
            f"{whole:.0%} to {other:.0%}."
        )
    return sentences
