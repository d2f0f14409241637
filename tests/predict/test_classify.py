"""A saved classifier on a new film."""

from pathlib import Path

import pandas as pd
import pytest

from tests.made_classifiers import LABELS, make_classifier
from tests.made_films import make_film
from utils.predict.__main__ import main
from utils.predict.classify import predict_video
from utils.training.softmax import save_classifier
from utils.video.reader import read_video


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "pose_best.keras"
    save_classifier(make_classifier(), path)
    return path


def test_new_film_is_labelled_from_its_path_alone(
    model: Path, demo_videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = (demo_videos / "person01_a.mp4").resolve()
    monkeypatch.chdir(tmp_path)  # what is made again is kept under data/
    found = predict_video(
        film, model, results=tmp_path / "out", every_s=1.0, fps=0, n_jobs=1
    )
    written = pd.read_csv(tmp_path / "out/person01_a_postures.csv")
    assert set(found.postures["label"]) <= set(LABELS)
    assert len(written) == len(found.postures) > 0
    assert set(written["video"]) == {"person01_a"}
    assert found.annotated is None


def test_what_is_no_film_is_refused_in_a_sentence(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(FileNotFoundError, match="There is no film at"):
        predict_video(tmp_path / "film.mp4", model)
    text = tmp_path / "text.mp4"
    text.write_text("no film")
    assert main([str(text), "--results", str(model.parent)]) == 1
    assert "make predict stopped. text" in capsys.readouterr().err


def test_a_films_name_commands_no_terminal(
    model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    film = make_film(tmp_path / "a\n\x1b[2Jb.mp4", n_frames=2)
    assert main([str(film), str(model), "--results", "out"]) == 0
    (tmp_path / "a\x1b[2J.mp4").write_text("no film")
    assert main(["a\x1b[2J.mp4", str(model)]) == 1
    printed = capsys.readouterr()
    assert "\x1b" not in printed.out + printed.err
    assert (tmp_path / "out/a [2Jb_annotated.mp4").is_file()


@pytest.mark.parametrize("name", ["starts_100s.webm", "firstpts_10_sec.mp4"])
def test_a_film_that_starts_late_is_labelled_and_annotated_on_its_own_clock(
    name: str,
    model: Path,
    shared: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    film = shared / "cases" / "films" / name
    found = predict_video(
        film, model, results=tmp_path / "out", every_s=0.5, fps=5, n_jobs=1
    )
    first_s, last_s = {"s": (100.0, 104.0), "f": (10.0, 14.0)}[name[0]]
    # with made weights the first frames may be none of these
    assert first_s <= found.postures["start_s"].min() <= first_s + 1
    assert found.postures["end_s"].max() == pytest.approx(last_s, abs=0.1)
    frames = list(read_video(found.annotated))
    assert len(frames) == pytest.approx(20, abs=1)


def test_the_annotated_film_lasts_as_long_as_the_film_itself(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    # 10 a second, then a pause of 3 s; wanted are 15 a second
    times_ms = [100 * number + 3000 * (number >= 10) for number in range(20)]
    film = make_film(tmp_path / "film.mkv", times_ms=times_ms)
    found = predict_video(film, model, results=tmp_path, every_s=0.5, n_jobs=1)
    times_s = [frame.time_s for frame in read_video(found.annotated)]
    assert times_s == pytest.approx([time_ms / 1000 for time_ms in times_ms], abs=1e-3)
