"""The labelling widget for everybody: axe-core's rules, narrow pages, many classes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.jupyter_rig import ROOT, Lab, find_chromium, run_browser, run_lab
from tests.label_films import build_tables, write_tables
from tests.labelling.labelling_page import CLIPS, Labelling

sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.flaky(reruns=2),  # a loaded machine may answer late
    pytest.mark.skipif(find_chromium() is None, reason="there is no Chromium here"),
]

AXE = ROOT / "tests/vendor/axe-core/axe.min.js"
SEEK = """async () => {
  const { violations } = await axe.run(".labeller");
  const bad = violations.filter((v) => ["serious", "critical"].includes(v.impact));
  return bad.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(" | ")}`);
}"""
PARTS = ".lb-root button, .lb-side, .lb-foot, .lb-head"
# What is wider than its place: a text or a button that is cut.
CUT = f"""() => [...document.querySelectorAll({PARTS!r})]
  .filter((e) => e.offsetParent && e.scrollWidth > e.clientWidth + 1)
  .map((e) => `${{e.className}}: ${{e.textContent}}`)"""
THEME = "jupyterapp.commands.execute('apputils:change-theme', {{ theme: '{}' }})"
MANY = [f"posture {k}" for k in range(25)] + ["a name so long that it needs two lines"]


@pytest.fixture(scope="module")
def lab(
    tmp_path_factory: pytest.TempPathFactory, demo_videos: Path
) -> Iterator[tuple[Lab, dict]]:
    tables = build_tables(tmp_path_factory.mktemp("pictures"), demo_videos, CLIPS)
    folder = tmp_path_factory.mktemp("served")
    write_tables(tables, folder)
    with run_lab(folder, tmp_path_factory.mktemp("home")) as lab:
        yield lab, tables


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sync_api.Page]:
    with run_browser(tmp_path_factory.mktemp("profile")) as browser:
        yield browser.pages[0]


@pytest.fixture
def labelling(
    page: sync_api.Page, lab: tuple[Lab, dict], request: pytest.FixtureRequest
) -> Iterator[Labelling]:
    made = Labelling(page, lab[0], request.node.name, lab[1])
    made.open()
    made.run_all()
    yield made
    page.evaluate("() => void jupyterapp.shell.currentWidget.sessionContext.shutdown()")
    page.goto("about:blank")
    page.set_viewport_size({"width": 1280, "height": 800})


def test_axe_finds_no_serious_fault_in_any_state_or_theme(labelling: Labelling) -> None:
    page = labelling.page
    page.evaluate(AXE.read_text(encoding="utf-8"))
    labelling.press("1", "2")
    labelling.wait_until_saved()
    for theme in ("JupyterLab Light", "JupyterLab Dark"):
        page.evaluate(THEME.format(theme))
        page.wait_for_selector(
            f"body[data-jp-theme-light='{str(theme.endswith('Light')).lower()}']",
            state="attached",
        )
        assert page.evaluate(SEEK) == []
        labelling.press("?")
        assert page.evaluate(SEEK) == []
        labelling.press("?", "g")
        page.wait_for_selector(".lb-root[data-grid]")
        assert page.evaluate(SEEK) == []
        labelling.press("Escape")
        page.locator(".lb-more").first.click()
        assert page.evaluate(SEEK) == []
        labelling.press("Escape")
    page.evaluate(THEME.format("JupyterLab Light"))


@pytest.mark.parametrize(("width", "height"), [(700, 900), (853, 600)])
def test_nothing_is_cut_on_a_narrow_page_or_at_150_percent(
    labelling: Labelling, width: int, height: int
) -> None:
    page = labelling.page
    page.evaluate("jupyterapp.commands.execute('application:toggle-left-area')")
    page.set_viewport_size({"width": width, "height": height})
    page.wait_for_timeout(500)
    assert page.evaluate(CUT) == []
    labelling.click("step-5")
    button = page.locator("[data-command='step'][data-value='5']")
    assert button.get_attribute("aria-pressed") == "true"
    page.evaluate("jupyterapp.commands.execute('application:toggle-left-area')")


def test_two_dozen_classes_have_keys_and_can_all_be_chosen(
    labelling: Labelling,
) -> None:
    page = labelling.page
    field = page.get_by_label("Name of a new class")
    for name in MANY[: 26 - 6]:  # six are there
        field.fill(name)
        field.press("Enter")
    labelling.wait_until_saved()
    labelling.focus()
    labelling.press("a")  # the tenth
    labelling.wait_until_saved()
    page.locator(".lb-class").nth(25).click()
    labelling.wait_until_saved()
    labels = [label for *_, label in labelling.read_labels()]
    assert labels == [MANY[3], MANY[19]]
    assert page.evaluate(CUT) == []


def test_a_digit_without_a_class_asks_for_a_name_and_enter_adds_it(
    labelling: Labelling,
) -> None:
    page = labelling.page
    labelling.press("7")
    said = page.locator(".lb-said")
    sync_api.expect(said).to_contain_text("There is no class 7: type a name")
    page.keyboard.type("lying")
    page.keyboard.press("Enter")
    labelling.wait_until_saved()
    page.keyboard.press("Escape")
    labelling.press("7")
    labelling.wait_until_saved()
    assert [label for *_, label in labelling.read_labels()] == ["lying"]


def test_the_first_label_takes_few_acts_and_each_is_named_on_the_page(
    page: sync_api.Page, lab: tuple[Lab, dict]
) -> None:
    stop = "from utils.screen import YourTurn; raise YourTurn('Label now.')"
    more = (stop, *["1 + 1"] * 40)
    labelling = Labelling(page, lab[0], "first_label", lab[1], (), more)
    labelling.open()
    page.evaluate("jupyterapp.commands.execute('notebook:run-all-cells')")
    labelling.wait_for_picture()
    said = page.locator(".lb-said")
    sync_api.expect(said).to_contain_text("now label here. Name your first posture")
    page.wait_for_timeout(1500)  # the notebook has gone to its end, and we back
    sync_api.expect(page.locator(".lb-picture")).to_be_in_viewport(ratio=1)
    page.get_by_placeholder("name your first posture, Enter").click()
    page.keyboard.type("sitting")
    page.keyboard.press("Enter")
    sync_api.expect(said).to_contain_text("Esc leaves the field, then its key labels")
    sync_api.expect(page.locator(".lb-class").first).to_contain_text("sitting")
    page.keyboard.press("Escape")
    sync_api.expect(said).to_contain_text("Now press 1: it labels")
    page.keyboard.press("1")
    labelling.wait_until_saved()
    assert [label for *_, label in labelling.read_labels()] == ["sitting"]
    sync_api.expect(said).to_contain_text("Another posture? Name it in")
    page.evaluate("() => void jupyterapp.shell.currentWidget.sessionContext.shutdown()")
    page.goto("about:blank")


def test_what_was_erased_is_said_and_taken_back_by_the_button_beside_it(
    labelling: Labelling,
) -> None:
    page = labelling.page
    labelling.press("1", "Home")
    labelling.wait_until_saved()
    before = labelling.read_labels()
    labelling.press("Backspace")
    said = page.locator(".lb-said")
    sync_api.expect(said).to_contain_text("Erased standing, 0:00.0 to ")
    labelling.wait_until_saved()
    assert labelling.read_labels() == []
    said.get_by_role("button", name="undo").click()
    sync_api.expect(said).to_contain_text("Taken back: what was erased")
    labelling.wait_until_saved()
    assert labelling.read_labels() == before
    labelling.press("n")
    page.wait_for_selector(".lb-root[data-video='person01_b'][data-painted]")
    labelling.press("Control+z", "Control+z")
    page.wait_for_selector(".lb-root[data-video='person01_a'][data-painted]")


def test_an_edge_is_dragged_and_the_picture_follows(labelling: Labelling) -> None:
    labelling.press("1")
    labelling.wait_until_saved()
    ((_, _, end_s, _),) = labelling.read_labels()
    labelling.drag(end_s, 6.0)
    labelling.wait_until_saved()
    ((_, start_s, moved_s, label),) = labelling.read_labels()
    assert (start_s, label) == (0, "standing")
    assert moved_s == pytest.approx(6.0, abs=0.11)
    assert labelling.read_row() == pytest.approx(30, abs=1)
    labelling.drag(moved_s, 2.0)
    labelling.wait_until_saved()
    assert labelling.read_labels()[0][2] == pytest.approx(2.0, abs=0.11)


def test_the_film_itself_plays_in_step_with_the_time_line(
    labelling: Labelling,
) -> None:
    page = labelling.page
    labelling.press("ArrowRight", "ArrowRight", "ArrowRight")
    labelling.click("film")
    page.wait_for_selector(".lb-video", state="visible")
    ui = "document.querySelector('.lb-root').parentElement.labeller"
    page.wait_for_function(f"{ui}.film.off({ui}.player.time()) < 0.04")
    labelling.press(" ")
    is_in_step = f"{ui}.film.off({ui}.player.time()) < 0.25"  # a frame is 0.2 s
    page.wait_for_function(f"{ui}.player.row > 10 && {is_in_step}")
    labelling.press(" ", "Home")
    page.wait_for_function(f"{ui}.film.off(0) < 0.04")
    page.evaluate(f"{ui}.film.box.src = 'data:video/mp4;base64,AAAA'")
    said = page.locator(".lb-said")
    sync_api.expect(said).to_contain_text("cannot play this film")
    sync_api.expect(page.locator(".lb-video")).to_be_hidden()


def test_a_class_gets_a_colour_and_a_key_of_its_own(labelling: Labelling) -> None:
    page = labelling.page
    page.get_by_role("button", name="change standing").click()
    page.get_by_label("Colour of standing").fill("#aa2200")
    labelling.wait_until_saved()
    page.get_by_role("button", name="change standing").click()
    page.get_by_label("Key of standing").select_option("q")
    labelling.wait_until_saved()
    labelling.focus()
    labelling.press("q")
    labelling.wait_until_saved()
    assert [label for *_, label in labelling.read_labels()] == ["standing"]
    chip = page.locator(".lb-class").first
    assert chip.evaluate("e => e.style.background") == "rgb(170, 34, 0)"
    page.get_by_label("Program to export labels for").select_option("boris")
    page.get_by_role("button", name="export").click()
    said = page.locator(".lb-said")
    sync_api.expect(said).to_contain_text("labels_exported: labels_boris.tsv")
    assert (labelling.folder / "labels_exported/labels_boris.tsv").exists()


def test_a_time_is_typed_and_a_segment_looped(labelling: Labelling) -> None:
    page = labelling.page
    labelling.press("Shift+ArrowUp")
    said = page.locator(".lb-said")
    sync_api.expect(said).to_contain_text("No change of label before")
    labelling.press(":")
    page.keyboard.type("0:05.0")
    page.keyboard.press("Enter")
    labelling.wait_for_row(25)
    sync_api.expect(said.get_by_role("status")).to_have_text("")
    labelling.press("Home", "+", "+")
    end_s = labelling.stills[0][1]
    labelling.press("Shift+ ")
    rows = set()
    for _ in range(30):
        page.wait_for_timeout(100)
        rows.add(labelling.read_row())
    labelling.press("Shift+ ")
    assert max(rows) <= round(end_s * 5)
    assert len(rows) > 3


def test_the_wheel_zooms_and_a_right_click_chooses(labelling: Labelling) -> None:
    page = labelling.page
    labelling.press("1")
    labelling.wait_until_saved()
    whole = page.locator(".lb-band:not(.lb-close)")
    close = page.locator(".lb-close")
    assert not close.is_visible()
    whole.hover(position={"x": 100, "y": 30})
    page.mouse.wheel(0, -400)
    sync_api.expect(close).to_be_visible()
    page.mouse.wheel(0, 4000)
    sync_api.expect(close).to_be_hidden()
    whole.click(button="right", position={"x": 20, "y": 30})
    sync_api.expect(page.locator(".lb-said")).to_contain_text("standing is chosen")
    labelling.press("2")
    labelling.wait_until_saved()
    assert [label for *_, label in labelling.read_labels()] == ["sitting"]
