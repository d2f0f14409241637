"""The live cell in JupyterLab, and recordings that outlive their program."""

import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import av
import nbformat
import pytest

from tests.jupyter_rig import Lab, find_chromium, run_browser, run_lab
from tests.live.rig import CAMERA_ARGS, ROOT, LivePage
from utils.frames.extraction import extract
from utils.labelling.csv_store import read_labels_file
from utils.labelling.labels import label_frames, read_labels
from utils.video.catalogue import list_videos

pytest.importorskip("playwright.sync_api", reason="needs playwright")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.flaky(reruns=1),  # a loaded machine may answer late
    pytest.mark.skipif(find_chromium() is None, reason="there is no Chromium here"),
]

MODEL = ROOT / "tests/export/demo_model.json"
CELL = """\
import os
import utils
live = utils.live.show("model.json", videos="videos", labels="labels.csv")
print("kernel", os.getpid())"""
_LOG = logging.getLogger(__name__)


@pytest.fixture
def live(tmp_path: Path) -> Iterator[LivePage]:
    with run_browser(tmp_path / "profile", *CAMERA_ARGS) as browser:
        yield LivePage(browser.new_page())


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    folder, home = tmp_path / "work", tmp_path / "home"
    folder.mkdir()
    home.mkdir()
    shutil.copy(MODEL, folder / "model.json")
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL)])
    book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(book, folder / "live.ipynb")
    with run_lab(folder, home) as lab:
        yield lab


def _run_cell(live: LivePage, lab: Lab) -> None:
    """Open the notebook, run it, and wait for the page in its cell."""
    live.page.goto(lab.address("live.ipynb"))
    live.page.wait_for_function(
        "() => window.jupyterapp?.shell?.currentWidget?.sessionContext"
        "?.session?.kernel?.status === 'idle'"
    )
    live.page.evaluate("jupyterapp.commands.execute('runmenu:run-all')")
    live.page.locator(".live-status").wait_for()
    live.wait_for_status("Ready.")


def _record(live: LivePage, *, hold_s: float = 2.0) -> None:
    """Press Record and hold the key of the first class; go on recording."""
    if not live.page.locator(".live-teach[open]").count():
        live.page.locator(".live-teach summary").click()
    live.page.get_by_role("button", name="Record", exact=True).click()
    live.page.get_by_role("button", name="Stop recording").wait_for()
    live.page.keyboard.down("1")
    time.sleep(hold_s)
    live.page.keyboard.up("1")
    live.page.locator(".live-kept", has_text="arms raised").wait_for()


def _check_recording(folder: Path, labels: Path, *, hold_s: float = 2.0) -> None:
    """Check that a run would take the film, its person and its label."""
    videos, problems = list_videos(folder, also=folder)
    assert problems.empty, problems["problem"].tolist()
    assert videos["subject"].tolist() == ["me"]
    spans = read_labels_file(labels)
    assert spans["video"].tolist() == videos["video"].tolist()
    assert spans["label"].tolist() == ["arms_raised"]
    assert abs(spans["end_s"].iloc[0] - spans["start_s"].iloc[0] - hold_s) < 0.5
    with av.open(videos["path"].iloc[0]) as container:
        last_s = [frame.time for frame in container.decode(video=0)][-1]
    assert last_s > spans["end_s"].iloc[0] - 0.1
    # and what a run makes of it: frames, labelled as long as the key was held
    frames, _, failed = extract(
        videos,
        every_s=0.25,
        network="movenet_lightning",
        n_jobs=1,
        data=str(folder.parent / "data"),
    )
    found = label_frames(frames, read_labels(labels, videos))
    assert failed.empty
    assert 0.25 * (found == "arms_raised").sum() == pytest.approx(hold_s, abs=0.5)


def test_the_cell_runs_and_the_notebook_stays_small(live: LivePage, lab: Lab) -> None:
    before = (lab.folder / "live.ipynb").stat().st_size
    _run_cell(live, lab)
    first_s = live.start_camera()
    live.wait_for_results(10)
    live.page.evaluate("jupyterapp.commands.execute('docmanager:save')")
    time.sleep(3)
    more = (lab.folder / "live.ipynb").stat().st_size - before
    _LOG.info(
        "cell: first result after %.1f s; notebook %d bytes larger", first_s, more
    )
    assert more <= 200_000
    outside = [
        url
        for url in live.requests
        if not url.startswith(
            (lab.url, "blob:", "data:", lab.url.replace("http", "ws"))
        )
    ]
    assert outside == []


def test_an_executed_notebook_is_at_most_200_kb_larger(tmp_path: Path) -> None:
    from nbclient import NotebookClient

    shutil.copy(MODEL, tmp_path / "model.json")
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL)])
    before = len(json.dumps(book))
    client = NotebookClient(book, resources={"metadata": {"path": str(tmp_path)}})
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    client.create_kernel_manager()
    client.km.extra_env = environment
    client.execute(env=environment)
    more = len(json.dumps(client.nb)) - before
    _LOG.info("executed notebook: %d bytes larger", more)
    assert 10_000 < more <= 200_000


def test_what_the_cell_acknowledged_outlives_a_killed_kernel(
    live: LivePage, lab: Lab
) -> None:
    _run_cell(live, lab)
    live.page.get_by_role("button", name="Start camera").click()
    live.wait_for_status("The camera is running.")
    _record(live)
    assert (
        live.page.locator(".jp-CodeCell").count() == 1
    )  # the 1 was not the notebook's
    text = live.page.locator(".jp-OutputArea-output", has_text="kernel").inner_text()
    os.kill(int(text.split()[-1]), signal.SIGKILL)
    time.sleep(1)
    _check_recording(lab.folder / "videos", lab.folder / "labels.csv")


def test_make_live_teaches_before_the_first_run_and_outlives_a_kill(
    live: LivePage, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "utils.live.server", "--PORT=0"]
    for name in ("RESULTS", "VIDEOS"):
        command.append(f"--{name}={tmp_path / name.lower()}")
    command.append(f"--LABELS={tmp_path / 'labels.csv'}")
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        said = server.stdout.readline()
        assert said.startswith("Open http://127.0.0.1:")
        live.open(said.split()[1])
        live.page.get_by_role("button", name="Start camera").click()
        live.wait_for_status("The camera is running.")
        live.page.locator(".live-teach summary").click()
        live.page.get_by_label("New posture").fill("arms_raised")
        live.page.get_by_role("button", name="Add").click()
        _record(live)
    finally:
        server.kill()
        server.wait()
    _check_recording(tmp_path / "videos", tmp_path / "labels.csv")
