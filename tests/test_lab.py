"""Tests of `utils.lab`: a copy of the notebook that is the user's own."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from tests.jupyter_rig import find_free_port
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


@pytest.mark.slow
def test_each_save_in_jupyterlab_writes_the_report(
    notebook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parameters = new_code_cell('RESULTS = "out"', metadata={"tags": ["parameters"]})
    nbformat.write(new_notebook(cells=[parameters]), notebook)
    (tmp_path / "program.py").write_text(
        "from pathlib import Path; from utils import lab\n"
        "lab.NOTEBOOK = Path.cwd() / 'poseNet.ipynb'; lab.main()\n"
    )
    port, token = find_free_port(), "test"
    options = ["--no-browser", "--allow-root", f"--ServerApp.port={port}"]
    server = subprocess.Popen(
        [sys.executable, "program.py", *options, f"--IdentityProvider.token={token}"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(lab.NOTEBOOK.parent), "HOME": "."},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}/api/contents/{lab.COPY}?token={token}"
    try:
        saved = json.loads(_ask(url))["content"]
        output = {"output_type": "stream", "name": "stdout", "text": "every 0.5"}
        saved["cells"][0]["outputs"] = [output]
        body = {"type": "notebook", "format": "json", "content": saved}
        _ask(url, json.dumps(body).encode())
    finally:
        server.terminate()
        server.wait()
    assert "every 0.5" in (tmp_path / "out/report.html").read_text(encoding="utf-8")


def _ask(url: str, body: bytes | None = None) -> bytes:
    """Ask a server that may still be starting."""
    request = urllib.request.Request(url, body, method="PUT" if body else "GET")
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.read()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)
