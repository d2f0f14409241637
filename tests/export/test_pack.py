"""The share pack: nothing of people in it but their keypoints, and the same model."""

import csv
import io
import json
import os
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.made_classifiers import FITTED_LABELS, fit_tables, make_doubt, make_tables
from utils.export.model_json import Facts, read_model
from utils.export.pack import Recipe, main, read_pack, retrain, write_pack
from utils.training.softmax import PoseClassifier, load_classifier

ROOT = Path(__file__).parents[2]
FACTS = Facts("Tested on 3 people.", {"accuracy": 0.9}, temperature=1.4)


def _write(folder: Path, classifier: PoseClassifier, facts: Facts = FACTS) -> Path:
    recipe = Recipe(n_epochs=4, seed=5, facts=facts)
    path = folder / "share_pack.zip"
    return write_pack(path, classifier, *make_tables(), recipe=recipe)


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    classifier = replace(fit_tables(), doubt=make_doubt())
    return _write(tmp_path_factory.mktemp("pack"), classifier)


def _change(pack: Path, folder: Path, **contents: bytes | None) -> Path:
    """Copy a pack with parts replaced, or left out."""
    changed = folder / "changed.zip"
    with zipfile.ZipFile(pack) as old, zipfile.ZipFile(changed, "w") as new:
        for name in old.namelist():
            content = contents.get(name.split(".")[0], old.read(name))
            if content is not None:
                new.writestr(name, content)
    return changed


def _read(pack: Path, name: str) -> bytes:
    with zipfile.ZipFile(pack) as archive:
        return archive.read(name)


def test_pack_holds_no_picture_no_path_and_no_name_of_a_person(pack: Path) -> None:
    with zipfile.ZipFile(pack) as archive:
        assert {info.date_time[0] for info in archive.infolist()} == {1980}
        parts = {name: archive.read(name) for name in archive.namelist()}
    assert set(parts) == {
        "README.md",
        "settings.json",
        "model.json",
        "frames.csv",
        "keypoints.parquet",
    }
    keypoints = pd.read_parquet(io.BytesIO(parts["keypoints.parquet"]))
    parts["keypoints.csv"] = keypoints.to_csv().encode()
    for name, content in parts.items():
        for word in ("Zoe", "Müller", "Anna", "Bob", "kitchen", "phone", "/home"):
            assert word.encode() not in content, name
        for magic in (b"\xff\xd8\xff", b"\x89PNG", b"ftyp"):
            assert magic not in content, name


def test_pack_holds_labelled_frames_alone_in_the_order_of_learning(pack: Path) -> None:
    _, _, samples = make_tables()
    held = read_pack(pack)
    assert held.frames["subject"].unique().tolist() == ["person1", "person2", "person3"]
    assert held.frames["video"].unique().tolist() == ["film1", "film2", "film3"]
    for column in ("frame_idx", "label"):
        assert held.frames[column].tolist() == samples[column].tolist()
    np.testing.assert_allclose(held.frames["time_s"], samples["time_s"])
    assert len(held.keypoints) == 17 * len(samples)
    assert held.model["tested_on"]["sentence"] == "Tested on 3 people."
    card = _read(pack, "README.md").decode()
    for words in (*FITTED_LABELS, "person3", "ask the people", "No licence is stated"):
        assert words in card


def test_learning_anew_elsewhere_gives_the_same_bytes(
    pack: Path, tmp_path: Path
) -> None:
    run = [sys.executable, "-m", "utils.export.pack", "--PACK", str(pack)]
    done = subprocess.run(
        [*run, "--RESULTS", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "2"},
    )
    assert done.returncode == 0, done.stderr
    # to the byte on one machine, whatever its processor
    assert done.stdout.startswith("The same model to the byte")
    assert read_model(tmp_path / "retrained/model.json") == read_pack(pack).model
    again = load_classifier(tmp_path / "retrained/pose_softmax.keras")
    x = np.random.default_rng(0).normal(size=(20, 34)).astype(np.float32)
    np.testing.assert_array_equal(again(x), fit_tables()(x))


def test_a_folder_of_this_machine_is_not_told(tmp_path: Path) -> None:
    fitted = fit_tables()
    network = "saved_model:/home/zoe/nets/movenet"
    classifier = PoseClassifier(fitted.model, fitted.classes, fitted.features, network)
    pack = _write(tmp_path, classifier)
    with zipfile.ZipFile(pack) as archive:
        parts = [archive.read(name) for name in archive.namelist()]
    assert not [part for part in parts if b"zoe" in part or b"/nets" in part]
    assert read_pack(pack).model["network"]["name"] == "saved_model:movenet"
    assert retrain(pack)[0].network == "saved_model:movenet"


def test_a_label_is_no_formula_for_a_spreadsheet_and_reads_back(tmp_path: Path) -> None:
    fitted, (keypoints, frames, samples) = fit_tables(), make_tables()
    names = ("=1+1", "'-sit", "@standing")
    samples["label"] = samples["label"].map(
        dict(zip(FITTED_LABELS, names, strict=True))
    )
    classifier = PoseClassifier(fitted.model, names, fitted.features, fitted.network)
    path = tmp_path / "share_pack.zip"
    recipe = Recipe(n_epochs=4, seed=5)
    write_pack(path, classifier, keypoints, frames, samples, recipe=recipe)
    rows = csv.reader(io.StringIO(_read(path, "frames.csv").decode()))
    assert not [cell for row in rows for cell in row if cell.startswith(tuple("=+-@"))]
    assert read_pack(path).frames["label"].tolist() == samples["label"].tolist()


@pytest.mark.parametrize(
    ("features", "mirror"), [("raw", True), ("torso", True), ("normalised", False)]
)
def test_every_way_of_learning_is_learnt_anew(
    features: str, mirror: bool, tmp_path: Path
) -> None:
    classifier = fit_tables(features=features, mirror=mirror)
    pack = _write(tmp_path, classifier, Facts(mirrored=mirror))
    assert retrain(pack)[2].startswith("The same model to the byte")


def test_other_bits_of_the_same_model_are_within_a_millionth(
    pack: Path, tmp_path: Path
) -> None:
    settings = json.loads(_read(pack, "settings.json")) | {"weights_sha256": "other"}
    changed = _change(pack, tmp_path, settings=json.dumps(settings).encode())
    assert retrain(changed)[2].startswith("The same model within 1e-06")


def test_another_model_is_said_to_be_another_and_why(
    pack: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = json.loads(_read(pack, "settings.json")) | {"seed": 6}
    settings["made_with"]["keras"] = "2.0"
    changed = _change(pack, tmp_path, settings=json.dumps(settings).encode())
    assert main(["--PACK", str(changed), "--RESULTS", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert said.startswith("Not the same model: a probability of the 90 frames")
    assert "keras 2.0 there" in said


@pytest.mark.parametrize(
    ("part", "content"),
    [
        ("settings", None),
        ("settings", b'{"format": "other", "version": 1}'),
        ("model", b"{}"),
        ("keypoints", b"nothing"),
        ("frames", b"video\nfilm1\n"),
    ],
)
def test_a_pack_that_is_not_whole_is_refused(
    part: str, content: bytes | None, pack: Path, tmp_path: Path
) -> None:
    changed = _change(pack, tmp_path, **{part: content})
    with pytest.raises(ValueError, match=r"changed\.zip is no whole share pack"):
        read_pack(changed)


def test_what_is_no_pack_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--PACK", str(tmp_path / "no.zip")]) == 1
    assert "make retrain stopped. No share pack at" in capsys.readouterr().err
    (tmp_path / "no.zip").write_bytes(b"text")
    with pytest.raises(ValueError, match="no whole share pack"):
        read_pack(tmp_path / "no.zip")


def test_a_sample_without_its_frame_is_refused(tmp_path: Path) -> None:
    keypoints, frames, samples = make_tables()
    with pytest.raises(ValueError, match="Pass all frames"):
        write_pack(
            tmp_path / "pack.zip",
            fit_tables(),
            keypoints,
            frames.iloc[1:],
            samples,
            recipe=Recipe(4, 5),
        )
