"""One nasty name for a film, a person and a class, from the folder to the report."""

import csv
import re
import shutil
import unicodedata
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib.pyplot as plt
import nbformat
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tests.made_films import make_film
from utils.core.markup import escape_markdown
from utils.core.names import normalise_name, show_name
from utils.labelling.labels import label_frames, read_labels, summarise_labels
from utils.labelling.spans import SPECIAL_LABELS
from utils.plots.bars import plot_label_seconds
from utils.report import write_report
from utils.training.splits import build_samples, choose_folds
from utils.video.catalogue import list_videos

# no font has all characters, and a name of 250 leaves no room for bars
pytestmark = [
    pytest.mark.filterwarnings("ignore:Glyph"),
    pytest.mark.filterwarnings("ignore:constrained_layout not applied"),
]

_MOST_BYTES = 255 - len("_1.mp4")  # of a file's name
_NASTY = st.sampled_from(
    [
        *(
            "=1+1",
            "_a $x$",
            "<b>&amp;",
            "a|b",
            "`c` **d**",
            "Zoe\u0308",
            "\u212b",
            "NaN",
        ),
        *("![x](y)", "\x1b[2J", "a\u2028b", "\ufeffc", "\u202eabc", "x" * 250, "'1"),
        *(" \u00a0d", "\U0001f938\u200d", "a,b;c\td", '"q"', "1e5", "True", "-1", "#"),
    ]
)
_NAMES = _NASTY | st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


class _Text(HTMLParser):
    """The text of a page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []

    def handle_data(self, data: str) -> None:
        """Keep text."""
        self.parts.append(data)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("films") / "film.mp4"
    make_film(path, n_frames=20, fps=5)
    return path


def _write_csv(path: Path, rows: list[tuple]) -> None:
    """Write rows as a person's spreadsheet would: names as they were typed."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)


def _fill_folder(folder: Path, film: Path, stem: str, person: str, label: str) -> None:
    """Film one person twice under two spellings of their name, and somebody else."""
    split, joined = (unicodedata.normalize(form, person) for form in ("NFD", "NFC"))
    who = {f"{stem}_1": f"{split} ", f"{stem}_2": joined, "other": "somebody else"}
    for name in who:
        shutil.copy(film, folder / f"{name}.mp4")
    _write_csv(folder / "videos.csv", [("video", "subject"), *who.items()])
    spans = [(name, *at) for name in who for at in ((0, 2, label), (2, 4, "plain"))]
    _write_csv(folder / "labels.csv", [("video", "start_s", "end_s", "label"), *spans])


def _make_frames(videos: pd.DataFrame) -> pd.DataFrame:
    """List five frames a second of every video, without pictures."""
    size = {"path": "a.jpg", "width_px": 128, "height_px": 96, "sharpness": 1.0}
    rows = [
        {"video": video, "frame_idx": idx, "time_s": idx / 5, **size}
        for video in videos["video"]
        for idx in range(20)
    ]
    return pd.DataFrame(rows)


def _report(folder: Path, table: pd.DataFrame) -> str:
    """Write a report that shows a table and says its names; return its text."""
    said = "".join(f"- {escape_markdown(v)}\n" for v in table.to_numpy().ravel())
    data = {"text/html": table.to_html(), "text/plain": ""}
    shown = [
        new_output("display_data", data=data),
        new_output("display_data", data={"text/markdown": said, "text/plain": ""}),
    ]
    cells = [new_markdown_cell("# Names"), new_code_cell("show()", outputs=shown)]
    nbformat.write(new_notebook(cells=cells), folder / "poseNet.ipynb")
    reader = _Text()
    reader.feed(write_report(folder / "poseNet.ipynb").read_text(encoding="utf-8"))
    return "".join(reader.parts)


def _travel(film: Path, stem: str, person: str, label: str) -> None:
    """Take three names through every door, and look for them behind each."""
    own = normalise_name(person), normalise_name(label)
    assume(all(own) and own[0] != "somebody else" and len(own[1]) <= 200)
    assume(own[1] not in {"plain", *SPECIAL_LABELS} and normalise_name(stem))
    # in a CSV this apostrophe is a spreadsheet's: it keeps a text from being calculated
    assume(not any(re.match("'+[-=+@]", text) for text in (stem, person, label)))
    with TemporaryDirectory() as place:
        folder = Path(place)
        _fill_folder(folder, film, stem, person, label)
        videos, problems = list_videos(folder, data=folder)
        assert problems.empty
        assert len(videos) == 3 and normalise_name(f"{stem}_1") in set(videos["video"])
        assert set(videos["subject"]) == {own[0], "somebody else"}
        labels = read_labels(folder / "labels.csv", videos)
        assert set(labels["label"]) == {own[1], "plain"}
        assert set(labels["video"]) == set(videos["video"]) and len(labels) == 6
        frames = _make_frames(videos)
        samples = build_samples(frames, label_frames(frames, labels), videos)
        samples, _ = choose_folds(samples, n_folds=2)
        assert len(samples) == 60  # nothing is lost, and nobody is in two folds
        assert len(samples[["subject", "fold"]].drop_duplicates()) == 2
        labelled = summarise_labels(labels, videos)
        figure = plot_label_seconds(labelled).figure
        figure.savefig(BytesIO(), format="svg")
        drawn = [text.get_text() for text in figure.axes[0].get_yticklabels()]
        plt.close(figure)
        assert show_name(own[1]) in [
            text.lstrip("\u200b").replace("\\$", "$") for text in drawn
        ]
        text = " ".join(_report(folder, labelled[["label", "subject"]]).split())
        for name in own:
            assert " ".join(name.split()) in text


def _is_file_name(stem: str) -> bool:
    """Return whether a folder can hold, and a listing shows, a film of this name."""
    fits = len(stem.encode()) <= _MOST_BYTES and not set("/\0") & set(stem)
    return fits and not stem.startswith(".")


@given(_NAMES.filter(_is_file_name), _NAMES, _NAMES)
@settings(deadline=None, max_examples=8, derandomize=True)
def test_names_stay_their_own_from_the_folder_to_the_report(
    film: Path, stem: str, person: str, label: str
) -> None:
    _travel(film, stem, person, label)


@pytest.mark.slow
@given(_NAMES.filter(_is_file_name), _NAMES, _NAMES)
@settings(deadline=None, max_examples=300)
def test_many_names_stay_their_own_from_the_folder_to_the_report(
    film: Path, stem: str, person: str, label: str
) -> None:
    _travel(film, stem, person, label)
