"""Every form of a classifier: the same answers as the notebook's, or a refusal."""

import json
import runpy
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.made_classifiers import LABELS, make_classifier, make_doubt
from utils.core.skeleton import FEATURE_COLUMNS, KEYPOINTS
from utils.export.forms import CARD, main, write, write_forms
from utils.export.model_json import (
    Facts,
    Model,
    build_model,
    build_numbers,
    predict_poses,
    read_model,
)
from utils.export.onnx_file import load_onnx
from utils.export.tflite import (
    load_posture_51,
    load_posture_picture,
    write_posture_picture,
)
from utils.pose.features import KINDS, normalise_poses
from utils.predict.steady import NONE_BELOW

N_POSES = 1000
TEMPERATURE = 1.7


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export")
    facts = Facts("Tested on 3 people.", temperature=TEMPERATURE)
    write(make_classifier(with_doubt=True), folder, facts, page=False)
    return folder


@pytest.fixture(scope="module")
def numbers(demo_videos: Path) -> np.ndarray:
    """1,000 true poses of the demo's people, as exports take them."""
    table = pd.read_csv(demo_videos / "true_keypoints.csv")
    columns = [f"{column}_px" for column in FEATURE_COLUMNS]
    xy = table[columns].to_numpy().reshape(len(table), len(KEYPOINTS), 2)
    rows = np.linspace(0, len(xy) - 1, N_POSES).astype(int)
    scores = np.full((N_POSES, len(KEYPOINTS), 1), 0.9)
    return build_numbers(np.concatenate([xy[rows], scores], axis=2))


def _normalise(numbers: np.ndarray) -> np.ndarray:
    yxs = numbers.reshape(-1, len(KEYPOINTS), 3).astype(np.float64)
    return normalise_poses(yxs[:, :, [1, 0]]).reshape(N_POSES, -1).astype(np.float32)


@pytest.fixture(scope="module")
def answers(numbers: np.ndarray) -> np.ndarray:
    """What the notebook's Keras model makes of them, at the temperature."""
    shares = make_classifier()(_normalise(numbers)) ** (1 / TEMPERATURE)
    return shares / shares.sum(axis=1, keepdims=True)


Answers = tuple[list[str], np.ndarray, list[bool]]  # labels, shares, none of these


def _run_tflite(path: Path, numbers: np.ndarray) -> Answers:
    from ai_edge_litert.interpreter import Interpreter
    from ai_edge_litert.schema_py_generated import Model as Schema

    content = path.read_bytes()
    graph = Schema.GetRootAs(content, 0)
    entries = [graph.Metadata(i) for i in range(graph.MetadataLength())]
    buffer = next(e.Buffer() for e in entries if e.Name() == b"model.json")
    labels = json.loads(graph.Buffers(buffer).DataAsNumpy().tobytes())["labels"]
    run = Interpreter(model_content=content).get_signature_runner()
    rows = [run(keypoints=row[None]) for row in numbers]
    shares = np.array([row["probabilities"][0] for row in rows])
    return labels, shares, [row.get("unlike", [-1])[0] > 0 for row in rows]


def _run_onnx(path: Path, numbers: np.ndarray) -> Answers:
    import onnxruntime

    session = onnxruntime.InferenceSession(path)
    text = session.get_modelmeta().custom_metadata_map["model.json"]
    shares, *unlike = session.run(None, {"keypoints": numbers})
    return json.loads(text)["labels"], shares, [bool(x > 0) for u in unlike for x in u]


def _run_python(path: Path, numbers: np.ndarray) -> Answers:
    table = path.with_name("numbers.csv")
    np.savetxt(table, numbers, delimiter=",", fmt="%.9g")
    run = [sys.executable, path.name, table.name]
    done = subprocess.run(
        run, cwd=path.parent, capture_output=True, text=True, check=True
    )
    labels, *rows = done.stdout.splitlines()
    shares = np.array([row.split(",") for row in rows], float)
    unlike = runpy.run_path(str(path))["measure"](numbers)
    return labels.split(","), shares, (unlike > 0).tolist()


def _compile(path: Path, *, compiler: str = "gcc") -> Path:
    if shutil.which(compiler) is None:
        pytest.skip(f"needs {compiler}")
    language = {"gcc": ["-std=c99", "-xc"], "g++": ["-std=c++11", "-xc++"]}[compiler]
    program = path.with_suffix(".out")
    flags = ["-O2", "-Wall", "-Wextra", "-Werror", "-pedantic", "-DPOSTURE_MAIN"]
    run = [compiler, *language, *flags, path, "-o", program, "-lm"]
    subprocess.run(run, check=True)
    return program


def _run_c(path: Path, numbers: np.ndarray) -> Answers:
    program = _compile(path)
    run = {"capture_output": True, "text": True, "check": True}
    labels = subprocess.run([program, "labels"], **run).stdout.splitlines()
    text = "\n".join(" ".join(f"{n:.9g}" for n in row) for row in numbers)
    lines = subprocess.run([program], input=text, **run).stdout.splitlines()
    rows = np.array([line.split(" ")[: len(labels)] for line in lines], float)
    sure = rows.max(axis=1) >= NONE_BELOW
    none = [line.endswith(" none of these") for line in lines]
    return labels, rows, (np.array(none) & sure).tolist()


RUNS = {
    "posture_51.tflite": _run_tflite,
    "posture.onnx": _run_onnx,
    "posture.py": _run_python,
    "posture.h": _run_c,
}


@pytest.mark.parametrize("name", RUNS)
def test_form_gives_the_classifiers_answers_on_1000_poses(
    name: str, folder: Path, numbers: np.ndarray, answers: np.ndarray
) -> None:
    labels, shares, is_none = RUNS[name](folder / name, numbers)
    assert labels == list(LABELS)
    np.testing.assert_allclose(shares, answers, rtol=0, atol=1e-5)
    expected = make_doubt()(_normalise(numbers))
    if name == "posture.h":  # it names a pose: what is not probable is none as well
        expected &= answers.max(axis=1) >= NONE_BELOW
    assert 0 < expected.sum() < N_POSES
    assert is_none == expected.tolist()


def test_model_json_gives_the_classifiers_answers_on_1000_poses(
    folder: Path, numbers: np.ndarray, answers: np.ndarray
) -> None:
    poses = numbers.reshape(-1, len(KEYPOINTS), 3)[:, :, [1, 0, 2]].astype(float)
    shares = predict_poses(
        read_model(folder / "model.json"), poses, np.ones((N_POSES, 2))
    )
    np.testing.assert_allclose(shares, answers, rtol=0, atol=1e-5)


def _miss(numbers: np.ndarray) -> np.ndarray:
    """Take one keypoint in eight away; of the first pose, all."""
    missing = np.random.default_rng(0).random((len(numbers), len(KEYPOINTS), 1)) < 0.125
    missing[:, KEYPOINTS.index("left_hip")] = False  # `torso` needs one
    missing[0] = True
    missed = numbers.reshape(-1, len(KEYPOINTS), 3).copy()
    missed[np.broadcast_to(missing, missed.shape)] = np.nan
    return missed.reshape(len(numbers), -1)


@pytest.mark.parametrize("features", KINDS)
def test_forms_agree_on_poses_with_missing_keypoints(
    features: str, tmp_path: Path, numbers: np.ndarray
) -> None:
    model = build_model(make_classifier(features=features, with_doubt=True))
    write_forms(model, tmp_path, page=False)
    missed = _miss(numbers[:50] / (240 if features == "raw" else 1))
    poses = missed.reshape(-1, len(KEYPOINTS), 3)[:, :, [1, 0, 2]].astype(float)
    expected = predict_poses(model, poses[1:], np.ones((49, 2)))
    for name, run in RUNS.items():
        shares = run(tmp_path / name, missed)[1]
        assert np.isnan(shares[0]).all(), name
        np.testing.assert_allclose(shares[1:], expected, rtol=0, atol=1e-5)


def test_python_file_needs_numpy_alone_and_checks_itself(folder: Path) -> None:
    code = (
        "import sys, posture; print(posture.check() < 1e-5, "
        "{'pandas', 'scipy', 'tensorflow', 'keras', 'utils'} & set(sys.modules))"
    )
    for run in ([sys.executable, "posture.py"], [sys.executable, "-c", code]):
        done = subprocess.run(
            run, cwd=folder, capture_output=True, text=True, check=True
        )
        assert done.stdout.startswith(("All 5 checks come out", "True set()"))


def test_python_file_names_postures_and_refuses_another_order(folder: Path) -> None:
    posture = runpy.run_path(str(folder / "posture.py"))
    model = read_model(folder / "model.json")
    check = model["checks"][0]
    pose = np.array([[check["keypoints"][name] for name in KEYPOINTS]])
    numbers = build_numbers(np.concatenate([pose, pose, pose * [1, 1, 0.1]]))
    best = max(check["probabilities"], key=check["probabilities"].get)
    sure = check["probabilities"][best] >= model["none_below"] and check["unlike"] <= 0
    name = best if sure else "none of these"
    assert posture["name"](numbers) == [name, name, "nobody"]
    with pytest.raises(ValueError, match="Put yours into this order"):
        posture["predict"](numbers, keypoints=sorted(KEYPOINTS))
    with pytest.raises(ValueError, match=r"shape \(n, 51\)"):
        posture["predict"](numbers[:, :34])


@pytest.mark.parametrize("compiler", ["gcc", "g++"])
def test_header_compiles_without_a_warning_and_checks_itself(
    compiler: str, folder: Path
) -> None:
    program = _compile(folder / "posture.h", compiler=compiler)
    run = {"capture_output": True, "text": True, "check": True}
    done = subprocess.run([program], stdin=subprocess.DEVNULL, **run)
    assert done.stdout == "All 5 checks come out.\n"


ODD = ("a\"'\\", "??/ */ @x@", '"""', "été\U0001f600")


def test_odd_names_of_postures_come_through(
    tmp_path: Path, numbers: np.ndarray
) -> None:
    write_forms(build_model(make_classifier(labels=ODD)), tmp_path, page=False)
    for name in ("posture_51.tflite", "posture.onnx", "posture.h"):
        assert RUNS[name](tmp_path / name, numbers[:1])[0] == list(ODD)
    code = "import posture; print(posture.LABELS)"
    run = {"cwd": tmp_path, "capture_output": True, "text": True, "check": True}
    done = subprocess.run([sys.executable, "-X", "utf8", "-c", code], **run)
    assert eval(done.stdout) == list(ODD)


def _start_python(path: Path) -> None:
    run = [sys.executable, "-c", "import posture"]
    done = subprocess.run(run, cwd=path.parent, capture_output=True, text=True)
    if done.returncode:
        raise ValueError(done.stderr)


def _start_c(path: Path) -> None:
    done = subprocess.run([_compile(path)], input="", capture_output=True, text=True)
    if done.returncode:
        raise ValueError(done.stderr)


LOADERS: dict[str, Callable[[Path], object]] = {
    "model.json": read_model,
    "posture_51.tflite": load_posture_51,
    "posture_picture.tflite": load_posture_picture,
    "posture.onnx": load_onnx,
    "posture.py": _start_python,
    "posture.h": _start_c,
}


@pytest.mark.parametrize("name", LOADERS)
def test_loader_takes_what_was_written(name: str, folder: Path) -> None:
    LOADERS[name](folder / name)


def _change(content: bytes, change: str, model: Model, *, is_c: bool) -> bytes:
    """Swap two neighbouring names, or two weights, without changing the length."""
    gap = b",\n    " if is_c else b", "
    if change == "weights":
        # a text file holds them as text, the others as float32
        first, second = sorted(model["weights"][20][1:3])
        pairs = [np.float32([x]).tobytes() for x in (first, second)]
        texts = [f"{x:.9g}".encode() for x in (first, second)]
        for a, b in (pairs, texts):
            if a in content and b in content:
                content = content.replace(a, b"<swap>").replace(b, a)
                content = content.replace(b"<swap>", b)
        return content
    names = model[change][:2]
    first, second = (f'"{name}"'.encode() for name in names)
    assert first + gap + second in content
    return content.replace(first + gap + second, second + gap + first)


@pytest.mark.parametrize("change", ["labels", "keypoints", "weights"])
@pytest.mark.parametrize("name", LOADERS)
def test_loader_refuses_what_was_swapped(
    name: str, change: str, folder: Path, tmp_path: Path
) -> None:
    model = read_model(folder / "model.json")
    content = (folder / name).read_bytes()
    changed = _change(content, change, model, is_c=name.endswith(".h"))
    assert changed != content
    (tmp_path / name).write_bytes(changed)
    with pytest.raises(ValueError, match=r"cannot be used.*(?s:.*)xport it again"):
        LOADERS[name](tmp_path / name)


@pytest.mark.parametrize("name", LOADERS)
def test_loader_refuses_what_is_no_export(name: str, tmp_path: Path) -> None:
    if name in ("posture.py", "posture.h"):
        pytest.skip("these are run, not loaded")
    path = tmp_path / name
    with pytest.raises(FileNotFoundError, match="at "):
        LOADERS[name](path)
    path.write_bytes(b"something else")
    with pytest.raises(ValueError, match="xport it again"):
        LOADERS[name](path)


def test_picture_form_finds_the_keypoints_and_probabilities_of_the_pipeline(
    folder: Path, demo_videos: Path
) -> None:
    import cv2

    from utils.pose.crop import frame_square
    from utils.pose.networks import load_network, sample_movenet_square

    film = cv2.VideoCapture(str(demo_videos / "person01_a.mp4"))
    picture = cv2.cvtColor(film.read()[1], cv2.COLOR_BGR2RGB)
    film.release()
    square = frame_square((picture.shape[1], picture.shape[0]))
    loaded = load_posture_picture(folder / "posture_picture.tflite")
    pixels = sample_movenet_square(picture, square, 192).astype(np.uint8)
    shares, keypoints = loaded.predict(pixels)
    pose = load_network("movenet_lightning")(picture, square)
    np.testing.assert_allclose(
        keypoints[:, [1, 0]] * square.side_px + square[:2], pose[:, :2], atol=1e-3
    )
    sizes = np.array([[picture.shape[1], picture.shape[0]]])
    expected = predict_poses(read_model(folder / "model.json"), pose[None], sizes)
    np.testing.assert_allclose(shares, expected[0], rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("features", "network"), [("raw", "movenet_lightning"), ("normalised", "posenet")]
)
def test_picture_form_is_left_out_where_it_would_be_wrong(
    features: str, network: str, tmp_path: Path
) -> None:
    classifier = make_classifier(features=features)
    classifier = type(classifier)(classifier.model, LABELS, features, network)
    model = build_model(classifier)
    with pytest.raises(ValueError, match=r"Use posture_51\.tflite"):
        write_posture_picture(model, tmp_path / "posture_picture.tflite")
    files = write_forms(model, tmp_path, page=False)["file"]
    assert "posture_picture.tflite" not in set(files)
    assert not list(tmp_path.glob("*picture*"))


def test_one_call_writes_all_with_a_card_and_the_page(tmp_path: Path) -> None:
    table = write(make_classifier(), tmp_path, Facts("Tested on 3 people."))
    assert {path.name for path in tmp_path.iterdir()} == {*table["file"], CARD}
    assert table["difference"].max() <= 1e-5
    assert read_model(tmp_path / "live/model.json") == read_model(
        tmp_path / "model.json"
    )
    card = (tmp_path / CARD).read_text(encoding="utf-8")
    for words in (*table["file"], *LABELS, *KEYPOINTS, "Tested on 3 people."):
        assert words in card


def test_command_exports_a_model_again_or_says_why_not(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--RESULTS", str(tmp_path)]) == 1
    assert "No classifier in" in capsys.readouterr().err
    (tmp_path / "export").mkdir()
    shutil.copy(folder / "model.json", tmp_path / "export")
    assert main(["--RESULTS", str(tmp_path)]) == 0
    assert "posture_51.tflite" in capsys.readouterr().out
    for name in ("model.json", "posture.h", "posture.py"):
        assert (tmp_path / "export" / name).read_bytes() == (folder / name).read_bytes()
