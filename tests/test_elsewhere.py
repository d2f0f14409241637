"""A saved classifier on labelled films of others."""

import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from tests.made_classifiers import make_classifier
from utils.core.files import hash_file
from utils.elsewhere import main, score_elsewhere
from utils.training.softmax import save_classifier


@pytest.fixture
def films(demo_videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one film of the demo and its labels, in eight postures."""
    folder = tmp_path / "other films"
    folder.mkdir()
    film = shutil.copy(demo_videos.resolve() / "person01_a.mp4", folder)
    lines = (demo_videos / "labels.csv").read_text().splitlines()
    kept = [
        line for line in lines if line.startswith(("video,", f"{Path(film).stem},"))
    ]
    (folder / "labels.csv").write_text(
        "\n".join(kept).replace("sitting_chair", "Sitting")
    )
    monkeypatch.chdir(tmp_path)  # what is made again is kept under data/
    return folder


def _save(**options: object) -> str:
    save_classifier(replace(make_classifier(), **options), Path("model.keras"))
    return "model.keras"


def test_films_of_others_are_scored_and_what_is_not_known_is_left_out(
    films: Path,
) -> None:
    model = _save(films=("ab",), people=("person01_a",))
    answer = score_elsewhere(model, films, results="out", every_s=1.0, n_jobs=1)
    right, classes, names, origin = answer.sentences
    assert "labelled frames of 1 person in 1 film (" in right
    assert "one person cannot say" in right
    assert classes.startswith("Recognised: ")
    for unknown in ("arms raised (", "bending (", "lying ("):
        assert unknown in names
    assert names.endswith("nobody shows here: été.")
    assert "people called person01_a: if they are the same" in origin
    table = pd.read_csv("out/test_on_other films.csv")
    assert set(table["label"]) == {"standing", "sitting", "squatting"}
    scores = pd.read_csv("out/test_on_other films_scores.csv").set_index("metric")
    share = (table["recall"] * table["n_frames"]).sum() / table["n_frames"].sum()
    assert scores.loc["accuracy", "estimate"] == pytest.approx(share)


def test_films_that_say_nothing_are_refused_in_a_sentence(
    films: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    learnt = hash_file(films / "person01_a.mp4")
    arguments = [f"--VIDEOS={films}", f"--MODEL={_save(films=(learnt,))}"]
    assert main(arguments) == 1
    assert "learnt from each of these films" in capsys.readouterr().err
    (films / "labels.csv").write_text("video,start_s,end_s,label\nx.mp4,0,1,sitting")
    assert main(arguments) == 1
    said = capsys.readouterr().err
    assert "it names x.mp4, the films are person01_a. The column `video`" in said
    (films / "labels.csv").unlink()
    assert main(arguments) == 1
    assert "There are no labels at" in capsys.readouterr().err
    assert main([f"--VIDEOS={films / 'person01_a.mp4'}", *arguments[1:]]) == 1
    assert "(a file, not a folder)" in capsys.readouterr().err
