"""What the labelling widget says, and keeps, when its kernel or connection goes."""

import random
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.jupyter_rig import Lab, find_chromium, run_browser, run_lab
from tests.label_films import build_tables, write_tables
from tests.labelling.labelling_page import CLIPS, Labelling
from utils.labelling.actions import parse_action
from utils.labelling.state import LabelState

sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.flaky(reruns=2),  # a loaded machine may answer late
    pytest.mark.skipif(find_chromium() is None, reason="there is no Chromium here"),
]

N_CUTS = 100
RED_WITHIN_S = 2.0
KERNEL = "jupyterapp.shell.currentWidget.sessionContext.session.kernel"
END = "jupyterapp.shell.currentWidget.sessionContext.shutdown()"
GONE = "not saved: the kernel is gone; run this cell again"
# What the page shows as acknowledged, whether it says "saved", and what it says.
READ = """() => {
  const ui = document.querySelector(".lb-root").parentElement.labeller;
  const acknowledged = [...ui.ledger.pending.values()].filter(
    (p) => p.saved && p.label && p.video === ui.video
  );
  return {
    state: ui.saving.text.dataset.state,
    text: ui.saving.text.textContent,
    said: ui.saying.text.textContent,
    video: ui.video,
    row: ui.player.row,
    n_waiting: ui.ledger.waiting.length,
    n_unwritten: ui.ledger.unwritten.length,
    spans: [
      ...ui.labels.spans.map((span) => span.slice(0, 3)),
      ...acknowledged.map((p) => [p.start_s, p.end_s, p.label]),
    ],
  };
}"""
PATIENCE_MS = 20_000  # in which a page connects anew
IS_SETTLED = """() => {
  const button = document.querySelector(".lb-unwritten button");
  const isOffered = button && button.offsetParent !== null;
  return isOffered || document.querySelector(".lb-saved").dataset.state === "ok";
}"""
IS_RED = "document.querySelector('.lb-saved').dataset.state === 'bad'"


class Line:
    """The connection between page and server, which can be cut and let sleep."""

    def __init__(self, page: sync_api.Page) -> None:
        """Take hold of every connection to a kernel that the page will make."""
        self.is_cut = self.is_asleep = False
        self._routes: list[sync_api.WebSocketRoute] = []
        page.route_web_socket(re.compile(r"/api/kernels/.*/channels"), self._take)

    def _take(self, route: sync_api.WebSocketRoute) -> None:
        if self.is_cut:
            route.close()
            return
        server = route.connect_to_server()
        route.on_message(lambda m: None if self.is_asleep else server.send(m))
        server.on_message(lambda m: None if self.is_asleep else route.send(m))
        self._routes.append(route)

    def close(self) -> None:
        """Close what is open: the page notices and tries again."""
        for route in self._routes:
            route.close()
        self._routes.clear()

    def cut(self) -> None:
        """Close what is open, and let nothing open again until `mend`."""
        self.is_cut = True
        self.close()

    def sleep(self) -> None:
        """Lose everything that is sent, and let nobody notice, until `mend`."""
        self.is_asleep = True

    def mend(self) -> None:
        """Let the page connect again; what slept is closed, as after waking."""
        if self.is_asleep:
            self.close()
        self.is_cut = self.is_asleep = False


class Watched(Labelling):
    """A notebook whose connection is in our hands."""

    line: Line

    def read(self) -> dict:
        """Return what the page shows."""
        return self.page.evaluate(READ)

    def read_disk(self, video: str) -> list[tuple]:
        """Return what the log holds of a video, read by nobody but us."""
        state = LabelState()
        log = self.folder / "labels.log.jsonl"
        for text in log.read_bytes().splitlines() if log.exists() else []:
            state.apply(parse_action(text))
        return [tuple(span[:3]) for span in state.track(video).merge()]

    def check(self) -> dict:
        """Return what is shown, after making sure that what counts as saved is."""
        shown = self.read()
        on_disk = self.read_disk(shown["video"])
        for start_s, end_s, label in shown["spans"]:
            middle_s = (start_s + end_s) / 2
            found = [s for s in on_disk if s[0] <= middle_s < s[1]]
            assert found, f"{label} at {middle_s} s is shown and not on disk"
        if shown["state"] == "ok":
            assert shown["n_waiting"] == shown["n_unwritten"] == 0, shown
        return shown

    def press_and_see_red(self, key: str) -> dict:
        """Press a key, see red within two seconds, and return what is shown."""
        pressed = time.monotonic()
        self.page.keyboard.press(key)
        self.page.wait_for_function(IS_RED, timeout=1000 * RED_WITHIN_S)
        assert time.monotonic() - pressed < RED_WITHIN_S
        return self.check()

    def end(self) -> None:
        """Do what the page says until all is saved: wait, write again, run the cell.

        A new connection may leave a widget without its channel in the kernel, which
        then answers it nothing: the page says so, and the cell must be run again.
        """
        try:
            self.page.wait_for_function(IS_SETTLED, timeout=PATIENCE_MS)
        except sync_api.TimeoutError:
            shown = self.check()
            assert "does not answer; run this cell again" in shown["text"], shown
            self.run_all()
            self.press("s")
            self.page.wait_for_function(IS_SETTLED)
        if self.read()["n_unwritten"]:
            self.page.get_by_role("button", name="write them now").click()
        self.wait_until_saved()


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory, demo_videos: Path) -> dict:
    return build_tables(tmp_path_factory.mktemp("pictures"), demo_videos, CLIPS)


@pytest.fixture(scope="module", params=["jupyterlab", "notebook"])
def lab(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    tables: dict,
) -> Iterator[Lab]:
    pytest.importorskip(request.param)
    folder = tmp_path_factory.mktemp("served")
    write_tables(tables, folder)
    with run_lab(folder, tmp_path_factory.mktemp("home"), request.param) as lab:
        yield lab


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sync_api.Page]:
    with run_browser(tmp_path_factory.mktemp("profile")) as browser:
        yield browser.pages[0]


@pytest.fixture(scope="module")
def line(page: sync_api.Page) -> Line:
    return Line(page)


@pytest.fixture
def watched(
    page: sync_api.Page,
    line: Line,
    lab: Lab,
    tables: dict,
    request: pytest.FixtureRequest,
) -> Iterator[Watched]:
    name = re.sub(r"\W", "_", request.node.name)
    made = Watched(page, lab, name, tables)
    made.line = line
    made.open()
    made.run_all()
    yield made
    line.mend()
    page.evaluate(f"() => void {END}")
    page.goto("about:blank")


@pytest.mark.parametrize(
    "end",
    [f"{KERNEL}.restart()", END],
    ids=["restart", "shutdown"],
)
def test_a_kernel_that_goes_is_told_at_once_and_nothing_is_labelled_after(
    watched: Watched, end: str
) -> None:
    watched.press("1")
    watched.wait_until_saved()
    watched.page.evaluate(f"() => void ({end})")
    shown = watched.press_and_see_red("2")
    watched.page.wait_for_function(
        f"document.querySelector('.lb-saved').textContent.startsWith({GONE!r})"
    )
    for key in ("3", "4", "Control+z"):
        shown = watched.press_and_see_red(key)
        assert shown["said"].startswith(GONE)
    assert len(watched.read_disk("person01_a")) == len(shown["spans"])


def test_what_a_restarted_kernel_did_not_write_is_offered_and_written(
    watched: Watched,
) -> None:
    watched.press("1")
    watched.wait_until_saved()
    watched.line.sleep()  # so that the kernel never hears of the second label
    shown = watched.press_and_see_red("2")
    assert shown["n_waiting"] == 1
    assert len(watched.read_disk("person01_a")) == 1
    watched.line.mend()
    watched.page.wait_for_timeout(1000)  # one thing after the other
    watched.page.wait_for_function(f"{KERNEL}.connectionStatus === 'connected'")
    watched.page.evaluate(
        f"() => void {KERNEL}.restart().then(() => (window.isAgain = true))"
    )
    watched.page.wait_for_function(
        f"document.querySelector('.lb-saved').textContent.startsWith({GONE!r})"
    )
    watched.page.wait_for_function("window.isAgain")
    watched.run_all()
    offer = watched.page.locator(".lb-unwritten")
    sync_api.expect(offer).to_contain_text("1 label was not written: sitting")
    watched.end()
    labels = [label for *_, label in watched.read_disk("person01_a")]
    assert labels == ["standing", "sitting"]
    assert not offer.is_visible()


def test_an_interrupt_loses_nothing(watched: Watched) -> None:
    for key in ("1", "2", "3"):
        watched.press(key)
        watched.page.evaluate(f"() => void {KERNEL}.interrupt()")
        watched.page.wait_for_timeout(300)
        watched.check()
    watched.press("4")
    watched.wait_until_saved()
    shown = watched.check()
    assert len(shown["spans"]) == len(watched.read_disk("person01_a"))


def test_a_busy_kernel_is_waited_for(watched: Watched) -> None:
    busy = "import time; time.sleep(4)"
    watched.page.evaluate(f"() => void {KERNEL}.requestExecute({{ code: {busy!r} }})")
    watched.page.wait_for_function(f"{KERNEL}.status === 'busy'")
    watched.press("1")
    watched.page.wait_for_timeout(1000 * RED_WITHIN_S)
    shown = watched.check()
    # Where each widget has a thread of its own in the kernel, it is heard meanwhile.
    if shown["state"] != "ok":
        assert "waiting for the kernel, which is busy" in shown["text"]
    watched.press("2")
    watched.wait_until_saved()
    assert len(watched.read_disk("person01_a")) == 2
    watched.check()


@pytest.mark.parametrize("how", ["cut", "sleep"])
def test_a_lost_connection_is_told_and_what_was_lost_is_offered(
    watched: Watched, how: str
) -> None:
    watched.press("1")
    watched.wait_until_saved()
    getattr(watched.line, how)()
    watched.press_and_see_red("2")
    watched.press_and_see_red("3")
    watched.line.mend()
    watched.end()
    shown = watched.check()
    assert len(shown["spans"]) == len(watched.read_disk("person01_a")) >= 1


@pytest.mark.slow
def test_random_cuts_leave_nothing_shown_as_saved_that_is_not_on_disk(
    watched: Watched,
) -> None:
    chance = random.Random(0)
    n_red = 0
    watched.press("s")  # a key labels a frame, and goes on to the next
    for nth in range(N_CUTS):
        how = chance.choices(["close", "cut", "sleep", "restart"], [4, 2, 3, 1])[0]
        for _ in range(chance.randrange(1, 4)):
            watched.press(chance.choice("123456"))
        watched.page.wait_for_timeout(chance.randrange(60))
        if how == "restart":
            watched.page.evaluate(f"() => void (window.again = {KERNEL}.restart())")
        else:
            getattr(watched.line, how)()
        watched.check()
        if how == "close":
            watched.press(chance.choice("123456"))
        else:
            watched.press_and_see_red(chance.choice("123456"))
            n_red += 1
        watched.check()
        if how == "restart":
            watched.page.wait_for_function(
                f"document.querySelector('.lb-saved').textContent.startsWith({GONE!r})"
            )
            # The old kernel says "idle" too, while it shuts down.
            watched.page.evaluate("window.again")
            watched.page.wait_for_function(f"{KERNEL}.status === 'idle'")
            watched.run_all()
            watched.press("s")
        watched.line.mend()
        watched.end()
        shown = watched.check()
        assert shown["state"] == "ok", (nth, how, shown)
        if shown["row"] > 80:
            watched.press("Home")
    assert n_red > N_CUTS / 3
