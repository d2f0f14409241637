"""Pretrained weights are taken only if their bytes are right."""

import os
from pathlib import Path

import pytest

from utils.core.files import hash_file
from utils.core.weights import MODELS_DIR, find_weights, read_sha256sums


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Folder with `net.tflite`, listed as it is in `SHA256SUMS`."""
    path = tmp_path / "net.tflite"
    path.write_bytes(b"weights " * 100)
    (tmp_path / "SHA256SUMS").write_text(f"{hash_file(path)}  net.tflite\n")
    return tmp_path


def test_find_weights_gives_the_path_of_a_right_file(folder: Path) -> None:
    assert find_weights("net.tflite", folder=folder) == folder / "net.tflite"


def test_find_weights_refuses_a_truncated_file(folder: Path) -> None:
    (folder / "net.tflite").write_bytes(b"weights ")
    with pytest.raises(ValueError, match=r"net.tflite is not .* in 8 bytes .*Restore"):
        find_weights("net.tflite", folder=folder)


@pytest.mark.parametrize("keeps_time", [False, True])
def test_weights_swapped_within_a_process_are_noticed(
    keeps_time: bool, folder: Path
) -> None:
    path = find_weights("net.tflite", folder=folder)
    status, whole = path.stat(), path.read_bytes()
    other = folder / "other"
    other.write_bytes(whole[::-1])  # of the same size
    if keeps_time:
        os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    other.replace(path)
    with pytest.raises(ValueError, match=r"net\.tflite is not the file it should be"):
        find_weights("net.tflite", folder=folder)
    path.write_bytes(whole)
    assert find_weights("net.tflite", folder=folder) == path


def test_find_weights_names_a_git_lfs_pointer(folder: Path) -> None:
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n"
    (folder / "net.tflite").write_bytes(pointer)
    with pytest.raises(ValueError, match=r"Git LFS pointer.*git lfs pull"):
        find_weights("net.tflite", folder=folder)


def test_find_weights_says_where_a_missing_file_should_be(folder: Path) -> None:
    (folder / "net.tflite").unlink()
    with pytest.raises(FileNotFoundError, match=r"No weights at .*net\.tflite"):
        find_weights("net.tflite", folder=folder)


def test_find_weights_refuses_a_file_that_is_not_listed(folder: Path) -> None:
    with pytest.raises(ValueError, match=r"other\.tflite is not listed in SHA256SUMS"):
        find_weights("other.tflite", folder=folder)


def test_read_sha256sums_says_that_the_list_is_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="No SHA256SUMS in"):
        read_sha256sums(tmp_path)


@pytest.mark.parametrize("name", sorted(read_sha256sums()))
def test_each_weight_file_of_the_project_is_the_one_listed(name: str) -> None:
    assert find_weights(name).is_file()


def test_models_readme_tells_the_hash_of_each_weight_file() -> None:
    text = (MODELS_DIR / "README.md").read_text(encoding="utf-8")
    for name, sha256 in read_sha256sums().items():
        assert name in text
        assert sha256 in text
