"""A share pack: what a classifier learnt from, without a pixel; and learning anew.

One zip file: the keypoints and labels of the labelled frames, people and films under
other names, `model.json`, settings and a card. `make retrain PACK=…` gives the same
model from it, and says how near: the same bytes with the same versions on a processor
with AVX2, within 1e-6 elsewhere.
"""

import argparse
import hashlib
import io
import json
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from utils.core.files import atomic_path
from utils.core.markup import (
    escape_markdown,
    escape_terminal,
    guard_cells,
    unguard_cells,
)
from utils.core.tables import check_table
from utils.export.model_json import (
    Facts,
    Model,
    build_model,
    compute_answers,
    describe_model,
    format_model,
    parse_model,
    write_model,
)
from utils.pose.features import build_pair
from utils.pose.people import find_people
from utils.screen import follow_bars
from utils.training.doubt import fit_doubt
from utils.training.protocol import build_inputs, take_rows
from utils.training.softmax import (
    SCHEDULE,
    PoseClassifier,
    fit_classifier,
    save_classifier,
)

if TYPE_CHECKING:
    import keras

FORMAT, VERSION = "posenet-share-pack", 1
NEAR = 1e-6
_PACKAGES = ("numpy", "pandas", "tensorflow", "keras")
_SIZES = ["width_px", "height_px"]
_COLUMNS = ["video", "frame_idx", "time_s", "subject", "label", *_SIZES]
_DATE = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can hold: no trace of when


@dataclass(frozen=True)
class Recipe:
    """How the classifier was made, where it does not say itself.

    Attributes:
        n_epochs: How long it learnt.
        seed: What decided the order.
        facts: As for `build_model`; `mirrored` decides what is learnt from.
    """

    n_epochs: int
    seed: int
    facts: Facts = field(default_factory=Facts)


@dataclass(frozen=True)
class Pack:
    """What a share pack holds.

    Attributes:
        keypoints: Table `keypoints`.
        frames: A row a labelled frame, in the order in which they were learnt from:
            `video`, `frame_idx`, `time_s`, `subject`, `label`, `width_px`, `height_px`.
        settings: What decided the model beside them, and what it was made with.
        model: The model as it was, a `model.json`.
    """

    keypoints: pd.DataFrame
    frames: pd.DataFrame
    settings: dict[str, Any]
    model: Model


def write_pack(
    path: Path,
    classifier: PoseClassifier,
    keypoints: pd.DataFrame,
    frames: pd.DataFrame,
    samples: pd.DataFrame,
    *,
    recipe: Recipe,
) -> Path:
    """Write what a classifier learnt from as one file without a pixel.

    Args:
        path: Where to, e.g. `share_pack.zip`.
        classifier: The classifier.
        keypoints: Table `keypoints`; frames without a label stay at home.
        frames: Table `frames`: pictures' sizes.
        samples: Table `samples`, in the order in which it was learnt from.
        recipe: How it was made.

    Returns:
        The path.

    Raises:
        ValueError: If a table lacks something, or the classifier cannot be exported.
    """
    key = ["video", "frame_idx"]
    samples = check_table(samples, "samples")
    sizes = check_table(frames, "frames")[[*key, *_SIZES]]
    learnt = samples.merge(sizes, on=key, how="left", validate="one_to_one")
    if learnt[_SIZES].isna().to_numpy().any():
        raise ValueError("Expected every sample among the frames. Pass all frames.")
    learnt = learnt[_COLUMNS].astype(dict.fromkeys(_SIZES, "int64"))
    points = check_table(keypoints, "keypoints").merge(learnt[key], on=key)
    films = _rename(learnt["video"], "film")
    learnt["subject"] = learnt["subject"].map(_rename(learnt["subject"], "person"))
    learnt["video"], points["video"] = (t["video"].map(films) for t in (learnt, points))
    facts, model = recipe.facts, build_model(classifier, recipe.facts)
    settings = {
        "format": FORMAT,
        "version": VERSION,
        "labels": list(classifier.classes),
        "features": classifier.features,
        "network": model["network"]["name"],
        "mirrored": facts.mirrored,
        "n_epochs": recipe.n_epochs,
        "seed": recipe.seed,
        "schedule": repr(SCHEDULE),
        "weights_sha256": _hash_weights(classifier.model),
        "made_with": _list_versions(),
    }
    pack = Pack(points, learnt, settings, model)
    parquet = io.BytesIO()
    pack.keypoints.to_parquet(parquet, index=False)
    parts = {
        "README.md": _write_card(pack),
        "settings.json": json.dumps(settings, indent=1, ensure_ascii=False),
        "model.json": format_model(pack.model),
        "frames.csv": guard_cells(learnt).to_csv(index=False, lineterminator="\n"),
        "keypoints.parquet": parquet.getvalue(),
    }
    with (
        atomic_path(Path(path)) as part,
        zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for name, content in parts.items():
            archive.writestr(zipfile.ZipInfo(name, _DATE), content)
    return Path(path)


def _rename(names: pd.Series, kind: str) -> dict[str, str]:
    """Give each name a number, in the order in which they come."""
    names = list(dict.fromkeys(names))
    width = len(str(len(names)))
    return {name: f"{kind}{n:0{width}}" for n, name in enumerate(names, start=1)}


def _hash_weights(model: "keras.Model") -> str:
    """Return the sha256 of all numbers of a model, as they are in memory."""
    digest = hashlib.sha256()
    for layer in model.layers:
        fixed = [getattr(layer, name, None) for name in ("mean", "variance")]
        for array in [*(x for x in fixed if x is not None), *layer.get_weights()]:
            digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _list_versions() -> dict[str, str]:
    """Return the versions of what decides a model's bits."""
    import importlib.metadata
    import platform

    versions = {name: importlib.metadata.version(name) for name in _PACKAGES}
    return {"machine": platform.machine(), **versions}


def _write_card(pack: Pack) -> str:
    """Return the pack's card."""
    frames = pack.frames
    counts = pd.crosstab(frames["subject"], frames["label"])
    rows = [["person", *counts.columns], ["---"] * (1 + counts.shape[1])]
    rows += [[person, *numbers] for person, *numbers in counts.itertuples()]
    table = [f"| {' | '.join(escape_markdown(x) for x in row)} |" for row in rows]
    table[1] = f"|{'---|' * len(rows[0])}"
    return "\n".join(
        [
            "# Share pack of a posture classifier",
            "",
            f"Keypoints and labels of {len(frames):,} frames of "
            f"{frames['subject'].nunique()} people in {frames['video'].nunique()} "
            "films, and the model that learnt from them. There is no picture in it; "
            "people and films have other names.",
            "",
            *(f"- {escape_markdown(line)}" for line in _describe(pack)),
            "",
            *table,
            "",
            "## What is in it",
            "",
            "- `frames.csv`: a row a labelled frame, in the order of learning",
            "- `keypoints.parquet`: 17 rows a frame: pixels of the picture (x to the "
            "right, y down) and score; left is the person's own",
            "- `settings.json`: what else decided the model",
            "- `model.json`: the model, with check vectors",
            "",
            "## What can be done with it",
            "",
            "`make retrain PACK=share_pack.zip` learns anew, and says whether the "
            "model is the same to the byte or within 1e-6.",
            "",
            "## What it may still tell",
            "",
            "Keypoints keep the proportions of a body and its way of moving, and the "
            "names of postures are as they were. Who knows a person well may know them "
            "again: ask the people before you share it. No licence is stated here: say "
            "one when you pass it on.",
            "",
        ]
    )


def _describe(pack: Pack) -> list[str]:
    """Return sentences on the model and on how it was made."""
    settings = pack.settings
    made_with = ", ".join(f"{k} {v}" for k, v in settings["made_with"].items())
    return [
        *describe_model(pack.model).splitlines(),
        f"Learnt for {settings['n_epochs']} epochs with seed {settings['seed']}.",
        f"Made with {made_with}.",
    ]


def read_pack(path: Path) -> Pack:
    """Read a share pack.

    Args:
        path: File that `write_pack` wrote.

    Returns:
        What it holds.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is not such a file, or a part of it is missing or wrong.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"No share pack at {path}.")
    try:
        with zipfile.ZipFile(path) as archive:
            settings = json.loads(archive.read("settings.json"))
            if (settings["format"], settings["version"]) != (FORMAT, VERSION):
                raise ValueError(f"its format is not {FORMAT} {VERSION}")
            model = parse_model(archive.read("model.json"))
            keypoints = pd.read_parquet(io.BytesIO(archive.read("keypoints.parquet")))
            text = dict.fromkeys(("video", "subject", "label"), "str")
            table = io.BytesIO(archive.read("frames.csv"))
            frames = unguard_cells(
                pd.read_csv(table, dtype=text, keep_default_na=False)
            )
            check_table(frames.drop(columns=_SIZES), "samples")
        keypoints = check_table(keypoints, "keypoints")
        return Pack(keypoints, frames[_COLUMNS], settings, model)
    except (KeyError, TypeError, ValueError, OSError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"{path.name} is no whole share pack ({error}). Ask for it again."
        ) from error


def retrain(path: Path) -> tuple[PoseClassifier, Facts, str]:
    """Learn anew from a share pack, and say how near the model is.

    Args:
        path: File that `write_pack` wrote.

    Returns:
        The classifier, what its `model.json` says beside the weights, and a sentence.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is not such a file.
    """
    pack = read_pack(path)
    settings, old = pack.settings, pack.model
    frames = pack.frames.assign(path="", sharpness=0.0)
    samples = frames.drop(columns=[*_SIZES, "sharpness"])
    x, mirrored = build_pair(
        pack.keypoints,
        frames.drop(columns=["subject", "label"]),
        samples,
        kind=settings["features"],
        mirror=settings["mirrored"],
    )
    labels = tuple(settings["labels"])
    inputs = build_inputs(samples, x, classes=labels, mirrored=mirrored)
    classifier = fit_classifier(
        inputs,
        classes=labels,
        features=settings["features"],
        network=settings["network"],
        n_epochs=settings["n_epochs"],
        seed=settings["seed"],
    )
    if "doubt" in old:
        found = samples.merge(find_people(pack.keypoints))["has_person"].to_numpy()
        classifier = replace(classifier, doubt=fit_doubt(take_rows(inputs, found)))
    tested = old["tested_on"]
    facts = Facts(
        tested["sentence"],
        tested["numbers"],
        temperature=old["temperature"],
        none_below=old["none_below"],
        mirrored=old["mirrored"],
        looks=old["network"]["looks"]["rule"],
        colours=old.get("colours", {}),
    )
    return classifier, facts, _compare(pack, classifier, x)


def _compare(pack: Pack, classifier: PoseClassifier, x: np.ndarray) -> str:
    """Say how near a model that learnt anew is to the pack's own."""
    n_frames = f"{len(x):,} frames"
    if _hash_weights(classifier.model) == pack.settings["weights_sha256"]:
        return "The same model to the byte: every weight has the same bits."
    plain = {**pack.model, "temperature": 1.0}  # which a classifier does not know
    expected = compute_answers(plain, x)[1]
    difference = float(np.abs(classifier(x) - expected).max())
    if difference <= NEAR:
        return (
            f"The same model within {NEAR:g}: no probability of the {n_frames} differs "
            "by more (the weights' bits differ, as between processors)."
        )
    versions, schedule = _list_versions(), pack.settings["schedule"]
    other = [
        f"{name} {there} there, {versions.get(name, 'none')} here"
        for name, there in pack.settings["made_with"].items()
        if versions.get(name) != there
    ]
    other += ["another way of learning"] if schedule != repr(SCHEDULE) else []
    return (
        f"Not the same model: a probability of the {n_frames} differs by "
        f"{difference:.1e}. Other than there: {'; '.join(other) or 'nothing known'}."
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Learn anew from a share pack: `make retrain`.

    Args:
        arguments: Command line, without the program's name; the process's own if None.

    Returns:
        0 if the model is the same, to the byte or within 1e-6; 1 with one sentence on
        stderr if not, or if there is none.
    """
    parser = argparse.ArgumentParser(prog="make retrain", description=__doc__)
    parser.add_argument("--PACK", type=Path, required=True)
    parser.add_argument("--RESULTS", type=Path, default=Path("data/results"))
    options = parser.parse_args(arguments)
    folder = options.RESULTS / "retrained"
    try:
        with follow_bars():
            classifier, facts, sentence = retrain(options.PACK)
        save_classifier(classifier, folder / "pose_softmax.keras")
        write_model(build_model(classifier, facts), folder / "model.json")
    except (ValueError, OSError) as error:
        print(escape_terminal(f"make retrain stopped. {error}"), file=sys.stderr)
        return 1
    is_same = sentence.startswith("The same")
    print(escape_terminal(sentence), file=sys.stdout if is_same else sys.stderr)
    print(f"{folder / 'pose_softmax.keras'} and model.json beside it.")
    return 0 if is_same else 1


if __name__ == "__main__":
    sys.exit(main())
