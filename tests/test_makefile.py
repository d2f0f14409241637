"""The Makefile: what it lists, refuses, and hands on as it was typed."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TELL = f"""#!{sys.executable}
import json, os, sys
made = {{k: v for k, v in os.environ.items() if k.startswith("POSENET_SET_")}}
print(json.dumps([sys.argv[1:], made]))
"""

pytestmark = pytest.mark.skipif(not shutil.which("make"), reason="needs make")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose Python says what it was called with, in a folder with a space."""
    folder = tmp_path / "my project"
    (folder / ".venv/bin").mkdir(parents=True)
    shutil.copy(ROOT / "Makefile", folder)
    shutil.copy(ROOT / "poseNet.ipynb", folder)
    (folder / "requirements.txt").touch()
    for name, text in {"python": TELL, ".installed": ""}.items():
        (folder / ".venv/bin" / name).write_text(text)
    (folder / ".venv/bin/python").chmod(0o755)
    return folder


def _make(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    environment = {
        name: value for name, value in os.environ.items() if "MAKE" not in name
    }
    return subprocess.run(
        ["make", "-C", str(folder), "--no-print-directory", *arguments],
        capture_output=True,
        text=True,
        env=environment,
        timeout=30,
    )


def test_make_alone_and_make_help_list_every_target_and_setting(project: Path) -> None:
    alone, asked = _make(project), _make(project, "help")
    assert alone.stdout == asked.stdout
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert "run" in targets
    for target in targets:
        assert f"make {target} " in alone.stdout
    assert "EVERY_S" in alone.stdout


@pytest.mark.parametrize(
    "value",
    [
        "Anna's films",
        "cost$5",
        "a';touch x;'",
        "out{1}",
        "$(shell touch x)",
        "$$(touch x)`touch x`",
        '"; touch x; "',
        "a\\",
        "#1 & 2 > x",
        "-films",
        "~/Zoë 你好 %s",
        "",
    ],
)
def test_a_setting_arrives_as_it_was_typed_and_runs_nothing(
    value: str, project: Path
) -> None:
    done = _make(project, "run", f"VIDEOS={value}", "EVERY_S=1")
    assert done.returncode == 0, done.stderr
    arguments, made = json.loads(done.stdout)
    assert arguments == ["-m", "utils.run"]
    assert made == {"POSENET_SET_VIDEOS": value, "POSENET_SET_EVERY_S": "1"}
    if not value:
        return
    done = _make(project, "predict", f"VIDEO={value}", f"RESULTS={value}")
    expected = ["-m", "utils.predict", "--results", value, "--", value]
    assert json.loads(done.stdout)[0] == expected
    done = _make(project, "live", f"VIDEOS={value}")
    expected = ["-m", "utils.live.server", f"--VIDEOS={value}"]
    assert json.loads(done.stdout)[0] == expected
    done = _make(project, "test-on", f"VIDEOS={value}", "EVERY_S=1")
    expected = ["-m", "utils.elsewhere", f"--VIDEOS={value}", "--EVERY_S=1"]
    assert json.loads(done.stdout)[0] == expected
    assert not (project / "x").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "EVERYS=1"], "There is no setting EVERYS here. `make run` takes"),
        (["lab", "VIDEOS=x"], "There is no setting VIDEOS here"),
        (["test", "TEST=x"], "`make test` takes PYTHON TESTS"),
    ],
)
def test_a_setting_that_a_target_does_not_take_is_refused(
    arguments: list[str], words: str, project: Path
) -> None:
    done = _make(project, *arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


def test_make_from_another_folder_says_how(project: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        ["make", "-f", project / "Makefile", "run"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert "Start make in the folder of poseNet.ipynb" in done.stderr
    assert done.returncode == 2
    assert not (tmp_path / ".venv").exists()


def test_a_film_is_asked_for(project: Path) -> None:
    done = _make(project, "predict")
    assert done.returncode == 2
    assert "make predict VIDEO=film.mp4" in done.stderr
    done = _make(project, "test-on", "MODEL=x.keras")
    assert done.returncode == 2
    assert "make test-on VIDEOS=folder" in done.stderr


def test_done_but_not_every_question_is_no_error_of_make(project: Path) -> None:
    python = project / ".venv/bin/python"
    for code, expected in {0: 0, 3: 0, 1: 2, 130: 2}.items():
        python.write_text(f"#!/bin/sh\nexit {code}\n")
        assert _make(project, "run").returncode == expected
