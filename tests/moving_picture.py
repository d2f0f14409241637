"""`python -m tests.moving_picture RESULTS`: pictures of labelling and live use.

Labelling with keys in a true JupyterLab, then the live page of a finished run playing a
film of the demo, as one animated WebP of at most 2 MB: `docs/moving.webp`. One moment
of labelling is `docs/labelling.png`; `docs/live.png` is somebody on the camera whom its
model never learnt from.
"""

import io
import re
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from PIL import Image

from tests.jupyter_rig import ROOT, run_browser, run_lab
from tests.label_films import build_tables, write_tables
from tests.labelling.labelling_page import CLIPS, Labelling
from tests.live.rig import (
    CAMERA_ARGS,
    CLASSES,
    LivePage,
    fit_without,
    label_times,
    read_images,
    serve_folder,
    write_camera_film,
)
from utils.live.page import write_page

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

DOCS = ROOT / "docs"
OUT = DOCS / "moving.webp"
# What a class key would label.
TARGET = "document.querySelector('.lb-root').parentElement.labeller.painter.target"
ON_CAMERA = ROOT / "videos/demo/person10_a.mp4"
SENTENCE = "Fitted on thirteen rendered people; the one on the camera is another."
CAMERA = ".live-tools select option"
HELD = re.compile(r"squatting (0\.[4-9]|1\.)")  # for so many seconds
MOST_BYTES = 2_000_000
_WIDTH_PX = 720
_LIVE_SHOTS, _LIVE_MS = 24, 200
_N_LABELLED = 8  # segments, those left between postures among them


def _shoot(place: "Locator") -> Image.Image:
    """Return what a part of a page shows."""
    return Image.open(io.BytesIO(place.screenshot())).convert("RGB")


def film_labelling(page: "Page", folder: Path, out: Path) -> list[Image.Image]:
    """Label some segments of a demo clip by keys; a picture before and after each.

    Afterwards the notebook's side bar goes, and `out` is a picture of the widget.
    """
    tables = build_tables(folder, ROOT / "videos/demo", CLIPS)
    served = folder / "served"
    served.mkdir()
    write_tables(tables, served)
    with run_lab(served, folder / "home") as lab:
        labelling = Labelling(page, lab, "moving", tables, CLASSES)
        labelling.open()
        labelling.run_all()
        widget = page.locator(".lb-root")
        shots = [_shoot(widget)]
        for _ in range(_N_LABELLED):
            start_s, end_s = page.evaluate(TARGET)
            (label,) = label_times(CLIPS[0], [(start_s + end_s) / 2])
            skip = "Shift+ArrowRight"  # on the way from one posture to the next
            labelling.press(str(CLASSES.index(label) + 1) if label else skip)
            labelling.wait_until_saved()
            page.wait_for_timeout(300)
            shots.append(_shoot(widget))
        page.evaluate("jupyterapp.commands.execute('application:toggle-left-area')")
        page.wait_for_timeout(500)
        _shoot(widget).save(out, optimize=True)
    return shots


def film_live(page: "Page", results: Path) -> list[Image.Image]:
    """Play a demo clip in the live page of a run; pictures of what it says."""
    with serve_folder(results / "live") as address:
        page.goto(address)
        page.locator(".live-status:not(:text('Loading'))").wait_for()
        film = ROOT / "videos/demo" / f"{CLIPS[-1]}.mp4"
        page.locator("input[type=file]").set_input_files(film)
        page.wait_for_timeout(2000)
        shots = []
        for _ in range(_LIVE_SHOTS):
            shots.append(_shoot(page.locator("body")))
            page.wait_for_timeout(_LIVE_MS)
    return shots


def show_camera(folder: Path, out: Path) -> None:
    """Write a picture of the live page with somebody its model never learnt from."""
    model = fit_without(ON_CAMERA.stem.partition("_")[0], SENTENCE)
    write_page(model, folder)
    images = [image for _, image in read_images(ON_CAMERA)]
    film = write_camera_film(folder / "camera.y4m", images, fps=15, is_numbered=False)
    camera = f"--use-file-for-fake-video-capture={film}"
    with (
        serve_folder(folder / "live") as address,
        run_browser(folder / "camera", *CAMERA_ARGS, camera) as browser,
    ):
        live = LivePage(browser.new_page())
        live.page.set_viewport_size({"width": 1100, "height": 640})
        live.open(address)
        live.start_camera()
        # the camera of this browser is called by its file
        live.page.evaluate(f"document.querySelector({CAMERA!r}).text = 'Camera 1'")
        live.page.locator(".live-caption", has_text=HELD).wait_for()
        live.page.screenshot(path=out)


def write_picture(path: Path, shots: list[Image.Image], times_ms: list[int]) -> int:
    """Write an animated WebP of one size, coarser until it is small enough.

    Returns:
        Its bytes.
    """
    height_px = max(round(_WIDTH_PX * s.height / s.width) for s in shots)
    height_px = min(height_px, _WIDTH_PX)
    frames = []
    for shot in shots:
        shot.thumbnail((_WIDTH_PX, height_px))
        frame = Image.new("RGB", (_WIDTH_PX, height_px), "white")
        frame.paste(shot, ((_WIDTH_PX - shot.width) // 2, 0))
        frames.append(frame)
    for quality in (80, 60, 40, 20):
        frames[0].save(
            path,
            save_all=True,
            append_images=frames[1:],
            duration=times_ms,
            loop=0,
            quality=quality,
        )
        if path.stat().st_size <= MOST_BYTES:
            break
    return path.stat().st_size


def main() -> None:
    """Make the picture from the results of a run of the demo."""
    results = Path(sys.argv[1] if len(sys.argv) > 1 else "data/results")
    with TemporaryDirectory() as name:
        folder = Path(name)
        with run_browser(folder / "profile") as browser:
            page = browser.pages[0]
            shots = film_labelling(page, folder, DOCS / "labelling.png")
            n_still = len(shots)
            shots += film_live(page, results)
        show_camera(folder, DOCS / "live.png")
    times_ms = [900] * n_still + [_LIVE_MS] * (len(shots) - n_still)
    n_bytes = write_picture(OUT, shots, times_ms)
    print(f"{OUT.name}: {len(shots)} pictures, {n_bytes / 1e6:.2f} MB")  # noqa: T201


if __name__ == "__main__":
    main()
