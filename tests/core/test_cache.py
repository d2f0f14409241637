"""Tests of `utils.core.cache`."""

import importlib
import re
import sys
from pathlib import Path

import numpy as np
import pytest

from utils.core.cache import build_key, hash_module, read_kept, write_kept


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package `stage` of two modules, `decode` and `advice`, that can be imported."""
    folder = tmp_path / "stage"
    folder.mkdir()
    for name in ("__init__", "decode", "advice"):
        (folder / f"{name}.py").write_text(f'"""{name}"""\n', encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield folder
    sys.modules.pop("stage", None)
    hash_module.cache_clear()


def _build_key(*code: str) -> str:
    """Build a key as a process that has just started would."""
    importlib.invalidate_caches()
    hash_module.cache_clear()
    return build_key(code=code, every_s=0.2)


def test_touching_a_declared_module_changes_the_key(package: Path) -> None:
    before = _build_key("stage.decode")
    (package / "decode.py").write_text("FPS = 1\n", encoding="utf-8")
    assert _build_key("stage.decode") != before


def test_touching_another_module_does_not_change_the_key(package: Path) -> None:
    before = _build_key("stage.decode")
    (package / "advice.py").write_text("WORDS = 1\n", encoding="utf-8")
    assert _build_key("stage.decode") == before


def test_a_package_stands_for_all_its_modules(package: Path) -> None:
    before = _build_key("stage")
    (package / "advice.py").write_text("WORDS = 1\n", encoding="utf-8")
    assert _build_key("stage") != before


def test_a_module_that_was_moved_is_named(package: Path) -> None:
    (package / "decode.py").rename(package / "decoding.py")
    with pytest.raises(ModuleNotFoundError, match=r"stage\.decode.*moved"):
        _build_key("stage.decode")
    with pytest.raises(ModuleNotFoundError, match=r"gone\.decode"):
        _build_key("gone.decode")


def test_inputs_and_settings_are_part_of_the_key(package: Path) -> None:
    assert build_key(every_s=0.2) != build_key(every_s=0.5)
    assert build_key(code=("stage.decode",)) != build_key()


# Every declaration of code in the project: module, name.
DECLARATIONS = [
    ("utils.frames.chunk", "CODE"),
    ("utils.frames.images", "CROP_CODE"),
    ("utils.pose.estimate", "_CODE"),
    ("utils.frames.background_images", "CODE"),
    ("utils.training.backbone", "CODE"),
    ("utils.training.mobilenet", "CODE"),
    ("utils.training.pose_best", "CODE"),
    ("utils.training.protocol", "CODE"),
    ("utils.training.sklearn_models", "CODE"),
    ("utils.training.softmax", "CODE"),
    ("utils.questions.film", "_CODE"),
    ("utils.video.catalogue", "CODE"),
]


@pytest.mark.parametrize(("module", "name"), DECLARATIONS)
def test_what_stages_declare_as_their_code_is_there(module: str, name: str) -> None:
    for declared in getattr(importlib.import_module(module), name):
        assert len(hash_module(declared)) == 64


def test_what_is_kept_comes_back_and_what_is_damaged_does_not(tmp_path: Path) -> None:
    path = tmp_path / "kept"
    assert read_kept(path) is None
    write_kept(path, {"answer": 42})
    assert read_kept(path) == {"answer": 42}
    whole = path.read_bytes()
    for bit in range(8 * len(whole)):
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        assert read_kept(path) is None
    path.write_bytes(whole[:-1])
    assert read_kept(path) is None


def test_what_other_versions_kept_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_kept(tmp_path / "kept", np.arange(3))
    assert read_kept(tmp_path / "kept").tolist() == [0, 1, 2]
    monkeypatch.setattr("utils.core.cache._list_versions", lambda: b"pandas 99")
    assert read_kept(tmp_path / "kept") is None


def test_every_declaration_is_in_the_list_and_none_is_raised_by_hand() -> None:
    root = Path(__file__).parents[2]
    declared = set()
    for path in (root / "utils").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        module = ".".join(path.relative_to(root).with_suffix("").parts)
        declared |= {
            (module, name)
            for name in re.findall(r"^(\w*CODE) = \(", text, flags=re.MULTILINE)
        }
        assert "STAGE_VERSION" not in text
    assert declared == set(DECLARATIONS)
