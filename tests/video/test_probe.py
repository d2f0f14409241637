"""What a film's container says, whether it ends too early, and limits on time."""

import time
from fractions import Fraction
from pathlib import Path

import pytest

from tests.made_films import flag_film, make_film
from utils.video.probe import probe_video
from utils.video.source import TimeLimit, VideoError
from utils.video.structure import is_file_cut

KINDS = {
    "index_last.mp4": {},
    "index_first.mov": {"container_options": {"movflags": "faststart"}},
    "fragmented.mp4": {"container_options": {"movflags": "frag_keyframe+empty_moov"}},
    "film.mkv": {},
    "live.webm": {"codec": "libvpx", "container_options": {"live": "1"}},
    "film.avi": {"codec": "mpeg4"},
}


@pytest.mark.parametrize("name", KINDS)
def test_a_whole_file_is_not_cut(name: str, tmp_path: Path) -> None:
    path = make_film(tmp_path / name, **KINDS[name])
    assert not is_file_cut(path)
    assert not probe_video(path).timing.is_cut


@pytest.mark.parametrize("name", KINDS)
def test_a_file_cut_anywhere_inside_its_pictures_is_cut(
    name: str, tmp_path: Path
) -> None:
    path = make_film(tmp_path / name, n_frames=30, **KINDS[name])
    whole = path.read_bytes()
    marks = [b"mdat", b"\x1f\x43\xb6\x75", b"movi"]  # where pictures start
    first = min(whole.index(mark) for mark in marks if mark in whole)
    for n_bytes in range(first + 20, first + 420, 7):
        path.write_bytes(whole[:n_bytes])
        assert is_file_cut(path), n_bytes


@pytest.mark.parametrize("data", [b"", b"x", b"text" * 9, bytes(99)])
def test_what_is_no_film_is_not_called_cut(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(data)
    assert not is_file_cut(tmp_path / "a.mp4")


def test_junk_after_the_end_is_passed_over(tmp_path: Path) -> None:
    path = make_film(tmp_path / "a.mp4")
    path.write_bytes(path.read_bytes() + b"junk of a camera")
    assert not probe_video(path).timing.is_cut


def test_a_changed_file_is_probed_again(tmp_path: Path) -> None:
    path = make_film(tmp_path / "a.mp4", n_frames=3)
    assert len(probe_video(path).timing.pts) == 3
    make_film(path, n_frames=5)
    assert len(probe_video(path).timing.pts) == 5


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        ((1, 0, 0, 1), (0, False)),
        ((0, 1, -1, 0), (90, False)),
        ((-1, 0, 0, -1), (180, False)),
        ((0, -1, 1, 0), (270, False)),
        ((-1, 0, 0, 1), (0, True)),
        ((1, 0, 0, -1), (180, True)),
        ((0, 0, 0, 0), (0, False)),
        ((2, 0, 0, 2), (0, False)),
    ],
)
def test_the_flag_is_a_clockwise_turn_after_a_mirror(
    matrix: tuple, expected: tuple, tmp_path: Path
) -> None:
    facts = probe_video(flag_film(make_film(tmp_path / "a.mp4"), matrix))
    assert (facts.rotation_deg, facts.is_mirrored) == expected


def test_pixels_beyond_belief_are_taken_as_square(tmp_path: Path) -> None:
    facts = probe_video(make_film(tmp_path / "a.mp4", aspect=Fraction(100, 1)))
    assert facts.square_size_wh == (128, 96)


def test_a_time_limit_stops_but_not_while_it_is_paused() -> None:
    limit = TimeLimit(Path("a.mp4"), 0.05)
    with limit.pause():
        time.sleep(0.1)
    limit.check()
    time.sleep(0.1)
    with pytest.raises(VideoError, match=r"a\.mp4 was given up after 0 s"):
        limit.check()
