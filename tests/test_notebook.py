"""The notebook: how it is written, and that it runs on a short cut of the demo."""

import ast
import itertools
import json
import operator
import shutil
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest

from utils import run, settings
from utils.video.reader import write_video

ROOT = Path(__file__).parents[1]
CELLS = json.loads((ROOT / "poseNet.ipynb").read_text(encoding="utf-8"))["cells"]
CODE = [cell for cell in CELLS if cell["cell_type"] == "code"]


def test_no_output_is_committed() -> None:
    assert not any(cell["outputs"] or cell["execution_count"] for cell in CODE)


@pytest.mark.parametrize("cell", CODE, ids=lambda cell: cell["id"])
def test_a_cell_is_short_and_defines_nothing(cell: dict) -> None:
    lines = "".join(cell["source"]).splitlines()
    assert len(lines) <= 10
    assert not any(line.lstrip().startswith(("def ", "class ")) for line in lines)


def test_the_notebook_is_short_enough_to_be_read() -> None:
    assert len(CODE) <= 30
    assert sum(len("".join(c["source"]).splitlines()) for c in CODE) <= 130


def test_no_name_is_bound_twice_and_nothing_is_plumbed_in_a_cell() -> None:
    bound: list[str] = []
    for cell in CODE:
        tree = ast.parse("".join(cell["source"]))
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                bound.append(node.id)
            assert not isinstance(node, ast.Lambda | ast.Dict | ast.BinOp) or (
                isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)
            ), f"{cell['id']}: a path may be joined, nothing is computed here"
        assert "partial" not in "".join(cell["source"])
    assert sorted(bound) == sorted(set(bound))
    assert len(bound) < 40


def test_every_cell_is_introduced_by_prose() -> None:
    for before, cell in itertools.pairwise(CELLS):
        if cell["cell_type"] == "code" and before["cell_type"] == "code":
            assert cell["id"] in {"parameters", "live"}


def test_imports_stand_in_the_first_code_cell_only() -> None:
    for cell in CODE[1:]:
        assert not [
            line
            for line in "".join(cell["source"]).splitlines()
            if line.startswith(("import ", "from "))
        ]


def test_what_the_cells_call_is_there() -> None:
    import utils

    called = set()
    for cell in CODE:
        for node in ast.walk(ast.parse("".join(cell["source"]))):
            if isinstance(node, ast.Attribute) and ast.unparse(node)[:6] == "utils.":
                called.add(ast.unparse(node))
    assert len(called) > 20
    for name in called:
        operator.attrgetter(name.removeprefix("utils."))(utils)


def test_settings_are_plain_values() -> None:
    notebook = nbformat.read(ROOT / "poseNet.ipynb", as_version=4)
    defaults = settings.read_defaults(notebook)
    assert {"VIDEOS", "LABELS", "RESULTS", "POSE_MODEL", "EVERY_S"} <= set(defaults)


@pytest.fixture
def short_demo(tmp_path: Path) -> dict[str, str]:
    """Five clips of three people, labels as Windows writes them, coarse settings.

    Beside them half a clip of somebody else, and a film of nobody, without labels.
    """
    videos = tmp_path / "videos"
    videos.mkdir()
    names = [f"person0{i}_{clip}" for i in (1, 2) for clip in "ab"] + ["person03_a"]
    for name in names:
        shutil.copy(ROOT / "videos/demo" / f"{name}.mp4", videos)
    listed = pd.read_csv(ROOT / "videos/demo/videos.csv")
    listed[listed["video"].isin(names)].to_csv(videos / "videos.csv", index=False)
    labels = pd.read_csv(ROOT / "videos/demo/labels.csv")
    kept = labels[labels["video"].isin(names)]
    kept.to_csv(
        tmp_path / "labels.csv",
        index=False,
        encoding="utf-8-sig",
        lineterminator="\r\n",
    )
    whole = (ROOT / "videos/demo/person04_a.mp4").read_bytes()
    (videos / "half.mp4").write_bytes(whole[: len(whole) // 2])
    wall = np.full((120, 160, 3), 90, np.uint8)
    write_video(videos / "nobody.mp4", [wall] * 10, fps=5)
    return {
        "VIDEOS": str(videos),
        "LABELS": str(tmp_path / "labels.csv"),
        "RESULTS": str(tmp_path / "results"),
        "POSE_MODEL": "movenet_lightning",
        "EVERY_S": "1.0",
        "N_FOLDS": "3",
        "SEEDS": "[0]",
        "FILM_S": "2.0",
    }


def test_the_notebook_runs_and_leaves_every_result(
    short_demo: dict[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    settings = [f"{name}={value}" for name, value in short_demo.items()]
    code = run.main(settings)
    assert code == 0, capfd.readouterr().err[-2000:]
    results = Path(short_demo["RESULTS"])
    expected = {
        *("val_loss.png", "val_acc.png", "confusion.png", "example.png"),
        *("comparison.csv", "history.csv", "predictions.csv", "postures.csv"),
        *("poseNet.ipynb", "report.html", "annotated.mp4", "model_card.md"),
        *("verdict.csv", "leakage.csv", "background.csv", "ablation.csv"),
        *("seconds.csv", "classes.csv", "features.csv", "keypoints.parquet"),
        *("exports.csv", "live.html", "share_pack.zip"),
        *("people_needed.csv", "seconds_needed.csv", "other_models.csv"),
        *("calibration.csv", "mistakes.csv", "costs.csv", "answers.csv"),
        "pose_softmax.keras",
    }
    assert expected <= {path.name for path in results.iterdir()}
    table = pd.read_csv(results / "comparison.csv").set_index("model")
    assert list(table.index) == [
        *("majority", "pose_softmax", "pose_best"),
        *("mobilenet_frozen", "mobilenet_crop", "mobilenet_finetuned"),
    ]
    assert table.loc["pose_softmax", "accuracy"] > 0.7  # eight postures, two teachers
    assert (table["n_people"] == 3).all()
    postures = pd.read_csv(results / "postures.csv")
    assert postures.loc[postures["video"] == "half", "end_s"].max() < 12
    asked = pd.read_csv(results / "answers.csv").set_index("question")
    missing = asked.index[~asked["is_answered"]]
    assert missing.empty, asked.loc[missing, "sentence"].tolist()
    report = (results / "report.html").read_text(encoding="utf-8")
    assert "half.mp4 is cut short" in report
    assert "Nobody was found in nobody" in report
