"""The labelling widget in JupyterLab, driven by a real browser."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.jupyter_rig import SLOW_MS, Lab, find_chromium, run_browser, run_lab
from tests.label_films import build_tables, write_tables
from tests.labelling.labelling_page import CLIPS, Labelling

sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.flaky(reruns=2),  # a loaded machine may answer late
    pytest.mark.skipif(find_chromium() is None, reason="there is no Chromium here"),
]


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory, demo_videos: Path) -> dict:
    return build_tables(tmp_path_factory.mktemp("pictures"), demo_videos, CLIPS)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, tables: dict) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("served")
    write_tables(tables, folder)
    with run_lab(folder, tmp_path_factory.mktemp("home")) as lab:
        yield lab


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sync_api.Page]:
    with run_browser(tmp_path_factory.mktemp("profile")) as browser:
        yield browser.pages[0]


@pytest.fixture
def labelling(
    page: sync_api.Page, lab: Lab, tables: dict, request: pytest.FixtureRequest
) -> Iterator[Labelling]:
    made = Labelling(page, lab, request.node.name, tables)
    made.open()
    yield made
    page.evaluate("jupyterapp.shell.currentWidget.sessionContext.shutdown()")
    page.goto("about:blank")


def test_keys_label_and_the_log_holds_exactly_that(labelling: Labelling) -> None:
    labelling.run_all()
    labelling.press("s", "2")  # one frame, and on
    labelling.wait_for_row(1)
    labelling.page.keyboard.down("3")  # held while stepping: paint
    labelling.press(*["ArrowRight"] * 4)
    labelling.page.keyboard.up("3")
    labelling.press(*["ArrowRight"] * 5, "i", ".", "ArrowRight", "o", "4")  # 10 to 15
    labelling.press("Control+z", "Control+Shift+Z")
    labelling.press("End", "u", "Home", "Backspace")  # unsure; step is 5 frames now
    labelling.wait_until_saved()
    clip, spans = "person01_a", labelling.span
    last = len(labelling.clip.times_s) - 1
    assert labelling.read_log() == [
        ("paint", "sitting", {clip: [spans(0, 0)]}),
        ("paint", "bending", {clip: [spans(1, 5)]}),
        ("paint", "squatting", {clip: [spans(10, 15)]}),
        ("undo", "", {}),
        ("redo", "", {}),
        ("paint", "unsure", {clip: [spans(last, last)]}),
        ("erase", "", {clip: [spans(0, 4)]}),
    ]
    assert labelling.read_labels() == [
        (clip, *spans(5, 5), "bending"),
        (clip, *spans(10, 15), "squatting"),
        (clip, *spans(last, last), "unsure"),
    ]


def test_a_held_key_paints_what_is_played(labelling: Labelling) -> None:
    labelling.run_all()
    labelling.press("+", "+", "ArrowRight", "ArrowRight")
    labelling.wait_for_row(2)
    labelling.press(" ")
    labelling.page.keyboard.down("5")
    start = labelling.read_row()
    labelling.page.wait_for_function(
        f"Number(document.querySelector('.lb-root').dataset.row) > {start + 8}"
    )
    labelling.page.keyboard.up("5")
    labelling.press(" ")
    labelling.wait_until_saved()
    ((what, label, spans),) = labelling.read_log()
    ((begin_s, end_s),) = spans["person01_a"]
    assert (what, label) == ("paint", "arms_raised")
    times_s = [round(t, 3) for t in labelling.clip.times_s]
    assert begin_s in times_s[2 : start + 2]
    assert end_s >= times_s[start + 9]
    labelling.press("Control+z")  # a stroke is one step back
    labelling.wait_until_saved()
    assert labelling.read_labels() == []


def test_buttons_label_and_the_log_holds_exactly_that(labelling: Labelling) -> None:
    labelling.run_all()
    labelling.click("class-1")  # the segment in view, and on to the next still pose
    labelling.click("class-0")
    labelling.click("undo")
    labelling.click("redo")
    labelling.click("next_video")
    labelling.page.wait_for_selector(".lb-root[data-video='person01_b'][data-painted]")
    labelling.click("unit")
    labelling.click("step-5")
    labelling.click("class-3")
    labelling.click("erase")
    labelling.wait_until_saved()
    first, second = labelling.stills[:2]
    labelling.clip = labelling.clips["person01_b"]
    assert labelling.read_log() == [
        ("paint", "sitting", {"person01_a": [first]}),
        ("paint", "standing", {"person01_a": [second]}),
        ("undo", "", {}),
        ("redo", "", {}),
        ("paint", "squatting", {"person01_b": [labelling.span(0, 4)]}),
    ]


def test_dragging_on_the_time_line_labels_exactly_that(labelling: Labelling) -> None:
    labelling.run_all()
    labelling.drag(4.05, 9.1)
    labelling.press("6")
    labelling.drag(15.1, 12.9)  # backwards
    labelling.click("class-0")
    labelling.drag(5.1, 6.1)
    labelling.press("Backspace")
    labelling.wait_until_saved()
    clip, spans = "person01_a", labelling.span
    assert labelling.read_log() == [
        ("paint", "t_pose", {clip: [spans(20, 45)]}),
        ("paint", "standing", {clip: [spans(64, 75)]}),
        ("erase", "", {clip: [spans(25, 30)]}),
    ]


def test_enter_accepts_the_proposal_in_view(
    labelling: Labelling, demo_videos: Path
) -> None:
    truth = (demo_videos / "labels.csv").read_text().splitlines()
    known = [line for line in truth if line.startswith(("person01_b", "person02_a"))]
    (labelling.folder / "labels.csv").write_text("\n".join([truth[0], *known]) + "\n")
    labelling.run_all()
    offer = labelling.page.locator(".lb-offer")
    offer.wait_for(state="visible")
    label = offer.inner_text().split("?")[0]
    labelling.press("Enter")
    labelling.wait_until_saved()
    what, said, spans = labelling.read_log()[-1]
    assert (what, said) == ("paint", label)
    assert spans == {"person01_a": [labelling.stills[0]]}
    labelling.wait_for_row(round(labelling.stills[1][0] * 5))


def test_no_key_reaches_the_notebook(labelling: Labelling) -> None:
    labelling.run_all()
    before = labelling.read_cells()
    keys = ["d", "d", "a", "b", "x", "c", "v", "z", "m", "y", "r", "Enter", "l", "k"]
    keys += ["Shift+Enter", "Control+Enter", "Alt+Enter", "Shift+A", "0", "0", "1"]
    keys += ["ArrowUp", "ArrowDown", "Shift+ArrowDown", "Control+s", "Escape"]
    labelling.press(*keys)
    labelling.click("undo")  # the focus is on no button afterwards
    labelling.press("d", "d", "a")
    labelling.page.get_by_role("tab", name="Second look").click()
    labelling.press("d", "d", "a")
    field = labelling.page.get_by_label("Name of a new class")
    field.click()
    labelling.press("d", "d", "a", "1")
    assert field.input_value() == "dda1"
    labelling.press("Escape")
    labelling.wait_until_saved()
    assert labelling.read_cells() == before
    # The same keys do change the notebook once the focus is there.
    labelling.page.locator(".jp-Notebook .jp-InputPrompt").last.click()
    labelling.press("Escape", "a")
    labelling.page.wait_for_function(
        "jupyterapp.shell.currentWidget.content.widgets.length === 4"
    )


def test_a_restart_and_a_reload_resume_at_the_same_place(labelling: Labelling) -> None:
    labelling.run_all()
    labelling.press("n")
    labelling.page.wait_for_selector(".lb-root[data-video='person01_b'][data-painted]")
    labelling.press("s", *["ArrowRight"] * 7, "2")
    labelling.wait_for_row(8)
    labelling.wait_until_saved()
    labels = labelling.read_labels()
    labelling.clip = labelling.clips["person01_b"]
    labelling.wait_until_noted("person01_b", labelling.clip.times_s[8])
    labelling.save()
    labelling.page.reload()  # the kernel lives on, so does the widget
    labelling.page.wait_for_selector(".lb-root[data-video='person01_b'][data-painted]")
    labelling.wait_for_row(8)
    labelling.focus()
    labelling.press("ArrowRight", "4")
    labelling.wait_for_row(10)
    labelling.wait_until_saved()
    labelling.wait_until_noted("person01_b", labelling.clip.times_s[10])
    labelling.page.evaluate(
        "jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()"
    )
    labelling.save()
    labelling.open()
    labelling.run_all()
    labelling.page.wait_for_selector(".lb-root[data-video='person01_b'][data-row='10']")
    more = ("person01_b", *labelling.span(9, 9), "squatting")
    assert labelling.read_labels() == [*labels, more]


def test_a_label_that_cannot_be_written_is_refused_visibly(
    labelling: Labelling,
) -> None:
    labelling.run_all()
    labelling.press("1")
    labelling.wait_until_saved()
    saved = labelling.read_labels()
    log = labelling.folder / "labels.log.jsonl"
    text = log.read_text()
    log.rename(log.with_suffix(".kept"))
    log.mkdir()  # stands where the log should be: nothing can be written
    labelling.press("2")
    refusal = labelling.page.wait_for_selector(".lb-saved[data-state='bad']")
    assert refusal.inner_text().startswith("not saved: ")
    shown = labelling.page.evaluate(
        "document.querySelector('.lb-root').parentElement.labeller.labels.spans.length"
    )
    assert shown == 1
    shutil.rmtree(log)
    log.with_suffix(".kept").rename(log)
    labelling.press("Control+z")
    labelling.wait_until_saved()
    assert log.read_text().startswith(text)
    assert len(saved) == 1


def test_the_still_picture_goes_once_the_widget_answers(labelling: Labelling) -> None:
    labelling.run_all()
    labelling.page.wait_for_function(
        "document.querySelectorAll('.jp-OutputArea-output figure').length === 0"
    )
    assert labelling.page.locator(".lb-title").inner_text() == "person01_a"


def test_look_alikes_say_how_much_will_change_before_it_does(
    labelling: Labelling,
) -> None:
    labelling.run_all()
    labelling.press("g")
    labelling.page.wait_for_selector(".lb-root[data-grid]")
    cells = labelling.page.locator(".lb-cell")
    n_cells = cells.count()
    cells.first.click()
    labelling.press("2")
    head = labelling.page.locator(".lb-grid-head")
    sync_api.expect(head).to_contain_text("will change to sitting", timeout=SLOW_MS)
    assert f"{n_cells - 1} of {n_cells} chosen" in head.inner_text()
    assert not (labelling.folder / "labels.log.jsonl").exists()
    said_s = float(head.inner_text().split(" s will change")[0].split()[-1])
    labelling.press("Enter")
    labelling.wait_until_saved()
    labelled_s = sum(
        end_s - start_s for _, start_s, end_s, _ in labelling.read_labels()
    )
    assert labelled_s == pytest.approx(said_s, abs=0.06)
    assert np.isfinite(labelled_s)
