"""Public films that were once read wrongly; the right value of each is known.

Truth: every frame read by ffprobe and by PyAV.
"""

from pathlib import Path

import numpy as np
import pytest

from utils.video.catalogue import build_videos
from utils.video.reader import read_video

# file: frames, first and last time in s, width and height, end in s, players' zero
FILMS = {
    "firstpts_10_sec.mp4": (120, 10.0, 13.966667, (1137, 640), 14.0, 10.0),
    "motion_photo.mp4": (30, 0.0, 1.933333, (160, 120), 2.0, 0.0),
    "outlier_b.mp4": (149, 0.0, 9.933333, (160, 120), 10.0, 0.0),
    "outlier_nob.mp4": (149, 0.0, 9.933333, (160, 120), 10.0, 0.0),
    "plain_b.mp4": (150, 0.0, 9.933333, (160, 120), 10.0, 0.0),
    "roadtrip-vp92-10bit.webm": (72, 0.0, 2.961, (426, 240), 3.002, 0.0),
    "sample_mdat_too_long.mp4": (30, 0.0, 0.967633, (1080, 720), 1.001, 0.0),
    "sps_change.mkv": (30, 0.0, 1.933, (320, 240), 1.999, 0.0),
    "starts_100s.webm": (60, 100.0, 103.933, (320, 240), 103.999, 100.0),
    "water_180_mvhevc_5frames.mov": (5, 0.0, 0.044444, (1934, 2160), 0.055556, 0.0),
}


@pytest.fixture
def films(shared: Path) -> Path:
    """Folder of the films."""
    return shared / "cases" / "films"


@pytest.mark.parametrize("name", FILMS)
def test_each_film_is_whole_and_nothing_is_wrong_with_it(
    name: str, films: Path
) -> None:
    n_frames, first_s, last_s, size_wh, end_s, clock_s = FILMS[name]
    videos, problems = build_videos([films / name])
    frames = [(f.time_s, f.image.shape) for f in read_video(films / name)]
    assert problems.empty
    film = videos.iloc[0]
    assert len(frames) == film.n_frames == n_frames
    assert (frames[0][0], frames[-1][0]) == pytest.approx((first_s, last_s), abs=1e-3)
    assert {shape for _, shape in frames} == {(*size_wh[::-1], 3)}
    assert (film.width_px, film.height_px) == size_wh
    assert (film.duration_s, film.starts_at_s) == pytest.approx((end_s, clock_s), 1e-3)
    assert not film.is_vfr


def test_every_film_is_in_the_list(films: Path) -> None:
    assert sorted(FILMS) == sorted(path.name for path in films.iterdir())


@pytest.mark.parametrize("name", ["outlier_b.mp4", "outlier_nob.mp4"])
def test_one_wrong_stamp_costs_one_picture(name: str, films: Path) -> None:
    frames = list(read_video(films / name, end_s=8.0))
    assert len(frames) == 119
    plain = {round(f.time_s, 3): f.image for f in read_video(films / "plain_b.mp4")}
    if name == "outlier_b.mp4":
        for frame in frames:
            np.testing.assert_array_equal(frame.image, plain[round(frame.time_s, 3)])
    videos, _ = build_videos([films / name])
    assert "1 of 150 pictures are left out" in videos.advice[0]
    assert videos.fps[0] == 15.0


def test_the_stream_that_was_taken_is_named(films: Path) -> None:
    videos, _ = build_videos([films / "motion_photo.mp4"])
    assert "the one with the most pictures, 160×120, is used" in videos.advice[0]


def test_a_truly_cut_file_is_still_said_to_be_cut(films: Path, tmp_path: Path) -> None:
    whole = (films / "sample_mdat_too_long.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[:90_000])
    videos, problems = build_videos([tmp_path / "cut.mp4"], settle_s=0)
    assert 0 < videos.n_frames[0] < 30
    assert "is cut short" in problems.problem[0]


def test_a_picture_of_another_shape_keeps_it(films: Path) -> None:
    frames = list(read_video(films / "sps_change.mkv"))
    inside = [np.argwhere(frame.image.max(axis=2) > 8) for frame in frames]
    sizes = [tuple(np.ptp(at, axis=0) + 1) for at in inside]
    shares = [width / height for height, width in sizes]
    assert shares[0] == pytest.approx(4 / 3, rel=0.05)
    assert shares[-1] == pytest.approx(3 / 4, rel=0.05)


def test_twenty_seconds_are_counted_from_the_first_picture(films: Path) -> None:
    assert len(list(read_video(films / "starts_100s.webm", length_s=2.0))) == 30
    assert len(list(read_video(films / "firstpts_10_sec.mp4", length_s=20.0))) == 120
