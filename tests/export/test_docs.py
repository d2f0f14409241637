"""What docs/export.md shows runs as it stands there."""

import re
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import utils
from tests.made_classifiers import fit_tables, make_doubt, make_tables
from utils.core.skeleton import KEYPOINTS
from utils.export.forms import CARD, USES
from utils.export.model_json import build_numbers, make_bodies

TEXT = (Path(__file__).parents[2] / "docs/export.md").read_text(encoding="utf-8")


def test_every_example_in_python_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "data/results/export"
    folder.mkdir(parents=True)
    monkeypatch.setattr(sys, "path", [*sys.path, str(folder)])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    keypoints, frames, samples = make_tables()
    names = {
        "utils": utils,
        "classifier": replace(fit_tables(), doubt=make_doubt()),
        "keypoints": keypoints,
        "frames": frames,
        "samples": samples,
        "numbers": build_numbers(make_bodies(20)[0]),
    }
    blocks = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    assert len(blocks) == 5
    monkeypatch.chdir(tmp_path)
    exec(blocks[0], names)
    monkeypatch.chdir(folder)
    answers = []
    for block in blocks[1:]:
        exec(block, names)
        answers.append(names["shares"])
    for shares in answers[1:]:
        np.testing.assert_allclose(shares, answers[0][: len(shares)], atol=1e-5)
    assert names["labels"] == list(names["classifier"].classes)
    assert (folder / "share_pack.zip").is_file()
    sys.modules.pop("posture")


def test_table_names_every_file() -> None:
    for name in (*USES, CARD):
        assert f"`{name}" in TEXT
    assert f"{len(KEYPOINTS)} keypoints" in TEXT
