"""Which label a frame has, and which labels belong to no video."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from utils.labelling.labels import (
    advise_films,
    advise_labels,
    check_labels,
    find_labels,
    label_frames,
    read_labels,
    resolve_spans,
    summarise_labels,
)
from utils.labelling.spans import NONE_OF_THESE, UNSURE, Span

VIDEOS = pd.DataFrame(
    {
        "video": ["a", "b"],
        "duration_s": [3.0, 2.0],
        "subject": ["ann", "bob"],
    }
)


def build(*rows: tuple) -> pd.DataFrame:
    columns = ["video", "start_s", "end_s", "label", "annotator"]
    return pd.DataFrame(rows, columns=columns[: len(rows[0])])


def look_up(labels: pd.DataFrame, *times_s: float, **options: bool) -> list:
    frames = pd.DataFrame({"video": "a", "time_s": times_s})
    found = label_frames(frames, labels, **options)
    return [None if pd.isna(label) else label for label in found]


def test_a_frame_takes_the_label_of_the_span_it_falls_in() -> None:
    labels = build(("a", 1.0, 2.0, "sit"), ("a", 2.0, 3.0, "lie"), ("b", 0, 1, "sit"))
    assert look_up(labels, 0.99, 1.0, 1.999, 2.0, 2.9, 3.0) == (
        [None, "sit", "sit", "lie", "lie", None]
    )


def test_times_in_the_file_are_rounded_as_the_frames_are() -> None:
    labels = build(("a", 0.067, 0.133, "sit"))  # frames 1/15 and 2/15
    assert look_up(labels, 0.0, 1 / 15, 2 / 15) == [None, "sit", None]


def test_labels_keep_the_index_of_the_frames() -> None:
    frames = pd.DataFrame(
        {"video": ["b", "a", "c"], "time_s": [0.5, 0.5, 0.5]}, index=[7, 3, 5]
    )
    found = label_frames(frames, build(("a", 0.0, 1.0, "sit"), ("b", 0.0, 1.0, "lie")))
    assert found.name == "label"
    assert found.dropna().to_dict() == {7: "lie", 3: "sit"}
    assert np.isnan(found[5])


def test_labels_survive_another_sampling_rate() -> None:
    labels = build(("a", 0.5, 1.0, "sit"))
    for fps in (2, 5, 15, 29.97):
        times_s = np.arange(0, 3, 1 / fps)
        found = look_up(labels, *times_s)
        inside = (times_s >= 0.5) & (times_s < 1.0)
        assert [label is not None for label in found] == inside.tolist()


def test_unsure_is_not_trained_on_and_none_of_these_is_a_class() -> None:
    labels = build(("a", 0.0, 1.0, UNSURE), ("a", 1.0, 2.0, NONE_OF_THESE))
    assert look_up(labels, 0.5, 1.5) == [None, NONE_OF_THESE]
    assert look_up(labels, 0.5, 1.5, keep_unsure=True) == [UNSURE, NONE_OF_THESE]


def test_most_annotators_decide_and_a_tie_counts_for_nobody() -> None:
    labels = build(
        ("a", 0.0, 3.0, "sit", "ann"),
        ("a", 1.0, 3.0, "lie", "bob"),
        ("a", 2.0, 3.0, "lie", "cat"),
    )
    assert look_up(labels, 0.5, 1.5, 2.5) == ["sit", None, "lie"]


def test_resolving_joins_what_touches() -> None:
    spans = [Span(0, 1, "sit", "ann"), Span(1, 2, "sit", "bob"), Span(0.5, 1, "sit")]
    assert resolve_spans(spans) == [Span(0, 2, "sit")]


def write(folder: Path, text: str) -> Path:
    path = folder / "mine.csv"
    path.write_text("video,start_s,end_s,label\n" + text)
    return path


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("A1,0,1,x", "mine.csv, line 2: there is no video 'A1'. Put the video back"),
        ("a,0,3.6,x", "line 2: 0 to 3.6 s lies outside a, which lasts 3.000 s"),
        ("a,-1,1,x", "line 2: -1 to 1 s lies outside a"),
    ],
)
def test_labels_that_fit_no_video_are_named_with_their_line(
    tmp_path: Path, row: str, problem: str
) -> None:
    with pytest.raises(ValueError, match=problem):
        read_labels(write(tmp_path, row), VIDEOS)


def test_a_misspelt_video_is_guessed() -> None:
    videos = VIDEOS.assign(video=["person01_a", "b"])
    labels = build(("person01_A", 0.0, 1.0, "x"))
    with pytest.raises(ValueError, match="did you mean 'person01_a'"):
        check_labels(labels, videos)


def test_labels_of_absent_videos_may_be_left_out_and_are_counted(
    tmp_path: Path,
) -> None:
    path = write(tmp_path, "gone,0,1,x\na,0,3.1,x\n")
    before = path.read_bytes()
    labels = read_labels(path, VIDEOS, skip_unknown=True)
    assert labels["video"].tolist() == ["a"]
    assert labels.attrs == {"n_skipped": 1, "skipped": ["gone"]}
    assert path.read_bytes() == before


def test_the_demo_labels_fit_the_demo_clips(demo_videos: Path) -> None:
    keypoints = pd.read_csv(demo_videos / "true_keypoints.csv", usecols=["video"])
    n_frames = keypoints["video"].value_counts()  # of clips with 15 frames a second
    videos = pd.DataFrame({"video": n_frames.index, "duration_s": n_frames / 15})
    labels = read_labels(demo_videos / "labels.csv", videos)
    assert len(labels) == 128


def test_seconds_are_summed_by_class_and_person() -> None:
    labels = build(
        ("a", 0.0, 1.0, "sit"),
        ("a", 2.0, 2.5, "sit"),
        ("b", 0.0, 2.0, "lie"),
        ("gone", 0.0, 9.0, "lie"),
    )
    assert summarise_labels(labels, VIDEOS).to_numpy().tolist() == [
        ["lie", "bob", 2.0],
        ["sit", "ann", 1.5],
    ]


def test_advice_names_class_seconds_and_person() -> None:
    rows = [("sit", "ann", 30.0), ("lie", "ann", 20.0), ("lie", "bob", 20.0)]
    rows += [("stand", "ann", 4.0), ("stand", "bob", 4.0), (UNSURE, "ann", 1.0)]
    summary = pd.DataFrame(rows, columns=["label", "subject", "seconds"])
    assert advise_labels(summary, classes=["jump"]) == [
        "Label 15 s of jump, from two people.",
        "Label 5 s more of sit, from another person.",
        "Label 7 s more of stand.",
    ]


def test_no_other_person_is_asked_for_where_there_is_one() -> None:
    summary = pd.DataFrame({"label": ["sit"], "subject": ["ann"], "seconds": [30.0]})
    assert advise_labels(summary, n_people=1) == []


def _make_summary(people: dict[str, str], seconds: float = 12.0) -> pd.DataFrame:
    rows = [(c, who, seconds) for c, shown in people.items() for who in shown]
    return pd.DataFrame(rows, columns=["label", "subject", "seconds"])


def _make_recall(shares: dict[str, float], gain: float = 0.05) -> pd.DataFrame:
    table = pd.DataFrame({"recognised": shares, "taken_for": np.nan})
    return table.assign(gain=gain, n_half=2, n_most=3).astype({"taken_for": object})


def test_what_is_recognised_is_enough_only_with_people_and_seconds() -> None:
    summary = _make_summary({"jump": "a", "lie": "abc", "sit": "abcd"})
    recall = _make_recall({"sit": 1.0, "lie": 1.0, "jump": 1.0})
    jump, lie, sit = advise_labels(summary, recall=recall)
    assert jump == "Label 6 s more of jump, from another person."
    assert sit == "sit has enough: 100% of its frames are recognised."
    assert "from another person: 100%" in lie and "3 people are too few" in lie
    few = _make_summary({"sit": "abcd"}, seconds=1.0)
    assert advise_labels(few, recall=recall) == ["Label 6 s more of sit."]


def test_after_fitting_nothing_else_is_said_of_what_lacked_labels_before() -> None:
    summary = _make_summary({"sit": "abcd", "lie": "a", "jump": "ab"})
    recall = _make_recall({"sit": 0.8, "lie": 0.8, "jump": 0.8}, gain=0.3)
    before = advise_labels(summary)
    after = advise_labels(summary, recall=recall)
    assert set(before) <= set(after) and len(after) == 3
    flat = advise_labels(summary, recall=recall.assign(gain=0.0))
    assert any(text.startswith("More of the same may not help sit") for text in flat)


def test_what_is_recognised_worst_is_advised_first_and_what_is_excellent_last() -> None:
    names = ["arms_raised", "kneeling", "sitting_floor"]
    summary = _make_summary(dict.fromkeys(names, "abcd"))
    recall = _make_recall(dict(zip(names, [0.95, 0.82, 0.78], strict=True)), gain=-0.01)
    recall["taken_for"] = [np.nan, "standing", "sitting_chair"]
    floor, kneeling, raised = advise_labels(summary, recall=recall)
    assert floor.startswith(
        "More of the same may not help sitting floor: 78% of its frames are "
        "recognised, else mostly taken for sitting chair, and from 2 to 3 people "
        "it gained nothing."
    )
    assert "help kneeling: 82%" in kneeling and "taken for standing" in kneeling
    assert raised == "arms raised has enough: 95% of its frames are recognised."
    gained = advise_labels(summary, recall=recall.assign(gain=0.06))
    assert gained[0].startswith("Label 12 s more of sitting floor, from another person")
    assert gained[0].endswith("from 2 to 3 people it gained 6 points.")


def test_labels_begin_as_a_copy_of_those_that_the_films_bring(tmp_path: Path) -> None:
    films, own = tmp_path / "films", tmp_path / "data/labels.csv"
    films.mkdir()
    assert find_labels(own, films) == own
    assert not own.exists()
    (films / "labels.csv").write_bytes(b"video,start_s,end_s,label\na,0,1,sit\n")
    assert find_labels(own, films) == own
    assert own.read_bytes() == (films / "labels.csv").read_bytes()
    own.write_bytes(b"mine")
    assert find_labels(own, films) == own
    assert own.read_bytes() == b"mine"


def test_labels_of_the_films_are_used_where_none_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_bytes(b"video,start_s,end_s,label\n")
    (tmp_path / "data").touch()  # a file where a folder should be
    found = find_labels(tmp_path / "data/labels.csv", tmp_path)
    assert found == tmp_path / "labels.csv"


def test_where_nobody_has_labelled_yet_there_are_no_labels(tmp_path: Path) -> None:
    labels = read_labels(tmp_path / "labels.csv", VIDEOS)
    assert labels.empty
    assert list(labels) == ["video", "start_s", "end_s", "label"]
    assert summarise_labels(labels, VIDEOS).empty
    assert look_up(labels, 0.5) == [None]


def test_what_to_film_follows_from_the_errors_and_rooms_come_before_seconds() -> None:
    kinds = pd.DataFrame(
        [("unsure", 0.2, True), ("cut", 0.5, True), ("border", 0.9, False)],
        columns=["kind", "share_of_errors", "is_hard"],
    ).assign(label=["lying_down", None, None], subject=["ann", None, "ben"])
    cut, unsure, rooms = advise_films(kinds, n_rooms=1)
    assert cut.startswith("Keep arms and legs in the picture")
    assert "50% of the errors are in" in cut
    assert "more light" in unsure
    assert "20% of the errors (mostly lying down, ann) are in" in unsure
    assert rooms.startswith("Film in several rooms and from several sides")
    assert advise_films(kinds, n_rooms=2) == [cut, unsure]
    assert advise_films(kinds.assign(is_hard=False), n_rooms=1) == []
