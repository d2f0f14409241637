"""Tests of `utils.lab`: a copy of the notebook that is the user's own."""

from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from utils import lab


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    """A notebook of one cell."""
    path = tmp_path / "poseNet.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell("x = 1")]), path)
    return path


def _set(path: Path, source: str) -> None:
    own = nbformat.read(path, as_version=4)
    own.cells[0].source = source
    nbformat.write(own, path)


def _see(path: Path) -> str:
    return nbformat.read(path, as_version=4).cells[0].source


def test_the_copy_is_kept_and_the_notebook_untouched(notebook: Path) -> None:
    before = notebook.read_bytes()
    copy, words = lab.make_copy(notebook)
    assert "is yours" in words
    _set(copy, "x = 2  # mine")
    assert lab.make_copy(notebook)[0] == copy
    assert _see(copy) == "x = 2  # mine"
    assert notebook.read_bytes() == before


def test_a_copy_of_an_older_notebook_is_set_aside_with_what_is_in_it(
    notebook: Path,
) -> None:
    copy, _ = lab.make_copy(notebook)
    for number in (1, 2):
        _set(copy, f"mine {number}")
        _set(notebook, f"new {number}")
        copy, words = lab.make_copy(notebook)
        assert f"now my_poseNet_{number}.ipynb" in words
        assert _see(copy) == f"new {number}"
        assert _see(copy.with_stem(f"my_poseNet_{number}")) == f"mine {number}"


def test_git_and_ruff_pass_over_the_copy() -> None:
    root = Path(__file__).parents[1]
    assert "/my_poseNet*.ipynb" in (root / ".gitignore").read_text().splitlines()
    assert '"my_poseNet*.ipynb"' in (root / "pyproject.toml").read_text()
