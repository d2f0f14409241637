"""How fast the labelling widget is in a real browser, and what it holds in memory.

Prints figures: `python -m pytest tests/labelling/test_speed.py -s`. The limits here are
loose, since other work on the machine slows a browser without a graphics card; the bars
are in the comments.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import psutil
import pytest

from tests.jupyter_rig import Lab, find_chromium, run_browser, run_lab
from tests.label_films import CLASSES, build_tables, write_tables
from utils.core.skeleton import KEYPOINTS
from utils.pose.features import build_features

sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(find_chromium() is None, reason="there is no Chromium here"),
]

N_FRAMES = 18_000  # an hour at 5 frames a second
N_STEPS = 1000
N_SCRUBS = 300
CELLS = [
    f"""\
from pathlib import Path
import utils
from utils.core.tables import read_table
from utils.labelling.clips import Footage
from utils.labelling.session import Session
from utils.labelling.widget.bridge import Labeller
names = ("videos", "frames", "keypoints", "features")
tables = {{name: read_table(Path(f"{{name}}.parquet"), name) for name in names}}
classes = {CLASSES!r}""",
    """\
session = Session(Path("labels.csv"), Footage(**tables), classes=classes)
labeller = Labeller(session)
display(labeller.panel.box)""",
]
# Says when the frame under the playhead was first painted after the cell was run.
WATCH_OPENING = """() => {
  const start = performance.now();
  const watch = new MutationObserver(() => {
    if (!document.querySelector(".lb-root[data-painted]")) return;
    watch.disconnect();
    window.openedMs = performance.now() - start;
  });
  const what = { subtree: true, childList: true, attributes: true };
  watch.observe(document.body, { ...what, attributeFilter: ["data-painted"] });
  jupyterapp.commands.execute("notebook:run-cell");
}"""
# From the key event's own time stamp to the task after the frame was drawn.
WATCH_STEPS = """() => {
  const root = document.querySelector(".lb-root");
  let keyAt = 0;
  Object.assign(window, { stepMs: [], nStandIns: 0, onStep: () => {} });
  root.addEventListener("keydown", (event) => (keyAt = event.timeStamp), true);
  root.addEventListener("labeller-painted", ({ detail }) => {
    if (!keyAt) return;
    if (!detail.isExact) return void (window.nStandIns += 1);
    const at = keyAt;
    keyAt = 0;
    const after = new MessageChannel();
    after.port1.onmessage = () => {
      stepMs.push(performance.now() - at);
      window.onStep();
    };
    after.port2.postMessage(0);
  });
}"""
# Waits without polling, which would slow the page that is measured.
WAIT_FOR_STEP = """(n) => new Promise((done) => {
  window.onStep = () => stepMs.length > n && done();
  window.onStep();
})"""
# Moves the pointer over the ruler, there and back, and counts the frames drawn.
SCRUB = """(n) => new Promise((done) => {
  const root = document.querySelector(".lb-root");
  const band = document.querySelector(".lb-band:not(.lb-close)");
  const box = band.getBoundingClientRect();
  const drawn = [];
  let last = -1;
  root.addEventListener("labeller-painted", ({ detail }) => {
    if (detail.row === last || !detail.isShown) return;
    last = detail.row;
    drawn.push(performance.now());
  });
  let i = 0;
  const move = () => {
    if (i++ >= n) return done(drawn);
    const share = Math.abs((((i * 2) / n + 1) % 2) - 1);
    const clientX = box.left + 5 + (box.width - 10) * share;
    const where = { clientX, clientY: box.top + 6, pointerId: 1, bubbles: true };
    band.dispatchEvent(new PointerEvent("pointermove", where));
    setTimeout(move, 8);
  };
  move();
})"""


def _report(line: str) -> None:
    """Print a figure."""
    sys.stdout.write(f"\n  {line}")
    sys.stdout.flush()


def _build_hour(folder: Path, source: Path) -> dict:
    """Return the tables of an hour of film: a demo clip over and over."""
    clip = build_tables(folder, source, ["person01_a"])
    pictures = clip["frames"]["path"].to_numpy()
    paths = [str(folder / f"hour-{row:05d}.jpg") for row in range(N_FRAMES)]
    for row, path in enumerate(paths):
        os.link(pictures[row % len(pictures)], path)
    frame_idx = np.arange(N_FRAMES) * 6
    frames = pd.DataFrame({"video": "hour", "frame_idx": frame_idx})
    frames = frames.assign(
        time_s=frame_idx / 30, path=paths, width_px=640, height_px=480, sharpness=1.0
    )
    poses = clip["keypoints"][["x_px", "y_px", "score"]].to_numpy()
    poses = np.resize(poses, (N_FRAMES * len(KEYPOINTS), 3))
    poses[:, :2] += np.random.default_rng(0).normal(0, 0.3, (len(poses), 2))
    keypoints = pd.DataFrame(
        {
            "video": "hour",
            "frame_idx": np.repeat(frame_idx, len(KEYPOINTS)),
            "keypoint": np.tile(KEYPOINTS, N_FRAMES),
        }
    )
    keypoints[["x_px", "y_px", "score"]] = poses
    videos = clip["videos"].assign(
        video="hour", duration_s=N_FRAMES / 5, fps=30.0, n_frames=N_FRAMES * 6
    )
    features = build_features(keypoints, frames, kind="normalised")
    return {
        "videos": videos,
        "frames": frames,
        "keypoints": keypoints,
        "features": features,
    }


@pytest.fixture(scope="module")
def hour(tmp_path_factory: pytest.TempPathFactory, demo_videos: Path) -> Path:
    folder = tmp_path_factory.mktemp("hour")
    pictures = tmp_path_factory.mktemp("pictures")
    write_tables(_build_hour(pictures, demo_videos), folder)
    book = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS]
    )
    book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(book, folder / "label.ipynb")
    return folder


@pytest.fixture(scope="module")
def lab(hour: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with run_lab(hour, tmp_path_factory.mktemp("home")) as lab:
        yield lab


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sync_api.Page]:
    with run_browser(tmp_path_factory.mktemp("profile")) as browser:
        yield browser.pages[0]


class Memory:
    """Memory of the kernel and of the browser, in MB."""

    def __init__(self, page: sync_api.Page) -> None:
        """Find the processes; the kernel must be running."""
        self._page = page
        self._devtools = page.context.new_cdp_session(page)
        self._devtools.send("HeapProfiler.enable")
        ours = psutil.Process().children(recursive=True)
        self._kernel = next(p for p in ours if "ipykernel" in " ".join(p.cmdline()))

    def _is_ours(self, process: psutil.Process, kind: str) -> bool:
        try:
            command = " ".join(process.cmdline())
        except psutil.Error:
            return False
        return "chrom" in command and (f"--type={kind}" in command or not kind)

    def read(self) -> dict[str, float]:
        """Return what is held by itself: kernel, the tab, and the whole browser."""
        self._devtools.send("HeapProfiler.collectGarbage")
        self._page.wait_for_timeout(1000)
        children = psutil.Process().children(recursive=True)
        tabs = [p for p in children if self._is_ours(p, "renderer")]
        every = [p for p in children if self._is_ours(p, "")]
        script = self._page.evaluate("performance.memory.usedJSHeapSize")
        return {
            "kernel": self._kernel.memory_info().rss / 1e6,
            "tab": max(_measure(p) for p in tabs),
            "browser": sum(_measure(p) for p in every),
            "script": script / 1e6,
        }


def _measure(process: psutil.Process) -> float:
    try:
        return process.memory_full_info().uss / 1e6
    except psutil.Error:
        return 0.0


def _tell(when: str, held: dict[str, float]) -> None:
    _report(f"memory {when}: " + ", ".join(f"{k} {v:.0f} MB" for k, v in held.items()))


def _open(page: sync_api.Page, lab: Lab) -> None:
    """Open the notebook, run its first cell and wait."""
    page.goto(lab.address("label.ipynb"))
    status = "jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel?.status"
    page.wait_for_function(f"() => window.{status} === 'idle'")
    page.evaluate("jupyterapp.commands.execute('notebook:run-cell-and-select-next')")
    page.wait_for_function(
        "jupyterapp.shell.currentWidget.content.widgets[0].model.executionCount > 0"
    )


def _step(page: sync_api.Page, n_steps: int) -> np.ndarray:
    """Press the arrow key, each time the frame before is painted."""
    page.evaluate("stepMs.length = 0")
    for step in range(n_steps):
        page.keyboard.press("ArrowRight")
        page.evaluate(WAIT_FOR_STEP, step)
    return np.array(page.evaluate("stepMs"))


def _scrub(page: sync_api.Page) -> float:
    """Scrub over the whole video; return frames drawn a second."""
    line = page.locator(".lb-band:not(.lb-close)")
    line.scroll_into_view_if_needed()
    box = line.bounding_box()
    page.mouse.move(box["x"] + 5, box["y"] + 6)
    page.mouse.down()
    drawn_ms = page.evaluate(SCRUB, N_SCRUBS)
    page.mouse.up()
    return (len(drawn_ms) - 1) / (drawn_ms[-1] - drawn_ms[0]) * 1000


def test_an_hour_of_film_opens_steps_and_scrubs_fast_within_bounds(
    page: sync_api.Page, lab: Lab
) -> None:
    _open(page, lab)
    memory = Memory(page)
    before = memory.read()
    _tell("before", before)
    page.evaluate(WATCH_OPENING)
    page.wait_for_function("window.openedMs")
    opened_s = page.evaluate("openedMs") / 1000
    _report(f"{N_FRAMES} frames opened in {opened_s:.2f} s")  # bar: 2 s
    page.locator(".lb-picture").click(position={"x": 5, "y": 5})
    page.wait_for_function(
        "!document.querySelector('.lb-root').parentElement.labeller.labels.is_partial"
    )
    page.evaluate(WATCH_STEPS)
    for name in ("1 frame", "5 frames", "25 frames"):
        took_ms = _step(page, N_STEPS if name == "1 frame" else N_STEPS // 10)
        p50, p95 = np.percentile(took_ms, [50, 95])  # bar: p95 of 50 ms
        _report(f"key to frame, {name}: p50 {p50:.1f} ms, p95 {p95:.1f} ms")
        page.keyboard.press(".")
        assert p50 < 250
    rate = _scrub(page)
    _report(f"scrubbing: {rate:.0f} frames drawn a second")  # bar: 30
    walked = memory.read()
    _tell("after stepping and scrubbing", walked)
    page.keyboard.press("Home")
    page.keyboard.press(".")  # steps of 5 again: through an hour's frames
    for _ in range(N_FRAMES // 40):
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(20)
    after = memory.read()
    _tell(f"after {N_FRAMES // 8} frames more", after)  # bar: 500 MB, kernel flat
    _report(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n")
    assert opened_s < 20
    assert rate > 8
    assert after["tab"] < 700
    assert after["kernel"] - walked["kernel"] < 40
