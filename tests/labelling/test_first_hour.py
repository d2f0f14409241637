"""From own films without labels to the first label, and to the report, by hand.

The hand only clicks and types what the page says: each act names the words on the page
that ask for it.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pandas as pd
import pytest

from tests.jupyter_rig import ROOT, SLOW_MS, Lab, find_chromium, run_browser, run_lab
from utils.lab import make_copy

sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(find_chromium() is None, reason="there is no Chromium here"),
]

MOST_ACTS = 6
REPORT_MS = 600_000
# What a run of minutes rather than hours is asked for.
QUICK = {
    "POSE_MODEL": '"movenet_lightning"',
    "SEEDS": "[0]",
    "N_FOLDS": "2",
    "FILM_S": "2.0",
}
# Notebook 7 says so of any notebook, an empty one too, while it reads its settings.
NOT_OURS = "Cannot read properties of undefined (reading 'schema')"
RUN_ON = "Run Selected Cell and All Below"


@pytest.fixture
def project(tmp_path: Path, shared: Path) -> Path:
    """A clone of the project with four real films of four people, and no labels."""
    folder = tmp_path / "project"
    (folder / "videos").mkdir(parents=True)
    for name in ("utils", "models"):
        (folder / name).symlink_to(ROOT / name)
    for who, name in choose_films(shared).items():
        shutil.copyfile(
            shared / f"real/gmdcsa24/{name}.mp4", folder / f"videos/{who}.mp4"
        )
    notebook = nbformat.read(ROOT / "poseNet.ipynb", as_version=4)
    for cell in notebook.cells:
        for name, value in QUICK.items():
            if "tags" in cell.metadata:
                cell.source = re.sub(
                    rf"^{name} = .*?(  #|$)",
                    rf"{name} = {value}\1",
                    cell.source,
                    flags=re.MULTILINE,
                )
    nbformat.write(notebook, folder / "poseNet.ipynb")
    return folder


def choose_films(shared: Path) -> dict[str, str]:
    """Return the shortest film of each person that shows them upright and lying."""
    labels = pd.read_csv(shared / "real/gmdcsa24/labels.csv")
    shown = labels.groupby("video").agg({"label": set, "end_s": "max"})
    both = shown[[{"upright", "lying"} <= found for found in shown["label"]]]
    names = both.sort_values("end_s").index
    return {name.split("_")[0]: name for name in reversed(names)}


class Hand:
    """Somebody at the page, who does what it says and counts the acts."""

    def __init__(self, page: "sync_api.Page") -> None:
        """Listen for what goes wrong on the page."""
        self.page, self.n_acts, self.errors = page, 0, []
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def act(self, words: str, *keys: str) -> None:
        """Make sure that the page says some words, then press keys, one act each."""
        said = self.page.locator(".lb-root").inner_text()
        fields = self.page.locator(".lb-root input").evaluate_all(
            "all => all.map((each) => each.placeholder)"
        )
        assert words in " ".join([said, *fields]).replace("\n", " ")
        for key in keys:
            self.page.keyboard.press(key) if len(key) < 7 else self.page.keyboard.type(
                key
            )
            self.n_acts += 1

    def choose(self, *menu: str) -> None:
        """Choose from the notebook's menus."""
        for name in menu:
            entry = self.page.locator(".lm-MenuBar-itemLabel, .lm-Menu-itemLabel")
            entry.get_by_text(name, exact=True).first.click()

    def wait_for_kernel(self) -> None:
        """Wait until there is a kernel that has nothing to do."""
        shell = "window.jupyterapp?.shell?.currentWidget"
        kernel = f"{shell}?.sessionContext?.session?.kernel"
        self.page.wait_for_function(f"{kernel}?.status === 'idle'")

    def wait_for_end(self) -> None:
        """Wait until the last cell has run."""
        cells = "jupyterapp.shell.currentWidget.content.widgets"
        last = f"[...{cells}].filter((c) => c.model.type === 'code').at(-1)"
        self.page.wait_for_function(
            f"{last}.model.executionCount !== null", timeout=REPORT_MS
        )

    def check(self) -> None:
        """Make sure that nothing on the page looks like an error of a program."""
        texts = self.page.locator(".jp-Notebook .jp-OutputArea").all_inner_texts()
        assert not [text for text in texts if "Traceback" in text]
        assert not [error for error in self.errors if NOT_OURS not in error]


@pytest.fixture(params=["jupyterlab", "notebook"])
def lab(request: pytest.FixtureRequest, project: Path, tmp_path: Path) -> Iterator[Lab]:
    make_copy(project / "poseNet.ipynb")
    hook = "--FileContentsManager.post_save_hook=utils.report.save_report"
    with run_lab(project, tmp_path / "home", request.param, hook) as lab:
        yield lab


def test_own_films_without_labels_come_to_a_report(lab: Lab, tmp_path: Path) -> None:
    project = lab.folder
    run = subprocess.run(
        [sys.executable, "-m", "utils.run"],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stderr) == (0, "")
    assert "now it is your turn: label in the labelling cell" in run.stdout
    assert "`make lab` opens the notebook" in run.stdout
    assert "Traceback" not in run.stdout
    with run_browser(tmp_path / "profile") as browser:
        hand = Hand(browser.pages[0])
        page = hand.page
        page.goto(lab.address("my_poseNet.ipynb"))
        hand.wait_for_kernel()
        hand.choose("Run", "Run All Cells")
        _label_first(hand)
        _label_all(hand, choose_films(ROOT.parent / "shared"))
        hand.choose("Run", RUN_ON)
        hand.wait_for_end()
        hand.check()
        report = project / "data/results/report.html"
        report.unlink(missing_ok=True)  # that of the run without labels
        words = page.locator(".jp-MarkdownOutput").last.inner_text()
        assert "time you save (menu File: Save Notebook)" in words.replace("\n", " ")
        hand.choose("File", "Save Notebook")
        for _ in range(60):
            page.wait_for_timeout(500)
            if report.exists():
                break
        page.evaluate(
            "() => void jupyterapp.shell.currentWidget.sessionContext.shutdown()"
        )
    text = report.read_text(encoding="utf-8")
    assert "people never seen" in text
    assert "Traceback (most recent" not in text


def _label_first(hand: Hand) -> None:
    """Come to a calm stop at the widget, and from there to the first label."""
    page = hand.page
    page.wait_for_selector(".lb-root[data-painted]")
    said = page.locator(".lb-said")
    sync_api.expect(said).to_contain_text("now label here", timeout=SLOW_MS)
    page.wait_for_timeout(2000)
    sync_api.expect(page.locator(".lb-picture")).to_be_in_viewport(ratio=1)
    hand.check()
    page.get_by_placeholder("name your first posture, Enter").click()
    hand.n_acts += 1
    hand.act("name your first posture, Enter", "upright", "Enter")
    sync_api.expect(said).to_contain_text("Esc leaves the field, then its key labels")
    hand.act("Esc leaves the field", "Escape")
    hand.act("Now press 1: it labels", "1")
    page.wait_for_selector(".lb-saved[data-state='ok']")
    assert hand.n_acts <= MOST_ACTS


def _label_all(hand: Hand, films: dict[str, str]) -> None:
    """Name a second class and press keys, segment by segment, until none is left."""
    page = hand.page
    hand.page.get_by_placeholder("another class, Enter").click()
    hand.act("another class, Enter", "lying down", "Enter")
    said = page.locator(".lb-said")
    sync_api.expect(said).to_contain_text("lying down is a class. Esc leaves the field")
    hand.act("Esc leaves the field", "Escape")
    truth = pd.read_csv(ROOT.parent / "shared/real/gmdcsa24/labels.csv")
    state = "() => document.querySelector('.lb-root')"
    for _ in range(60):
        video, time_s = page.evaluate(
            f"({state})().parentElement.labeller.video + ' ' +"
            f"({state})().parentElement.labeller.player.time()"
        ).split()
        own = truth[truth["video"] == films[video]]
        off = (own["start_s"] - float(time_s)).clip(lower=0)
        off += (float(time_s) - own["end_s"]).clip(lower=0)
        hand.act("", "1" if own.loc[off.idxmin(), "label"] == "upright" else "2")
        page.wait_for_timeout(300)
        page.wait_for_selector(".lb-saved[data-state='ok']")
        if RUN_ON in said.inner_text():
            return
    raise AssertionError(f"The widget never said what is next: {said.inner_text()}")
