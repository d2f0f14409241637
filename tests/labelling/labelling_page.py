"""A notebook with the labelling widget in a real browser, for the browser tests."""

import json
import time
from typing import TYPE_CHECKING

import nbformat

from tests.jupyter_rig import SLOW_MS, Lab
from tests.label_films import CLASSES
from utils.labelling.clips import Footage, build_clips

if TYPE_CHECKING:
    from playwright.sync_api import Page

CLIPS = ["person01_a", "person01_b", "person02_a"]
SETUP = """\
import os
os.chdir("FOLDER")
from pathlib import Path
import utils
from utils.core.tables import read_table
names = ("videos", "frames", "keypoints")
tables = [read_table(Path("..") / f"{name}.parquet", name) for name in names]"""
SHOW = """\
labeller = utils.labelling.show(
    "labels.csv", *tables, classes=NAMES, annotator="ada"
)"""
CELLS = [SETUP, SHOW, "1 + 1"]


class Labelling:
    """A notebook with the labelling widget, and what a person does in it.

    Attributes:
        page: The browser's page.
        folder: Where the notebook and its labels are.
        clips: What is labelled, by video: times and segments.
        clip: The video that is in view at first.
    """

    def __init__(
        self,
        page: "Page",
        lab: Lab,
        name: str,
        tables: dict,
        classes: tuple[str, ...] = CLASSES,
        more_cells: tuple[str, ...] = (),
    ) -> None:
        """Write a notebook of its own into a folder of its own."""
        self.page = page
        self.lab = lab
        n_before = len(list(lab.folder.glob(f"{name}-*")))  # a rerun starts afresh
        self.name = f"{name}-{n_before}"
        self.folder = lab.folder / self.name
        self.folder.mkdir()
        self.clips = build_clips(Footage(**tables))
        self.clip = self.clips[CLIPS[0]]
        cells = [
            nbformat.v4.new_code_cell(
                cell.replace("FOLDER", str(self.folder)).replace("NAMES", str(classes))
            )
            for cell in (*CELLS, *more_cells)
        ]
        book = nbformat.v4.new_notebook(cells=cells)
        book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
        nbformat.write(book, self.folder / "label.ipynb")

    def open(self) -> None:
        """Open the notebook and wait for its kernel."""
        self.page.goto(self.lab.address(f"{self.name}/label.ipynb"))
        self.page.wait_for_function(
            "() => window.jupyterapp?.shell?.currentWidget?.sessionContext"
            "?.session?.kernel?.status === 'idle'"
        )

    def run_all(self) -> None:
        """Run all cells and wait until the widget shows a frame."""
        self.page.evaluate(
            "() => void jupyterapp.commands.execute('notebook:run-all-cells')"
        )
        self.wait_for_picture()
        self.focus()

    def save(self) -> None:
        """Save the notebook, as leaving the page would ask."""
        self.page.evaluate("jupyterapp.commands.execute('docmanager:save')")

    def wait_for_picture(self) -> None:
        """Wait until a frame itself is painted, not its stand-in."""
        self.page.wait_for_selector(".lb-root[data-painted]")

    def focus(self) -> None:
        """Click on the picture, so that keys go to the widget."""
        self.page.locator(".lb-picture").click(position={"x": 5, "y": 5})

    def press(self, *keys: str) -> None:
        """Press keys one after the other."""
        for key in keys:
            self.page.keyboard.press(key)

    def click(self, command: str) -> None:
        """Click the button of a command, or of its value: `step-5`."""
        name, _, value = command.partition("-")
        chosen = f"[data-value='{value}']" if value else ""
        self.page.locator(f"button[data-command='{name}']{chosen}").click()

    def drag(self, start_s: float, end_s: float) -> None:
        """Drag on the labels of the time line, from one time to another."""
        line = self.page.locator(".lb-band:not(.lb-close)")
        line.scroll_into_view_if_needed()
        box = line.bounding_box()
        duration_s = self.clip.duration_s
        x = [box["x"] + t / duration_s * box["width"] for t in (start_s, end_s)]
        y = box["y"] + 30
        self.page.mouse.move(x[0], y)
        self.page.mouse.down()
        self.page.mouse.move((x[0] + x[1]) / 2, y)
        self.page.mouse.move(x[1], y)
        self.page.mouse.up()

    def wait_until_saved(self) -> None:
        """Wait until the widget says that all is on disk."""
        self.page.wait_for_selector(".lb-saved[data-state='ok']")

    def wait_for_row(self, row: int) -> None:
        """Wait until the playhead is on this frame and the frame is painted."""
        self.page.wait_for_selector(f".lb-root[data-row='{row}'][data-painted='{row}']")

    def wait_until_noted(self, video: str, time_s: float) -> None:
        """Wait until this place is on disk, as it is once the playhead rests."""
        path = self.folder / "labels.session.json"
        deadline = time.monotonic() + SLOW_MS / 1000
        while json.loads(path.read_text())["ada"]["times_s"].get(video) != time_s:
            assert time.monotonic() < deadline, f"{path.read_text()}, not {time_s}"
            self.page.wait_for_timeout(50)

    def read_row(self) -> int:
        """Return the playhead's place."""
        return int(self.page.get_attribute(".lb-root", "data-row"))

    def read_log(self) -> list[tuple]:
        """Return the log's lines: what was done, to what, when; strokes joined."""
        path = self.folder / "labels.log.jsonl"
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        joined: list[tuple] = []
        for line in lines:
            spans = (
                {v: [tuple(s) for s in part] for v, part in line["spans"].items()}
                if "spans" in line
                else {}
            )
            entry = (line["do"], line.get("label", ""), spans)
            if line.get("stroke"):
                joined[-1] = ("paint", line["label"], _join(joined[-1][2], spans))
            else:
                joined.append(entry)
        return joined

    def read_labels(self) -> list[tuple]:
        """Return the labels file as tuples video, start_s, end_s, label."""
        from utils.core.tables import read_table

        table = read_table(self.folder / "labels.csv", "labels")
        columns = ["video", "start_s", "end_s", "label"]
        return list(table[columns].itertuples(index=False, name=None))

    def read_cells(self) -> list[str]:
        """Return the sources of the notebook's cells as the browser has them."""
        return self.page.evaluate(
            "Array.from(jupyterapp.shell.currentWidget.content.widgets, "
            "(cell) => cell.model.sharedModel.getSource())"
        )

    def span(self, first: int, last: int) -> tuple[float, float]:
        """Return the time from one frame's start to another's end, as in the log."""
        times_s = [*self.clip.times_s, self.clip.duration_s]
        return (round(times_s[first], 3), round(times_s[last + 1], 3))

    @property
    def stills(self) -> list[tuple[float, float]]:
        """The times of the current video's still poses, as in the log."""
        return [
            (round(segment.start_s, 3), round(segment.end_s, 3))
            for segment in self.clip.segments
            if segment.is_still
        ]


def _join(before: dict, more: dict) -> dict:
    """Join the spans of a stroke's pieces, each of which prolongs the last."""
    ((video, spans),) = before.items()
    ((_, pieces),) = more.items()
    times = [t for span in (*spans, *pieces) for t in span]
    return {video: [(min(times), max(times))]}
