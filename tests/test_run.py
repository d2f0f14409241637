"""Tests of `utils.run`."""

from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from utils import run


@pytest.fixture
def notebook() -> nbformat.NotebookNode:
    """Two headings, a parameters cell and a cell that prints and may fail."""
    parameters = 'RESULTS = "out"\nEVERY_S = 0.2\nMIRROR = True\nSEEDS = [0, 1]'
    return new_notebook(
        cells=[
            new_markdown_cell("# Settings\ntext"),
            new_code_cell(parameters, metadata={"tags": ["parameters"]}),
            new_markdown_cell("## Work"),
            new_code_cell('print("every", EVERY_S)'),
        ]
    )


def test_defaults_are_the_parameters_cell(notebook: nbformat.NotebookNode) -> None:
    assert run.read_defaults(notebook) == {
        "RESULTS": "out",
        "EVERY_S": 0.2,
        "MIRROR": True,
        "SEEDS": [0, 1],
    }


def test_settings_take_the_type_of_the_default(notebook: nbformat.NotebookNode) -> None:
    texts = ["RESULTS=1", "EVERY_S=1", "MIRROR=False", "SEEDS=[3]"]
    assert run.read_settings(texts, notebook) == {
        "RESULTS": "1",
        "EVERY_S": 1.0,
        "MIRROR": False,
        "SEEDS": [3],
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("EVERY=1", "Unknown setting 'EVERY=1'"),
        ("EVERY_S", "expected NAME=value"),
        ("EVERY_S=often", "expected a value like 0.2"),
        ("MIRROR=maybe", "expected a value like True"),
    ],
)
def test_wrong_settings_are_refused_in_one_sentence(
    text: str, words: str, notebook: nbformat.NotebookNode
) -> None:
    with pytest.raises(ValueError, match=words):
        run.read_settings([text], notebook)


def test_cells_are_named_by_place_and_heading(notebook: nbformat.NotebookNode) -> None:
    assert run.name_cells(notebook) == {
        1: "cell 1 of 2: Settings",
        3: "cell 2 of 2: Work",
    }


@pytest.fixture
def project(
    notebook: nbformat.NotebookNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """The little notebook in a folder of its own, in place of the real one."""
    path = tmp_path / "poseNet.ipynb"
    nbformat.write(notebook, path)
    monkeypatch.setattr(run, "NOTEBOOK", path)
    monkeypatch.setattr(run, "ROOT", tmp_path)
    return path


def test_run_leaves_the_executed_notebook_and_a_report(
    project: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert run.main([f"RESULTS={out}", "EVERY_S=0.5"]) == 0
    printed = capfd.readouterr().out
    assert "cell 3 of 3: Work" in printed  # one more: the settings given
    assert "every 0.5" in printed
    executed = nbformat.read(out / "poseNet.ipynb", as_version=4)
    assert not any("path" in name for name in executed.metadata.papermill)
    assert "every 0.5" in (out / "report.html").read_text(encoding="utf-8")
    assert "http" not in _linked_resources(out / "report.html")


def _linked_resources(path: Path) -> str:
    """Addresses that a browser would fetch for the page."""
    import re

    text = path.read_text(encoding="utf-8")
    found = re.findall(r"<(?:script|link|img)[^>]+(?:src|href)=\"([^\"]*)\"", text)
    return " ".join(found)


def test_a_failing_cell_gives_its_own_sentence_and_exit_code_1(
    project: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    notebook = nbformat.read(project, as_version=4)
    notebook.cells[-1].source = 'raise ValueError("No sitting person. Label one.")'
    nbformat.write(notebook, project)
    assert run.main([f"RESULTS={tmp_path / 'out'}"]) == 1
    printed = capfd.readouterr().err.strip().splitlines()[-1]
    assert printed.startswith("make run stopped. ValueError in cell")
    assert printed.endswith("No sitting person. Label one.")


def test_results_may_not_overwrite_the_notebook(
    project: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run.main([f"RESULTS={tmp_path}"]) == 1
    assert "project's own folder" in capfd.readouterr().err
