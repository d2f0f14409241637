"""Labels to and from other tools, on samples as those tools write them."""

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from utils.labelling.formats.convert import KINDS, export_labels, import_labels

VIDEOS = pd.DataFrame(
    {
        "video": ["person1_a", "clip, two"],
        "path": ["/films/person1_a.mp4", "/films/clip, two.mov"],
        "fps": [15.0, 25.0],
        "duration_s": [21.134, 60.0],
        "subject": ["person1", "person2"],
    }
)
LABELS = pd.DataFrame(
    [
        ("person1_a", 0.0, 2.8, "squatting"),
        ("person1_a", 3.733, 6.667, 't "pose", wide'),
        ("person1_a", 6.667, 10.2, "bending 🙂"),
        ("clip, two", 0.04, 59.96, "none of these"),
    ],
    columns=["video", "start_s", "end_s", "label"],
)
SIGNED = LABELS.assign(annotator=["anna", "anna", float("nan"), "böb"])

BORIS = (
    "Observation id\tObservation date\tDescription\tObservation duration\t"
    "Observation type\tSource\tTime offset (s)\tMedia duration (s)\tFPS\tSubject\t"
    "Behavior\tBehavioral category\tModifier #1\tBehavior type\tTime\t"
    "Media file name\tImage index\tImage file path\tComment\n"
    "obs1\t2024-02-01 10:00:00\t\t21.134\tMedia file(s)\tplayer #1:C:\\films\\"
    "person1_a.mp4\t0.0\t21.134\t15.000\tNo focal subject\tsitting\t\tchair\tSTART\t"
    "1.25\tC:\\films\\person1_a.mp4\t19\tNA\t\n"
    "obs1\t2024-02-01 10:00:00\t\t21.134\tMedia file(s)\tplayer #1:C:\\films\\"
    "person1_a.mp4\t0.0\t21.134\t15.000\tNo focal subject\tblink\t\t\tPOINT\t"
    "2.5\tC:\\films\\person1_a.mp4\t38\tNA\t\n"
    "obs1\t2024-02-01 10:00:00\t\t21.134\tMedia file(s)\tplayer #1:C:\\films\\"
    "person1_a.mp4\t0.0\t21.134\t15.000\tNo focal subject\tsitting\t\tchair\tSTOP\t"
    "4.5\tC:\\films\\person1_a.mp4\t68\tNA\t\n"
)
BORIS_AGGREGATED = (
    "Observation id,Observation date,Description,Media file,Total length,FPS,Subject,"
    "Behavior,Behavioral category,Modifiers,Behavior type,Start (s),Stop (s),"
    "Duration (s),Comment start,Comment stop\n"
    "obs1,2021-12-06 13:26:24,,T:/Video Coding/person1_a.mp4,21.134,15,"
    "No focal subject,sitting,,,STATE,1.250,4.500,3.250,,\n"
)
ELAN = (
    '"#file:///C:/films/person1_a.mp4 -- offset: 0"\n\n'
    "posture\tanna\t00:00:01.250\t1.25\t00:00:04.500\t4.5\t00:00:03.250\t3.25\tsitting\n"
    "posture\tanna\t00:00:05.000\t5.0\t00:00:06.000\t6.0\t00:00:01.000\t1.0\tlying\n"
)
ELAN_TIERS = (
    "Begin Time - msec\tEnd Time - msec\tDuration - msec\tposture\n"
    "1250\t4500\t3250\tsitting\n"
)
LABEL_STUDIO = """[{"id": 7, "data": {"video": "/data/upload/2/0a1b2c3d-person1_a.mp4"},
 "annotations": [{"id": 3, "completed_by": 1, "was_cancelled": false, "result": [
   {"id": "a", "type": "timelinelabels", "from_name": "l", "to_name": "video",
    "value": {"ranges": [{"start": 16, "end": 30}], "timelinelabels": ["sitting"]}},
   {"id": "b", "type": "timelinelabels", "from_name": "l", "to_name": "video",
    "value": {"framesCount": 300, "sequence": []}},
   {"id": "b", "type": "videorectangle", "value": {"sequence": []}}]}]}]"""


def read(folder: Path, text: str, kind: str, name: str = "export.txt") -> list[tuple]:
    (folder / name).write_text(text, encoding="utf-8")
    labels = import_labels(folder / name, VIDEOS, kind=kind)
    return list(labels.itertuples(index=False, name=None))


@pytest.mark.parametrize("labels", [LABELS, SIGNED], ids=["unsigned", "signed"])
@pytest.mark.parametrize("kind", KINDS)
def test_labels_survive_a_round_trip(
    tmp_path: Path, kind: str, labels: pd.DataFrame
) -> None:
    export_labels(labels, tmp_path / "out", VIDEOS, kind=kind)
    back = import_labels(tmp_path / "out", VIDEOS, kind=kind)
    order = ["video", "start_s"]
    pd.testing.assert_frame_equal(
        back.sort_values(order, ignore_index=True),
        labels.sort_values(order, ignore_index=True),
        check_dtype=False,
    )


def test_reads_what_boris_exports(tmp_path: Path) -> None:
    expected = [("person1_a", 1.25, 4.5, "sitting")]
    assert read(tmp_path, BORIS, "boris") == expected
    assert read(tmp_path, BORIS_AGGREGATED, "boris") == expected
    assert read(tmp_path, BORIS.replace("\n", "\r\n"), "boris") == expected


def test_counts_the_point_events_it_leaves_out(tmp_path: Path) -> None:
    (tmp_path / "b.tsv").write_text(BORIS)
    labels = import_labels(tmp_path / "b.tsv", VIDEOS, kind="boris")
    assert labels.attrs["n_skipped"] == 1


def test_reads_what_elan_exports(tmp_path: Path) -> None:
    first = ("person1_a", 1.25, 4.5, "sitting")
    assert read(tmp_path, ELAN, "elan") == [
        (*first, "anna"),
        ("person1_a", 5.0, 6.0, "lying", "anna"),
    ]
    assert read(tmp_path, ELAN_TIERS, "elan", "person1_a.txt") == [first]


def test_reads_what_label_studio_exports(tmp_path: Path) -> None:
    assert read(tmp_path, LABEL_STUDIO, "label_studio") == [
        ("person1_a", 1.0, 2.0, "sitting")
    ]


def test_label_studio_may_count_at_another_rate_than_the_film(tmp_path: Path) -> None:
    export_labels(
        LABELS[:1], tmp_path / "x", VIDEOS, kind="label_studio", options={"fps": 24}
    )
    back = import_labels(tmp_path / "x", VIDEOS, kind="label_studio", fps=24)
    assert back["end_s"].tolist() == [pytest.approx(2.8, abs=1 / 48)]


@pytest.mark.parametrize(
    ("kind", "text", "problem"),
    [
        ("boris", "a,b\n1,2\n", "expected an export of events by BORIS"),
        ("boris", BORIS.rsplit("obs1", 1)[0], "line 2: 'sitting' starts and never"),
        ("boris", BORIS.replace("START", "STOP"), "line 2: 'sitting' stop has no"),
        ("boris", BORIS.replace("\t1.25\t", "\t0:01\t"), "line 2: expected seconds in"),
        ("boris", BORIS.replace("\t0.0\t21", "\t5.0\t21"), "shifted by an offset of 5"),
        ("boris", BORIS.replace("\t4.5\t", "\t1.25\t"), "ends at 1.25 s, not after"),
        ("elan", "\n", "expected tab-delimited annotations, found none"),
        ("elan", "posture sitting\n", "line 1: expected begin and end time in columns"),
        ("elan", ELAN_TIERS.replace("sitting", ""), "line 2: expected one annotation"),
        ("label_studio", "{", "is not JSON"),
        ("label_studio", '[{"a": 1}]', "expected tasks with annotations"),
        ("label_studio", LABEL_STUDIO.replace("person1", "nobody"), "no video"),
        ("label_studio", LABEL_STUDIO.replace("16", "0"), "expected frames from 1 up"),
    ],
)
def test_what_cannot_be_read_is_said_in_one_sentence(
    tmp_path: Path, kind: str, text: str, problem: str
) -> None:
    with pytest.raises(ValueError, match=problem) as caught:
        read(tmp_path, text, kind)
    assert "\n" not in str(caught.value)


def test_an_unknown_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Expected kind csv"):
        import_labels(tmp_path / "x", VIDEOS, kind="excel")
    with pytest.raises(FileNotFoundError, match="No file of labels"):
        import_labels(tmp_path / "x", VIDEOS, kind="csv")


@settings(max_examples=60, deadline=None)
@given(
    kind=st.sampled_from(KINDS),
    cut=st.integers(0, 1000),
    junk=st.text(max_size=20),
    sample=st.sampled_from([BORIS, BORIS_AGGREGATED, ELAN, ELAN_TIERS, LABEL_STUDIO]),
)
def test_a_spoilt_export_gives_labels_or_one_clear_error(
    tmp_path_factory: pytest.TempPathFactory,
    kind: str,
    cut: int,
    junk: str,
    sample: str,
) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "spoilt"
    spoilt = sample[:cut] + junk + sample[cut + len(junk) :]
    path.write_bytes(spoilt.encode("utf-8", "surrogatepass"))
    try:
        labels = import_labels(path, VIDEOS, kind=kind)
    except ValueError as error:
        assert "spoilt" in str(error)
    else:
        assert (labels["start_s"] < labels["end_s"]).all()
