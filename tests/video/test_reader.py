"""Reading and writing films."""

import math
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from tests.made_films import (
    draw_picture,
    flag_film,
    join_films,
    make_film,
    read_numbers,
    read_picture,
)
from utils.video.reader import choose_frames, read_video, write_video

RED = np.full((48, 64, 3), (255, 0, 0), np.uint8)


@pytest.fixture(scope="module")
def minute(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film of 250 numbered frames at 25 frames a second, a key frame every 50."""
    path = tmp_path_factory.mktemp("films") / "film.mp4"
    return make_film(path, n_frames=250, fps=25, options={"g": "50", "bf": "3"})


def test_twelve_frames_at_29_97_come_back_at_their_times(tmp_path: Path) -> None:
    fps = Fraction(30000, 1001)
    write_video(tmp_path / "a.mp4", (draw_picture(n) for n in range(12)), fps=fps)
    frames = list(read_video(tmp_path / "a.mp4"))
    assert read_numbers(frames) == list(range(12))
    assert [frame.time_s for frame in frames] == pytest.approx(
        [number * 1001 / 30000 for number in range(12)], abs=1e-6
    )


def test_red_stays_red(tmp_path: Path) -> None:
    write_video(tmp_path / "a.mp4", [RED], fps=29.97)
    (frame,) = read_video(tmp_path / "a.mp4")
    assert frame.image.dtype == np.uint8
    assert np.abs(frame.image.astype(int) - RED).max() <= 3


@pytest.mark.parametrize("fps", [0.5, 1, 7.5, 29.97, 30, Fraction(24000, 1001), 240])
def test_a_written_film_has_the_frame_rate_asked_for(
    fps: float | Fraction, tmp_path: Path
) -> None:
    write_video(tmp_path / "a.mp4", [RED] * 5, fps=fps)
    times_s = [frame.time_s for frame in read_video(tmp_path / "a.mp4")]
    assert times_s == pytest.approx([n / float(fps) for n in range(5)], abs=1e-4)


@pytest.mark.parametrize("size_wh", [(1, 1), (3, 2), (2, 3), (101, 77), (640, 480)])
def test_a_written_film_plays_in_a_browser(
    size_wh: tuple[int, int], tmp_path: Path
) -> None:
    path = tmp_path / "a.mp4"
    image = np.full((size_wh[1], size_wh[0], 3), 200, np.uint8)
    write_video(path, [image] * 3, fps=10)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert stream.codec_context.pix_fmt == "yuv420p"
        even_wh = tuple(side + side % 2 for side in size_wh)
        assert (stream.width, stream.height) == even_wh
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    assert np.abs(next(read_video(path)).image.astype(int) - 200).max() <= 3


def test_an_image_that_is_not_contiguous_is_written(tmp_path: Path) -> None:
    write_video(tmp_path / "a.mp4", [np.rot90(draw_picture(3), 2)[::-1, ::-1]], fps=5)
    assert read_numbers(list(read_video(tmp_path / "a.mp4"))) == [3]


@pytest.mark.parametrize(
    ("images", "fps", "match"),
    [
        ([], 30, "No picture to write to a.mp4"),
        ([RED], 0, "Expected `fps` above 0, got 0"),
        ([RED], math.nan, "Expected `fps` above 0, got nan"),
        ([RED, RED[:-2]], 30, r"got uint8 of shape \(46, 64, 3\) at frame 1"),
        ([RED / 255], 30, "got float64 of shape"),
        ([RED[..., 0]], 30, r"got uint8 of shape \(48, 64\) at frame 0"),
    ],
)
def test_what_cannot_be_written_is_refused_and_leaves_no_file(
    images: list, fps: float, match: str, tmp_path: Path
) -> None:
    (tmp_path / "a.mp4").write_text("old")
    with pytest.raises(ValueError, match=match):
        write_video(tmp_path / "a.mp4", images, fps=fps)
    assert (tmp_path / "a.mp4").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


def test_a_film_is_whole_or_not_there(tmp_path: Path) -> None:
    def break_off() -> object:
        yield RED
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_video(tmp_path / "a.mp4", break_off(), fps=5)
    assert list(tmp_path.iterdir()) == []


def test_frames_are_those_opencv_reads(demo_videos: Path) -> None:
    import cv2

    path = demo_videos / "person01_a.mp4"
    capture = cv2.VideoCapture(str(path))
    for frame in read_video(path, end_s=2.0):
        is_read, bgr = capture.read()
        assert is_read
        assert capture.get(cv2.CAP_PROP_POS_MSEC) == pytest.approx(1000 * frame.time_s)
        np.testing.assert_array_equal(frame.image, bgr[..., ::-1])


def test_the_first_frame_at_or_after_each_multiple_is_chosen(minute: Path) -> None:
    frames = list(read_video(minute, every_s=0.3))
    assert [f.frame_idx for f in frames] == [math.ceil(k * 7.5) for k in range(34)]
    assert read_numbers(frames) == [frame.frame_idx for frame in frames]


@pytest.mark.parametrize("every_s", [0.0, 0.2, 0.3, 1.0, 7.0])
@pytest.mark.parametrize("borders_s", [(0.5,), (1.98, 2.0, 2.02), (3.3, 6.66, 9.96)])
def test_stretches_give_what_the_whole_gives(
    every_s: float, borders_s: tuple, minute: Path
) -> None:
    whole = list(read_video(minute, every_s=every_s))
    borders_s = [0.0, *borders_s, math.inf]
    parts = [
        frame
        for start_s, end_s in pairwise(borders_s)
        for frame in read_video(minute, every_s=every_s, start_s=start_s, end_s=end_s)
    ]
    assert [frame[:2] for frame in parts] == [frame[:2] for frame in whole]
    for part, frame in zip(parts, whole, strict=True):
        np.testing.assert_array_equal(part.image, frame.image)


def test_a_stretch_after_the_end_is_empty(minute: Path) -> None:
    assert list(read_video(minute, start_s=99.0)) == []


@pytest.mark.parametrize("times_s", [[0.6 - 4e-4, 0.8], [0.6 + 1e-9, 0.8]])
def test_a_rounded_time_stamp_belongs_to_its_multiple(times_s: list[float]) -> None:
    chosen = choose_frames(np.array([0.4, 0.5, *times_s]), every_s=0.2)
    assert chosen.tolist() == [0, 2, 3]


@pytest.mark.parametrize("every_s", [-1.0, math.nan, math.inf])
def test_a_step_that_makes_no_sense_is_refused(every_s: float, minute: Path) -> None:
    with pytest.raises(ValueError, match="Expected `every_s` of 0 or more seconds"):
        next(read_video(minute, every_s=every_s))


def test_a_turn_that_makes_no_sense_is_refused(minute: Path) -> None:
    with pytest.raises(ValueError, match="of 0, 90, 180 or 270, got 45"):
        next(read_video(minute, rotation_deg=45))


def test_a_film_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"No film at .*gone\.mp4"):
        next(read_video(tmp_path / "gone.mp4"))


@pytest.mark.parametrize(
    ("codec", "pix_fmt"),
    [("mjpeg", "yuvj420p"), ("libvpx", "yuv420p"), ("libvpx-vp9", "yuv420p")],
)
@pytest.mark.parametrize("second_wh", [(96, 128), (256, 192), (64, 48), (200, 60)])
def test_a_film_that_changes_its_size_keeps_the_shape_of_its_pictures(
    codec: str, pix_fmt: str, second_wh: tuple[int, int], tmp_path: Path
) -> None:
    sizes = [(128, 96), second_wh, (128, 96)]
    made = {"codec": codec, "pix_fmt": pix_fmt, "n_frames": 4}
    parts = [
        make_film(tmp_path / f"{number}.mkv", size_wh=size_wh, **made)
        for number, size_wh in enumerate(sizes)
    ]
    frames = list(read_video(join_films(tmp_path / "film.mkv", *parts)))
    assert len(frames) == 12
    assert {frame.image.shape for frame in frames} == {(96, 128, 3)}
    assert read_numbers(frames[:4]) == read_numbers(frames[8:]) == [0, 1, 2, 3]
    scale = min(128 / second_wh[0], 96 / second_wh[1])
    width, height = (round(side * scale) for side in second_wh)
    top, left = (96 - height) // 2, (128 - width) // 2
    image = frames[5].image
    inside = image[top : top + height, left : left + width]
    assert read_picture(inside)[1] == ["red", "green", "blue", "white"]
    outside = image.copy()
    outside[top : top + height, left : left + width] = 0
    assert outside.max() == 0


@pytest.mark.parametrize("turn_deg", [None, 0, 90])
def test_a_turned_film_that_changes_its_size_is_upright(
    turn_deg: int | None, tmp_path: Path
) -> None:
    made = {"codec": "mjpeg", "pix_fmt": "yuvj420p", "n_frames": 2}
    parts = [
        make_film(tmp_path / f"{number}.mov", size_wh=size_wh, **made)
        for number, size_wh in enumerate([(128, 96), (96, 128)])
    ]
    path = flag_film(join_films(tmp_path / "film.mov", *parts), (0, 1, -1, 0))
    frames = list(read_video(path, rotation_deg=turn_deg))
    size = (96, 128, 3) if turn_deg == 0 else (128, 96, 3)
    assert [frame.image.shape for frame in frames] == [size] * 4


def test_a_length_is_counted_from_the_first_frame(minute: Path) -> None:
    assert len(list(read_video(minute, length_s=2.0))) == 50
    assert len(list(read_video(minute, length_s=2.0, every_s=0.5))) == 4
