"""The labelling widget's kernel side, without a browser."""

import json
import re
import sys
import types
from collections.abc import Callable
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest
from nbclient import NotebookClient

from tests.jupyter_rig import ROOT
from tests.label_films import CLASSES, build_tables, write_tables
from utils.core.tables import check_table
from utils.labelling.clips import Footage
from utils.labelling.review import Doubt
from utils.labelling.session import Session
from utils.labelling.widget import bridge
from utils.labelling.widget.bridge import LONG_VIDEO, VERBS, Labeller, show
from utils.labelling.widget.messages import count_labels, describe_grid
from utils.screen import YourTurn

ODD_CLASS = 'lie, "flat" 🧘' + "x" * 100


class Wire:
    """A labeller with a front end that only keeps what it is sent.

    Attributes:
        labeller: The labeller.
        session: Its session.
        sent: Messages with their buffers, oldest first.
    """

    def __init__(self, session: Session, doubts: tuple[Doubt, ...] = ()) -> None:
        """Build the labeller over a session."""
        self.sent: list[tuple[dict, list]] = []
        self.labeller = Labeller(session)
        self.labeller.list_doubts(pd.DataFrame(doubts, columns=Doubt._fields))
        self.labeller.front_end.send = lambda message, buffers: self.sent.append(
            (message, buffers)
        )
        self.session = session
        self._n_acts = 0

    def tell(self, kind: str, **content: object) -> None:
        """Send a message as the front end does."""
        message = {"type": kind, "video": self.session.video, **content}
        self.labeller._on_message(None, message, [])

    def act(self, action: str, **content: object) -> dict:
        """Send an action and return its acknowledgement."""
        self._n_acts += 1
        content = {"position": self.session.position, **content}
        self.tell("act", action=action, seq=self._n_acts, **content)
        (done,) = [m for m in self.find("done") if m["seq"] == self._n_acts]
        return done

    def paint(self, action: str, position: int, label: str) -> dict:
        """Send a piece of a stroke: from after the playhead up to a frame."""
        bounds_s, here = self.session.clip.bounds_s, self.session.position
        first = position if action == "paint_begin" else here + 1
        times_s = {"start_s": bounds_s[first], "end_s": bounds_s[position + 1]}
        return self.act(action, position=position, label=label, **times_s)

    def find(self, kind: str) -> list[dict]:
        """Return the messages of a kind."""
        return [message for message, _ in self.sent if message["type"] == kind]

    @property
    def spans(self) -> list[tuple]:
        """What is labelled in the current video."""
        return [tuple(span) for span in self.session.describe()["spans"]]


def _label_true(session: Session, source: Path, n_rows: dict[str, int]) -> None:
    """Label the first rows of some videos as they truly are."""
    truth = pd.read_csv(source / "labels.csv")
    for name in set(truth["label"]) - set(CLASSES):
        session.add_class(name)
    for video, n in n_rows.items():
        for row in truth[truth["video"] == video].iloc[:n].itertuples():
            session.label(video, 0, row.start_s, row.end_s, row.label)


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory, demo_videos: Path) -> dict:
    folder = tmp_path_factory.mktemp("pictures")
    return build_tables(folder, demo_videos, ["person01_a", "person01_b"])


@pytest.fixture
def open_session(tables: dict, tmp_path: Path) -> Callable[[], Session]:
    def build() -> Session:
        return Session(
            tmp_path / "labels.csv", Footage(**tables), classes=CLASSES, annotator="ada"
        )

    return build


@pytest.fixture
def wire(open_session: Callable[[], Session]) -> Wire:
    return Wire(open_session())


def test_the_first_message_holds_all_that_is_needed_to_draw(wire: Wire) -> None:
    opening = wire.labeller.front_end.opening
    message, buffers = opening["message"], opening["buffers"]
    times_s = np.frombuffer(buffers[0])
    assert message["video"] == "person01_a"
    assert len(times_s) == message["n"] == len(wire.session.clip.times_s)
    assert np.frombuffer(buffers[1])[2] == 6
    assert buffers[2][:2] == b"\xff\xd8"
    assert len(buffers[3]) == 17 * 3 * 4
    assert [c["name"] for c in message["labels"]["classes"]][:6] == list(CLASSES)
    assert message["labels"]["segments"]
    json.dumps(message)


def test_a_label_is_on_disk_before_it_is_acknowledged(
    wire: Wire, open_session: Callable[[], Session]
) -> None:
    done = wire.act("label", start_s=1.0, end_s=2.0, label="sitting")
    assert done["ok"]
    assert open_session().describe()["spans"] == [[1.0, 2.0, "sitting"]]
    assert wire.find("labels")[-1]["spans"] == [[1.0, 2.0, "sitting"]]


def test_the_film_is_sent_in_pieces_with_its_clock_or_refused_in_words(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bridge, "_PIECE_BYTES", 200_000)
    videos = wire.session._facts
    videos["starts_at_s"] = 2.5
    path = Path(videos.loc[videos["video"] == wire.session.video, "path"].iloc[0])
    whole = b""
    while len(whole) < path.stat().st_size:
        wire.tell("film", offset=len(whole))
        message, (piece,) = wire.sent[-1]
        assert (message["offset"], message["starts_at_s"]) == (len(whole), 2.5)
        whole += piece
    assert whole == path.read_bytes()
    monkeypatch.setattr(bridge, "MAX_FILM_BYTES", 1000)
    wire.tell("film", offset=0)
    assert "too large to be" in wire.find("no_film")[-1]["text"]
    videos["path"] = "gone.mp4"
    wire.tell("film", offset=0)
    assert wire.find("no_film")[-1]["text"] == "gone.mp4: No such file or directory."


def test_the_page_hears_of_a_cell_that_waits_for_labels(wire: Wire) -> None:
    ended = types.SimpleNamespace(error_in_exec=ValueError("bad"))
    wire.labeller.on_cell(ended)
    assert not wire.find("turn")
    ended.error_in_exec = YourTurn("Label now.")
    wire.labeller.on_cell(ended)
    assert wire.find("turn") == [{"type": "turn", "text": "Label now."}]


def test_what_seldom_changes_is_sent_once(wire: Wire) -> None:
    wire.act("label", start_s=1.0, end_s=2.0, label="sitting")
    assert "segments" not in wire.find("labels")[-1]
    assert "classes" not in wire.find("labels")[-1]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"start_s": 0.0, "end_s": 1.0, "label": "flying"}, "'flying' is not a class"),
        ({"start_s": 99.0, "end_s": 98.0, "label": "sitting"}, "is no time of"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_reason(
    wire: Wire, content: dict, reason: str
) -> None:
    done = wire.act("label", **content)
    assert not done["ok"]
    assert reason in done["reason"]
    assert wire.spans == []


def test_a_label_that_cannot_be_written_is_refused(wire: Wire, tmp_path: Path) -> None:
    (tmp_path / "labels.log.jsonl").mkdir()
    done = wire.act("label", start_s=0.0, end_s=1.0, label="sitting")
    assert not done["ok"]
    assert done["reason"]
    assert wire.find("labels")[-1]["spans"] == []


def test_even_an_error_of_ours_is_answered(wire: Wire) -> None:
    with pytest.raises(TypeError):
        wire.act("label", label="sitting")  # without times
    assert "error in the kernel" in wire.find("done")[-1]["reason"]


def test_a_stroke_is_on_disk_piece_by_piece_and_is_undone_at_once(wire: Wire) -> None:
    wire.paint("paint_begin", 2, "bending")
    n_before = len(wire.find("labels"))
    wire.paint("paint_to", 4, "bending")
    assert wire.spans == [(0.4, 1.0, "bending")]
    assert len(wire.find("labels")) == n_before
    wire.paint("paint_to", 9, "bending")
    wire.act("paint_end")
    assert wire.find("labels")[-1]["spans"] == [[0.4, 2.0, "bending"]]
    undone = wire.act("undo")
    assert undone["position"] == 2
    assert "bending, 0.4 to 2.0 s" in undone["text"]
    assert wire.spans == []
    wire.act("redo")
    assert wire.spans == [(0.4, 2.0, "bending")]


def test_what_follows_of_a_refused_stroke_is_refused_too(
    wire: Wire, tmp_path: Path
) -> None:
    wire.paint("paint_begin", 2, "bending")
    log = tmp_path / "labels.log.jsonl"
    log.rename(tmp_path / "kept")
    log.mkdir()
    assert not wire.paint("paint_to", 3, "bending")["ok"]
    log.rmdir()
    (tmp_path / "kept").rename(log)
    assert not wire.paint("paint_to", 4, "bending")["ok"]
    assert wire.spans == [(0.4, 0.6, "bending")]


def test_undo_without_anything_to_undo_says_so(wire: Wire) -> None:
    assert "nothing to undo" in wire.act("undo")["text"]
    assert "nothing to redo" in wire.act("redo")["text"]


def test_undo_goes_to_the_last_action_wherever_it_was_and_says_what_it_was(
    wire: Wire,
) -> None:
    wire.act("label", start_s=1.0, end_s=2.0, label="sitting")
    wire.tell("open", move=1)
    done = wire.act("undo")
    assert done["text"] == "Taken back: sitting, 1.0 to 2.0 s in person01_a."
    assert wire.find("video")[-1]["video"] == "person01_a"
    assert wire.spans == []
    wire.tell("open", move=1)
    assert "Done again: sitting" in wire.act("redo")["text"]
    assert wire.spans == [(1.0, 2.0, "sitting")]


def test_colab_is_asked_to_show_widgets(
    tables: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    output = types.SimpleNamespace(
        enable_custom_widget_manager=lambda: asked.append(True)
    )
    colab = types.SimpleNamespace(output=output)
    monkeypatch.setitem(sys.modules, "google.colab", colab)
    monkeypatch.setitem(sys.modules, "google", types.SimpleNamespace(colab=colab))
    parts = [tables[name] for name in ("videos", "frames", "keypoints")]
    show(tmp_path / "labels.csv", *parts)
    assert asked == [True]


def test_the_list_of_classes_is_changed_and_changed_back(wire: Wire) -> None:
    wire.act("label", start_s=1.0, end_s=2.0, label="sitting")
    assert "1.0 s of it are deleted" in wire.act("delete_class", name="sitting")["text"]
    assert wire.spans == []
    wire.act("move_class", name="t_pose", to=0)
    names = [c["name"] for c in wire.find("labels")[-1]["classes"]]
    assert names[:2] == ["t_pose", "standing"]
    assert "sitting" not in names
    wire.act("undo")
    wire.act("undo")
    assert wire.spans == [(1.0, 2.0, "sitting")]
    names = [c["name"] for c in wire.find("labels")[-1]["classes"]]
    assert names[: len(CLASSES)] == list(CLASSES)
    assert not wire.act("delete_class", name="flying")["ok"]


def test_at_the_end_it_is_said_what_is_left_and_what_comes_next(wire: Wire) -> None:
    for video in wire.session.videos:
        wire.tell("open", video=video)
        for start_s, end_s, is_still in wire.session.describe()["segments"]:
            if is_still:
                wire.act("label", start_s=start_s, end_s=end_s, label="sitting")
    wire.act("label", start_s=start_s, end_s=end_s, label="standing")
    wire.tell("next", position=0)
    said = wire.find("say")[-1]["text"]
    assert "All still poses are labelled." in said
    assert "moving between postures" in said
    assert "run the cells below" in said


def test_an_action_given_just_before_the_video_changed_goes_where_it_was_meant(
    wire: Wire,
) -> None:
    wire.tell("open", move=1)
    wire.act("label", video="person01_a", start_s=0.0, end_s=1.0, label="sitting")
    assert wire.session.video == "person01_b"
    assert wire.spans == []
    wire.session.open("person01_a")
    assert wire.spans == [(0.0, 1.0, "sitting")]


def test_n_at_the_last_video_says_so(wire: Wire) -> None:
    wire.tell("open", move=1)
    wire.tell("open", move=1)
    assert wire.find("say")[-1]["text"] == "This is the last video."
    assert len(wire.find("video")) == 1


def test_the_list_of_videos_opens_one(wire: Wire) -> None:
    wire.tell("open", video="person01_b")
    assert wire.find("video")[-1]["video"] == "person01_b"


def test_a_rested_playhead_is_where_a_new_session_resumes(
    wire: Wire, open_session: Callable[[], Session]
) -> None:
    wire.tell("open", move=1)
    wire.tell("place", position=13)
    session = open_session()
    assert (session.video, session.position) == ("person01_b", 13)


def test_an_edited_labels_file_is_taken_in_when_the_playhead_rests(
    wire: Wire, tmp_path: Path
) -> None:
    wire.act("label", start_s=1.0, end_s=2.0, label="sitting")
    path = tmp_path / "labels.csv"
    path.write_text(path.read_text().replace("sitting", "standing"))
    wire.tell("place", position=3)
    assert wire.find("labels")[-1]["spans"] == [[1.0, 2.0, "standing"]]


def _send_proposal(wire: Wire, proposal: list, goes_to: int | None) -> dict:
    """Accept a proposal as the front end does, from its first frame."""
    start_s, end_s, label, _ = proposal
    position = wire.session.clip.find_position(start_s)
    content = {"start_s": start_s, "end_s": end_s, "label": label}
    return wire.act("accept", position=position, goes_to=goes_to, **content)


def test_accepting_the_last_proposal_of_a_video_opens_the_next_one(
    open_session: Callable[[], Session], demo_videos: Path
) -> None:
    session = open_session()
    _label_true(session, demo_videos, {"person01_a": 8, "person01_b": 6})
    wire = Wire(session)
    while len(found := session.describe()["proposals"]) > 1:
        assert _send_proposal(wire, found[0], 0)["ok"]
    assert _send_proposal(wire, found[0], None)["ok"]
    assert wire.find("video")[-1]["video"] == session.video == "person01_b"


def test_the_front_end_may_go_on_before_the_kernel_does(
    open_session: Callable[[], Session], demo_videos: Path
) -> None:
    session = open_session()
    _label_true(session, demo_videos, {"person01_b": 8, "person01_a": 6})
    wire = Wire(session)
    first = next(p for p in session.describe()["proposals"] if p[1] - p[0] > 1)
    assert _send_proposal(wire, first, 60)["ok"]
    assert session.position == 60
    start_s, end_s, label, _ = first
    covers = [s for s in wire.spans if s[0] <= start_s and end_s <= s[1]]
    assert [s[2] for s in covers] == [label]


def test_look_alikes_are_counted_before_they_are_labelled(wire: Wire) -> None:
    wire.tell("grid", group=0)
    message, pictures = wire.sent[-1]
    assert message["type"] == "grid"
    assert len(message["items"]) == len(pictures) <= 24
    frames = [[item["video"], item["frame_idx"]] for item in message["items"]]
    wire.tell("count", frames=frames, label="sitting")
    seconds = wire.find("count")[-1]["seconds"]
    assert seconds == pytest.approx(0.2 * len(frames), abs=0.1)
    assert wire.spans == []
    done = wire.act("label_many", frames=frames, label="sitting")
    assert done["text"].startswith(f"{seconds:.1f} s")
    assert wire.session.summarise()[0]["seconds"].sum() == pytest.approx(seconds)


def test_a_grid_shows_unlabelled_frames_first() -> None:
    found = pd.DataFrame(
        {
            "group": [0, 0, 1],
            "video": ["a", "a", "a"],
            "frame_idx": [1, 2, 3],
            "time_s": [0.1, 0.2, 0.3],
            "path": ["no-1.jpg", "no-2.jpg", "no-3.jpg"],
            "label": ["sitting", np.nan, np.nan],
        }
    )
    message, _ = describe_grid(found, 2)  # the third group of two is the first
    assert message["n_groups"] == 2
    assert [item["label"] for item in message["items"]] == [None, "sitting"]


def test_a_label_in_doubt_is_shown_put_right_and_leaves_the_list(
    open_session: Callable[[], Session],
) -> None:
    session = open_session()
    session.label("person01_a", 0, 4.0, 6.0, "sitting")
    doubts = (
        Doubt("person01_a", 4.0, 6.0, "sitting", "t_pose", 0.9),
        Doubt("person01_b", 1.0, 2.0, "sitting", "bending", 0.8),
    )
    wire = Wire(session, doubts)
    wire.tell("doubt")
    assert session.position == 20
    assert "t_pose" in wire.act("fix")["text"]
    assert wire.spans == [(4.0, 6.0, "t_pose")]
    assert [doubt.video for doubt in session.doubts] == ["person01_b"]
    assert len(wire.labeller.panel.doubts.options) == 1


def test_without_doubts_the_key_says_so(wire: Wire) -> None:
    wire.tell("doubt")
    assert wire.find("say")[-1]["text"] == "No label is in doubt."
    assert "Press J first" in wire.act("fix")["text"]


def test_a_chosen_doubt_is_gone_to(open_session: Callable[[], Session]) -> None:
    doubt = Doubt("person01_b", 1.0, 2.0, "sitting", "bending", 0.8)
    wire = Wire(open_session(), (doubt,))
    wire.labeller.panel.doubts.value = 0
    assert wire.find("video")[-1]["video"] == "person01_b"
    assert (wire.session.position, wire.session.doubt_idx) == (5, 0)


def test_classes_are_added_renamed_and_merged_by_the_form(wire: Wire) -> None:
    wire.act("label", start_s=1.0, end_s=2.0, label="sitting")
    change = wire.labeller._on_panel
    assert change("add_class", name=ODD_CLASS).startswith(ODD_CLASS)
    change("rename_class", old="sitting", new="on a chair")
    change("merge_class", old="standing", into=ODD_CLASS)
    assert wire.spans == [(1.0, 2.0, "on a chair")]
    names = [each["name"] for each in wire.find("labels")[-1]["classes"]]
    assert "standing" not in names
    assert ODD_CLASS in names
    assert "Not saved" in change("add_class", name="")


def test_the_session_does_what_the_front_end_sends_and_nothing_else() -> None:
    folder = ROOT / "utils/labelling/widget"
    script = "".join(p.read_text("utf-8") for p in folder.rglob("*.js"))
    sent = set(re.findall(r'\baction: "(\w+)"|\brequest\("(\w+)"', script))
    sent |= set(re.findall(r'paintSpan\("(\w+)"()', script))
    panel = (folder / "panel.py").read_text("utf-8")
    sent |= set(re.findall(r'\bsend\("(\w+)"()|\bchange\(\s*"(\w+)"()', panel))
    names = {name for found in sent for name in found if name}
    by_python = {"adopt_labels"}  # called in the notebook, as a notice says
    by_bridge = {"frames", "overview", "film", "act"}  # what a session is not asked
    assert names - by_bridge == set(VERBS) - by_python


def test_counts_are_one_sentence() -> None:
    none = pd.DataFrame({"label": [], "subject": [], "seconds": []})
    assert count_labels(none, 12) == "Nothing is labelled yet in 12 videos."
    some = pd.DataFrame(
        {"label": ["a", "b", "a"], "subject": ["x", "x", "y"], "seconds": [1.0, 5, 2]}
    )
    assert count_labels(some, 2) == "8.0 s in 2 videos are labelled: b 5.0 s, a 3.0 s."


def test_a_long_video_opens_before_its_segments_are_found(tmp_path: Path) -> None:
    n_frames = LONG_VIDEO + 1
    frames = check_table(
        pd.DataFrame(
            {
                "video": "long",
                "frame_idx": np.arange(n_frames),
                "time_s": np.arange(n_frames) / 5,
                "path": "no.jpg",
                "width_px": 64,
                "height_px": 48,
                "sharpness": 1.0,
            }
        ),
        "frames",
    )
    videos = pd.DataFrame({"video": ["long"], "sha256": ["0" * 64], "subject": ["x"]})
    videos = videos.assign(
        path="no.mp4", duration_s=n_frames / 5, fps=5.0, n_frames=n_frames, width_px=64,
        height_px=48, rotation_deg=0, is_vfr=False,
    )  # fmt: skip
    session = Session(
        tmp_path / "labels.csv", Footage(videos, frames), classes=["sitting"]
    )
    wire = Wire(session)
    assert wire.labeller.front_end.opening["message"]["labels"]["is_partial"]


@pytest.mark.slow
def test_without_a_front_end_a_still_picture_and_the_counts_stay(
    tables: dict, tmp_path: Path
) -> None:
    write_tables(tables, tmp_path)
    source = f"""\
from pathlib import Path
import utils
from utils.core.tables import read_table
names = ("videos", "frames", "keypoints")
tables = [read_table(Path(f"{{name}}.parquet"), name) for name in names]
labeller = utils.labelling.show(Path("labels.csv"), *tables, classes={CLASSES!r})"""
    cells = [
        nbformat.v4.new_code_cell(f"import sys\nsys.path.insert(0, {str(ROOT)!r})"),
        nbformat.v4.new_code_cell(source),
        nbformat.v4.new_code_cell("print('reached')"),
    ]
    book = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(
        book, timeout=120, resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    html = [
        output["data"]["text/html"]
        for output in book.cells[1].outputs
        if "text/html" in output.get("data", {})
    ]
    assert "data:image/jpeg;base64," in html[0]
    assert "Nothing is labelled yet in 2 videos." in html[0]
    assert book.cells[2].outputs[0]["text"] == "reached\n"
