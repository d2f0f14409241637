"""The file that travels: what comes back, and what is refused."""

import copy
import json
import random
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.made_classifiers import LABELS, make_classifier
from utils.core.skeleton import FEATURE_COLUMNS, KEYPOINTS
from utils.export.model_json import (
    FORMAT,
    Facts,
    Model,
    build_model,
    check_model,
    compute_digest,
    predict_poses,
    read_model,
    write_model,
)
from utils.pose.features import KINDS

DEMO = Path(__file__).with_name("demo_model.json")


@pytest.fixture(scope="module")
def model() -> Model:
    facts = Facts("Tested on 3 people.", {"accuracy": 0.9}, temperature=1.7)
    return build_model(make_classifier(), facts)


def _swap(values: list, first: int, second: int) -> None:
    values[first], values[second] = values[second], values[first]


@pytest.mark.parametrize("features", KINDS)
def test_written_model_comes_back_and_predicts_as_the_classifier(
    features: str, tmp_path: Path
) -> None:
    classifier = make_classifier(features=features)
    path = write_model(build_model(classifier), tmp_path / "model.json")
    model = read_model(path)
    assert path.stat().st_size < 20_000
    assert model["labels"] == list(LABELS)
    for check in model["checks"]:
        x = np.array([[check["features"][c] for c in FEATURE_COLUMNS]], np.float32)
        answer = [check["probabilities"][label] for label in LABELS]
        np.testing.assert_allclose(classifier(x)[0], answer, atol=1e-5)
        pose = np.array([[check["keypoints"][name] for name in KEYPOINTS]])
        shares = predict_poses(model, pose, np.array([check["size_wh"]]))
        np.testing.assert_allclose(shares[0], answer, atol=1e-8)


def test_model_says_all_that_a_reader_needs(model: Model) -> None:
    assert model["format"] == FORMAT
    assert model["keypoints"] == list(KEYPOINTS)
    assert model["features"]["rule"] == "normalised"
    assert model["network"]["input"]["shape"] == [1, 192, 192, 3]
    assert len(model["network"]["sha256"]) == 64
    assert model["network"]["looks"]["rule"] == "follow"
    assert model["tested_on"]["sentence"] == "Tested on 3 people."
    assert model["temperature"] == 1.7
    assert build_model(make_classifier())["tested_on"]["sentence"].startswith("Not")


def test_colours_that_were_chosen_travel_and_are_checked(tmp_path: Path) -> None:
    chosen = {LABELS[1]: "#123456", "no such class": "#ffffff"}
    model = build_model(make_classifier(), Facts(colours=chosen))
    assert read_model(write_model(model, tmp_path / "model.json"))["colours"] == {
        LABELS[1]: "#123456"
    }
    wrong = model | {"colours": {LABELS[1]: "url(x)"}}
    with pytest.raises(ValueError, match="which is no #rrggbb"):
        check_model(wrong)
    assert "colours" not in build_model(make_classifier())


def test_temperature_softens_the_answers(model: Model) -> None:
    classifier = make_classifier()
    sharp = build_model(classifier)
    rows = [[c["features"][name] for name in FEATURE_COLUMNS] for c in model["checks"]]
    expected = classifier(np.array(rows, np.float32)) ** (1 / 1.7)
    expected /= expected.sum(axis=1, keepdims=True)
    given = [[c["probabilities"][label] for label in LABELS] for c in model["checks"]]
    np.testing.assert_allclose(given, expected, atol=1e-5)
    assert sharp["weights"] == model["weights"]


def test_checks_tell_every_label_from_every_other(model: Model) -> None:
    shares = np.array([list(c["probabilities"].values()) for c in model["checks"]])
    gaps = np.abs(shares[:, :, None] - shares[:, None, :]).max(axis=0)
    assert gaps[np.triu_indices(len(LABELS), 1)].min() > 0.05


# what a hand may do to the file -> what the refusal says
CHANGES = {
    "labels swapped": (lambda m: _swap(m["labels"], 0, 1), "in check 1 of 5, "),
    "weight rows swapped": (lambda m: _swap(m["weights"], 4, 5), "in check 1 of 5"),
    "two weights swapped": (lambda m: _swap(m["weights"][20], 1, 2), "in check"),
    "biases swapped": (lambda m: _swap(m["bias"], 1, 2), "in check 1 of 5"),
    "keypoints swapped": (
        lambda m: _swap(m["keypoints"], 5, 6),
        "it has 'right_shoulder' where 'left_shoulder' belongs",
    ),
    "keypoint left out": (
        lambda m: m["keypoints"].pop(),
        "it has 'nothing' where 'right_ankle' belongs",
    ),
    "columns swapped": (
        lambda m: _swap(m["features"]["columns"], 0, 1),
        "it has 'nose_y' where 'nose_x' belongs",
    ),
    "other rule": (lambda m: m["features"].update(rule="torso"), "in check 1 of 5"),
    "unknown rule": (lambda m: m["features"].update(rule="x"), "a feature rule of"),
    "x and y swapped": (
        lambda m: [xy.__setitem__(slice(2), xy[1::-1]) for xy in _list_points(m)],
        "in check 1 of 5, nose_x .features. comes out as",
    ),
    "temperature": (lambda m: m.update(temperature=1.0), "probabilities. comes out"),
    "temperature 0": (lambda m: m.update(temperature=0), "temperature above 0"),
    "threshold": (lambda m: m.update(none_below=0.1), "digest is not that"),
    "threshold 2": (lambda m: m.update(none_below=2), "none_below in 0 to 1"),
    "sentence": (lambda m: m["tested_on"].update(sentence="Perfect."), "digest"),
    "label twice": (lambda m: m["labels"].__setitem__(0, "été"), "each once"),
    "label left out": (lambda m: m["labels"].pop(), "weights of shape"),
    "edge": (lambda m: m["edges"][0].__setitem__(1, "tail"), "'tail', which is no"),
    "check left out": (lambda m: m["checks"].pop(), "expected 5 checks, found 4"),
    "version": (lambda m: m.update(version=2), "expected version 1, found 2"),
    "format": (lambda m: m.update(format="x"), "it is not of the format"),
    "field": (lambda m: m.pop("bias"), "it has no 'bias'"),
    "kind": (lambda m: m.update(bias=None), "cannot be used"),
    "NaN": (lambda m: m["bias"].__setitem__(0, float("nan")), "in check 1 of 5"),
}


def _list_points(model: Model) -> list[list[float]]:
    return [xy for check in model["checks"] for xy in check["keypoints"].values()]


@pytest.mark.parametrize("change", CHANGES)
def test_changed_model_is_refused_with_a_sentence(
    change: str, model: Model, tmp_path: Path
) -> None:
    changed = copy.deepcopy(model)
    do, words = CHANGES[change]
    do(changed)
    path = tmp_path / "model.json"
    path.write_text(json.dumps(changed), encoding="utf-8")
    with pytest.raises(ValueError, match=words) as refused:
        read_model(path)
    assert str(refused.value).startswith("model.json cannot be used: ")


@pytest.mark.parametrize("change", ["labels swapped", "two weights swapped"])
def test_new_digest_does_not_hide_a_swap(change: str, model: Model) -> None:
    changed = copy.deepcopy(model)
    CHANGES[change][0](changed)
    changed["digest"] = compute_digest(changed)
    with pytest.raises(ValueError, match="comes out as"):
        check_model(changed)


def test_layout_of_the_file_does_not_matter(model: Model, tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    turned = dict(reversed(model.items()))
    path.write_text(json.dumps(turned, indent=7), encoding="utf-8")
    assert read_model(path) == model


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    with pytest.raises(FileNotFoundError, match="Run the notebook first"):
        read_model(path)
    for text in (b"\xff\xfe", b"{", b"[]"):
        path.write_bytes(text)
        with pytest.raises(ValueError, match=r"model\.json"):
            read_model(path)


def test_another_kind_of_model_is_not_exported() -> None:
    import keras

    classifier = make_classifier()
    deep = keras.Sequential([keras.Input((34,)), keras.layers.Dense(3)])
    with pytest.raises(ValueError, match="Only the posture classifier"):
        build_model(type(classifier)(deep, LABELS, "normalised", "movenet_lightning"))


def test_model_kept_in_git_is_still_read() -> None:
    model = read_model(DEMO)
    assert model["labels"][0] == "arms_raised"


JAVASCRIPT = """
const write = v => Array.isArray(v) ? `[${v.map(write)}]`
  : v && typeof v === "object"
    ? `{${Object.keys(v).sort().map(k => `${JSON.stringify(k)}:${write(v[k])}`)}}`
    : JSON.stringify(v);
const {digest, ...rest} = JSON.parse(require("fs").readFileSync(0, "utf8"));
const hash = require("crypto").createHash("sha256").update(write(rest));
console.log(hash.digest("hex"));
"""


def test_javascript_finds_the_same_digest(model: Model) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("needs node")
    rng = random.Random(0)
    numbers = [rng.uniform(-1, 1) * 10 ** rng.randint(-12, 25) for _ in range(2000)]
    odd = {"z": numbers, "é\U0001f600\ue000": [1.0, 0, -0.0, 1e21, 1e-6, 1e-7, True]}
    for value in (model, odd | {"\U0001f600": "\x7f\x01\n\"'/", "\ue000": None}):
        done = subprocess.run(
            [node, "-e", JAVASCRIPT],
            input=json.dumps(value),
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == compute_digest(value)
