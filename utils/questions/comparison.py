"""Which model is better on people never seen, pose or picture, and at what cost."""

import os
import platform
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from utils.core.cache import build_key
from utils.core.files import hash_file
from utils.core.names import show_name
from utils.core.skeleton import N_KEYPOINTS
from utils.core.tables import WORDS, write_csv
from utils.core.weights import find_weights
from utils.evaluation.cost import Costs, Step, describe_costs, measure_costs
from utils.evaluation.intervals import bound_scores, compare_models
from utils.evaluation.scores import (
    count_confusions,
    describe_failures,
    score_classes,
    summarise_models,
)
from utils.evaluation.verdict import RULES, build_verdicts
from utils.frames.images import read_images
from utils.pose.follow import start_following
from utils.pose.looks import LOOKS, look_at_person
from utils.pose.networks import find_network_files
from utils.questions.answer import Answer, question, write_answer
from utils.training.backbone import N_AUGMENTED, WEIGHTS, embed_image
from utils.training.keras_loop import seed_training
from utils.training.splits import build_folds, build_splits
from utils.video.reader import read_video

if TYPE_CHECKING:
    from utils.study import Study

# Those that the claims are on: of pictures, the whole one and the crop of the person.
POSE, IMAGE, CROP = "pose_softmax", "mobilenet_frozen", "mobilenet_crop"
BEST = "pose_best"
_SHOWN = [
    *("model", "n_parameters", "accuracy", "accuracy_sd", "log_loss", "log_loss_sd"),
    *("seconds_to_best", "ms_per_frame"),
]
_SHOWN_COSTS = ["model", "upfront_s", "train_s", "ms_per_frame", "megabytes"]
_N_PICTURES = 12  # that each network is timed on
_SAME_POINTS = 0.5  # nearer, nobody sees two numbers
_MOST_FOLDS = 24  # people held out one by one; more go together
_DECODED_S = 20.0  # seconds of film that decoding is timed on


@question
def curves(study: "Study") -> Answer:
    """Show validation loss and accuracy of every model, over epochs and seconds."""
    from utils.plots.curves import plot_curve_pair

    charts = {}
    for metric, stem in (("loss", "val_loss"), ("accuracy", "val_acc")):
        charts[stem] = plot_curve_pair(
            study.history,
            metric=metric,
            upfront_s=study.costs.upfront_s,
            n_classes=len(study.classes),
            n_text=f"  ({study.n_text})",
            unseen=study.unseen,
        )
    folder = study.results
    return write_answer("history", folder, table=study.history, charts=charts)


@question
def compare(study: "Study") -> Answer:
    """Score every model, with its spread over folds and its interval over people."""
    from utils.plots.curves import plot_confusions

    table = summarise_models(
        study.scores,
        study.history,
        n_parameters={m.name: m.n_parameters for m in study.models.values()},
        upfront_s=study.costs.upfront_s,
        ms_per_frame=study.costs.ms_per_frame,
    )
    bounds = bound_scores(study.predictions)
    write_csv(bounds, study.results / "intervals.csv")
    write_csv(score_classes(study.predictions), study.results / "classes.csv")
    learnt = [name for name in table["model"] if name != "majority"]
    counts = {m: count_confusions(study.predictions, model=m) for m in learnt}
    n = study.scores.loc[study.scores["model"].isin(learnt), "n_seeds"]
    up_to = "up to " if n.min() < n.max() else ""
    seeds = "one seed" if n.max() == 1 else f"mean of {up_to}{n.max()} seeds"
    title = f"Frames of {study.unseen}, {seeds}  ({study.n_text})"
    return write_answer(
        "comparison",
        study.results,
        sentences=[
            *_describe_differences(study),
            *_describe_best(study),
            *describe_failures(study.scores, names=study.names),
        ],
        table=table,
        charts={"confusion": plot_confusions(counts, title=title)},
        shown=table[_SHOWN]
        .round(3)
        .assign(n_parameters=table["n_parameters"].map("{:,.0f}".format)),
    )


def _describe_differences(study: "Study") -> list[str]:
    """Say how often each model is right, and for how many people pose is better."""
    accuracy, names = study.scores.set_index("model")["accuracy"], study.names
    shares = [f"the {name} gets {accuracy[model]:.1%}" for model, name in names.items()]
    scores = (
        f"Of frames of {study.unseen}, {', '.join(shares)} right, always the same "
        f"guess {accuracy['majority']:.1%}."
    )
    rivals = [model for model in names if model != POSE]
    tables = [
        compare_models(study.predictions, first=POSE, second=rival).assign(rival=rival)
        for rival in rivals
    ]
    table = pd.concat(tables, ignore_index=True)
    write_csv(table, study.results / "differences.csv")
    if study.is_one_person:
        return [scores, study.held_out]
    rows = table[table["metric"] == "accuracy"]
    return [
        scores,
        *(
            f"The pose classifier is better for {row.n_first_better} of "
            f"{row.n_people} people, the {names[row.rival]} for {row.n_second_better}."
            for row in rows.itertuples()
        ),
        "How sure that makes it stands under Verdict.",
    ]


def _describe_best(study: "Study") -> list[str]:
    """Say what several looks bring and cost beside one, where they were fitted."""
    if BEST not in study.models:
        return []
    rows, ms = study.scores.set_index("model"), study.costs.ms_per_frame
    looks = "look" if study.n_looks == 1 else "looks"
    return [
        f"The {WORDS[BEST]}, at {study.n_looks} {looks} a frame, gets "
        f"{rows.loc[BEST, 'accuracy']:.1%} right (log loss "
        f"{rows.loc[BEST, 'log_loss']:.2f}, that of the {WORDS[POSE]} "
        f"{rows.loc[POSE, 'log_loss']:.2f}) and takes {ms[BEST]:.0f} ms a frame in "
        f"use, the {WORDS[POSE]} {ms[POSE]:.0f} ms."
    ]


@question
def verdict(study: "Study") -> Answer:
    """Decide each claim on these people: TRUE, FALSE, ALIKE or CANNOT TELL.

    The models learn once more with each person held out alone: a mean over twelve
    people is surer than one over five folds of them.
    """
    people = build_folds(study.samples, n_folds=_MOST_FOLDS, seed=study.seeds[0])
    models = [study.models[name] for name in study.names]
    history, predictions = study.run(
        people, models, build_splits(people), seeds=study.seeds
    )
    table = build_verdicts(
        history,
        predictions,
        models=(POSE, IMAGE, CROP),
        curve=study.people_curve,
        upfront_s=study.costs.upfront_s,
    )
    return write_answer(
        "verdict",
        study.results,
        sentences=[*table["sentence"], explain_difference(study, table)],
        table=table,
        shown=_show_verdicts(table),
    )


def _show_verdicts(table: pd.DataFrame) -> pd.DataFrame:
    """Return what a reader sees of the verdicts beside their sentences."""
    shown = table.drop(columns=["rule", "sentence", "n_unit"])
    ends = ["difference", "low", "high"]
    shown.loc[shown["unit"] == "points", ends] *= 100  # of 100, as sentences say them
    few = shown["n"] < RULES.min_units  # their interval says nothing
    shown.loc[few, ends[1:]] = np.nan
    shown[ends] = shown[ends].map("{:,.2f}".format, na_action="ignore")
    shown["level"] = shown["level"].round(3)
    shown["n"] = [
        f"{n} {unit}" for n, unit in zip(table["n"], table["n_unit"], strict=True)
    ]
    return shown


def explain_difference(study: "Study", verdicts: pd.DataFrame) -> str:
    """Say why the first claims' numbers are not the differences of the models' scores.

    Args:
        study: The study.
        verdicts: From `build_verdicts`.

    Returns:
        A sentence; none where they agree.
    """
    accuracy = study.scores.set_index("model")["accuracy"]
    points = [
        100 * (accuracy[POSE] - accuracy[rival])
        for rival in study.names
        if rival != POSE
    ]
    claimed = 100 * verdicts["difference"].to_numpy()[: len(points)]
    if (np.abs(np.array(points) - claimed) < _SAME_POINTS).all():
        return ""
    told = " and ".join(f"{x:+.1f}" for x in points)
    alone = " and is held out alone" if len(study.splits) < study.n_people else ""
    differ = "difference is" if len(points) == 1 else "differences are"
    return (
        f"For these points each person counts the same{alone}; over all frames, as in "
        f"the scores, the {differ} {told} points."
    )


@question
def cost(study: "Study") -> Answer:
    """Say what each model costs from the video on: to learn, and a frame in use."""
    table = study.costs.table
    sentence = describe_costs(table, pose="pose_softmax", image="mobilenet_frozen")
    return write_answer(
        "costs",
        study.results,
        sentences=[sentence, *_describe_steps(table)],
        table=table,
        shown=table[_SHOWN_COSTS].round(2),
    )


def _describe_steps(table: pd.DataFrame) -> list[str]:
    """Say of what a frame's milliseconds are made."""
    known = table.dropna(subset=["steps"])
    return [
        f"Of a frame, the {WORDS.get(row.model, show_name(row.model))}: {row.steps} ms."
        for row in known.itertuples()
    ]


def time_models(study: "Study") -> Costs:
    """Time the way from film to posture on some frames, and add what learning took.

    Args:
        study: The study, with models fitted.

    Returns:
        The costs of the fitted models.
    """
    seed_training(study.seeds[0])  # one thread, as in training
    steps = _list_steps(study)
    first = study.samples["video"].iloc[0]
    row = study.videos.set_index("video").loc[first]
    # neighbours, as in a film: the person is followed from one to the next
    own = study.frames[study.frames["video"] == first].sort_values("time_s")
    files = {path for way in steps.values() for step in way for path in step.files}
    key = build_key(
        code=("utils.pose", "utils.training.backbone", "utils.video"),
        machine=[platform.node(), platform.machine(), os.cpu_count()],
        networks=sorted(map(hash_file, files)),
        film=[row["sha256"], study.every_s],
    )
    return measure_costs(
        study.history,
        steps,
        decoded=read_video(
            Path(row["path"]),
            every_s=study.every_s,
            length_s=_DECODED_S,
            skip_damage=True,
        ),
        images=read_images(own["path"].head(_N_PICTURES)),
        n_frames=len(study.samples),
        kept=study.cache / "costs" / key,
    )


def _list_steps(study: "Study") -> dict[str, list[Step]]:
    """List what a frame goes through for each of the models fitted."""
    pose = Step(
        "pose network",
        _follow(study.network, every_s=study.every_s),
        files=find_network_files(study.network),
    )
    image = Step(
        "MobileNetV2",
        embed_image,
        n_passes=1 + study.mirror,
        files=[find_weights(WEIGHTS)],
    )
    # what a look takes does not depend on where the person is
    nowhere = np.full((N_KEYPOINTS, 3), np.nan)
    looks = LOOKS[study.looks_in_use]
    further = Step(
        "further looks",
        lambda image: look_at_person(image, nowhere, looks=looks),
        files=sorted({p for look in looks for p in find_network_files(look.network)}),
    )
    # a crop has the area that the whole picture is shrunk to: it takes as long
    steps = {POSE: [pose], IMAGE: [image], CROP: [pose, image]}
    steps[BEST] = [pose, further] if looks else [pose]
    # these learn from augmented versions too
    augmented = replace(image, n_passes=image.n_passes + N_AUGMENTED)
    steps["mobilenet_finetuned"] = [augmented]
    steps["mobilenet_crop_finetuned"] = [pose, augmented]
    return {model: own for model, own in steps.items() if model in study.models}


def _follow(network: str, *, every_s: float) -> Callable[[np.ndarray], np.ndarray]:
    """Return what finds the person in picture after picture of a film."""
    follower, times_s = start_following(network), count(0.0, every_s)
    return lambda image: follower(image, next(times_s))
