"""The label log: what is acknowledged stays, whatever happens to files and kernels."""

import json
import os
import random
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from utils.labelling import csv_store
from utils.labelling.actions import (
    Action,
    format_action,
    parse_action,
    parse_actions,
)
from utils.labelling.journal import LabelLog, LabelNotSavedError
from utils.labelling.spans import Span
from utils.labelling.state import find_unit

ROOT = Path(__file__).parents[2]


def paint(
    log: LabelLog, label: str, start_s: float, end_s: float, **parts: str
) -> Action:
    video = parts.pop("video", "a")
    spans = {video: (Span(start_s, end_s, ""),)}
    do = "paint" if label else "erase"
    films = log.find_hashes([video])
    action = Action(do, video=video, label=label, spans=spans, films=films, **parts)
    log.write(action)
    return action


def undo(log: LabelLog, video: str = "a", by: str = "", do: str = "undo") -> bool:
    """Undo in one video, as logs of before hold it; users undo the last in any."""
    stack = log.state._stack(video, by)
    units = list(getattr(stack, do)) if stack else []
    if units:
        log.write(Action(do, video=video, by=by, of=units[-1]))
    return bool(units)


def show(log: LabelLog, video: str = "a") -> list[tuple]:
    return [span[:3] for span in log.state.track(video).merge()]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "labels.csv"


def read_csv(path: Path) -> list[str]:
    return path.read_text().splitlines()[1:]


# --- what is on disk ----------------------------------------------------------------


def test_a_label_is_on_disk_when_the_call_returns(path: Path) -> None:
    log = LabelLog(path)
    action = paint(log, "sit", 0, 1.25)
    (line,) = log.log_path.read_text().splitlines()
    assert json.loads(line)["id"] == action.id
    assert json.loads(line)["spans"] == {"a": [[0, 1.25]]}
    assert path.read_text() == "video,start_s,end_s,label\na,0.000,1.250,sit\n"


def test_opening_writes_nothing(path: Path) -> None:
    LabelLog(path, hashes={"a": "0" * 64}, classes=["sit"])
    path.write_text("video,start_s,end_s,label\na,0,1,sit\n")
    before = path.read_bytes()
    assert show(LabelLog(path)) == [(0.0, 1.0, "sit")]
    assert [p.name for p in path.parent.iterdir()] == ["labels.csv"]
    assert path.read_bytes() == before


def test_labels_undo_and_classes_survive_a_restart(path: Path) -> None:
    log = LabelLog(path, classes=["sit"])
    log.write(Action("add", label="lie"))
    paint(log, "sit", 0, 4)
    paint(log, "lie", 1, 2)
    undo(log)
    again = LabelLog(path, classes=["sit"])
    assert show(again) == show(log) == [(0, 4, "sit")]
    assert again.state.classes == ["sit", "lie"]
    assert undo(again, do="redo")
    assert show(again) == [(0, 1, "sit"), (1, 2, "lie"), (2, 4, "sit")]
    assert not undo(again, do="redo")


steps = st.lists(
    st.one_of(
        st.tuples(
            st.sampled_from(["x", "y", ""]),
            st.sampled_from("ab"),
            st.tuples(st.integers(0, 7), st.integers(1, 4)),
        ),
        st.tuples(st.sampled_from(["undo", "redo"]), st.sampled_from("ab"), st.none()),
    ),
    max_size=25,
)


@settings(max_examples=40, deadline=None)
@given(steps)
def test_undo_and_redo_are_exact_and_stay_inside_a_video(
    tmp_path_factory: pytest.TempPathFactory, steps: list
) -> None:
    path = tmp_path_factory.mktemp("undo") / "labels.csv"
    log = LabelLog(path)
    past = {"a": [[]], "b": [[]]}
    future: dict[str, list] = {"a": [], "b": []}
    for what, video, where in steps:
        if what == "undo":
            assert undo(log, video) == (len(past[video]) > 1)
            if len(past[video]) > 1:
                future[video].append(past[video].pop())
        elif what == "redo":
            assert undo(log, video, do="redo") == bool(future[video])
            if future[video]:
                past[video].append(future[video].pop())
        else:
            paint(log, what, where[0], sum(where), video=video)
            past[video].append(show(log, video))
            future[video].clear()
        assert {v: show(log, v) for v in "ab"} == {v: past[v][-1] for v in "ab"}
    again = LabelLog(path)
    assert {v: show(again, v) for v in "ab"} == {v: past[v][-1] for v in "ab"}


def test_a_stroke_is_one_step_of_undo(path: Path) -> None:
    log = LabelLog(path)
    paint(log, "lie", 0, 9)
    first = paint(log, "sit", 1, 2)
    paint(log, "sit", 2, 3, stroke=first.id)
    paint(log, "sit", 3, 4, stroke=first.id)
    assert show(log)[1] == (1, 4, "sit")
    undo(log)
    assert show(log) == [(0, 9, "lie")]
    undo(log, do="redo")
    assert show(LabelLog(path))[1] == (1, 4, "sit")


def test_labels_follow_a_renamed_class_and_undo_brings_the_name_back(
    path: Path,
) -> None:
    log = LabelLog(path, classes=["sit", "lie"])
    paint(log, "sit", 0, 1)
    paint(log, "sit", 0, 1, video="b")
    log.write(Action("rename", video="a", old="sit", label="sitting"))
    paint(log, "sitting", 2, 3, video="b")
    again = LabelLog(path, classes=["sit", "lie"])
    assert again.state.classes == ["sitting", "lie"]
    assert show(again, "b") == [(0, 1, "sitting"), (2, 3, "sitting")]
    undo(again, "a")
    assert again.state.classes == ["sit", "lie", "sitting"]
    assert show(again, "b") == [(0, 1, "sit"), (2, 3, "sitting")]


def test_merged_classes_become_one_and_can_be_parted_again(path: Path) -> None:
    log = LabelLog(path, classes=["sit", "lie"])
    paint(log, "sit", 0, 1)
    paint(log, "lie", 1, 2)
    log.write(Action("merge", video="a", old="lie", label="sit"))
    assert log.state.classes == ["sit"]
    assert show(log) == [(0, 2, "sit")]
    undo(log)
    assert show(log) == [(0, 1, "sit"), (1, 2, "lie")]
    assert log.state.classes == ["sit", "lie"]


def test_a_deleted_class_takes_its_labels_along_and_undo_brings_both_back(
    path: Path,
) -> None:
    log = LabelLog(path, classes=["sit", "lie"])
    paint(log, "sit", 0, 1)
    paint(log, "lie", 1, 2)
    paint(log, "sit", 0, 1, video="b")
    log.write(Action("delete", video="a", old="sit"))
    again = LabelLog(path, classes=["sit", "lie"])
    assert again.state.classes == ["lie"]
    assert (show(again), show(again, "b")) == ([(1, 2, "lie")], [])
    undo(again)
    assert again.state.classes == ["sit", "lie"]
    assert show(again, "b") == [(0, 1, "sit")]


def test_a_moved_class_has_its_new_place_after_a_restart_and_until_undo(
    path: Path,
) -> None:
    log = LabelLog(path, classes=["sit", "lie", "stand"])
    log.write(Action("move", video="a", label="stand", old="sit"))
    log.write(Action("move", video="a", label="sit"))
    again = LabelLog(path, classes=["sit", "lie", "stand"])
    assert again.state.classes == ["stand", "lie", "sit"]
    undo(again)
    assert again.state.classes == ["stand", "sit", "lie"]


def test_only_what_an_older_program_cannot_read_says_so(path: Path) -> None:
    log = LabelLog(path, classes=["sit"])
    paint(log, "sit", 0, 1)
    log.write(Action("delete", video="a", old="sit"))
    versions = [json.loads(line)["v"] for line in log.log_path.open()]
    assert versions == [1, 2]


def test_undo_and_redo_find_the_last_action_in_whichever_video(path: Path) -> None:
    log = LabelLog(path)
    for video in ("a", "b", "a"):
        paint(log, "sit", 0, 1, video=video)
    order = []
    while found := log.find_last("undo", ""):
        order.append(found[0])
        log.write(Action("undo", video=found[0], of=find_unit(found[1])))
    while found := log.find_last("redo", ""):
        order.append(found[0])
        log.write(Action("redo", video=found[0], of=find_unit(found[1])))
    assert order == ["a", "b", "a", "a", "b", "a"]


def test_painting_replaces_ones_own_and_unsigned_labels_only(path: Path) -> None:
    log = LabelLog(path)
    paint(log, "sit", 0, 4)
    paint(log, "lie", 1, 3, by="anna")
    paint(log, "stand", 2, 4, by="bob")
    assert read_csv(path) == [
        "a,0.000,1.000,sit,,",
        f"a,1.000,3.000,lie,anna,{log.state.track('a').layers['anna'][0].labelled_at}",
        f"a,2.000,4.000,stand,bob,{log.state.track('a').layers['bob'][0].labelled_at}",
    ]
    assert not undo(log, by="cat")
    assert undo(log, by="anna")
    assert [s[2:4] for s in log.state.track("a").merge()] == [
        ("sit", ""),
        ("stand", "bob"),
    ]


# --- damage -------------------------------------------------------------------------


def test_a_line_cut_anywhere_is_set_aside_and_all_others_are_used(path: Path) -> None:
    log = LabelLog(path)
    for second in range(3):
        paint(log, "sit", second * 2, second * 2 + 1)
    whole, csv = log.log_path.read_bytes(), path.read_bytes()
    start = whole.rindex(b"\n", 0, -1) + 1
    for cut in range(start + 1, len(whole) - 1):
        log.log_path.write_bytes(whole[:cut])
        path.write_bytes(csv)
        os.utime(path, ns=(0, 0))
        again = LabelLog(path)
        assert len(again.state.track("a").merge()) in (2, 3)  # the CSV file has three
        assert any("set aside in labels.log.damaged.txt" in n for n in again.notices)
        assert log.log_path.read_bytes() == whole[:start]
        assert again.log_path.with_name("labels.log.damaged.txt").exists()
    log.log_path.write_bytes(whole[:-1])  # but for its line end, the line is whole
    assert len(show(LabelLog(path))) == 3
    paint(LabelLog(path), "sit", 7, 8)
    assert len(show(LabelLog(path))) == 4


def test_a_damaged_line_in_the_middle_is_reported_and_kept(path: Path) -> None:
    log = LabelLog(path)
    for second in range(3):
        paint(log, "sit", second * 2, second * 2 + 1)
    lines = log.log_path.read_bytes().splitlines(keepends=True)
    lines[1] = b"\x00\xff" + lines[1][5:]
    log.log_path.write_bytes(b"".join(lines))
    path.unlink()
    again = LabelLog(path)
    assert show(again) == [(0, 1, "sit"), (4, 5, "sit")]
    assert any("line 2 is damaged and was left out" in n for n in again.notices)
    assert again.log_path.read_bytes() == b"".join(lines)


def test_a_log_of_a_newer_version_is_refused_and_left_alone(path: Path) -> None:
    log = LabelLog(path)
    paint(log, "sit", 0, 1)
    with log.log_path.open("a") as file:
        file.write('{"v":3,"do":"sing"}\n')
    before = log.log_path.read_bytes(), path.read_bytes()
    with pytest.raises(ValueError, match="line 2 was written by a newer version"):
        LabelLog(path)
    with pytest.raises(ValueError, match="newer version"):
        paint(log, "lie", 0, 1)
    assert (log.log_path.read_bytes(), path.read_bytes()) == before
    assert show(log) == [(0, 1, "sit")]


def test_actions_survive_writing_and_reading() -> None:
    spans = {"a": (Span(0.1, 2.0, "sit", "anna", "2024"),)}
    for action in (
        Action("import", by="x", video="a", spans=spans, is_first=True, csv="ab"),
        Action("paint", label='"🙂,\\', spans={"é": (Span(0.0, 1.0, ""),)}, stroke="s"),
        Action("film", video="a", how="changed", old="b", films={"a": "c"}),
        Action("undo", of="123"),
    ):
        assert parse_action(format_action(action)) == action


@settings(max_examples=200, deadline=None)
@given(junk=st.binary(max_size=30), at=st.integers(0, 600), n_lost=st.integers(0, 200))
def test_a_spoilt_log_gives_labels_or_one_clear_error(
    tmp_path_factory: pytest.TempPathFactory, junk: bytes, at: int, n_lost: int
) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "labels.csv"
    log = LabelLog(path, classes=["x"])
    first = format_action(Action("paint", label="x", spans={"a": (Span(0, 1, ""),)}))
    lines = [
        first,
        format_action(Action("rename", old="x", label="y")),
        format_action(Action("film", video="a", how="changed", old="b", films={})),
        format_action(Action("undo", video="a", of=parse_action(first).id)),
        format_action(Action("paint", label="z", spans={"b": (Span(2, 3, ""),)})),
    ]
    text = b"".join(lines)
    log.log_path.write_bytes(text[:at] + junk + text[at + n_lost :])
    try:
        log = LabelLog(path, classes=["x"])
    except ValueError as error:
        assert "newer version" in str(error)
        return
    paint(log, "z", 5, 6)
    assert show(LabelLog(path))[-1] == show(log)[-1] == (5, 6, "z")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["a", "spans", "label", "of"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(
    st.fixed_dictionaries(
        {"v": st.just(1), "do": st.sampled_from(["paint", "import", "film", "undo"])},
        optional={
            name: json_values
            for name in ("id", "label", "spans", "films", "of", "video", "how")
        },
    )
)
def test_a_line_of_any_values_is_an_action_or_damaged(line: dict) -> None:
    try:
        action = parse_action(json.dumps(line).encode())
    except ValueError:
        return
    assert parse_action(format_action(action)) == action


# --- the CSV file in other hands -----------------------------------------------------


def test_an_edit_by_hand_is_taken_in_and_undo_brings_back_what_was(path: Path) -> None:
    log = LabelLog(path)
    paint(log, "sit", 0, 1)
    path.write_text(path.read_text() + "b,0,2,lie\n")
    assert log.refresh()
    assert "labels.csv was changed outside (b)" in log.notices[-1]
    assert show(log, "b") == [(0, 2, "lie")]
    paint(log, "sit", 4, 5)
    assert read_csv(path)[-1] == "b,0.000,2.000,lie"
    assert [json.loads(x)["do"] for x in log.log_path.read_text().splitlines()] == [
        "paint",
        "import",
        "paint",
    ]
    assert undo(log, "b")
    assert show(log, "b") == []
    assert show(log) == [(0, 1, "sit"), (4, 5, "sit")]


def test_an_edit_while_closed_is_taken_in(path: Path) -> None:
    log = LabelLog(path)
    paint(log, "sit", 0, 1)
    path.write_text("video,start_s,end_s,label\na,0,1.5,lie\n")
    again = LabelLog(path)
    assert show(again) == [(0, 1.5, "lie")]
    paint(again, "sit", 2, 3)
    assert read_csv(path) == ["a,0.000,1.500,lie", "a,2.000,3.000,sit"]


def test_an_older_copy_put_back_is_taken_in_too(path: Path) -> None:
    log = LabelLog(path)
    paint(log, "sit", 0, 1)
    older = path.read_bytes()
    paint(log, "lie", 2, 3)
    path.write_bytes(older)
    mtime_ns = log.log_path.stat().st_mtime_ns + 10_000_000
    os.utime(path, ns=(mtime_ns, mtime_ns))
    assert show(LabelLog(path)) == [(0, 1, "sit")]


def test_a_csv_file_older_than_the_last_line_is_mended_at_opening(path: Path) -> None:
    log = LabelLog(path)
    paint(log, "sit", 0, 1)
    log._csv.write = lambda _: b""  # as if killed between the log and the CSV file
    paint(log, "lie", 2, 3)
    assert len(read_csv(path)) == 1
    (path.parent / ".labels.12345678.csv").write_text("half")
    assert show(LabelLog(path)) == [(0, 1, "sit"), (2, 3, "lie")]
    assert len(read_csv(path)) == 2
    assert not (path.parent / ".labels.12345678.csv").exists()


@pytest.mark.parametrize("content", [None, b"", b"\n"])
def test_a_lost_csv_file_is_written_again(path: Path, content: bytes | None) -> None:
    paint(LabelLog(path), "sit", 0, 1)
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    log = LabelLog(path)
    assert "was missing or empty and is written again" in log.notices[0]
    assert read_csv(path) == ["a,0.000,1.000,sit"]


def test_labels_given_while_an_editor_had_the_file_open_stay(path: Path) -> None:
    paint(LabelLog(path), "sit", 0, 1)
    opened = path.read_text()
    log = LabelLog(path)
    for second in range(2, 9, 2):
        paint(log, "sit", second, second + 1)
    path.write_text(opened.replace("0.000,1.000", "0.000,1.500") + "b,0,1,lie\n")
    paint(log, "sit", 10, 11)
    assert [start_s for start_s, *_ in show(log)] == [0, 2, 4, 6, 8, 10]
    assert show(log)[0] == (0, 1.5, "sit")
    assert show(log, "b") == [(0, 1, "lie")]
    assert len(read_csv(path)) == 7
    assert show(LabelLog(path)) == show(log)


def test_a_row_deleted_in_an_editor_is_gone_and_later_labels_stay(path: Path) -> None:
    log = LabelLog(path)
    for second in range(0, 9, 2):
        paint(log, "sit", second, second + 1)
    opened = path.read_text().splitlines(keepends=True)
    paint(log, "sit", 10, 11)
    path.write_text("".join([*opened[:2], *opened[3:]]))
    assert log.refresh()
    assert [start_s for start_s, *_ in show(log)] == [0, 4, 6, 8, 10]


def test_the_same_time_labelled_differently_in_an_editor_is_said(path: Path) -> None:
    log = LabelLog(path)
    paint(log, "sit", 0, 1)
    paint(log, "sit", 20, 29)
    opened = path.read_text()
    paint(log, "stand", 4, 6)
    path.write_text(opened + "a,5,7,lie\n")
    paint(log, "sit", 10, 11)
    assert show(log)[1:3] == [(4, 5, "stand"), (5, 7, "lie")]
    assert "was labelled here while labels.csv was edited elsewhere" in log.notices[-1]


def test_a_copy_put_back_with_its_old_time_is_taken_in(path: Path) -> None:
    log = LabelLog(path)
    paint(log, "sit", 0, 1)
    copy = path.with_name("copy.csv")
    shutil.copy2(path, copy)
    paint(log, "lie", 2, 3)
    copy.replace(path)
    again = LabelLog(path)
    assert show(again) == [(0, 1, "sit")]
    assert "was changed outside (a)" in again.notices[-1]
    assert log.refresh()
    assert show(log) == [(0, 1, "sit")]
    assert undo(log)
    assert show(log) == [(0, 1, "sit"), (2, 3, "lie")]


@pytest.mark.parametrize("how", ["rename", "write", "append"])
def test_what_is_saved_while_the_csv_file_is_written_is_not_lost(
    path: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = LabelLog(path)
    paint(log, "sit", 0, 1)
    edited = path.read_text() + "b,0,1,lie\n"
    swap, handles = csv_store.swap_files, []

    def save_just_before(one: Path, other: Path) -> None:
        monkeypatch.setattr(csv_store, "swap_files", swap)
        if how == "rename":
            path.with_name("mine.csv").write_text(edited)
            path.with_name("mine.csv").replace(path)
        else:
            handles.append(path.open("w" if how == "write" else "a"))
        swap(one, other)

    monkeypatch.setattr(csv_store, "swap_files", save_just_before)
    paint(log, "sit", 2, 3)
    for handle in handles:  # into the file that was replaced meanwhile
        handle.write(edited if how == "write" else "b,0,1,lie\n")
        handle.close()
    paint(log, "sit", 4, 5)
    assert show(log, "b") == [(0, 1, "lie")]
    assert len(show(log)) == 3
    assert len(read_csv(path)) == 4
    assert show(LabelLog(path), "b") == [(0, 1, "lie")]


def test_a_file_that_is_half_saved_is_waited_for(path: Path) -> None:
    log = LabelLog(path)
    for second in range(0, 9, 2):
        paint(log, "sit", second, second + 1)
    text = path.read_text()

    def save_slowly() -> None:
        with path.open("w") as file:
            file.write(text[:40])
            file.flush()
            time.sleep(0.1)
            file.write(text[40:] + "b,0,1,lie\n")

    editor = threading.Thread(target=save_slowly)
    editor.start()
    time.sleep(0.03)
    paint(log, "sit", 10, 11)
    editor.join()
    log.refresh()
    assert len(show(log)) == 6
    assert show(log, "b") == [(0, 1, "lie")]
    assert [json.loads(line)["do"] for line in log.log_path.open()].count("import") <= 1


def test_what_is_no_labels_file_is_kept_aside(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = LabelLog(path)
    paint(log, "sit", 0, 1)
    swap = csv_store.swap_files

    def save_just_before(one: Path, other: Path) -> None:
        path.write_text("notes of hours\n")
        swap(one, other)

    monkeypatch.setattr(csv_store, "swap_files", save_just_before)
    paint(log, "sit", 2, 3)
    monkeypatch.undo()
    assert (path.parent / "labels.conflict.csv").read_text() == "notes of hours\n"
    assert "It is kept: labels.conflict.csv" in log.notices[-1]
    assert len(show(LabelLog(path))) == 2


@pytest.mark.skipif(sys.platform == "win32", reason="needs links and modes")
def test_mode_and_hard_links_of_the_csv_file_stay(path: Path) -> None:
    log = LabelLog(path)
    paint(log, "sit", 0, 1)
    path.chmod(0o640)
    paint(log, "sit", 2, 3)
    assert path.stat().st_mode & 0o777 == 0o640
    other = path.with_name("elsewhere.csv")
    other.hardlink_to(path)
    paint(log, "lie", 4, 5)
    assert other.read_bytes() == path.read_bytes()
    assert other.stat().st_ino == path.stat().st_ino
    assert len(read_csv(path)) == 3
    # killed while it wrote into the file: a whole copy lies beside it
    path.write_text("video,start_s,end_s,la")
    path.with_name(".labels.csv.whole").write_text("whole")
    assert len(show(LabelLog(path))) == 3
    assert len(read_csv(path)) == 3
    assert not path.with_name(".labels.csv.whole").exists()


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid(), reason="needs root")
def test_the_owner_of_the_csv_file_stays(path: Path) -> None:
    log = LabelLog(path)
    paint(log, "sit", 0, 1)
    os.chown(path, 12345, 54321)
    paint(log, "sit", 2, 3)
    assert (path.stat().st_uid, path.stat().st_gid) == (12345, 54321)


def test_two_labels_files_of_one_stem_have_a_log_each(tmp_path: Path) -> None:
    one, two = LabelLog(tmp_path / "labels.csv"), LabelLog(tmp_path / "labels.txt")
    paint(one, "sit", 0, 1)
    assert show(two) == []
    paint(two, "lie", 2, 3)
    assert show(LabelLog(tmp_path / "labels.csv")) == [(0, 1, "sit")]
    assert show(LabelLog(tmp_path / "labels.txt")) == [(2, 3, "lie")]


@pytest.mark.parametrize("number", ["9" * 400, "1e999", "-1e300", "NaN", "[" * 90_000])
def test_a_line_with_a_number_that_is_no_time_is_left_out(
    path: Path, number: str
) -> None:
    log = LabelLog(path)
    paint(log, "sit", 0, 1)
    line = log.log_path.read_text()
    with log.log_path.open("a") as file:
        file.write(
            line.replace("[0,1", f"[0,{number}").replace("[0.0,1", f"[0,{number}")
        )
        file.write(line.replace('"id":"', '"id":"x'))
    again = LabelLog(path)
    assert show(again) == [(0, 1, "sit")]
    assert any("line 2 is damaged and was left out" in n for n in again.notices)


def test_a_csv_file_that_cannot_be_understood_is_never_overwritten(path: Path) -> None:
    log = LabelLog(path)
    paint(log, "sit", 0, 1)
    path.write_text("video,start_s,end_s,label\na,0,one,sit\n")
    spoilt = path.read_bytes()
    for _ in range(2):
        with pytest.raises(ValueError, match="line 2: expected a number of seconds"):
            paint(log, "lie", 2, 3)
    with pytest.raises(ValueError, match="line 2: expected a number of seconds"):
        LabelLog(path)
    assert path.read_bytes() == spoilt
    assert show(log) == [(0, 1, "sit")]
    path.write_text("video,start_s,end_s,label\na,0,1,sit\n")
    paint(log, "lie", 2, 3)
    assert len(read_csv(path)) == 2


def test_labels_stay_if_the_log_is_removed_meanwhile(path: Path) -> None:
    log = LabelLog(path)
    paint(log, "sit", 0, 1)
    log.log_path.unlink()
    paint(log, "lie", 2, 3)
    assert show(log) == show(LabelLog(path)) == [(0, 1, "sit"), (2, 3, "lie")]


# --- films --------------------------------------------------------------------------


def test_a_renamed_film_keeps_its_labels(path: Path) -> None:
    paint(LabelLog(path, hashes={"a": "A", "b": "B"}), "sit", 0, 1)
    log = LabelLog(path, hashes={"new": "A", "b": "B"})
    assert log.notices == ["new is the film that was called a: its labels follow."]
    assert read_csv(path) == ["new,0.000,1.000,sit"]
    assert undo(log, "new")
    assert show(LabelLog(path, hashes={"new": "A"}), "new") == []


def test_another_film_under_the_same_name_does_not_inherit(path: Path) -> None:
    paint(LabelLog(path, hashes={"a": "A"}), "sit", 0, 1)
    log = LabelLog(path, hashes={"a": "B"})
    assert "a is not the film that was labelled under this name" in log.notices[0]
    assert read_csv(path) == []
    paint(log, "lie", 0, 1)
    back = LabelLog(path, hashes={"a": "A"})  # the first film is there again
    assert show(back) == [(0, 1, "sit")]
    assert show(LabelLog(path, hashes={"a": "B"})) == [(0, 1, "lie")]


def test_labels_of_a_film_encoded_anew_can_be_adopted(path: Path) -> None:
    paint(LabelLog(path, hashes={"a": "A"}), "sit", 0, 1)
    log = LabelLog(path, hashes={"a": "B"})
    log.adopt_labels("a")
    assert show(log) == show(LabelLog(path, hashes={"a": "B"})) == [(0, 1, "sit")]
    with pytest.raises(ValueError, match="No labels were set aside for 'a'"):
        log.adopt_labels("a")


def test_films_that_swap_names_keep_their_labels(path: Path) -> None:
    log = LabelLog(path, hashes={"a": "A", "b": "B"})
    paint(log, "sit", 0, 1)
    paint(log, "lie", 0, 1, video="b")
    log = LabelLog(path, hashes={"a": "B", "b": "A"})
    assert read_csv(path) == ["a,0.000,1.000,lie", "b,0.000,1.000,sit"]
    assert LabelLog(path, hashes={"a": "B", "b": "A"}).state.films == {
        "a": "B",
        "b": "A",
    }


def test_a_copy_of_a_film_takes_no_labels(path: Path) -> None:
    paint(LabelLog(path, hashes={"a": "A"}), "sit", 0, 1)
    log = LabelLog(path, hashes={"a": "A", "copy": "A"})
    assert show(log) == [(0, 1, "sit")]
    assert show(log, "copy") == []
    assert log.notices == []


# --- others, and no disk ------------------------------------------------------------


def test_two_kernels_take_turns_and_lose_nothing(path: Path) -> None:
    one, two = LabelLog(path), LabelLog(path)
    for second in range(4):
        paint((one, two)[second % 2], "sit", 2 * second, 2 * second + 1)
    assert len(show(two)) == 4
    assert one.refresh()
    assert show(one) == show(two) == show(LabelLog(path))


_LABEL_MANY = """
import sys
from pathlib import Path
from utils.labelling.actions import Action
from utils.labelling.journal import LabelLog
from utils.labelling.spans import Span
log = LabelLog(Path(sys.argv[1]))
for n in range(40):
    spans = {sys.argv[2]: (Span(2 * n, 2 * n + 1, ""),)}
    log.write(Action("paint", video=sys.argv[2], label="sit", spans=spans))
"""


def run_python(code: str, *arguments: object) -> subprocess.Popen:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdout=-1, stderr=-1, text=True)


def test_two_programs_at_once_lose_nothing(path: Path) -> None:
    writers = [run_python(_LABEL_MANY, path, video) for video in "ab"]
    for writer in writers:
        _, errors = writer.communicate(timeout=120)
        assert writer.returncode == 0, errors
    log = LabelLog(path)
    assert len(show(log, "a")) == len(show(log, "b")) == 40
    assert len(read_csv(path)) == 80
    assert log.notices == []


def test_a_log_that_cannot_be_written_refuses_the_label(path: Path) -> None:
    log = LabelLog(path)
    paint(log, "sit", 0, 1)
    kept, csv = log.log_path.read_bytes(), path.read_bytes()
    log.log_path.unlink()
    log.log_path.mkdir()
    with pytest.raises(LabelNotSavedError, match="Not saved, and nothing was changed"):
        paint(log, "lie", 2, 3)
    assert show(log) == [(0, 1, "sit")]
    assert path.read_bytes() == csv
    log.log_path.rmdir()
    log.log_path.write_bytes(kept)
    paint(log, "lie", 2, 3)
    assert show(LabelLog(path)) == [(0, 1, "sit"), (2, 3, "lie")]


_FILL_THE_DISK = """
import resource, sys
from pathlib import Path
from utils.labelling.actions import Action
from utils.labelling.journal import LabelLog, LabelNotSavedError
from utils.labelling.spans import Span
log = LabelLog(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), -1))
for n in range(100):
    before = log.state.track("a").merge()
    try:
        spans = {"a": (Span(2 * n, 2 * n + 1, ""),)}
        log.write(Action("paint", video="a", label="sit", spans=spans))
    except LabelNotSavedError as error:
        assert log.state.track("a").merge() == before
        print(n, error)
        break
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on file size")
@pytest.mark.parametrize("n_bytes", [900, 1000])
def test_a_full_disk_refuses_the_label_and_spoils_nothing(
    path: Path, n_bytes: int
) -> None:
    writer = run_python(_FILL_THE_DISK, path, n_bytes)
    said, errors = writer.communicate(timeout=60)
    assert writer.returncode == 0, errors
    n_saved = int(said.split()[0])
    assert 0 < n_saved < 50
    assert "Not saved, and nothing was changed" in said
    log = LabelLog(path)
    assert len(show(log)) == n_saved
    assert log.notices == []


def test_labels_can_be_looked_at_where_nothing_can_be_written(path: Path) -> None:
    log = LabelLog(path)
    paint(log, "sit", 0, 1)
    log.log_path.chmod(0o444)
    if os.access(log.log_path, os.W_OK):
        pytest.skip("this user may write everywhere")
    assert show(LabelLog(path)) == [(0, 1, "sit")]
    with pytest.raises(LabelNotSavedError):
        paint(LabelLog(path), "lie", 2, 3)


def test_a_folder_that_is_not_there_is_made(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "labels.csv"
    paint(LabelLog(path), "sit", 0, 1)
    assert read_csv(path) == ["a,0.000,1.000,sit"]
    shutil.rmtree(path.parent)


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL and fork")
@pytest.mark.parametrize("n_kills", [20, pytest.param(200, marks=pytest.mark.slow)])
def test_a_kill_at_any_moment_loses_no_acknowledged_label(
    tmp_path: Path, n_kills: int
) -> None:
    command = [sys.executable, "-m", "tests.kill_labelling", tmp_path, n_kills, 1]
    done = subprocess.run(
        [*map(str, command)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{n_kills} kills" in done.stdout


def write_long_log(path: Path, n_lines: int) -> None:
    """Write a log as if somebody had labelled for weeks."""
    chance = random.Random(0)
    with path.with_suffix(".log.jsonl").open("wb") as file:
        for nth in range(n_lines):
            start_s = chance.randrange(9_000)
            spans = (Span(start_s, start_s + chance.randrange(1, 9), ""),)
            file.write(
                format_action(
                    Action(
                        "erase" if nth % 9 == 0 else "paint",
                        id=f"{nth:012x}",
                        by="ann",
                        video=f"v{nth % 7}",
                        label="" if nth % 9 == 0 else chance.choice("abc"),
                        spans={f"v{nth % 7}": spans},
                    )
                )
            )


def describe(log: LabelLog) -> tuple:
    rows = {video: track.merge() for video, track in log.state.tracks.items()}
    return rows, log.state.classes, log.state.n_actions


def test_what_is_folded_of_a_long_log_is_all_the_log_says(path: Path) -> None:
    write_long_log(path, 6_000)
    log = LabelLog(path)
    again = LabelLog(path)
    assert again._n_folded_lines == 6_000
    assert describe(again) == describe(log)
    paint(again, "d", 0, 5, video="v1", by="ann")
    before = describe(again)
    paint(again, "d", 7, 8, video="v1", by="ann")
    assert again.find_last("undo", "ann")[0] == "v1"
    undo(again, "v1", by="ann")
    assert describe(again)[:2] == before[:2]
    resumed = LabelLog(path)
    assert describe(resumed) == describe(again)
    undo(resumed, "v1", by="ann")
    assert describe(resumed)[0] == describe(log)[0]
    # What comes before: the log is read as a whole.
    video, action = resumed.find_last("undo", "ann")
    resumed.write(Action("undo", video=video, by="ann", of=find_unit(action)))
    path.with_name(".labels.fold.json").unlink()
    assert describe(LabelLog(path)) == describe(resumed)


def test_many_lines_are_read_as_each_alone(path: Path) -> None:
    write_long_log(path, 2_500)
    lines = path.with_suffix(".log.jsonl").read_bytes().splitlines(keepends=True)
    assert parse_actions(lines) == [parse_action(line) for line in lines]
    torn = [lines[0][:20] + b"\n", lines[0][20:], lines[1][:-1] + b"," + lines[2]]
    for damaged in (torn, torn[:2], [b"\n"], [lines[0][:-2]], [b"{" * 9_000 + b"}\n"]):
        with pytest.raises(ValueError, match=r"line|delimiter"):
            parse_actions(damaged)


@pytest.mark.parametrize("fold", ["", "{}", '{"n_bytes":-1,"key":""}', "[1]"])
def test_a_spoilt_or_foreign_fold_is_passed_over(path: Path, fold: str) -> None:
    write_long_log(path, 10)
    expected = describe(LabelLog(path))
    path.with_name(".labels.fold.json").write_text(fold)
    assert describe(LabelLog(path)) == expected
    assert describe(LabelLog(path, classes=["z"]))[1][0] == "z"


@pytest.mark.slow
def test_a_log_of_200_000_lines_and_20_000_spans_open_fast(path: Path) -> None:
    write_long_log(path, 200_000)
    start_s = time.process_time()
    LabelLog(path)
    # Bar: 3 s. It takes 2.4 s on a quiet machine, half as much again on a busy one.
    assert time.process_time() - start_s < 5
    start_s = time.process_time()
    LabelLog(path)
    assert time.process_time() - start_s < 3
    many = path.with_name("many.csv")
    rows = (f"v,{k}.0,{k}.5,{'abc'[k % 3]}\n" for k in range(20_000))
    many.write_text("video,start_s,end_s,label\n" + "".join(rows))
    start_s = time.process_time()
    paint(LabelLog(many), "a", 3.7, 3.9)
    assert time.process_time() - start_s < 3


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork")
@pytest.mark.parametrize("how", ["place", "rename"])
@pytest.mark.parametrize("n_edits", [20, pytest.param(1000, marks=pytest.mark.slow)])
def test_edits_in_another_program_lose_nothing_and_are_not_lost(
    tmp_path: Path, how: str, n_edits: int
) -> None:
    command = [sys.executable, "-m", "tests.edit_labelling", tmp_path, n_edits, how]
    done = subprocess.run(
        [*map(str, command)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{n_edits} edits, 0 lost" in done.stdout
