"""Labels to and from other tools, on samples as those tools write them."""

import json
import re
import shutil
import time
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from utils.labelling.actions import Action
from utils.labelling.csv_store import format_labels, parse_labels, split_labels
from utils.labelling.formats.convert import PROGRAMS, export_labels, import_labels
from utils.labelling.journal import LabelLog
from utils.labelling.labels import read_labels
from utils.labelling.spans import Span
from utils.video.catalogue import list_videos

VIDEOS = pd.DataFrame(
    {
        "video": ["person1_a", "clip, two"],
        "path": ["/films/person1_a.mp4", "/films/clip, two.mov"],
        "fps": [15.0, 25.0],
        "duration_s": [21.134, 60.0],
        "subject": ["person1", "person2"],
        "sha256": ["1", "2"],
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


def read(
    folder: Path,
    text: str,
    program: str,
    name: str = "export.txt",
    videos: pd.DataFrame = VIDEOS,
    **options: object,
) -> list[tuple]:
    """Import a text into an empty labels file; return what that holds then."""
    (folder / name).write_text(text, encoding="utf-8")
    labels_path = folder / f"{len(list(folder.iterdir()))}.csv"
    import_labels(folder / name, videos, labels_path, program=program, **options)
    labels = parse_labels(labels_path.read_bytes())
    labels = labels.drop(columns="labelled_at", errors="ignore")
    return [
        tuple(cell for cell in row if not pd.isna(cell))
        for row in labels.itertuples(index=False)
    ]


def write_labels(labels: pd.DataFrame, path: Path) -> Path:
    """Write a labels file."""
    spans = split_labels(labels).items()
    path.write_bytes(format_labels((v, span) for v, part in spans for span in part))
    return path


@pytest.mark.parametrize("labels", [LABELS, SIGNED], ids=["unsigned", "signed"])
@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("start_s", [0.0, 7.5, 1.7e9])
@pytest.mark.parametrize("fps", [[15.0, 25.0], [0.07, float("nan")], [29.97, 7.0]])
def test_labels_survive_a_round_trip(
    tmp_path: Path, program: str, labels: pd.DataFrame, start_s: float, fps: list
) -> None:
    videos = VIDEOS.assign(
        fps=fps, starts_at_s=start_s, duration_s=VIDEOS["duration_s"] + start_s
    )
    moved = labels.assign(
        start_s=labels["start_s"] + start_s, end_s=labels["end_s"] + start_s
    )
    mine, theirs = write_labels(moved, tmp_path / "mine.csv"), tmp_path / "theirs.csv"
    for path in export_labels(mine, videos, tmp_path / "out", program=program):
        import_labels(path, videos, theirs, program=program)
    assert sorted(theirs.read_text().split()) == sorted(mine.read_text().split())


@pytest.mark.parametrize(
    ("name", "start_s"), [("firstpts_10_sec.mp4", 10.0), ("starts_100s.webm", 100.0)]
)
def test_an_event_lies_where_the_other_program_showed_it(
    tmp_path: Path, shared: Path, name: str, start_s: float
) -> None:
    shutil.copy(shared / "cases/films" / name, tmp_path)
    videos, _ = list_videos(tmp_path)
    stem = name.split(".")[0]
    text = BORIS.replace("person1_a.mp4", name)
    for program, content in (("boris", text), ("elan", ELAN_TIERS)):
        content = content.replace("4500", "2500").replace("\t4.5\t", "\t2.5\t")
        found = read(tmp_path, content, program, f"{stem}.txt", videos)
        assert found == [(stem, start_s + 1.25, start_s + 2.5, "sitting")]
    labels_path = tmp_path / "own.csv"
    labels_path.write_text(f"video,start_s,end_s,label\n{stem},1,2,sit\n")
    with pytest.raises(ValueError, match=f"which runs from {start_s:.3f} to"):
        read_labels(labels_path, videos)


def test_elan_reads_what_is_exported_to_it(tmp_path: Path) -> None:
    from pympi.Elan import Eaf

    mine = write_labels(SIGNED, tmp_path / "mine.csv")
    first, _ = export_labels(mine, VIDEOS, tmp_path / "out", program="elan")
    eaf = Eaf(str(first))
    assert first.name == "person1_a.eaf"
    assert eaf.get_annotation_data_for_tier("posture anna")[0] == (0, 2800, "squatting")
    assert eaf.media_descriptors[0]["MEDIA_URL"] == "person1_a.mp4"


def test_an_export_never_replaces_what_says_something_else(tmp_path: Path) -> None:
    mine = write_labels(LABELS, tmp_path / "mine.csv")
    (path,) = export_labels(mine, VIDEOS, tmp_path, program="boris")
    export_labels(mine, VIDEOS, tmp_path, program="boris")  # the same: no matter
    path.write_text("work of hours")
    with pytest.raises(FileExistsError, match="already and says something else"):
        export_labels(mine, VIDEOS, tmp_path, program="boris")
    assert path.read_text() == "work of hours"
    export_labels(mine, VIDEOS, path, program="boris", overwrite=True)
    assert "squatting" in path.read_text()


def test_an_import_is_added_and_can_be_undone(tmp_path: Path) -> None:
    path = write_labels(LABELS.iloc[2:3], tmp_path / "labels.csv")
    (tmp_path / "b.tsv").write_text(BORIS)
    for n_added in (1, 0):  # the second time all is there
        labels = import_labels(tmp_path / "b.tsv", VIDEOS, path, program="boris")
        assert labels.attrs == {"n_skipped": 1, "n_added": n_added}
    log = LabelLog(path)
    track = log.state.track("person1_a")
    assert [span.label for span in track.merge()] == ["sitting", "bending 🙂"]
    log.write(Action("undo", video="person1_a", of=log.state.last.id))
    assert path.read_text().count("\n") == 2


def test_a_label_put_right_after_an_import_stays_when_that_is_run_again(
    tmp_path: Path,
) -> None:
    path = tmp_path / "labels.csv"
    (tmp_path / "b.tsv").write_text(BORIS)
    import_labels(tmp_path / "b.tsv", VIDEOS, path, program="boris")
    right = {"person1_a": (Span(2.0, 3.0, ""),)}
    LabelLog(path).write(Action("paint", video="person1_a", label="lie", spans=right))
    before = path.read_bytes()
    labels = import_labels(tmp_path / "b.tsv", VIDEOS, path, program="boris")
    assert labels.attrs["n_added"] == 0
    assert path.read_bytes() == before


def test_an_import_that_contradicts_a_label_changes_nothing(tmp_path: Path) -> None:
    path = write_labels(LABELS, tmp_path / "labels.csv")
    before = path.read_bytes()
    (tmp_path / "b.tsv").write_text(BORIS)
    with pytest.raises(ValueError, match=r"b.tsv, line 2: 'sitting' .* is labelled"):
        import_labels(tmp_path / "b.tsv", VIDEOS, path, program="boris")
    assert path.read_bytes() == before
    import_labels(tmp_path / "b.tsv", VIDEOS, path, program="boris", annotator="zoe")
    assert b"1.250,4.500,sitting,zoe" in path.read_bytes()


def test_reads_what_boris_exports(tmp_path: Path) -> None:
    expected = [("person1_a", 1.25, 4.5, "sitting")]
    assert read(tmp_path, BORIS, "boris") == expected
    assert read(tmp_path, BORIS_AGGREGATED, "boris") == expected
    assert read(tmp_path, BORIS.replace("\n", "\r\n"), "boris") == expected


def test_reads_what_elan_exports(tmp_path: Path) -> None:
    first = ("person1_a", 1.25, 4.5, "sitting")
    assert read(tmp_path, ELAN, "elan") == [
        (*first, "anna"),
        ("person1_a", 5.0, 6.0, "lying", "anna"),
    ]
    assert read(tmp_path, ELAN_TIERS, "elan", "person1_a.txt") == [first]


GERMAN = (
    "Anfangszeit - msec\tEndzeit - msec\tDauer - msec\tHaltung\n"
    "1250\t4500\t3250\tsitting\n4500\t4700\t200\t7\n"
)


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        (GERMAN, ["sitting", "7"]),
        (re.sub(r"\t(Dauer - msec|3250|200)", "", GERMAN), ["sitting", "7"]),
        (re.sub(r"\t(Endzeit - msec|4500(?=\t3)|4700)", "", GERMAN), ["sitting", "7"]),
        (
            "開始時間 - ss.msec\t終了時間 - ss.msec\tA\tB\n"
            "1.25\t4.5\tsitting\t\n4.5\t4.7\t\t\n4.5\t4.7\t\t7\n",
            ["sitting", "7"],
        ),
        (
            "Zeile\tTeilnehmer\tBeginn - ss.msec\tEnde - ss.msec\tAnnotation\n"
            "h\tanna\t1.25\t4.5\tsitting\nh\tanna\t4.5\t4.7\t7\n",
            ["sitting", "7"],
        ),
    ],
    ids=["German", "no duration", "no end", "Japanese, empty cells", "participant"],
)
def test_reads_elan_in_any_language_of_its_columns(
    tmp_path: Path, text: str, labels: list[str]
) -> None:
    found = read(tmp_path, text, "elan", "person1_a.txt")
    assert [row[1:3] for row in found] == [(1.25, 4.5), (4.5, 4.7)]
    assert [row[3] for row in found] == labels


EAF = """<?xml version="1.0" encoding="UTF-8"?>
<ANNOTATION_DOCUMENT AUTHOR="" DATE="2024-01-01T00:00:00+00:00" FORMAT="3.0"
 VERSION="3.0" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
 xsi:noNamespaceSchemaLocation="http://www.mpi.nl/tools/elan/EAFv3.0.xsd">
<HEADER MEDIA_FILE="" TIME_UNITS="milliseconds">
<MEDIA_DESCRIPTOR MEDIA_URL="file:///C:/my%20films/person1_a.MTS"
 MIME_TYPE="unknown" TIME_ORIGIN="5000"/>
<MEDIA_DESCRIPTOR MEDIA_URL="file:///C:/films/elsewhere.wav" MIME_TYPE="audio/x-wav"/>
</HEADER>
<TIME_ORDER><TIME_SLOT TIME_SLOT_ID="ts1" TIME_VALUE="1250"/>
<TIME_SLOT TIME_SLOT_ID="ts2" TIME_VALUE="4500"/></TIME_ORDER>
<TIER LINGUISTIC_TYPE_REF="default-lt" PARTICIPANT="anna" TIER_ID="posture">
<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a1" TIME_SLOT_REF1="ts1"
 TIME_SLOT_REF2="ts2"><ANNOTATION_VALUE>sitting</ANNOTATION_VALUE>
</ALIGNABLE_ANNOTATION></ANNOTATION>
<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a2" TIME_SLOT_REF1="ts1"
 TIME_SLOT_REF2="ts2"><ANNOTATION_VALUE/></ALIGNABLE_ANNOTATION></ANNOTATION>
</TIER></ANNOTATION_DOCUMENT>
"""


def test_reads_what_elan_saves(tmp_path: Path) -> None:
    assert read(tmp_path, EAF, "elan", "x.eaf") == [
        ("person1_a", 6.25, 9.5, "sitting", "anna")
    ]
    with pytest.raises(ValueError, match=r"x.eaf cannot be read as a file of ELAN"):
        read(tmp_path, EAF[:900], "elan", "x.eaf")
    with pytest.raises(ValueError, match="annotation a1: 'sitting' has no time of its"):
        read(tmp_path, EAF.replace(' TIME_VALUE="4500"', ""), "elan", "x.eaf")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"\n', "\n"),
        ('MEDIA_URL="file:///C:/my%20films/', 'RELATIVE_MEDIA_URL="./'),
        ('MEDIA_URL="file', 'MEDIA_URL="" RELATIVE_MEDIA_URL="file'),
        ("ts2", "last moment"),  # a name without a number
        ("<TIER ", '<TIER ANNOTATOR="anna" '),
        ('MEDIA_FILE=""', 'MEDIA_FILE="file:///C:/films/elsewhere.mpg"'),
    ],
)
def test_reads_what_other_programs_save_for_elan(
    tmp_path: Path, old: str, new: str
) -> None:
    text = EAF.replace(old, new)
    if "xmlns" in old:
        text = re.sub(r' xsi:\S+"', "", text)
    assert text != EAF
    assert read(tmp_path, text, "elan", "x.eaf") == [
        ("person1_a", 6.25, 9.5, "sitting", "anna")
    ]


def test_a_file_of_the_first_elan_names_its_film_in_its_header(tmp_path: Path) -> None:
    text = re.sub(r"<MEDIA_DESCRIPTOR[^>]*>", "", EAF)
    text = text.replace('MEDIA_FILE=""', 'MEDIA_FILE="file:///D:/person1_a.mpg"')
    found = read(tmp_path, text, "elan", "x.eaf")
    assert found == [("person1_a", 1.25, 4.5, "sitting", "anna")]
    text = text.replace("milliseconds", "PAL-frames")
    with pytest.raises(ValueError, match="expected times in milliseconds, found 'PAL"):
        read(tmp_path, text, "elan", "x.eaf")


ALIGNED = (
    '<TIER TIER_ID="{0}" {2}><ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="{0}" '
    'TIME_SLOT_REF1="ts1" TIME_SLOT_REF2="ts2"><ANNOTATION_VALUE>{1}</ANNOTATION_VALUE>'
    "</ALIGNABLE_ANNOTATION></ANNOTATION></TIER>"
)


def _tiers(*tiers: tuple[str, str]) -> str:
    """Return an `.eaf` file of tiers: label and attributes of each."""
    made = [ALIGNED.format(f"of {label}", label, what) for label, what in tiers]
    return EAF.split("<TIER")[0] + "".join(made) + "</ANNOTATION_DOCUMENT>"


def test_two_people_at_once_are_no_two_annotators(tmp_path: Path) -> None:
    people = [("sit", 'PARTICIPANT="anna"'), ("lie", 'PARTICIPANT="ben"')]
    with pytest.raises(
        ValueError, match=r"annotation of lie: ben \('lie'\) and anna \("
    ):
        read(tmp_path, _tiers(*people), "elan", "x.eaf")
    by_two = [(what, f'{who} ANNOTATOR="by {what}"') for what, who in people]
    with pytest.raises(
        ValueError, match=r"annotation of lie: .* two people in one film"
    ):
        read(tmp_path, _tiers(*by_two), "elan", "x.eaf")
    of_one = [(what, who.replace("ben", "anna")) for what, who in by_two]
    found = read(tmp_path, _tiers(*of_one), "elan", "x.eaf")
    assert {row[3:] for row in found} == {("sit", "by sit"), ("lie", "by lie")}
    table = "t1\tanna\t1.25\t4.5\tsit\nt2\tben\t2.0\t5.0\tlie\n"
    with pytest.raises(ValueError, match=r"line 2: ben \('lie'\) and anna \('sit', li"):
        read(tmp_path, table, "elan", "person1_a.txt")
    after = table.replace("2.0", "4.5")
    assert len(read(tmp_path, after, "elan", "person1_a.txt")) == 2
    own = table.replace("t1", "posture anna").replace("t2", "posture ben")
    assert len(read(tmp_path, own, "elan", "person1_a.txt")) == 2


def test_annotations_that_say_more_of_another_are_counted(tmp_path: Path) -> None:
    more = (
        '<TIER TIER_ID="how"><ANNOTATION><REF_ANNOTATION ANNOTATION_ID="a9" '
        'ANNOTATION_REF="a1"><ANNOTATION_VALUE>deep</ANNOTATION_VALUE></REF_ANNOTATION>'
        "</ANNOTATION></TIER>"
    )
    path = tmp_path / "x.eaf"
    path.write_text(EAF.replace("</TIER>", "</TIER>" + more))
    labels = import_labels(path, VIDEOS, tmp_path / "l.csv", program="elan")
    assert (len(labels), labels.attrs["n_skipped"]) == (1, 2)


@pytest.mark.parametrize("label", ['"sit', '"wide" pose', '5" step', "sit\u2028down"])
def test_quotes_in_an_annotation_take_no_line_along(tmp_path: Path, label: str) -> None:
    text = ELAN.replace("sitting", label).replace("lying", 'ly"')
    found = read(tmp_path, text, "elan")
    assert [row[3] for row in found] == [label.replace("\u2028", " "), 'ly"']
    comment = BORIS.replace("\tNA\t\n", '\tNA\t"ok\n', 1)
    assert read(tmp_path, comment, "boris") == [("person1_a", 1.25, 4.5, "sitting")]


def test_decimal_commas_of_a_spreadsheet_are_points(tmp_path: Path) -> None:
    for text, program in ((BORIS, "boris"), (ELAN, "elan")):
        commas = re.sub(r"(?<=\d)\.(?=\d)", ",", text)
        found = read(tmp_path, commas, program)
        assert [row[:4] for row in found] == [
            row[:4] for row in read(tmp_path, text, program)
        ]


def test_a_duration_may_stand_before_the_end(tmp_path: Path) -> None:
    text = "Begin Time - msec\tDuration - msec\tEnd Time - msec\tposture\n"
    text += "1250\t3250\t4500\tsitting\n"
    found = read(tmp_path, text, "elan", "person1_a.txt")
    assert found == [("person1_a", 1.25, 4.5, "sitting")]


def test_reads_what_label_studio_exports(tmp_path: Path) -> None:
    expected = [("person1_a", 1.0, 2.0, "sitting")]
    assert read(tmp_path, LABEL_STUDIO, "label_studio") == expected
    titled = LABEL_STUDIO.replace('"data": {', '"data": {"title": "Mr. Who walks",')
    assert read(tmp_path, titled, "label_studio") == expected


def test_reads_what_label_studio_has_of_a_films_sound(tmp_path: Path) -> None:
    sound = {
        "type": "labels",
        "value": {"start": 1.25, "end": 4.5, "channel": 0, "labels": ["sitting"]},
    }
    words = {"type": "labels", "value": {"start": 3, "end": 9, "text": "I sit"}}
    for key in ("annotations", "completions"):
        task = {"data": {"video_url": "person1_a.mp4"}, key: [{"result": [sound]}]}
        task[key][0]["result"].append(words)
        found = read(tmp_path, json.dumps([task]), "label_studio")
        assert found == [("person1_a", 1.25, 4.5, "sitting")]
        task[key][0]["result"][0] = {**sound, "value": {**sound["value"], "end": "x"}}
        with pytest.raises(ValueError, match="task 1: expected seconds, found 'x'"):
            read(tmp_path, json.dumps([task]), "label_studio")
        task[key][0]["result"].pop(0)
        with pytest.raises(ValueError, match="expected spans of time with a label"):
            read(tmp_path, json.dumps([task]), "label_studio")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_reads_what_a_spreadsheet_made_of_an_export(
    tmp_path: Path, encoding: str
) -> None:
    text = BORIS_AGGREGATED.replace(",", ";").replace("sitting", "sitzend, müde")
    text = re.sub(r"(\d)\.(\d)", r"\1,\2", text).replace("Video Coding", "Übung")
    path = tmp_path / "export.csv"
    path.write_bytes(text.encode(encoding))
    found = import_labels(path, VIDEOS, tmp_path / "l.csv", program="boris")
    assert found.iloc[0, :4].tolist() == ["person1_a", 1.25, 4.5, "sitzend, müde"]


def test_label_studio_may_count_at_another_rate_than_the_film(tmp_path: Path) -> None:
    found = read(tmp_path, LABEL_STUDIO, "label_studio", fps=30)
    assert found == [("person1_a", 0.5, 1.0, "sitting")]


ABC = pd.DataFrame(
    {
        "video": ["a", "b", "my video", "Zo\u00eb a"],
        "path": ["a.mp4", "b.mp4", "my video.mp4", "Zo\u00eb a.mp4"],
        "fps": 30.0,
        "duration_s": [60.0, 120.0, 60.0, 60.0],
        "sha256": ["1", "2", "3", "4"],
    }
)


@pytest.mark.parametrize(
    ("name", "program", "expected"),
    [
        ("playlist.tsv", "boris", [("b", 10.0, 15.0, "sit")]),
        (
            "playlist_across.tsv",
            "boris",
            [("a", 58.0, 60.0, "sit"), ("b", 0.0, 3.0, "sit")],
        ),
        ("old_description.tsv", "boris", [("a", 13.3, 17.75, "sit")]),
        ("offset5s.txt", "elan", [("a", 6.25, 9.5, "sit", "anna")]),
        ("comma.csv", "elan", [("a", 1.25, 4.5, "sit")]),
        ("local_files.json", "label_studio", [("a", 1.0, 2.0, "sit")]),
        ("space_upload.json", "label_studio", [("my video", 1.0, 2.0, "sit")]),
    ],
)
def test_cases_of_other_programs(
    tmp_path: Path, shared: Path, name: str, program: str, expected: list
) -> None:
    text = (shared / "cases/labels" / name).read_text()
    assert read(tmp_path, text, program, name, ABC) == expected


def test_a_case_whose_times_are_shifted_is_refused(
    tmp_path: Path, shared: Path
) -> None:
    text = (shared / "cases/labels/old_offset.tsv").read_text()
    with pytest.raises(ValueError, match="line 11: times are shifted by an off"):
        read(tmp_path, text, "boris", videos=ABC)


HEADER_LINE = '"#file:///C:/films/{} -- offset: {}, duration: 60.0"\n'
ROW = "posture\tanna\t1.25\t4.5\tsit\n"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([("a.MTS", 0)], ("a", 1.25)),
        ([("a.3gp", 250)], ("a", 1.5)),
        ([("sound.wav", 9000), ("b.mp4", 1000)], ("b", 2.25)),
        ([("b.mp4", 0), ("a.mp4", 5000)], ("b", 1.25)),
        ([("my%20video.mp4", 0)], ("my video", 1.25)),
        ([("a.wav", 9000), ("a.mp4", -250)], ("a", 10.25)),
    ],
)
def test_each_header_line_of_elan_has_its_own_film_and_offset(
    tmp_path: Path, lines: list, expected: tuple
) -> None:
    text = "".join(HEADER_LINE.format(*line) for line in lines) + "\n" + ROW
    ((video, start_s, *_),) = read(tmp_path, text, "elan", videos=ABC)
    assert (video, start_s) == expected


@pytest.mark.parametrize(
    ("path", "video"),
    [
        ("/data/upload/1/0a1b2c3d-a.mp4", "a"),
        ("/data/local-files/?d=films%5Cb.mp4", "b"),
        ("s3://bucket/deep/my%20video.mp4", "my video"),
        ("https://host/a.mp4?X-Amz-Date=2024", "a"),
        ("0a1b2c3d-my_video.MOV", "my video"),
        ("https://host/get?v=2.1&file=films/b.mp4", "b"),
        ("/data/upload/1/0a1b2c3d-Zoe_a.mp4", "Zo\u00eb a"),  # sent by a Mac
    ],
)
def test_films_are_found_however_label_studio_has_them(
    tmp_path: Path, path: str, video: str
) -> None:
    text = LABEL_STUDIO.replace("/data/upload/2/0a1b2c3d-person1_a.mp4", path)
    assert read(tmp_path, text, "label_studio", videos=ABC)[0][0] == video


def test_a_film_that_could_be_two_is_refused(tmp_path: Path) -> None:
    twins = ABC[:3].assign(video=["my_ video", "b", "my video_"])
    twins = twins.assign(path=["my_video.mp4", "b.mp4", "my video.mp4"])
    text = LABEL_STUDIO.replace("person1_a.mp4", "my_video.mp4")
    with pytest.raises(ValueError, match=r"task 7: .* could be my_ video or my video_"):
        read(tmp_path, text, "label_studio", videos=twins)


@pytest.mark.parametrize(
    ("program", "text", "problem"),
    [
        ("boris", "a,b\n1,2\n", "expected an export of events by BORIS"),
        ("boris", BORIS.rsplit("obs1", 1)[0], "line 2: 'sitting' starts and never"),
        ("boris", BORIS.replace("START", "STOP"), "line 2: 'sitting' stop has no"),
        ("boris", BORIS.replace("\t1.25\t", "\t0:01\t"), "line 2: expected seconds in"),
        ("boris", BORIS.replace("\t0.0\t21", "\t5.0\t21"), "shifted by an offset of 5"),
        ("boris", BORIS.replace("\t4.5\t", "\t1.25\t"), "ends at 1.25 s, not after"),
        ("boris", BORIS.replace("\t4.5\t", "\tinf\t"), "line 4: expected seconds in"),
        ("boris", BORIS.replace("\t4.5\t", "\t1e300\t"), "line 4: expected seconds"),
        ("boris", BORIS.replace("\t1.25\t", "\t-9\t"), "line 2: -9 to 4.5 s lies out"),
        ("boris", BORIS.replace("\t4.5\t", "\t99\t"), "line 2: 1.25 to 99 s lies out"),
        ("elan", "\n", "expected tab-delimited annotations, found none"),
        ("elan", "posture sitting\n", "line 1: expected begin and end time in columns"),
        ("elan", ELAN_TIERS.replace("4500", "9" * 300), "line 2: expected seconds in"),
        ("elan", ELAN.replace("person1_a", "nobody"), "expected one of the videos"),
        ("label_studio", "{", "is not JSON"),
        ("label_studio", '[{"a": 1}]', "expected tasks with annotations"),
        ("label_studio", LABEL_STUDIO.replace("person1", "person9"), "did you mean"),
        ("label_studio", LABEL_STUDIO.replace("16", "0"), "expected frames from 1 up"),
        (
            "label_studio",
            LABEL_STUDIO.replace("30}", "1e999}"),
            "expected frames from 1",
        ),
        (
            "label_studio",
            LABEL_STUDIO.replace("30}", "Infinity}"),
            "expected frames fr",
        ),
        ("csv", "video,start_s,end_s,label\nx,0,1,sit\n", "there is no video 'x'"),
    ],
)
def test_what_cannot_be_read_is_said_in_one_sentence(
    tmp_path: Path, program: str, text: str, problem: str
) -> None:
    name = "person1_a.txt"
    with pytest.raises(ValueError, match=problem) as caught:
        read(tmp_path, text, program, name)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.glob("*.csv"))


@pytest.mark.parametrize("nothing", ["", "  ", "\u00a0", "\u200b", "\ufeff \u2060"])
@pytest.mark.parametrize("program", ["elan", "eaf", "boris", "label_studio"])
def test_empty_annotations_are_left_out_and_counted(
    tmp_path: Path, program: str, nothing: str
) -> None:
    region = '{"type": "timelinelabels", "value": {"ranges": [{"start": 1, "end": 9}],'
    region += f' "timelinelabels": ["{nothing}"]}}}}'
    path = tmp_path / f"person1_a.{program}"
    texts = {
        "elan": ELAN_TIERS + f"5000\t6000\t1000\t{nothing}\n",
        "eaf": EAF.replace(
            "<ANNOTATION_VALUE/>", f"<ANNOTATION_VALUE>{nothing}</ANNOTATION_VALUE>"
        ),
        "boris": BORIS.replace("blink", nothing),
        "label_studio": LABEL_STUDIO.replace('"result": [', f'"result": [{region},'),
    }
    path.write_text(texts[program], encoding="utf-8")
    program = program.replace("eaf", "elan")
    labels = import_labels(path, VIDEOS, tmp_path / "l.csv", program=program)
    assert (len(labels), labels.attrs["n_skipped"]) == (1, 1)


@pytest.mark.parametrize("nothing", ['"annotations": null', '"annotations": []'])
def test_tasks_without_an_answer_are_passed_over(tmp_path: Path, nothing: str) -> None:
    task = f'[{{"id": 1, "data": {{"video": "x.mp4"}}, {nothing}}},'
    found = read(tmp_path, task + LABEL_STUDIO[1:], "label_studio")
    assert found == [("person1_a", 1.0, 2.0, "sitting")]


def test_an_unknown_program_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Expected program boris"):
        import_labels(tmp_path / "x", VIDEOS, tmp_path / "l.csv", program="excel")
    with pytest.raises(FileNotFoundError, match="No file of labels"):
        import_labels(tmp_path / "x", VIDEOS, tmp_path / "l.csv", program="csv")


def _list_regions(n: int) -> str:
    """Return an export of Label Studio with many regions of a frame each."""
    regions = [
        {
            "type": "timelinelabels",
            "value": {
                "ranges": [{"start": 2 * k + 1, "end": 2 * k + 1}],
                "timelinelabels": ["sit"],
            },
        }
        for k in range(n)
    ]
    task = {"data": {"video": "a.mp4"}, "annotations": [{"result": regions}]}
    return json.dumps([task])


@pytest.mark.parametrize(
    ("program", "text"),
    [
        ("elan", '"#' + "a/" * 40_000 + '"\n' + ROW),
        ("elan", "".join(f"p\tx\t{k}.0\t{k}.5\tsit\n" for k in range(10_000))),
        ("elan", "".join(f"{'1' * 60_000}x\ta\t{k}.0\t{k}.5\ts\n" for k in range(9))),
        ("label_studio", _list_regions(10_000)),
        (
            "boris",
            "Time,Behavior,Status,Media file path\n"
            + "".join(
                f"{k},sit,START,a.mp4\n{k}.5,sit,STOP,a.mp4\n" for k in range(10_000)
            ),
        ),
    ],
    ids=["a long header", "ELAN", "long cells", "Label Studio", "BORIS"],
)
def test_work_is_linear_in_what_is_imported(
    tmp_path: Path, program: str, text: str
) -> None:
    long = ABC.assign(duration_s=20_000.0)
    start = time.process_time()
    assert read(tmp_path, text, program, "a.txt", long)
    assert time.process_time() - start < 3


@settings(max_examples=60, deadline=None)
@given(
    program=st.sampled_from(tuple(PROGRAMS)),
    cut=st.integers(0, 1000),
    junk=st.text(max_size=20),
    sample=st.sampled_from([BORIS, BORIS_AGGREGATED, ELAN, ELAN_TIERS, LABEL_STUDIO]),
)
def test_a_spoilt_export_gives_labels_or_one_clear_error(
    tmp_path_factory: pytest.TempPathFactory,
    program: str,
    cut: int,
    junk: str,
    sample: str,
) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "spoilt"
    spoilt = sample[:cut] + junk + sample[cut + len(junk) :]
    path.write_bytes(spoilt.encode("utf-8", "surrogatepass"))
    try:
        labels = import_labels(path, VIDEOS, path.parent / "l.csv", program=program)
    except ValueError as error:
        assert "spoilt" in str(error)
        assert not (path.parent / "l.csv").exists()
    else:
        assert (labels["start_s"] < labels["end_s"]).all()
