"""What changed on disk since it was written is found, and made again."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests import frame_runs
from tests.made_films import make_film, stamp_film
from utils.frames.chunk import number_chunks
from utils.frames.images import encode_jpeg, is_whole, read_image, write_jpeg
from utils.video.reader import read_video

ROOT = Path(__file__).parents[2]


def _flip(path: Path, rng: np.random.Generator) -> None:
    """Flip one bit of a file."""
    data = bytearray(path.read_bytes())
    data[rng.integers(len(data))] ^= 1 << int(rng.integers(8))
    path.write_bytes(data)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film of 5 s."""
    folder = tmp_path_factory.mktemp("films")
    return frame_runs.make_film(folder / "film.mp4", n_seconds=5)


@pytest.mark.parametrize("seed", range(40))
def test_a_flipped_bit_anywhere_is_made_good(
    seed: int, film: Path, tmp_path: Path
) -> None:
    frame_runs.run(tmp_path, [film])
    whole, rng = frame_runs.read_tree(tmp_path), np.random.default_rng(seed)
    kinds = ["*.jpg", "keypoints/*/*.parquet", "frames/*/*.parquet", "*.sha256"]
    paths = sorted(tmp_path.rglob(kinds[seed % len(kinds)]))
    _flip(paths[rng.integers(len(paths))], rng)
    frame_runs.run(tmp_path, [film])
    assert frame_runs.read_tree(tmp_path) == whole


def test_no_flipped_bit_of_a_picture_is_passed_over(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    image = rng.integers(0, 255, (48, 64, 3), dtype=np.uint8)
    path, n_used = tmp_path / "a.jpg", 0
    for _ in range(200):
        write_jpeg(path, image)
        assert is_whole(path)
        _flip(path, rng)
        n_used += is_whole(path)
    assert n_used == 0


def test_a_picture_with_another_bit_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    data = bytearray(encode_jpeg(np.full((48, 64, 3), 90, np.uint8)))
    data[-20] ^= 1
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"a\.jpg is not a whole picture"):
        read_image(path)


def test_a_foreign_picture_is_read_though_it_has_no_checksum(tmp_path: Path) -> None:
    import cv2

    path = tmp_path / "a.jpg"
    cv2.imencode(".jpg", np.full((8, 8, 3), 90, np.uint8))[1].tofile(path)
    assert read_image(path).shape == (8, 8, 3)
    assert not is_whole(path)
    assert not is_whole(tmp_path / "none.jpg")


def test_a_damaged_chunk_of_an_unfinished_film_is_made_again(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("films")
    long = frame_runs.make_film(folder / "long.mp4", n_seconds=150)
    frame_runs.run(tmp_path / "whole", [long])

    def estimate(image: np.ndarray) -> np.ndarray:
        if estimate.n_left == 0:
            raise KeyboardInterrupt
        estimate.n_left -= 1
        return frame_runs.estimate_mean(image)

    estimate.n_left = 140  # two chunks and a part
    with pytest.raises(KeyboardInterrupt):
        frame_runs.run(tmp_path / "out", [long], estimate=estimate)
    chunks = sorted(tmp_path.glob("out/keypoints/.chunks/*/*.parquet"))
    assert len(chunks) == 2
    _flip(chunks[0], np.random.default_rng(0))
    frame_runs.run(tmp_path / "out", [long])
    whole = frame_runs.read_tree(tmp_path / "whole")
    assert frame_runs.read_tree(tmp_path / "out") == whole


# Minutes are counted from the first picture, and only where there are pictures


@pytest.mark.parametrize(
    ("times_s", "chunks"),
    [
        ([0, 30, 59.9, 60, 200], [0, 0, 0, 1, 2]),
        ([1.7e9, 1.7e9 + 61], [0, 1]),
        ([5.0], [0]),
        ([-3.0, 56.9, 57.0], [0, 0, 1]),
    ],
)
def test_minutes_without_a_picture_have_no_number(times_s: list, chunks: list) -> None:
    assert number_chunks(np.array(times_s, dtype=float)).tolist() == chunks


ODD = {
    "late": lambda n: 26 * 3_600_000 + 250 * n,
    "by the clock": lambda n: 1_700_000_000_000 + 250 * n,
    "with a pause of a day": lambda n: 250 * n + 86_400_000 * (n > 300),
    "one picture an hour": lambda n: 3_600_000 * n,
}


@pytest.mark.parametrize("name", ODD)
def test_odd_clocks_make_few_files_and_the_same_with_two_processes(
    name: str, tmp_path: Path
) -> None:
    times_ms = [ODD[name](number) for number in range(600)]
    path = make_film(tmp_path / "odd.mkv", times_ms=times_ms, options={"g": "50"})
    duration_s = times_ms[-1] / 1000
    table, keypoints, problems = frame_runs.run(
        tmp_path / "one", [path], duration_s=duration_s
    )
    frame_runs.run(tmp_path / "two", [path], n_jobs=2, duration_s=duration_s)
    assert problems.empty
    assert len(keypoints) == 17 * len(table)
    assert len(table) in (150, 151, 600)
    folders = list(tmp_path.glob("one/frames/pictures/*/*"))
    assert len(folders) in (3, 4, 600)
    one, two = (frame_runs.read_tree(tmp_path / out) for out in ("one", "two"))
    assert one == two


def test_a_wrong_stamp_costs_one_picture_with_any_number_of_processes(
    tmp_path: Path,
) -> None:
    plain = make_film(
        tmp_path / "plain.mp4", n_frames=1000, fps=4, options={"g": "50", "bf": "3"}
    )
    path = stamp_film(plain, tmp_path / "film.mkv", {400: 1e5})
    table, _, problems = frame_runs.run(tmp_path / "one", [path], duration_s=250.0)
    frame_runs.run(tmp_path / "two", [path], n_jobs=2, duration_s=250.0)
    assert problems.empty
    assert len(table) == 250
    assert table["frame_idx"].tolist() == [
        frame.frame_idx for frame in read_video(path, every_s=frame_runs.EVERY_S)
    ]
    one, two = (frame_runs.read_tree(tmp_path / out) for out in ("one", "two"))
    assert one == two


# Disks


def test_a_folder_that_may_not_be_written_is_one_sentence(
    film: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    command = (
        f'mount --bind "{out}" "{out}" && mount -o remount,ro,bind "{out}" || exit 77\n'
        f'"{sys.executable}" -m tests.frame_runs "{out}" 1 "{film}"\n'
        'echo "exit $?"'
    )
    done = subprocess.run(
        ["unshare", "--map-root-user", "--mount", "sh", "-c", command],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip("needs leave to mount a folder read-only")
    assert "exit 1" in done.stdout
    last = done.stderr.strip().splitlines()[-1]
    assert "may not be written. Change its permissions, or choose another" in last
    assert "Errno" not in last


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="needs a system with users")
def test_finished_results_are_read_where_nothing_may_be_written(
    film: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    first = frame_runs.run(out, [film])
    for folder in [out, *(path for path in out.rglob("*") if path.is_dir())]:
        folder.chmod(0o555)
    try:
        second = frame_runs.run(out, [film])
    finally:
        for folder in [out, *(path for path in out.rglob("*") if path.is_dir())]:
            folder.chmod(0o755)
    assert first[0].equals(second[0])
    shutil.rmtree(out)
