"""Damage inside a film: the pictures given are right, and the rest is named."""

from pathlib import Path

import av
import numpy as np
import pytest

from tests.made_films import make_film, read_numbers
from utils.video.reader import DamagedVideoError, read_video


def _damage(path: Path, number: int) -> None:
    """Make one frame's packet senseless: the length of its first part is wrong."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        packets = [packet for packet in container.demux(stream) if packet.size]
        packets.sort(key=lambda packet: packet.pts)
        at = packets[number].pos
    data = bytearray(path.read_bytes())
    data[at : at + 4] = b"\xff" * 4
    path.write_bytes(data)


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """60 numbered frames at 15 a second, a key frame every 15."""
    options = {"g": "15", "bf": "3", "sc_threshold": "0"}
    return make_film(tmp_path / "film.mp4", n_frames=60, options=options)


def _read(path: Path, **options: float) -> tuple[list, str]:
    """Read what can be read, and what is said of the rest."""
    frames = []
    try:
        for frame in read_video(path, **options):
            frames.append(frame)
    except DamagedVideoError as error:
        return frames, str(error)
    return frames, ""


@pytest.mark.parametrize("number", [0, 15, 17, 20, 24, 44, 59])
def test_damaged_frames_are_left_out_and_named(number: int, film: Path) -> None:
    whole = {frame.frame_idx: frame.image for frame in read_video(film)}
    _damage(film, number)
    frames, said = _read(film)
    assert 0 < len(frames) < 60
    for frame in frames:
        np.testing.assert_array_equal(frame.image, whole[frame.frame_idx])
    lost = sorted(set(range(60)) - {frame.frame_idx for frame in frames})
    assert number in lost
    assert lost[-1] < (number // 15 + 1) * 15
    assert f"{len(lost)} of 60 frames" in said
    assert f"between {lost[0] / 15:.2f} s and {lost[-1] / 15:.2f} s" in said


def test_stretches_without_damage_say_nothing(film: Path) -> None:
    _damage(film, 20)
    before, after = _read(film, end_s=1.0), _read(film, start_s=2.0)
    assert read_numbers(before[0]) == list(range(15))
    assert read_numbers(after[0]) == list(range(30, 60))
    assert before[1] == after[1] == ""


def test_damage_that_no_chosen_frame_is_built_on_is_passed_over(film: Path) -> None:
    _damage(film, 20)
    frames, said = _read(film, every_s=1.0)
    assert [frame.frame_idx for frame in frames] == [0, 15, 30, 45]
    assert said == ""
