"""One person's session: what is labelled is read back, whatever things are called."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from utils.core.names import normalise_name
from utils.core.tables import check_table
from utils.labelling.clips import Footage
from utils.labelling.formats.convert import export_labels, import_labels
from utils.labelling.labels import label_frames, read_labels
from utils.labelling.session import Session
from utils.labelling.spans import SPECIAL_LABELS

texts = st.text(min_size=1, max_size=60) | st.text(
    st.sampled_from(",;\"'=+-@#\t\n\r\\/{}$<>&|\u00a0\u0308ë🙂\u200b\ufeff .%"),
    min_size=1,
)
names = texts.filter(lambda text: 0 < len(normalise_name(text)) <= 200)


def build_footage(video: str, *, start_s: float = 0.0) -> Footage:
    """Return ten frames of a video, two a second."""
    frames = pd.DataFrame(
        {
            "video": video,
            "frame_idx": np.arange(10),
            "time_s": start_s + np.arange(10) / 2,
            "path": "no.jpg",
            "width_px": 64,
            "height_px": 48,
            "sharpness": 1.0,
        }
    )
    facts = {
        "path": f"{video}.mp4",
        "sha256": "0" * 64,
        "starts_at_s": start_s,
        "duration_s": start_s + 5.0,
        "fps": 2.0,
        "n_frames": 10,
        "width_px": 64,
        "height_px": 48,
        "rotation_deg": 0,
        "is_vfr": False,
        "subject": "x",
    }
    videos = pd.DataFrame([{"video": video} | facts])
    return Footage(check_table(videos, "videos"), check_table(frames, "frames"))


@settings(max_examples=60, deadline=None)
@given(video=names, label=names, who=names)
def test_any_name_is_labelled_read_back_exported_and_imported(
    tmp_path_factory: pytest.TempPathFactory, video: str, label: str, who: str
) -> None:
    folder = tmp_path_factory.mktemp("names")
    path, video = folder / "labels.csv", normalise_name(video)
    footage = build_footage(video)
    session = Session(path, footage, classes=[label], annotator=who)
    class_name = normalise_name(label)
    assert session.describe()["classes"] == [class_name] * (
        class_name not in SPECIAL_LABELS
    )
    session.label(video, 0, 1.0, 3.0, class_name)
    labels = read_labels(path, footage.videos)
    columns = ["video", "start_s", "end_s", "label", "annotator"]
    assert labels[columns].to_numpy().tolist() == [
        [video, 1.0, 3.0, class_name, normalise_name(who)]
    ]
    found = label_frames(footage.frames, labels, keep_unsure=True)
    assert found.notna().sum() == 4
    again = Session(path, footage)
    assert again.annotator == normalise_name(who)
    assert again.describe()["spans"] == [[1.0, 3.0, class_name]]
    for program in ("boris", "csv", "label_studio"):
        (out,) = export_labels(path, footage.videos, folder / "out", program=program)
        copy = folder / f"{program}.csv"
        import_labels(out, footage.videos, copy, program=program)
        back = read_labels(copy, footage.videos)
        assert back[columns].to_numpy().tolist() == labels[columns].to_numpy().tolist()


def test_a_film_whose_clock_starts_late_is_labelled_on_its_clock(
    tmp_path: Path,
) -> None:
    footage = build_footage("late", start_s=93_600.0)
    session = Session(tmp_path / "labels.csv", footage, classes=["sit"])
    assert session.position == 0
    session.label("late", 2, 93_601.0, 93_602.0, "sit")
    assert session.next("late", 0)["position"] == 4
    labels = read_labels(tmp_path / "labels.csv", footage.videos)
    assert label_frames(footage.frames, labels).notna().sum() == 2


def test_where_all_is_one_posture_a_second_is_asked_for(tmp_path: Path) -> None:
    session = Session(tmp_path / "labels.csv", build_footage("v"))
    session.add_class("sitting")
    session.label("v", 0, 0.0, 5.0, "sitting")
    assert "all as sitting. Two postures are needed" in session.next("v", 0)["text"]
    session.add_class("lying")
    session.label("v", 0, 3.0, 5.0, "lying")
    assert "Next: run the cells below" in session.next("v", 0)["text"]


def test_a_look_survives_a_restart_follows_a_rename_and_is_taken_back(
    tmp_path: Path,
) -> None:
    path, footage = tmp_path / "labels.csv", build_footage("film")
    session = Session(path, footage, classes=["sit", "stand"])
    session.look_class("sit", "colour", "#123456")
    session.look_class("stand", "key", "q")
    session.look_class("sit", "key", "q")
    session.rename_class("sit", "sitting")
    again = Session(path, footage, classes=["sit", "stand"])
    looks = {look["name"]: look for look in again.describe_classes()}
    assert (looks["sitting"]["colour"], looks["sitting"]["key"]) == ("#123456", "q")
    assert looks["stand"]["key"] == "2"
    again.undo()  # of the new name
    assert "key of sit" in again.undo()["text"]
    keys = {look["name"]: look["key"] for look in again.describe_classes()}
    assert (keys["sit"], keys["stand"]) == ("1", "q")
    with pytest.raises(ValueError, match="#rrggbb"):
        session.look_class("stand", "colour", "red")


@pytest.mark.parametrize("program", ["boris", "elan", "label_studio", "csv"])
def test_labels_are_exported_beside_the_labels_and_it_is_said_where(
    tmp_path: Path, program: str
) -> None:
    session = Session(tmp_path / "labels.csv", build_footage("film"), classes=["sit"])
    assert "nothing to export" in session.export(program)["text"]
    for end_s in (1.0, 2.0):  # a second export takes the place of the first
        session.label("film", 0, 0.0, end_s, "sit")
        text = session.export(program)["text"]
    (file,) = (tmp_path / "labels_exported").iterdir()
    assert str(file.parent) in text
    assert file.name in text
