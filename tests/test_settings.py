"""Tests of `utils.settings`: what is refused before the first film is touched."""

from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from utils import settings


@pytest.fixture
def notebook() -> nbformat.NotebookNode:
    """Two cells of settings, and one that is none."""
    paths = 'VIDEOS = "videos"\nLABELS = "data/labels.csv"\nRESULTS = "out"'
    numbers = "EVERY_S = 0.2  # seconds\nMIRROR = True\nSEEDS = [0, 1]\nN_JOBS = -1"
    return new_notebook(
        cells=[
            new_code_cell("import utils"),
            new_code_cell(paths, metadata={"tags": ["settings"]}),
            new_code_cell(numbers, metadata={"tags": ["parameters"]}),
            new_code_cell("EVERY_S = read()"),
        ]
    )


def test_defaults_are_the_cells_of_settings(notebook: nbformat.NotebookNode) -> None:
    assert settings.read_defaults(notebook) == {
        "VIDEOS": "videos",
        "LABELS": "data/labels.csv",
        "RESULTS": "out",
        "EVERY_S": 0.2,
        "MIRROR": True,
        "SEEDS": [0, 1],
        "N_JOBS": -1,
    }


def test_settings_take_the_type_of_the_default(notebook: nbformat.NotebookNode) -> None:
    texts = ["RESULTS=1", "EVERY_S=1", "MIRROR=False", "SEEDS=[3]", "VIDEOS=a=b"]
    assert settings.read_settings(texts, notebook) == {
        "RESULTS": "1",
        "EVERY_S": 1.0,
        "MIRROR": False,
        "SEEDS": [3],
        "VIDEOS": "a=b",
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("EVERYS=1", "Unknown setting 'EVERYS=1'. Did you mean EVERY_S?"),
        ("QUITE=1", "Unknown setting 'QUITE=1'. Expected NAME=value"),
        ("EVERY_S", "Expected NAME=value"),
        ("EVERY_S=often", "expected a value like 0.2"),
        ("EVERY_S=True", "expected a value like 0.2"),
        ("MIRROR=maybe", "expected a value like True"),
        ("N_JOBS=True", "expected a value like -1"),
        ("VIDEOS=", "VIDEOS is empty"),
    ],
)
def test_wrong_settings_are_refused_in_one_sentence(
    text: str, words: str, notebook: nbformat.NotebookNode
) -> None:
    with pytest.raises(ValueError, match=words):
        settings.read_settings([text], notebook)


def test_what_make_was_given_comes_before_the_command_line() -> None:
    made = {"POSENET_SET_VIDEOS": "a';touch x;'", "HOME": "/"}
    found = settings.list_given(["EVERY_S=1"], made)
    assert found == ["VIDEOS=a';touch x;'", "EVERY_S=1"]


def test_folders_are_seen_from_where_the_command_was_typed(tmp_path: Path) -> None:
    given = {"VIDEOS": "films", "LABELS": "/l.csv", "EVERY_S": 1.0}
    root, start = tmp_path / "project", tmp_path / "elsewhere"
    assert settings.place_folders(given, start=root, root=root) == given
    placed = settings.place_folders(given, start=start, root=root)
    assert placed == {**given, "VIDEOS": str(start / "films")}
    remote = {"VIDEOS": "s3://films"}
    assert settings.place_folders(remote, start=start, root=root) == remote


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a folder of films, labels and results of an earlier run."""
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos/videos.csv").write_text("video,subject\na,anna\n")
    (tmp_path / "videos/a.mp4").touch()
    (tmp_path / "empty").mkdir()
    (tmp_path / "data/results").mkdir(parents=True)
    (tmp_path / "data/results/videos.csv").write_text("video,path,sha256\n")
    (tmp_path / "data/labels.csv").write_text("video,start_s,end_s,label\na,0,1,sit\n")
    (tmp_path / "file").touch()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/videos.csv").write_text("video,subject\nb,ben\n")
    return tmp_path


FINE = {
    "VIDEOS": "videos",
    "LABELS": "data/labels.csv",
    "RESULTS": "data/results",
    "POSE_MODEL": "movenet_thunder",
    "FEATURES": "normalised",
    "EVERY_S": 0.2,
    "N_FOLDS": 5,
    "SEEDS": [0],
    "FILM_S": 60.0,
    "FILM_FPS": 15,
    "BUDGET": "quick",
    "N_JOBS": -1,
}


def test_what_can_work_passes(project: Path) -> None:
    settings.check_settings(FINE, root=project)
    settings.check_settings(FINE | {"RESULTS": "new/out{1}"}, root=project)
    assert (project / "new/out{1}").is_dir()


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"EVERY_S": 0.0}, "EVERY_S=0.0: expected seconds above 0"),
        ({"EVERY_S": float("inf")}, "expected seconds above 0"),
        ({"N_FOLDS": 1}, "expected 2 or more"),
        ({"SEEDS": []}, "whole numbers from 0 on"),
        ({"SEEDS": [0.5]}, "whole numbers from 0 on"),
        ({"FILM_S": -1.0}, "FILM_S"),
        ({"FILM_FPS": 0}, "FILM_FPS"),
        ({"BUDGET": "big"}, "expected quick or full"),
        ({"CLASSIFIER": "worst"}, "expected best or softmax"),
        ({"LOOKS": "two"}, "LOOKS=two: expected one or all"),
        ({"N_JOBS": 0}, "-1 for all cores"),
        ({"FEATURES": "rough"}, "expected normalised or torso or raw"),
        ({"POSE_MODEL": "yolo"}, "expected movenet_"),
        ({"VIDEOS": "file"}, "VIDEOS=file is a file. Give the folder"),
        ({"VIDEOS": "nowhere"}, "VIDEOS=nowhere: there is no such folder"),
        ({"VIDEOS": "empty"}, "No film"),
        ({"POSE_MODEL": "posenet_100"}, "expected movenet_"),
        ({"POSE_MODEL": "videos"}, "A SavedModel goes into the setting SAVED_MODEL"),
        ({"SAVED_MODEL": "nowhere"}, "SAVED_MODEL=nowhere: there is no such folder"),
        ({"LABELS": "data"}, "is a folder. Give a CSV file"),
        ({"PROGRAM": "paint"}, "PROGRAM=paint: expected boris"),
        ({"IMPORT": "nowhere.csv"}, "IMPORT=nowhere.csv: there is no such file"),
        ({"RESULTS": "file"}, "RESULTS=file is a file"),
        ({"RESULTS": "."}, "the project's own folder"),
        ({"RESULTS": "videos"}, "the folder of your films"),
        ({"RESULTS": "videos/../videos"}, "the folder of your films"),
        ({"RESULTS": "mine"}, "holds a videos.csv that no run has written"),
    ],
)
def test_what_cannot_work_is_refused(
    changed: dict[str, object], words: str, project: Path
) -> None:
    before = {p: p.read_bytes() for p in project.rglob("*") if p.is_file()}
    with pytest.raises((ValueError, OSError), match=words):
        settings.check_settings(FINE | changed, root=project)
    assert {p: p.read_bytes() for p in project.rglob("*") if p.is_file()} == before


def test_without_own_films_those_of_the_demo_and_its_labels_are_checked(
    project: Path,
) -> None:
    demo = project / "videos/demo"
    demo.mkdir()
    (project / "videos/a.mp4").rename(demo / "a.mp4")
    settings.check_settings(FINE, root=project)
    (demo / "labels.csv").write_text("video,start_s,end_s,label\na,2,1,sit\n")
    with pytest.raises(ValueError, match=r"labels.csv, line 2"):
        settings.check_settings(FINE, root=project)
    (demo / "videos.csv").write_text("film,who\na,anna\n")
    with pytest.raises(ValueError, match=r"videos.csv: .*column"):
        settings.check_settings(FINE, root=project)


def test_a_bad_line_of_labels_or_videos_is_told_first(project: Path) -> None:
    (project / "data/labels.csv").write_text("video,start_s,end_s,label\na,2,1,sit\n")
    with pytest.raises(ValueError, match=r"labels.csv, line 2"):
        settings.check_settings(FINE, root=project)
    (project / "data/labels.csv").rename(project / "videos/labels.csv")
    with pytest.raises(ValueError, match=r"labels.csv, line 2"):
        settings.check_settings(FINE, root=project)
    (project / "videos/videos.csv").write_text("film,who\na,anna\n")
    with pytest.raises(ValueError, match=r"videos.csv: .*column"):
        settings.check_settings(FINE, root=project)
