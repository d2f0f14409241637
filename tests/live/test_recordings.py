"""Recordings on disk: what was acknowledged is there, and the project takes it."""

from pathlib import Path

import pytest

from tests.made_films import make_film
from utils.labelling.csv_store import read_labels_file
from utils.live.recordings import Recordings
from utils.video.catalogue import list_videos


@pytest.fixture
def recordings(tmp_path: Path) -> Recordings:
    return Recordings(tmp_path / "videos", tmp_path / "data/labels.csv")


def _begin(recordings: Recordings, name: str = "me_1", who: str = "me") -> None:
    recordings.keep("begin", {"name": name, "who": who, "suffix": ".mp4"})


def test_a_recording_is_a_film_with_a_person_and_labels(
    recordings: Recordings, tmp_path: Path
) -> None:
    film = make_film(tmp_path / "film.mp4", n_frames=30).read_bytes()
    _begin(recordings)
    recordings.keep("add", {"name": "me_1"}, film[:1000])
    recordings.keep("add", {"name": "me_1"}, film[1000:])
    span = {"name": "me_1", "start_s": "0.5", "end_s": 1.25, "label": "sitting, low"}
    recordings.keep("label", span)
    recordings.keep("end", {"name": "me_1"})
    table, problems = list_videos(tmp_path / "videos", also=tmp_path / "videos")
    assert table[["video", "subject"]].to_numpy().tolist() == [["me_1", "me"]]
    assert problems.empty
    labels = read_labels_file(recordings.labels)
    assert labels[["video", "start_s", "end_s", "label"]].to_numpy().tolist() == [
        ["me_1", 0.5, 1.25, "sitting, low"]
    ]


def test_what_was_acknowledged_is_there_without_an_end(recordings: Recordings) -> None:
    _begin(recordings)
    recordings.keep("add", {"name": "me_1"}, b"abc")
    assert (recordings.videos / "me_1.mp4").read_bytes() == b"abc"


def test_lines_of_videos_csv_stay_and_its_columns_are_kept(
    recordings: Recordings,
) -> None:
    recordings.videos.mkdir()
    path = recordings.videos / "videos.csv"
    path.write_text("camera,video,subject\nroom,a,ada", encoding="utf-8")
    _begin(recordings, who='A "B", C')
    _begin(recordings, "me_2", who="=1+1")
    assert path.read_text(encoding="utf-8") == (
        'camera,video,subject\nroom,a,ada\n,me_1,"A ""B"", C"\n'
        ",me_2,'=1+1\n"  # a spreadsheet shows it, and does not reckon
    )


def test_labels_of_before_stay(recordings: Recordings) -> None:
    recordings.labels.parent.mkdir()
    recordings.labels.write_text("video,start_s,end_s,label\na,1,2,lying\n")
    _begin(recordings)
    span = {"name": "me_1", "start_s": 0, "end_s": 1, "label": "sitting"}
    recordings.keep("label", span)
    assert read_labels_file(recordings.labels)["label"].tolist() == ["lying", "sitting"]


@pytest.mark.parametrize("name", ["../x", ".x", "a/b", ""])
def test_a_name_that_leaves_the_folder_is_refused(
    name: str, recordings: Recordings
) -> None:
    with pytest.raises(ValueError, match=r"cannot be the name|Expected a"):
        _begin(recordings, name)
    assert not list(recordings.videos.parent.rglob("*.mp4"))


def test_nothing_is_written_over_and_nothing_kept_that_was_not_begun(
    recordings: Recordings,
) -> None:
    recordings.videos.mkdir()
    (recordings.videos / "me_1.mp4").write_bytes(b"mine")
    with pytest.raises(FileExistsError):
        _begin(recordings)
    with pytest.raises(ValueError, match="No recording"):
        recordings.keep("add", {"name": "me_1"}, b"x")
    assert (recordings.videos / "me_1.mp4").read_bytes() == b"mine"


def test_labels_that_the_films_bring_are_not_forgotten(recordings: Recordings) -> None:
    recordings.videos.mkdir()
    brought = recordings.videos / "labels.csv"
    brought.write_text("video,start_s,end_s,label\na,1,2,lying\n")
    _begin(recordings)
    span = {"name": "me_1", "start_s": 0, "end_s": 1, "label": "sitting"}
    recordings.keep("label", span)
    assert read_labels_file(recordings.labels)["label"].tolist() == ["lying", "sitting"]
    assert "sitting" not in brought.read_text()
