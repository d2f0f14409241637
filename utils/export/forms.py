"""One call, or `make export`: every form of a classifier, each read back at once."""

import argparse
import runpy
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from utils.core.files import atomic_path, hash_file
from utils.core.markup import escape_markdown, escape_terminal
from utils.export.model_json import (
    TOLERANCE,
    Facts,
    Loaded,
    Model,
    build_model,
    build_numbers,
    compute_answers,
    compute_features,
    describe_model,
    is_near_doubt,
    make_bodies,
    measure_doubt,
    read_model,
    write_model,
)
from utils.export.onnx_file import load_onnx, write_onnx
from utils.export.source import write_c, write_python
from utils.export.tflite import (
    is_joinable,
    load_posture_51,
    load_posture_picture,
    write_posture_51,
    write_posture_picture,
)
from utils.live.page import write_page
from utils.screen import follow_bars
from utils.training.softmax import load_classifier

if TYPE_CHECKING:
    from utils.training.softmax import PoseClassifier

N_BODIES = 1000
CARD = "exports.md"
# file -> how it is used; the order is that of the card
USES: dict[str, str] = {
    "model.json": "all of it in numbers and words, for any language: "
    "`utils.export.read_model(path)`, the live page",
    "posture_51.tflite": "phones, Raspberry Pi, LiteRT.js: 51 numbers in, "
    "probabilities out; `model.json` is in its metadata",
    "posture_picture.tflite": "the same with the pose network in front: square picture "
    "in (padded, never squeezed), probabilities and keypoints out",
    "posture.onnx": "onnxruntime, browsers, C#, Java: 51 numbers in, probabilities "
    "out; `model.json` is in its metadata",
    "posture.py": "Python with numpy alone: `posture.predict(numbers)`; "
    "`python posture.py` checks it",
    "posture.h": "C and C++, no heap: `posture_predict(numbers, probabilities)`; "
    "`gcc -DPOSTURE_MAIN -x c posture.h -o posture -lm && ./posture` checks it",
    "live": "folder for any web host: camera in, postures out, nothing sent",
    "live.html": "the same in one file: open it by double click",
}


def write(
    classifier: "PoseClassifier",
    folder: Path,
    facts: Facts | None = None,
    *,
    page: bool = True,
) -> pd.DataFrame:
    """Write every form of a classifier, and read each back on 1,000 made-up poses.

    Args:
        classifier: The posture classifier.
        folder: Where to; what is there under the same names is replaced.
        facts: Calibration, and what the classifier was tested on.
        page: Whether the live page is written too (20 MB, the pose network in it).

    Returns:
        Table `file`, `bytes`, `difference` (the largest to the classifier's own
        answers; NaN where it is not run here), `use`.

    Raises:
        ValueError: If one differs by more than 1e-4 from the classifier (1e-6 to 1e-5
            is what float32 makes of them), or if the classifier cannot be exported.
    """
    model = build_model(classifier, facts)
    # without the temperature, which a classifier does not know
    plain = {**model, "temperature": 1.0}
    features = compute_features(plain, *make_bodies(N_BODIES))
    shares = compute_answers(plain, features)[1]
    difference = _check_difference(shares, classifier(features), "model.json")
    return write_forms(model, folder, page=page, difference=difference)


def write_forms(
    model: Model, folder: Path, *, page: bool = True, difference: float = np.nan
) -> pd.DataFrame:
    """Write every form of what a `model.json` holds; see `write`.

    Args:
        model: From `build_model` or `read_model`.
        folder: Where to.
        page: As for `write`.
        difference: The model's own, to the classifier it was built from.

    Returns:
        As `write`; the other forms are compared with the model.
    """
    folder = Path(folder)
    read_model(write_model(model, folder / "model.json"))
    found = {"model.json": difference}
    path = write_posture_51(model, folder / "posture_51.tflite")
    found[path.name] = _compare(load_posture_51(path), model, path.name)
    if is_joinable(model):
        path = write_posture_picture(model, folder / "posture_picture.tflite")
        found[path.name] = load_posture_picture(path).difference
    path = write_onnx(model, folder / "posture.onnx")
    found[path.name] = _compare(load_onnx(path), model, path.name)
    path = write_python(model, folder / "posture.py")
    posture = runpy.run_path(str(path), run_name="posture")
    python = Loaded(model, posture["predict"], 0.0, posture["measure"])
    found[path.name] = _compare(python, model, path.name)
    # no compiler is asked for: the header checks itself where it is compiled
    found[write_c(model, folder / "posture.h").name] = np.nan
    if page:
        pages = write_page(model, folder)
        found |= dict.fromkeys((path.name for path in pages), np.nan)
    rows = [
        (name, _measure(folder / name), difference, USES[name])
        for name, difference in found.items()
    ]
    table = pd.DataFrame(rows, columns=["file", "bytes", "difference", "use"])
    with atomic_path(folder / CARD) as part:
        part.write_text(_write_card(model, table, folder), encoding="utf-8")
    return table


def _measure(path: Path) -> int:
    """Return the bytes of a file, or of all files of a folder."""
    files = [path] if path.is_file() else path.rglob("*")
    return sum(file.stat().st_size for file in files if file.is_file())


def _compare(export: Loaded, model: Model, name: str) -> float:
    """Return how far an export is from the model on made-up poses, or refuse it."""
    poses, sizes = make_bodies(N_BODIES)
    if model["features"]["rule"] == "raw":  # exports take shares of the picture
        poses[:, :, :2] /= sizes[:, None, :]
        sizes = np.ones_like(sizes)
    numbers = build_numbers(poses)
    # float32, as the export is given them
    given = numbers.reshape(poses.shape)[:, :, [1, 0, 2]].astype(np.float64)
    features = compute_features(model, given, sizes)
    unlike = measure_doubt(model, features)
    if unlike is not None and not is_near_doubt(model, export.measure(numbers), unlike):
        raise ValueError(
            f"{name} finds other poses to be none of these than the classifier. Do not "
            "use it, and report it."
        )
    return _check_difference(
        export.predict(numbers), compute_answers(model, features)[1], name
    )


def _check_difference(found: np.ndarray, expected: np.ndarray, name: str) -> float:
    """Return the largest difference, or raise `ValueError` if it is too large."""
    difference = float(np.abs(found - expected).max())
    if not difference <= TOLERANCE:
        raise ValueError(
            f"{name} differs from the classifier by {difference:.1e} on made-up poses; "
            f"expected {TOLERANCE:g} at most. Do not use it, and report it."
        )
    return difference


def _write_card(model: Model, table: pd.DataFrame, folder: Path) -> str:
    """Return the card: what the model is, each file, how it is used, how near it is."""
    rows = []
    for name, size, difference, use in table.itertuples(index=False):
        path = folder / name
        sha256 = f"`{hash_file(path)}`" if path.is_file() else "–"
        near = "–" if np.isnan(difference) else f"{difference:.0e}"
        rows.append(f"| `{name}` | {use} | {size:,} | {near} | {sha256} |")
    return "\n".join(
        [
            "# A posture classifier, to take with you",
            "",
            *(f"- {escape_markdown(x)}" for x in describe_model(model).splitlines()),
            "- It looks at one person in a picture, and at each picture alone.",
            "",
            "Every file carries the keypoints and labels in order, the feature rule, "
            "the calibration and five made-up poses (nobody's) with their answers, and "
            "what reads it here refuses it if one does not come out.",
            "",
            "The 51 numbers are y, x and score of each keypoint, as MoveNet gives "
            f"them: {', '.join(model['keypoints'])}. y and x are in one unit on both "
            "axes (with `raw` features: shares of the picture's height and width). "
            "Left is the person's own: turn a mirrored picture back first.",
            "",
            "| file | use | bytes | off by at most | sha256 |",
            "|---|---|---|---|---|",
            *rows,
            "",
        ]
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Write every form of the classifier of a run: `make export`.

    Args:
        arguments: Command line, without the program's name; the process's own if None.

    Returns:
        0 if all was written; 1 with one sentence on stderr if not.
    """
    parser = argparse.ArgumentParser(prog="make export", description=__doc__)
    parser.add_argument("--MODEL", type=Path, help="a model.json or a .keras file")
    parser.add_argument("--RESULTS", type=Path, default=Path("data/results"))
    options = parser.parse_args(arguments)
    folder = options.RESULTS / "export"
    try:
        path = options.MODEL or _find_model(options.RESULTS)
        with follow_bars():
            if path.suffix == ".keras":
                table = write(load_classifier(path), folder)
            else:
                table = write_forms(read_model(path), folder)
    except (ValueError, OSError) as error:
        print(escape_terminal(f"make export stopped. {error}"), file=sys.stderr)
        return 1
    print(f"{path} as:")
    for name, size, difference, _ in table.itertuples(index=False):
        near = "" if np.isnan(difference) else f"off by {difference:.0e}"
        print(f"  {folder / name}  {size / 1000:,.0f} kB  {near}")
    print(f"How each is used: {folder / CARD}")
    return 0


def _find_model(results: Path) -> Path:
    """Return the classifier of a run: `model.json` where there is one."""
    for name in ("export/model.json", "live/model.json", "pose_softmax.keras"):
        if (results / name).is_file():
            return results / name
    raise FileNotFoundError(
        f"No classifier in {results}. Run the notebook first (make run), or name one: "
        "make export MODEL=model.json."
    )


if __name__ == "__main__":
    sys.exit(main())
