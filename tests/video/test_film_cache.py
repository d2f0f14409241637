"""Facts kept between runs are right or forgotten."""

import json
import os
import time
from pathlib import Path

import pytest

from tests.made_films import make_film
from utils.core.files import hash_file
from utils.video.facts_cache import read_facts


@pytest.fixture
def settled(tmp_path: Path) -> tuple[Path, Path]:
    """A film that is old enough to be trusted, and a file of facts of it."""
    path, cache_path = make_film(tmp_path / "a.mp4"), tmp_path / "cache.json"
    time.sleep(2.1)
    read_facts({"a": path}, cache_path=cache_path)
    return path, cache_path


def test_facts_of_an_unchanged_film_are_recalled(settled: tuple[Path, Path]) -> None:
    path, cache_path = settled
    kept = cache_path.read_bytes()
    facts, unread = read_facts({"a": path}, cache_path=cache_path)
    assert unread == {}
    assert facts["a"]["sha256"] == hash_file(path)
    assert cache_path.read_bytes() == kept
    assert json.loads(kept)["films"][str(path)]["facts"] == facts["a"]


@pytest.mark.parametrize("keeps_time", [False, True])
def test_facts_of_a_changed_film_are_forgotten(
    keeps_time: bool, settled: tuple[Path, Path]
) -> None:
    path, cache_path = settled
    status = path.stat()
    data = bytearray(path.read_bytes())
    data[-1] ^= 1  # of the same size
    path.write_bytes(data)
    if keeps_time:
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    facts, _ = read_facts({"a": path}, cache_path=cache_path, settle_s=0)
    assert facts["a"]["sha256"] == hash_file(path)


def test_a_film_touched_a_moment_ago_is_not_kept(tmp_path: Path) -> None:
    path, cache_path = make_film(tmp_path / "a.mp4"), tmp_path / "cache.json"
    read_facts({"a": path}, cache_path=cache_path, settle_s=0)
    assert not cache_path.exists()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: b"",
        lambda data: data[: len(data) // 2],
        lambda data: b"[]",
        lambda data: b'{"version": 1}',
        lambda data: data.replace(b'"n_frames": 12', b'"n_frames": 99'),
        lambda data: b"\xff\xfe" + data,
    ],
)
def test_a_spoilt_file_of_facts_is_made_anew(
    spoil: object, settled: tuple[Path, Path]
) -> None:
    path, cache_path = settled
    whole = cache_path.read_bytes()
    cache_path.write_bytes(spoil(whole))
    facts, _ = read_facts({"a": path}, cache_path=cache_path)
    assert facts["a"]["n_frames"] == 12
    assert cache_path.read_bytes() == whole


def test_a_film_that_is_gone_is_forgotten(settled: tuple[Path, Path]) -> None:
    path, cache_path = settled
    path.unlink()
    facts, unread = read_facts({"a": path}, cache_path=cache_path)
    assert facts == {}
    assert "No film at" in unread["a"]
    assert json.loads(cache_path.read_text())["films"] == {}
