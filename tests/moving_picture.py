"""`python -m tests.moving_picture RESULTS`: the README's moving picture, from the demo.

Labelling with keys in a true JupyterLab, then the live page of a finished run playing a
film of the demo, as one animated WebP of at most 2 MB: `docs/moving.webp`.
"""

import io
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from PIL import Image

from tests.jupyter_rig import ROOT, run_browser, run_lab
from tests.label_films import CLASSES, build_tables, write_tables
from tests.labelling.labelling_page import CLIPS, Labelling
from tests.live.rig import label_times, serve_folder

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

OUT = ROOT / "docs/moving.webp"
MOST_BYTES = 2_000_000
_WIDTH_PX = 720
_LIVE_SHOTS, _LIVE_MS = 24, 200
_N_LABELLED = 6  # still poses


def _shoot(place: "Locator") -> Image.Image:
    """Return what a part of a page shows."""
    return Image.open(io.BytesIO(place.screenshot())).convert("RGB")


def film_labelling(page: "Page", folder: Path) -> list[Image.Image]:
    """Label some still poses of demo clips by keys; a picture before and after each."""
    tables = build_tables(folder, ROOT / "videos/demo", CLIPS)
    served = folder / "served"
    served.mkdir()
    write_tables(tables, served)
    with run_lab(served, folder / "home") as lab:
        labelling = Labelling(page, lab, "moving", tables)
        labelling.open()
        labelling.run_all()
        widget = page.locator(".lb-root")
        shots = [_shoot(widget)]
        stills = labelling.stills[:_N_LABELLED]
        truth = label_times(CLIPS[0], [(start + end) / 2 for start, end in stills])
        for label in truth:  # each key labels the still pose in view
            known = label in CLASSES
            labelling.press(str(CLASSES.index(label) + 1) if known else "u")
            labelling.wait_until_saved()
            page.wait_for_timeout(300)
            shots.append(_shoot(widget))
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
    with TemporaryDirectory() as name, run_browser(Path(name) / "profile") as browser:
        page, folder = browser.pages[0], Path(name)
        shots = film_labelling(page, folder)
        n_still = len(shots)
        shots += film_live(page, results)
    times_ms = [900] * n_still + [_LIVE_MS] * (len(shots) - n_still)
    n_bytes = write_picture(OUT, shots, times_ms)
    print(f"{OUT.name}: {len(shots)} pictures, {n_bytes / 1e6:.2f} MB")  # noqa: T201


if __name__ == "__main__":
    main()
