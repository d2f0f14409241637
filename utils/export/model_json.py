"""`model.json`: the one file that travels, and what makes a reader refuse it.

It holds a posture classifier as numbers and words: 17 keypoints, 34 features, labels in
order, weights, calibration, and five made-up poses with their answers. Answers are kept
by name, so that a swapped label, weight or keypoint name contradicts them; a digest
finds every other change. A reader in another language does the same six things:

1. refuse a `format` or `version` that it does not know;
2. refuse `keypoints` and `columns` that are not its own, in its own order;
3. from each check's keypoints compute the features, each within 1e-4 of the answer;
4. from them the logits, `features @ weights + bias`, and the probabilities,
   `softmax(logits / temperature)`, each within 1e-4 of the answer (of a logit beyond 1:
   1e-4 of its size);
5. where there is `doubt`, from them how unlike each pose is to what was learnt, as its
   `is` says, within 1e-4 of the answer's or the largest log_det's size;
6. refuse a `digest` that is not the sha256 of the rest, written as RFC 8785 says: no
   spaces, keys sorted, numbers as in JavaScript (there: `JSON.stringify`, keys sorted).
"""

import hashlib
import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import softmax

from utils.core.files import atomic_path, hash_file
from utils.core.skeleton import (
    EDGES,
    FEATURE_COLUMNS,
    KEYPOINT_IDX,
    KEYPOINTS,
    MIN_PERSON_SCORE,
    MIN_SCORE,
)
from utils.core.weights import load_interpreter
from utils.pose.features import KINDS, build_pair
from utils.pose.networks import (
    find_network,
    find_network_files,
    load_posenet,
    name_network,
)
from utils.predict.steady import NONE_BELOW

if TYPE_CHECKING:
    import keras

    from utils.training.doubt import Doubt
    from utils.training.softmax import PoseClassifier

Model = dict[str, Any]  # what `model.json` holds

FORMAT, VERSION = "posenet-posture-classifier", 1
TOLERANCE = 1e-4
N_CHECKS = 5
# In words, for whoever writes another reader; `utils/pose/features.py` is the code.
RULES: dict[str, str] = {
    "normalised": "From x and y subtract the middle of the box round the keypoints "
    "seen, then divide both by the box's longer side; a pose on one spot is zeros.",
    "torso": "From x and y subtract mid hips (the mean of the hips seen), then divide "
    "both by the larger of 2.5 times the distance of mid shoulders from there and the "
    "distance of the farthest keypoint; a pose on one spot is zeros.",
    "raw": "Divide x by the picture's width and y by its height.",
}
_MISSING = " A missing keypoint then gets the mean of those seen."
# `utils/pose/follow.py` and `utils/pose/estimate.py` are the code.
LOOKS: dict[str, str] = {
    "follow": "It followed the person from frame to frame: one look at the square "
    "round where they were, two afresh where they were lost.",
    "two": "It looked twice at each picture: at all of it, then at the square round "
    "the person.",
    "one": "It looked once at each picture, at all of it.",
}
_DOUBT = (
    "For each posture learnt, the squares of `features @ roots + offsets` are summed, "
    "and `log_dets` added. The least of the sums minus `threshold` says how unlike the "
    "pose is to all that was learnt: above 0 it is none of these, however probable."
)
NOT_TESTED = "Not tested: nobody was held out."


@dataclass(frozen=True)
class Facts:
    """What travels beside the weights, where the classifier itself does not say.

    Attributes:
        tested_on: One sentence: on whom the classifier was tested, and how it did.
        numbers: The figures behind the sentence, by name.
        temperature: What logits are divided by before the softmax; 1 changes nothing.
        none_below: "None of these" is said where no probability reaches this.
        mirrored: Whether mirror images were learnt from too, so that left and right
            do not count.
        looks: How the pose network looked, a name in `LOOKS`.
        colours: Colour `#rrggbb` of each label where somebody chose it; those without
            one get theirs by their order.
    """

    tested_on: str = NOT_TESTED
    numbers: Mapping[str, float] = field(default_factory=dict)
    temperature: float = 1.0
    none_below: float = NONE_BELOW
    mirrored: bool = True
    looks: str = "follow"
    colours: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Loaded:
    """An export, read back and checked.

    Attributes:
        model: What its `model.json` holds.
        predict: Numbers `(n, 51)` (y, x, score of each keypoint) in, probabilities
            `(n, n_labels)` out.
        difference: The largest to the answers that it carries.
        measure: The same numbers in, `(n,)` out: a pose is none of these above 0. None
            where there is no doubt in the model.
    """

    model: Model
    predict: Callable[[np.ndarray], Any]
    difference: float
    measure: Callable[[np.ndarray], np.ndarray] | None = None


def build_model(classifier: "PoseClassifier", facts: Facts | None = None) -> Model:
    """Gather what travels of a classifier, its five check vectors included.

    Args:
        classifier: One dense softmax on the 34 numbers, standardised or not.
        facts: What the classifier does not say; default: `Facts()`.

    Returns:
        What `model.json` holds.

    Raises:
        ValueError: If the classifier is another kind of model, or a fact is out of
            range.
    """
    facts = facts or Facts()
    weights, bias = _fold_weights(classifier.model)
    model: Model = {
        "format": FORMAT,
        "version": VERSION,
        "keypoints": list(KEYPOINTS),
        "edges": [list(edge) for edge in EDGES],
        "features": {
            "rule": classifier.features,
            "is": RULES[classifier.features] + _MISSING,
            "columns": list(FEATURE_COLUMNS),
        },
        "labels": list(classifier.classes),
        "weights": [[_shorten(value) for value in row] for row in weights],
        "bias": [_shorten(value) for value in bias],
        "temperature": _shorten(facts.temperature),
        "none_below": _shorten(facts.none_below),
        "person": {
            "min_score": MIN_SCORE,
            "min_mean_score": MIN_PERSON_SCORE,
            "is": "Somebody is there if the mean score of the 17 keypoints is at least "
            "`min_mean_score`, and a shoulder and a hip score above `min_score`.",
        },
        "network": _describe_network(classifier.network)
        | {"looks": {"rule": facts.looks, "is": LOOKS[facts.looks]}},
        "mirrored": facts.mirrored,
        "tested_on": {
            "sentence": facts.tested_on,
            "numbers": {name: _shorten(n) for name, n in facts.numbers.items()},
        },
    }
    if facts.colours:
        model["colours"] = {
            label: facts.colours[label]
            for label in classifier.classes
            if label in facts.colours
        }
    if classifier.doubt is not None:
        model["doubt"] = _describe_doubt(classifier.doubt)
    model["checks"] = _build_checks(model)
    model["digest"] = compute_digest(model)
    return check_model(model)


def _fold_weights(model: "keras.Model") -> tuple[np.ndarray, np.ndarray]:
    """Return weights `(34, n_labels)` and bias with the standardising folded in."""
    import keras

    layers = [x for x in model.layers if not isinstance(x, keras.layers.InputLayer)]
    kinds = [type(layer).__name__ for layer in layers]
    dense = layers[-1]
    known = kinds in (["Normalization", "Dense"], ["Dense"])
    if not known or keras.activations.serialize(dense.activation) != "softmax":
        raise ValueError(
            "Expected one dense softmax, standardised or not, found layers "
            f"{', '.join(kinds)}. Only the posture classifier can be exported."
        )
    weights, bias = (np.asarray(part, dtype=np.float64) for part in dense.get_weights())
    if len(layers) == 1:
        return weights, bias
    mean = np.asarray(layers[0].mean, dtype=np.float64).reshape(-1)
    deviation = np.sqrt(np.asarray(layers[0].variance, dtype=np.float64).reshape(-1))
    # as Keras does: a column that never changes is not divided by zero
    folded = weights / np.maximum(deviation, keras.config.epsilon())[:, None]
    return folded, bias - mean @ folded


def _describe_doubt(doubt: "Doubt") -> dict[str, Any]:
    """Return a doubt as numbers, the means folded into offsets."""
    offsets = -np.einsum("ki,kij->kj", doubt.means, doubt.roots)
    return {
        "is": _DOUBT,
        "threshold": _shorten(doubt.threshold),
        "log_dets": [_shorten(value) for value in doubt.log_dets],
        "offsets": [[_shorten(value) for value in row] for row in offsets],
        "roots": [
            [[_shorten(value) for value in row] for row in root] for root in doubt.roots
        ],
    }


def _shorten(value: float) -> float:
    """Return a number with nine digits: all that a float32 holds."""
    return float(f"{value:.9g}")


def _describe_network(name: str) -> dict[str, Any]:
    """Say which pose network found the keypoints, and how it takes a picture."""
    network = find_network(name)
    if network is None:
        known_as = name_network(name)
        return {"name": known_as, "file": None, "sha256": None, "input": None}
    path = find_network_files(name)[0]
    taken = load_interpreter(path).get_input_details()[0]
    is_posenet = network.load is load_posenet
    return {
        "name": name,
        "file": network.file,
        "sha256": hash_file(path),
        "input": {
            "shape": [1, network.size_px, network.size_px, 3],
            "dtype": np.dtype(taken["dtype"]).name,
            "values": "RGB / 127.5 - 1" if is_posenet else "RGB, 0 to 255",
        },
        "output": "heat maps and offsets (y before x), to be decoded"
        if is_posenet
        else "17 keypoints in this order, each y, x (0 to 1 of the square), score",
    }


def _build_checks(model: Model) -> list[dict[str, Any]]:
    """Make up bodies, and keep five that tell every label from every other."""
    poses, sizes = make_bodies(400)
    features = compute_features(model, poses, sizes)
    logits, shares = compute_answers(model, features)
    unlike = measure_doubt(model, features)
    columns, labels = model["features"]["columns"], model["labels"]
    weights, bias = np.array(model["weights"]), np.array(model["bias"])
    # how far a reader's logits may be off that sums in float32, or rounds less than it
    noise = 2.0**-24 * np.sqrt(features.astype(float) ** 2 @ weights**2 + bias**2)
    noise = (noise / np.maximum(1, np.abs(logits))).max(axis=1)
    calm = np.flatnonzero(noise <= max(TOLERANCE / 4, np.sort(noise)[10 * N_CHECKS]))
    return [
        {
            "keypoints": dict(zip(KEYPOINTS, poses[row].tolist(), strict=True)),
            "size_wh": sizes[row].tolist(),
            "features": _name_numbers(columns, features[row]),
            "logits": _name_numbers(labels, logits[row]),
            "probabilities": _name_numbers(labels, shares[row]),
            **({} if unlike is None else {"unlike": _shorten(unlike[row])}),
        }
        for row in calm[_pick_rows(shares[calm])]
    ]


def _name_numbers(names: Sequence[str], values: np.ndarray) -> dict[str, float]:
    """Return values by name, shortened."""
    return {n: _shorten(value) for n, value in zip(names, values, strict=True)}


def _pick_rows(shares: np.ndarray) -> list[int]:
    """Pick rows in which labels are doubtful: one sure of itself shows no change.

    Each row picked is the one that adds most to how far apart any two labels are.
    """
    gaps = np.minimum(np.abs(shares[:, :, None] - shares[:, None, :]), 0.2)
    reached, picked = np.zeros(gaps.shape[1:]), []
    for _ in range(N_CHECKS):
        # the sum of p (1 - p) decides between rows that tell equally much apart
        gain = np.maximum(gaps, reached).sum(axis=(1, 2))
        gain += (shares * (1 - shares)).sum(axis=1)
        gain[picked] = -np.inf
        picked.append(int(gain.argmax()))
        reached = np.maximum(reached, gaps[picked[-1]])
    return picked


def make_bodies(n_bodies: int) -> tuple[np.ndarray, np.ndarray]:
    """Make up stick figures in any posture, the same ones each time; nobody's.

    Args:
        n_bodies: How many.

    Returns:
        Poses `(n_bodies, 17, 3)`: x_px, y_px, score; and picture sizes `(n_bodies, 2)`.
    """
    rng = np.random.default_rng(13)

    def reach(start: np.ndarray, angle: np.ndarray, length: float) -> np.ndarray:
        return start + length * np.stack([np.sin(angle), np.cos(angle)], axis=-1)

    # lengths in torsos; angles from straight down, anticlockwise
    lean = rng.choice([0.0, 0.0, -np.pi / 2, np.pi / 2], n_bodies)
    lean = lean + rng.normal(scale=0.4, size=n_bodies)
    hips = np.zeros((n_bodies, 2))
    neck = reach(hips, lean + np.pi, 1.0)
    nose = reach(neck, lean + np.pi, 0.45)
    points = {"nose": nose}
    for side, name in ((1, "left"), (-1, "right")):
        across = lean + side * np.pi / 2
        up = lean + np.pi
        points[f"{name}_eye"] = reach(reach(nose, across, 0.06), up, 0.06)
        points[f"{name}_ear"] = reach(nose, across, 0.14)
        shoulder, hip = reach(neck, across, 0.33), reach(hips, across, 0.2)
        elbow = reach(shoulder, rng.uniform(-np.pi, np.pi, n_bodies), 0.55)
        wrist = reach(elbow, rng.uniform(-np.pi, np.pi, n_bodies), 0.5)
        thigh = lean * rng.uniform(0, 1, n_bodies) + rng.normal(
            scale=0.8, size=n_bodies
        )
        knee = reach(hip, thigh, 0.8)
        ankle = reach(knee, thigh - side * rng.uniform(0, 1.5, n_bodies), 0.8)
        limbs = {"shoulder": shoulder, "elbow": elbow, "wrist": wrist}
        limbs |= {"hip": hip, "knee": knee, "ankle": ankle}
        points |= {f"{name}_{part}": xy for part, xy in limbs.items()}
    xy = np.stack([points[name] for name in KEYPOINTS], axis=1)
    pictures = np.array([[640, 480], [1280, 720], [480, 640], [1920, 1080], [256, 256]])
    sizes = pictures[rng.integers(0, len(pictures), n_bodies)]
    height = sizes.min(axis=1) * rng.uniform(0.08, 0.25, n_bodies)
    middle = sizes * rng.uniform(0.35, 0.65, (n_bodies, 2))
    xy = (xy * height[:, None, None] + middle[:, None, :]).round(1)
    score = rng.uniform(0.3, 1.0, (n_bodies, len(KEYPOINTS), 1)).round(2)
    return np.concatenate([xy, score], axis=2), sizes


def compute_features(
    model: Model, poses: np.ndarray, sizes_wh: np.ndarray
) -> np.ndarray:
    """Turn poses into the 34 numbers by the model's rule.

    Args:
        model: What `model.json` holds.
        poses: `(n, 17, 3)`: x_px, y_px, score, keypoints in the model's order; NaN is
            missing.
        sizes_wh: Width and height of each pose's picture in pixels, `(n, 2)`.

    Returns:
        float32 array `(n, 34)`.

    Raises:
        ValueError: If a pose has no keypoint at all, or the rule is unknown.
    """
    n_poses = len(poses)
    frame_idx = np.arange(n_poses)
    flat = np.asarray(poses, dtype=float).reshape(-1, 3)
    keypoints = pd.DataFrame(
        {
            "video": "",
            "frame_idx": np.repeat(frame_idx, len(KEYPOINTS)),
            "keypoint": np.tile(np.array(model["keypoints"], dtype=object), n_poses),
            "x_px": flat[:, 0],
            "y_px": flat[:, 1],
            "score": flat[:, 2],
        }
    )
    frames = pd.DataFrame({"video": "", "frame_idx": frame_idx, "time_s": 0.0})
    frames[["width_px", "height_px"]] = np.asarray(sizes_wh)
    frames = frames.assign(path="", sharpness=0.0)
    rule = model["features"]["rule"]
    return build_pair(keypoints, frames, frames, kind=rule, mirror=False)[0]


def compute_answers(
    model: Model, features: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return logits and probabilities, each float64 `(n, n_labels)`.

    Args:
        model: What `model.json` holds.
        features: `(n, 34)`, in the order of the model's columns.
    """
    weights, bias = np.array(model["weights"]), np.array(model["bias"])
    logits = np.asarray(features, dtype=np.float64) @ weights + bias
    return logits, softmax(logits / model["temperature"], axis=1)


def measure_doubt(model: Model, features: np.ndarray) -> np.ndarray | None:
    """Return how unlike each pose is to all that was learnt, `(n,)`.

    Args:
        model: What `model.json` holds.
        features: `(n, 34)`, in the order of the model's columns.

    Returns:
        Above 0 a pose is none of these; None where there is no doubt in the model.
    """
    if "doubt" not in model:
        return None
    doubt = {k: np.array(v) for k, v in model["doubt"].items() if k != "is"}
    ways = np.einsum("ni,kij->nkj", np.asarray(features, float), doubt["roots"])
    unlike = ((ways + doubt["offsets"]) ** 2).sum(axis=2) + doubt["log_dets"]
    return unlike.min(axis=1) - doubt["threshold"]


def predict_poses(model: Model, poses: np.ndarray, sizes_wh: np.ndarray) -> np.ndarray:
    """Return the probability of each label for poses in pixels.

    Args:
        model: What `model.json` holds.
        poses: `(n, 17, 3)`: x_px, y_px, score.
        sizes_wh: Width and height of each pose's picture in pixels, `(n, 2)`.

    Returns:
        float64 array `(n, n_labels)`.
    """
    return compute_answers(model, compute_features(model, poses, sizes_wh))[1]


def compute_digest(model: Model) -> str:
    """Return the sha256 of all but the digest, in the form that RFC 8785 names.

    Args:
        model: What `model.json` holds.

    Returns:
        64 hex digits, the same however the file is laid out.
    """
    rest = {key: value for key, value in model.items() if key != "digest"}
    return hashlib.sha256(_write_canonical(rest).encode()).hexdigest()


def _write_canonical(value: object) -> str:
    """Write JSON without spaces, keys sorted, numbers as JavaScript writes them."""
    if isinstance(value, Mapping):
        keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
        parts = [f"{_write_canonical(k)}:{_write_canonical(value[k])}" for k in keys]
        return "{" + ",".join(parts) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_write_canonical, value)) + "]"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _write_number(value)
    return json.dumps(value, ensure_ascii=False)


def _write_number(value: float) -> str:
    """Write a number as ECMAScript's `String(value)` does.

    Example:
        >>> [_write_number(x) for x in (1.0, 0.00001, 1.5e-7, 1e21, -0.0)]
        ['1', '0.00001', '1.5e-7', '1e+21', '0']
    """
    if not math.isfinite(value):
        raise ValueError(f"Expected finite numbers in a model, got {value}.")
    if value == 0:
        return "0"
    text = repr(float(value))  # shortest digits, as in JavaScript
    if 1e-6 <= abs(value) < 1e21:
        return format(Decimal(text).normalize(), "f")
    digits, _, power = text.partition("e")
    return f"{digits}e{int(power):+d}"


def write_model(model: Model, path: Path) -> Path:
    """Write a model, checked once more, whole or not at all.

    Args:
        model: From `build_model`.
        path: Where to, e.g. `model.json`.

    Returns:
        The path.

    Raises:
        ValueError: If the model contradicts itself.
    """
    check_model(model)
    with atomic_path(Path(path)) as part:
        part.write_text(format_model(model), encoding="utf-8")
    return Path(path)


def format_model(model: Model) -> str:
    """Return the text of `model.json`: a line a field, a line a weight row or check."""
    lines = []
    for key, value in model.items():
        text = json.dumps(value, ensure_ascii=False)
        if key in ("weights", "checks"):
            rows = [json.dumps(row, ensure_ascii=False) for row in value]
            text = "[\n  " + ",\n  ".join(rows) + "\n ]"
        lines.append(f" {json.dumps(key)}: {text}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def read_model(path: Path) -> Model:
    """Read a `model.json`, and refuse it unless every answer comes out again.

    Args:
        path: File that `write_model` wrote, or a reader of another language.

    Returns:
        What it holds.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is not such a file, or contradicts itself.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"No model at {path}. Run the notebook first.")
    return parse_model(path.read_bytes(), where=path.name)


def parse_model(text: bytes | str, *, where: str = "model.json") -> Model:
    """Read the text of a `model.json`; see `read_model`.

    Args:
        text: The text, UTF-8 if bytes.
        where: What to call it in errors.
    """
    try:
        model = json.loads(text)
    except ValueError as error:  # bytes that are no text among them
        raise ValueError(f"{where} is not JSON ({error}). Export it again.") from error
    return check_model(model, where=where)


def check_model(model: Model, *, where: str = "model.json") -> Model:
    """Refuse a model that another program cannot trust.

    Args:
        model: What a `model.json` holds.
        where: What to call it in errors.

    Returns:
        The model itself.

    Raises:
        ValueError: If it is of another format or version, if a name is out of its
            order, if a check vector is off by more than 1e-4, or if the digest differs.
    """
    try:
        _check_words(model)
        _check_colours(model)
        _check_shapes(model)
        _check_answers(model)
        if model["digest"] != compute_digest(model):
            raise ValueError("its digest is not that of its content")
    except KeyError as error:
        raise ValueError(
            f"{where} cannot be used: it has no {error}. Export it again."
        ) from error
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{where} cannot be used: {error}. It was changed or damaged after it was "
            "written; export it again."
        ) from error
    return model


def _check_words(model: Model) -> None:
    """Raise `ValueError` if format, names or their order are not ours."""
    if not isinstance(model, dict) or model.get("format") != FORMAT:
        raise ValueError(f"it is not of the format {FORMAT!r}")
    if model["version"] != VERSION:
        raise ValueError(f"expected version {VERSION}, found {model['version']!r}")
    columns, rule = model["features"]["columns"], model["features"]["rule"]
    for found, expected in (
        (model["keypoints"], KEYPOINTS),
        (columns, FEATURE_COLUMNS),
    ):
        if list(found) != list(expected):
            pairs = zip([*found, "nothing"], expected, strict=False)
            wrong = next(
                (pair for pair in pairs if pair[0] != pair[1]), ("more", "end")
            )
            raise ValueError(f"it has {wrong[0]!r} where {wrong[1]!r} belongs")
    if rule not in KINDS:
        raise ValueError(
            f"expected a feature rule of {', '.join(KINDS)}, found {rule!r}"
        )
    unknown = {name for edge in model["edges"] for name in edge} - set(KEYPOINTS)
    if unknown:
        raise ValueError(f"an edge ends at {min(unknown)!r}, which is no keypoint")


def _check_colours(model: Model) -> None:
    """Raise `ValueError` if a chosen colour is none; older files have no colours."""
    for label, colour in model.get("colours", {}).items():
        if not re.fullmatch("#[0-9a-f]{6}", str(colour)):
            raise ValueError(f"{label!r} has {colour!r}, which is no #rrggbb")


def _check_shapes(model: Model) -> None:
    """Raise `ValueError` if numbers are missing or out of range."""
    labels = model["labels"]
    if len(labels) < 2 or len(set(labels)) != len(labels):
        raise ValueError(f"expected two labels or more, each once, found {labels}")
    for name, shape in (
        ("weights", (len(FEATURE_COLUMNS), len(labels))),
        ("bias", (len(labels),)),
    ):
        found = np.array(model[name], dtype=float).shape
        if found != shape:
            raise ValueError(f"expected {name} of shape {shape}, found {found}")
    if not model["temperature"] > 0:
        raise ValueError(
            f"expected a temperature above 0, found {model['temperature']}"
        )
    if "doubt" in model:
        _check_doubt(model["doubt"])
    if not 0 <= model["none_below"] <= 1:
        raise ValueError(f"expected none_below in 0 to 1, found {model['none_below']}")
    if len(model["checks"]) != N_CHECKS:
        raise ValueError(f"expected {N_CHECKS} checks, found {len(model['checks'])}")


def _check_doubt(doubt: Mapping[str, Any]) -> None:
    """Raise `ValueError` if numbers of a doubt are missing; older files have none."""
    n_learnt, n = len(doubt["log_dets"]), len(FEATURE_COLUMNS)
    for name, shape in (
        ("threshold", ()),
        ("log_dets", (max(1, n_learnt),)),
        ("offsets", (n_learnt, n)),
        ("roots", (n_learnt, n, n)),
    ):
        found = np.array(doubt[name], dtype=float).shape
        if found != shape:
            raise ValueError(f"expected {name} of shape {shape}, found {found}")


def _check_answers(model: Model) -> None:
    """Raise `ValueError` if a check vector does not come out as it should."""
    for number, check in enumerate(model["checks"], start=1):
        unknown = set(check["keypoints"]) - set(KEYPOINT_IDX)
        if unknown:
            raise ValueError(f"check {number} names {min(unknown)!r}, no keypoint")
        pose = np.array([[check["keypoints"][name] for name in model["keypoints"]]])
        features = compute_features(model, pose, np.array([check["size_wh"]]))
        logits, shares = compute_answers(model, features)
        unlike = measure_doubt(model, features)
        if unlike is not None and not is_near_doubt(model, unlike, [check["unlike"]]):
            raise ValueError(
                f"in check {number} of {N_CHECKS}, the doubt comes out as "
                f"{unlike[0]:.6g} where {check['unlike']:.6g} is written"
            )
        for part, names, values in (
            ("features", model["features"]["columns"], features[0]),
            ("logits", model["labels"], logits[0]),
            ("probabilities", model["labels"], shares[0]),
        ):
            for name, value in zip(names, values, strict=True):
                answer = check[part][name]
                # NaN is refused too: no comparison with it is true
                if not abs(value - answer) <= TOLERANCE * max(1, abs(answer)):
                    raise ValueError(
                        f"in check {number} of {N_CHECKS}, {name} ({part}) comes out "
                        f"as {value:.6g} where {answer:.6g} is written"
                    )


def is_near_doubt(model: Model, unlike: np.ndarray, answers: np.ndarray) -> bool:
    """Tell if an export finds each pose as unlike all that was learnt as the model.

    Args:
        model: What `model.json` holds, with a doubt.
        unlike: What the export gives, `(n,)`.
        answers: What it should give.

    Returns:
        Whether each is near, measured by what float32 keeps of the sums within.
    """
    size = max(1.0, *map(abs, model["doubt"]["log_dets"]))
    off = np.abs(np.subtract(unlike, answers))
    # NaN is refused too: no comparison with it is true
    return bool((off <= TOLERANCE * np.maximum(size, np.abs(answers))).all())


def build_numbers(poses: np.ndarray) -> np.ndarray:
    """Return poses as exports take them: 51 numbers, 17 times y, x, score.

    Args:
        poses: `(n, 17, 3)`: x, y, score, in any unit that is the same on both axes.

    Returns:
        float32 array `(n, 51)`.
    """
    flat = np.asarray(poses)[:, :, [1, 0, 2]].reshape(len(poses), 3 * len(KEYPOINTS))
    return flat.astype(np.float32)


def build_check_numbers(model: Model) -> np.ndarray:
    """Return the five check vectors as exports take them, float32 `(5, 51)`.

    For `raw` features x and y are shares of the picture: exports do not know its size.

    Args:
        model: What `model.json` holds.
    """
    checks = model["checks"]
    poses = np.array([[c["keypoints"][k] for k in model["keypoints"]] for c in checks])
    if model["features"]["rule"] == "raw":
        poses[:, :, :2] /= np.array([c["size_wh"] for c in checks])[:, None, :]
    return build_numbers(poses)


def compare_answers(
    model: Model,
    predict: Callable[[np.ndarray], np.ndarray],
    measure: Callable[[np.ndarray], np.ndarray] | None = None,
    *,
    where: str,
) -> float:
    """Refuse an export whose graph or code does not give the model's own answers.

    Args:
        model: What its `model.json` holds, checked.
        predict: Numbers `(n, 51)` in, probabilities out.
        measure: The same in, out how unlike each pose is; None without a doubt.
        where: What to call it in errors.

    Returns:
        The largest difference of a probability.

    Raises:
        ValueError: If one is larger than 1e-4.
    """
    checks, numbers = model["checks"], build_check_numbers(model)
    answers = [[c["probabilities"][label] for label in model["labels"]] for c in checks]
    given = np.asarray(predict(numbers))
    is_alike = given.shape == np.shape(answers)
    difference = float(np.abs(given - answers).max()) if is_alike else np.nan
    if "doubt" in model and is_alike:
        unlike = [check["unlike"] for check in checks]
        is_alike = measure is not None and is_near_doubt(
            model, measure(numbers), unlike
        )
    if not (is_alike and difference <= TOLERANCE):
        raise ValueError(
            f"{where} cannot be used: it does not give the answers to the check "
            "vectors that it carries, so that labels, keypoints or weights are not "
            "those that were exported. Export it again."
        )
    return difference


def describe_model(model: Model) -> str:
    """Say in a few lines what a model is, for heads of files and cards.

    Args:
        model: What `model.json` holds.
    """
    network, rule = model["network"], model["features"]
    learnt = "Learnt from mirror images too: left and right do not count"
    return "\n".join(
        [
            f"Labels: {', '.join(model['labels'])}.",
            model["tested_on"]["sentence"],
            f"Learnt from keypoints of {network['name']}. {network['looks']['is']}",
            f"{learnt if model['mirrored'] else 'Left and right count'}.",
            f"Features ({rule['rule']}): {rule['is']}",
            f"Temperature {model['temperature']:g}; none of these below a probability "
            f"of {model['none_below']:g}"
            + (
                ", or where the pose is unlike all learnt." if "doubt" in model else "."
            ),
            f"Digest {model['digest']}.",
        ]
    )
