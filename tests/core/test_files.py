"""Where what can be made again lies."""

from pathlib import Path

import pytest

from utils.core import files
from utils.core.files import find_data


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home and a project of its own, and no folder named by the environment."""
    monkeypatch.delenv(files.DATA_VARIABLE, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


def test_data_is_the_folder_data_and_looking_for_it_makes_nothing(
    tmp_path: Path,
) -> None:
    assert find_data() == Path("data")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("is_there", [True, False])
def test_where_data_may_not_be_written_it_is_in_the_users_home(
    is_there: bool, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").touch()  # a file where a folder should be
    if not is_there:
        (tmp_path / "data").unlink()
        can = files.is_writable
        monkeypatch.setattr(
            files, "is_writable", lambda folder: folder != Path() and can(folder)
        )
    assert find_data() == home / ".cache/posenet"
    monkeypatch.setenv(files.DATA_VARIABLE, "elsewhere")
    assert find_data() == Path("elsewhere")
