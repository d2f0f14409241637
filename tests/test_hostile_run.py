"""A whole run on names that are markup, formulas and commands: shown as written."""

import base64
import os
import shutil
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from tests.jupyter_rig import find_chromium
from tests.test_report import check_in_browser
from utils import run
from utils.core.tables import read_table

VIDEOS = run.ROOT / "videos/demo"
FILMS = {
    "person01_a": "bad<img src=README.md>",
    "person01_b": "=1+1",
    "person02_a": "_a $$x$$ ![y](README.md)",
    "person02_b": 'it\'s <b>; & "q"',
    "person03_a": "<script>document.title=1<|script>" + "x" * 160,
}
PEOPLE = {
    "person01": '"><img src=x onerror=document.title=2>',
    "person02": "_anna",
    "person03": "Ba$$in @-",
}
CLASSES = {
    "squatting": "sit ![x](.git/config)",
    "standing": "_stand",
    "lying": "=SUM(A1)",
    "bending": "<iframe src=http://127.0.0.1:9/x>",
    "sitting_chair": "-sit $a$",
    "arms_raised": "@up | `c` **b**",
}


@pytest.fixture
def settings(tmp_path: Path) -> list[str]:
    """Five clips under nasty names, in a folder that a shell would stumble over."""
    folder = tmp_path / "a';touch x;' $5 {1}"
    folder.mkdir()
    for clip, name in FILMS.items():
        shutil.copy(VIDEOS / f"{clip}.mp4", folder / f"{name}.mp4")
    people = [(name, PEOPLE[clip[:8]], "cam <b>$x$") for clip, name in FILMS.items()]
    listed = pd.DataFrame(people, columns=["video", "subject", "camera"])
    listed.to_csv(folder / "videos.csv", index=False)
    labels = pd.read_csv(VIDEOS / "labels.csv")
    labels = labels[labels["video"].isin(FILMS) & labels["label"].isin(CLASSES)]
    labels["video"] = labels["video"].map(FILMS)
    labels["label"] = labels["label"].map(CLASSES)
    labels["annotator"] = "<img src=x> *me* [l](x)"
    labels.to_csv(tmp_path / "labels.csv", index=False)
    return [
        f"VIDEOS={folder}",
        f"LABELS={tmp_path / 'labels.csv'}",
        f"RESULTS={tmp_path / 'out{1}'}",
        "POSE_MODEL=movenet_lightning",
        *("EVERY_S=1.0", "SEEDS=[0]", "N_FOLDS=3", "FILM_S=2.0"),
    ]


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.skipif(not find_chromium(), reason="needs a Chromium")
def test_hostile_names_go_through_a_whole_run_as_they_are_written(
    settings: list[str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run.main(settings) in (run.DONE, run.INCOMPLETE)
    printed = capfd.readouterr()
    assert printed.out.count("\n") <= 60
    for word in ("tensorflow", "XNNPACK", "absl", "cuda", "Traceback", "\x1b"):
        assert word.lower() not in (printed.out + printed.err).lower()
    results = tmp_path / "out{1}"
    title = "From videos of people to a posture classifier"
    shown = check_in_browser(results / "report.html", tmp_path / "p", title=title)
    for name in [*FILMS.values(), *PEOPLE.values(), *CLASSES.values()]:
        assert name[:40] in shown  # pandas shortens what is longer than 50
    page = (results / "report.html").read_bytes()
    start = (run.ROOT / "README.md").read_bytes()[:57]  # no file of the project is in
    assert start not in page and base64.b64encode(start) not in page
    predictions = read_table(results / "predictions.csv", "predictions")
    assert set(predictions["label"]) <= set(CLASSES.values())
    assert set(predictions["subject"]) == set(PEOPLE.values())
    raw = pd.read_csv(results / "predictions.csv", dtype=str)
    assert not any(raw[c].str.match(r"[=+@-]").any() for c in ("video", "label"))
    check_no_folder_is_named(results, tmp_path)


def check_no_folder_is_named(results: Path, *folders: Path) -> None:
    """Check that no result says where on this machine anything lies."""
    for path in results.rglob("*"):
        for part in _read_parts(path) if path.is_file() else ():
            for folder in (run.ROOT, Path.home(), *folders):
                assert os.fsencode(folder) not in part, f"{path.name} names {folder}"


def _read_parts(path: Path) -> list[bytes]:
    """Return a file's bytes, and those of the files in it where it is a zip."""
    parts = [path.read_bytes()]
    if zipfile.is_zipfile(path):  # .keras and share packs are
        with zipfile.ZipFile(path) as archive:
            parts += [archive.read(name) for name in archive.namelist()]
    return parts
