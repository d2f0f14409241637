"""Which of the 34 numbers matter: parts hidden, other coordinates, other networks."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from utils.core.skeleton import BODY_PARTS, FEATURE_COLUMNS, KEYPOINT_IDX, KEYPOINTS
from utils.core.tables import write_csv
from utils.evaluation.scores import score_predictions
from utils.pose.features import KINDS, build_pair
from utils.questions.answer import Answer, question, write_answer
from utils.training.protocol import Inputs, RunModels, Split
from utils.training.sklearn_models import build_recipe_model

if TYPE_CHECKING:
    from utils.study import Study


@question
def ablation(study: "Study") -> Answer:
    """Ask which of the 34 numbers matter: other coordinates, body parts hidden."""
    from utils.plots.bars import plot_ablation
    from utils.plots.bodies import plot_weights

    own = study.pose_inputs
    coordinates = {kind: study.build_pose_inputs(features=kind) for kind in KINDS}
    flipped = build_pair(
        study.keypoints, study.frames, study.samples, kind=study.features
    )[1]
    settings = build_settings(coordinates, default=study.features, mirrored=flipped)
    table = score_settings(study.samples, settings, study.splits, run=study.run)
    weights = average_weights(own, study.splits, classes=study.classes)
    write_csv(weights, study.results / "weights.csv")
    poses = average_poses(own, classes=study.classes)
    title = f"\n{study.n_text}, {len(study.splits)} folds"
    charts = {
        "ablation": plot_ablation(table),
        "weights": plot_weights(weights, poses, title=title),
    }
    return write_answer(
        "ablation",
        study.results,
        sentences=[describe_ablation(table)],
        table=table,
        charts=charts,
    )


def list_columns(part: str) -> tuple[int, ...]:
    """Return the places of a body part's numbers among the 34.

    Raises:
        ValueError: If there is no such part.

    Example:
        >>> list_columns("legs")
        (26, 27, 28, 29, 30, 31, 32, 33)
    """
    if part not in BODY_PARTS:
        raise ValueError(f"Expected one of {', '.join(BODY_PARTS)}, got {part!r}.")
    places = (KEYPOINT_IDX[name] for name in BODY_PARTS[part])
    return tuple(2 * place + axis for place in places for axis in (0, 1))


def hide_parts(inputs: Inputs) -> dict[str, Inputs]:
    """Take each body part away, in two ways.

    Args:
        inputs: The 34 numbers.

    Returns:
        Setting to inputs. `… hidden`: learnt with, scored without (the training mean
        stands for it); `… never seen`: learnt without, too.
    """
    settings: dict[str, Inputs] = {}
    for part in BODY_PARTS:
        columns = list_columns(part)
        kept = [i for i in range(inputs.x.shape[1]) if i not in columns]
        mirrored = None if inputs.mirrored is None else inputs.mirrored[:, kept]
        settings[f"{part} hidden"] = replace(inputs, hidden=columns)
        settings[f"{part} never seen"] = replace(
            inputs, x=inputs.x[:, kept], mirrored=mirrored
        )
    return settings


def keep_place_only(inputs: Inputs) -> Inputs:
    """Reduce raw coordinates to where the person is and how large: 4 numbers.

    Args:
        inputs: The 34 numbers of kind `raw`.

    Returns:
        Inputs of centre x, y and width, height of the pose's bounding box, in frames.
        A model that does well on these reads the position, not the posture.
    """

    def reduce(x: np.ndarray) -> np.ndarray:
        xy = x.reshape(len(x), -1, 2)
        low, high = xy.min(axis=1), xy.max(axis=1)
        return np.concatenate([(low + high) / 2, high - low], axis=1)

    mirrored = None if inputs.mirrored is None else reduce(inputs.mirrored)
    return replace(inputs, x=reduce(inputs.x), mirrored=mirrored)


def build_settings(
    coordinates: Mapping[str, Inputs], *, default: str, mirrored: np.ndarray
) -> dict[str, dict[str, Inputs]]:
    """List all that is asked of the 34 numbers.

    Args:
        coordinates: Kind of numbers (`raw` and others) to inputs.
        default: The kind that all else is compared with.
        mirrored: The default's mirror images, also where it does not learn from them.

    Returns:
        Question to setting to inputs, the default first.
    """
    own = coordinates[default]
    kinds = {default: own} | {k: v for k, v in coordinates.items() if k != default}
    flip = {"without mirror images": replace(own, mirrored=None)}
    if own.mirrored is None:
        flip = {"with mirror images": replace(own, mirrored=mirrored)}
    return {
        "coordinates": kinds,
        "position": {"place and size alone": keep_place_only(coordinates["raw"])},
        "mirroring": flip,
        "parts": hide_parts(own),
    }


def score_settings(
    samples: pd.DataFrame,
    settings: Mapping[str, Mapping[str, Inputs]],
    splits: Sequence[Split],
    *,
    run: RunModels,
) -> pd.DataFrame:
    """Score one way of learning on many inputs.

    Args:
        samples: Table `samples`.
        settings: Question (`coordinates`, `parts`, …) to setting to inputs. The first
            setting of all is the default that the others are compared with.
        splits: Who learns from whom.
        run: `protocol.run_models` with its seeds, folder and processes filled in.

    Returns:
        Table with a row a setting: `question`, `setting`, `n_numbers`, `n_people`,
        `n_frames`, `accuracy`, `accuracy_sd` (over people), `log_loss`, and
        `difference`, accuracy minus that of the default, in points.
    """
    chosen = {
        f"{group}: {setting}": (group, setting, inputs)
        for group, options in settings.items()
        for setting, inputs in options.items()
    }
    models = [
        build_recipe_model(name, inputs, recipe="logistic", tune=False)
        for name, (_, _, inputs) in chosen.items()
    ]
    _, predictions = run(samples, models, splits)
    groups = dict(list(score_predictions(predictions).groupby("model", sort=False)))
    rows = []
    for name, (group, setting, inputs) in chosen.items():
        frames = groups[name]
        people = frames.groupby("subject")["is_right"].mean()
        rows.append(
            {
                "question": group,
                "setting": setting,
                "n_numbers": inputs.x.shape[1],
                "n_people": len(people),
                "n_frames": len(frames) // len(frames["seed"].unique()),
                "accuracy": frames["is_right"].mean(),
                "accuracy_sd": people.std(),
                "log_loss": frames["loss"].mean(),
            }
        )
    table = pd.DataFrame(rows)
    default = table["accuracy"].iloc[0]
    return table.assign(difference=100 * (table["accuracy"] - default))


def average_weights(
    inputs: Inputs, splits: Sequence[Split], *, classes: Sequence[str]
) -> pd.DataFrame:
    """Fit the linear softmax on each fold and average its weights.

    Args:
        inputs: The 34 numbers.
        splits: Who learns from whom.
        classes: Name of each class number.

    Returns:
        Table with a row a class and keypoint: `label`, `keypoint`, `weight_x`,
        `weight_y` (change of the class's logit, in nats, when the coordinate grows by
        its standard deviation over the training frames; y points down), `size` (length
        of the two), `size_sd` (over folds).
    """
    fits = np.stack([_fit_weights(inputs, split.train) for split in splits])
    sizes = np.linalg.norm(fits, axis=3)
    mean, n_classes = fits.mean(axis=0), len(classes)
    return pd.DataFrame(
        {
            "label": np.repeat(np.array(classes, object), len(KEYPOINTS)),
            "keypoint": np.tile(np.array(KEYPOINTS, object), n_classes),
            "weight_x": mean[..., 0].ravel(),
            "weight_y": mean[..., 1].ravel(),
            "size": np.linalg.norm(mean, axis=2).ravel(),
            "size_sd": sizes.std(axis=0).ravel(),
        }
    )


def _fit_weights(inputs: Inputs, train: np.ndarray) -> np.ndarray:
    """Return the weights on standardised numbers, `(n_classes, 17, 2)`."""
    if inputs.x.shape[1] != len(FEATURE_COLUMNS):
        raise ValueError(f"Expected 34 numbers a frame, got {inputs.x.shape[1]}.")
    x, y = inputs.x[train], inputs.y[train]
    if inputs.mirrored is not None:
        x, y = np.concatenate([x, inputs.mirrored[train]]), np.concatenate([y, y])
    model = LogisticRegression(max_iter=300).fit(StandardScaler().fit_transform(x), y)
    found = model.coef_
    if len(model.classes_) == 2:  # scikit-learn keeps one row for two classes
        found = np.concatenate([-found, found]) / 2
    weights = np.zeros((inputs.n_classes, len(FEATURE_COLUMNS)))
    weights[model.classes_] = found
    return weights.reshape(inputs.n_classes, len(KEYPOINTS), 2)


def average_poses(inputs: Inputs, *, classes: Sequence[str]) -> dict[str, np.ndarray]:
    """Return each class's mean pose `(17, 2)`, to draw weights on.

    Args:
        inputs: The 34 numbers.
        classes: Name of each class number.

    Returns:
        Class to the mean of its frames' numbers, as x, y.
    """
    return {
        name: inputs.x[inputs.y == number].mean(axis=0).reshape(len(KEYPOINTS), 2)
        for number, name in enumerate(classes)
        if (inputs.y == number).any()
    }


def describe_ablation(table: pd.DataFrame) -> str:
    """Say which change cost most, and how far place and size alone go.

    Args:
        table: From `score_settings`; settings that hold the word "alone" (such as those
            of `keep_place_only`) are named too.

    Returns:
        One sentence; it warns where place and size alone do no worse.
    """
    default, rest = table.iloc[0], table.iloc[1:]
    text = (
        f"With {default['setting']} numbers {default['accuracy']:.1%} of the frames "
        "are right"
    )
    worst = rest.loc[rest["accuracy"].idxmin()] if len(rest) else None
    if worst is not None:
        text += (
            f"; the lowest of {len(rest)} changes is {worst['setting']} with "
            f"{worst['accuracy']:.1%} ({worst['difference']:+.1f} points)"
        )
    alone = rest[rest["setting"].str.contains("alone")]
    for row in alone.itertuples():
        if worst is not None and row.setting != worst["setting"]:
            text += f"; {row.setting} reaches {row.accuracy:.1%}"
        if row.accuracy >= default["accuracy"]:
            text += ", so that postures may be told apart by where people were filmed"
    return text + "."
