"""Other models on the same folds: other recipes, pose networks, and a crop."""

from typing import TYPE_CHECKING

import pandas as pd

from utils.core.names import show_name
from utils.core.tables import WORDS
from utils.evaluation.fusion import fuse_models
from utils.evaluation.intervals import bound_scores
from utils.evaluation.scores import summarise_scores
from utils.pose.networks import NETWORKS, name_network
from utils.questions.answer import Answer, question, write_answer
from utils.questions.rooms import CROP, FUSED, POSE
from utils.training.protocol import Inputs
from utils.training.sklearn_models import RECIPES, build_recipe_model, describe_effort

if TYPE_CHECKING:
    from utils.study import Study


@question
def other_models(study: "Study") -> Answer:
    """Ask what other models make of the same frames, folds and effort."""
    from utils.plots.lines import plot_intervals

    fed = list_inputs(study)
    tune = study.budget == "full"
    models = [
        build_recipe_model(name, inputs, recipe=recipe, tune=tune)
        for name, (recipe, inputs) in fed.items()
    ]
    predictions = study.run(study.samples, models, study.splits)[1]
    fused = fuse_models(study.predictions, models=(POSE, CROP), name=FUSED)
    everyone = pd.concat([study.predictions, fused, predictions], ignore_index=True)
    table = summarise_scores(everyone).merge(_list_effort(study, fed), on="model")
    asked = study.answers.get("rooms", Answer("rooms")).table
    if len(asked):  # most of what both together gain may be knowing the room
        new_room = asked.set_index("model")["accuracy"]
        table["in_new_room"] = table["model"].map(new_room)
    title = (
        f"\n{len(study.samples):,} frames, {len(study.splits)} folds, "
        f"up to {len(study.seeds)} seeds (1 of those of scikit-learn)"
    )
    chart = plot_intervals(bound_scores(everyone), title=title)
    columns = ["model", "accuracy", "accuracy_sd", "in_new_room", "log_loss"]
    columns += ["inputs", "tried"]
    return write_answer(
        "other_models",
        study.results,
        sentences=[_describe(table)],
        table=table,
        charts={"other_models": chart},
        shown=_show_names(table[[c for c in columns if c in table]].round(3)),
    )


def list_inputs(study: "Study") -> dict[str, tuple[str, Inputs]]:
    """Name every other model, with its recipe and what it learns from.

    Args:
        study: The study.

    Returns:
        Name to recipe and inputs: all recipes on the study's own numbers, a plain
        softmax on other pose networks' numbers (they look where the study's own found
        the person), on the frozen picture features, and on
        those of the person cut out.
    """
    own = study.pose_inputs
    fed = {
        f"{recipe} on {name_network(study.network)}": (recipe, own)
        for recipe in RECIPES
    }
    for network in NETWORKS:
        if network != study.network:
            inputs = study.build_pose_inputs(keypoints=study.look_by(network))
            fed[f"logistic on {network}"] = ("logistic", inputs)
    fed["logistic on MobileNetV2"] = ("logistic", study.image_inputs)
    fed["logistic on MobileNetV2, person crop"] = ("logistic", study.crop_inputs)
    return fed


def _list_effort(study: "Study", fed: dict[str, tuple[str, Inputs]]) -> pd.DataFrame:
    """Say what each model is fed and what was tried for it."""
    recipes = {
        name: (name.partition(" on ")[2], recipe) for name, (recipe, _) in fed.items()
    }
    schedule = "one schedule, stops by those it is scored on"
    fixed = {model: f"pictures; {schedule}" for model in study.models}
    fixed["pose_best"] = f"{study.n_looks} looks a frame; as it is in use"
    fixed[FUSED] = "34 numbers and crop: mean of the logarithms of probabilities"
    fixed |= {"pose_softmax": f"34 numbers; {schedule}", "majority": "nothing"}
    return describe_effort(recipes, others=fixed, tune=study.budget == "full")


def _show_names(table: pd.DataFrame) -> pd.DataFrame:
    """Write models and inputs as words."""
    words = {
        column: [WORDS.get(text, show_name(text)) for text in table[column]]
        for column in ("model", "inputs")
    }
    return table.assign(**words)


def _describe(table: pd.DataFrame) -> str:
    """Name the model that is right most often."""
    best = table.loc[table["accuracy"].idxmax()]
    name = WORDS.get(best["model"], show_name(best["model"]))
    n_learnt = (table["model"] != "majority").sum()
    return (
        f"Of {n_learnt} models the {name} is right most often, in "
        f"{best['accuracy']:.1%} of the frames; the best of many is flattered by "
        "having been chosen."
    )
