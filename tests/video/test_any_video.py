"""Whatever people film with: right pictures at the right times, or one sentence."""

import os
import shutil
import subprocess
import threading
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tests.made_films import (
    UPRIGHT,
    draw_picture,
    flag_film,
    make_film,
    read_numbers,
    read_picture,
)
from utils.core.names import normalise_name
from utils.video.catalogue import build_videos
from utils.video.reader import read_video

LARGER = {"size_wh": (256, 192)}  # AV1 blurs small pictures too much to be read

CODECS = {
    "h264.mp4": {},
    "h264_keyframes_only.mp4": {"options": {"g": "1"}},
    "h264_without_b_frames.mov": {"options": {"bf": "0"}},
    "h264_intra_refresh.mp4": {"options": {"x264-params": "intra-refresh=1"}},
    "h264_open_gop.mkv": {"options": {"g": "4", "x264-params": "open-gop=1"}},
    "h264_10_bit.mp4": {"pix_fmt": "yuv420p10le"},
    "h264_444.mp4": {"pix_fmt": "yuv444p"},
    "h264_full_range.mp4": {"pix_fmt": "yuvj420p"},
    "h264_fragmented.mp4": {"container_options": {"movflags": "frag_keyframe"}},
    "h264.avi": {},
    "h264.mkv": {},
    "hevc.mp4": {"codec": "libx265", "options": {"x265-params": "log-level=none"}},
    "hevc_10_bit.mov": {
        "codec": "libx265",
        "pix_fmt": "yuv422p10le",
        "options": {"x265-params": "log-level=none"},
    },
    "vp8.webm": {"codec": "libvpx", "options": {"auto-alt-ref": "1"}},
    "vp9.webm": {"codec": "libvpx-vp9", "options": {"cpu-used": "8"}},
    "live.webm": {"codec": "libvpx", "container_options": {"live": "1"}},
    "av1.mp4": {"codec": "libsvtav1", "options": {"preset": "10"}, **LARGER},
    "mpeg4.avi": {"codec": "mpeg4", "options": {"bf": "2", "q": "2"}},
    "mjpeg.avi": {"codec": "mjpeg", "pix_fmt": "yuvj420p"},
    "ffv1.mkv": {"codec": "ffv1", "pix_fmt": "yuv444p"},
    "prores.mov": {"codec": "prores_ks", "pix_fmt": "yuv422p10le"},
    "29.97_fps.mp4": {"fps": Fraction(30000, 1001)},
    "29.97_fps.mkv": {"fps": Fraction(30000, 1001)},
    "240_fps.mp4": {"fps": 240},
    "1_fps.mp4": {"fps": 1},
    "one_frame.mp4": {"n_frames": 1},
    "wide_pixels.mp4": {"size_wh": (96, 96), "aspect": Fraction(4, 3)},
    "high_pixels.mkv": {"size_wh": (128, 80), "aspect": Fraction(2, 3)},
}


def _skip_without(codec: str) -> None:
    if codec not in av.codecs_available:
        pytest.skip(f"this PyAV has no encoder {codec}")


@pytest.mark.parametrize("name", CODECS)
def test_every_kind_of_film_gives_each_frame_at_its_time(
    name: str, tmp_path: Path
) -> None:
    made = CODECS[name]
    _skip_without(made.get("codec", "libx264"))
    path = make_film(tmp_path / name, **made)
    n_frames, fps = made.get("n_frames", 12), float(made.get("fps", 15))

    videos, problems = build_videos([path], settle_s=0)
    frames = list(read_video(path))

    assert problems.empty
    assert read_numbers(frames) == [frame.frame_idx for frame in frames]
    assert [frame.frame_idx for frame in frames] == list(range(n_frames))
    times_s = np.array([frame.time_s for frame in frames])
    offset_s = 2 / fps if "fragmented" in name else 0.0  # it has no edit list
    np.testing.assert_allclose(times_s, offset_s + np.arange(n_frames) / fps, atol=6e-4)
    row = videos.iloc[0]
    assert row.n_frames == n_frames
    assert row.fps == pytest.approx(fps, rel=1e-3)
    assert row.duration_s == pytest.approx(offset_s + n_frames / fps, abs=2e-3)
    assert not row.is_vfr
    assert frames[0].image.shape == (row.height_px, row.width_px, 3)


@pytest.mark.parametrize(
    ("name", "aspect", "size_wh"),
    [("wide.mp4", Fraction(4, 3), (128, 96)), ("high.mp4", Fraction(1, 2), (96, 192))],
)
def test_pixels_become_square(
    name: str, aspect: Fraction, size_wh: tuple[int, int], tmp_path: Path
) -> None:
    path = make_film(tmp_path / name, size_wh=(96, 96), aspect=aspect)
    videos, _ = build_videos([path], settle_s=0)
    assert (videos.width_px[0], videos.height_px[0]) == size_wh
    assert next(read_video(path)).image.shape[1::-1] == size_wh


ORIENTATIONS = {  # the matrix that shows a stored picture upright, how it was turned
    "upright": ((1, 0, 0, 1), lambda image: image, 0),
    "turned 90": ((0, 1, -1, 0), lambda image: np.rot90(image, 1), 90),
    "turned 180": ((-1, 0, 0, -1), lambda image: np.rot90(image, 2), 180),
    "turned 270": ((0, -1, 1, 0), lambda image: np.rot90(image, 3), 270),
    "mirrored": ((-1, 0, 0, 1), lambda image: image[:, ::-1], 0),
    "mirrored 90": ((0, -1, -1, 0), lambda image: np.rot90(image)[:, ::-1], 90),
    "mirrored 180": ((1, 0, 0, -1), lambda image: image[::-1], 180),
    "mirrored 270": ((0, 1, 1, 0), lambda image: np.rot90(image, 3)[:, ::-1], 270),
}


@pytest.mark.parametrize("name", ORIENTATIONS)
@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
def test_a_turned_or_mirrored_film_is_upright(
    name: str, suffix: str, tmp_path: Path
) -> None:
    matrix, store, turn_deg = ORIENTATIONS[name]

    def draw(number: int, size_wh: tuple[int, int]) -> np.ndarray:
        return np.ascontiguousarray(store(draw_picture(number)))

    size_wh = (96, 128) if turn_deg % 180 else (128, 96)
    path = make_film(tmp_path / f"film{suffix}", size_wh=size_wh, draw=draw)
    flag_film(path, matrix)

    videos, problems = build_videos([path], settle_s=0)

    assert problems.empty
    assert (videos.width_px[0], videos.height_px[0]) == (128, 96)
    assert videos.rotation_deg[0] == turn_deg
    assert read_numbers(list(read_video(path))) == list(range(12))
    same = read_video(path, rotation_deg=int(videos.rotation_deg[0]))
    assert read_numbers(list(same)) == list(range(12))


def test_a_turn_given_by_hand_replaces_the_flag(tmp_path: Path) -> None:
    path = flag_film(make_film(tmp_path / "film.mp4"), (0, 1, -1, 0))
    upright, turned = (
        next(read_video(path, rotation_deg=turn_deg)).image for turn_deg in (0, 90)
    )
    assert read_picture(upright)[1] == UPRIGHT
    np.testing.assert_array_equal(turned, np.rot90(upright, -1))


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov", ".webm"])
def test_a_variable_rate_keeps_its_own_times(suffix: str, tmp_path: Path) -> None:
    times_ms = [0, 33, 40, 500, 501, 2000, 2033, 2100, 5000]
    codec = "libvpx" if suffix == ".webm" else "libx264"
    path = make_film(tmp_path / f"film{suffix}", times_ms=times_ms, codec=codec)
    videos, problems = build_videos([path], settle_s=0)
    frames = list(read_video(path))
    assert problems.empty
    assert videos.is_vfr[0]
    assert read_numbers(frames) == list(range(9))
    np.testing.assert_allclose(
        [1000 * frame.time_s for frame in frames], times_ms, atol=0.6
    )
    sampled = [frame.frame_idx for frame in read_video(path, every_s=0.5)]
    assert sampled == [0, 3, 5, 8]


def test_a_film_that_starts_late_keeps_its_own_times(tmp_path: Path) -> None:
    times_ms = [1000 + 40 * number for number in range(12)]
    path = make_film(tmp_path / "film.mp4", times_ms=times_ms, options={"bf": "0"})
    with av.open(str(path)) as container:
        expected = [frame.time for frame in container.decode(video=0)]
    assert expected[0] == pytest.approx(1.0, abs=0.002)
    assert [frame.time_s for frame in read_video(path)] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("size_wh", "codec", "pix_fmt", "suffix"),
    [
        ((1, 1), "ffv1", "yuv444p", ".mkv"),
        ((1, 1), "libvpx", "yuv420p", ".webm"),
        ((1, 7), "mjpeg", "yuvj420p", ".avi"),
        ((7, 1), "mjpeg", "yuvj444p", ".mov"),
        ((2, 2), "libx264", "yuv420p", ".mp4"),
        ((33, 47), "libx264", "yuv444p", ".mp4"),
        ((127, 95), "libvpx-vp9", "yuv420p", ".webm"),
        ((1366, 767), "ffv1", "yuv420p", ".mkv"),
        ((3840, 2160), "libx264", "yuv420p", ".mp4"),
        ((2160, 3840), "libx264", "yuv420p", ".mov"),
    ],
)
def test_any_size_is_read(
    size_wh: tuple[int, int], codec: str, pix_fmt: str, suffix: str, tmp_path: Path
) -> None:
    _skip_without(codec)

    def draw(number: int, size_wh: tuple[int, int]) -> np.ndarray:
        if min(size_wh) >= 16:
            return draw_picture(number, size_wh)
        return np.full((*size_wh[::-1], 3), (255, 0, 0), np.uint8)

    path = tmp_path / f"film{suffix}"
    made = {"codec": codec, "pix_fmt": pix_fmt, "size_wh": size_wh}
    make_film(path, n_frames=3, draw=draw, options={"preset": "ultrafast"}, **made)
    videos, problems = build_videos([path], settle_s=0)
    frames = list(read_video(path))
    assert problems.empty
    assert (videos.width_px[0], videos.height_px[0]) == size_wh
    assert [frame.image.shape for frame in frames] == [(*size_wh[::-1], 3)] * 3
    if min(size_wh) >= 16:
        assert read_numbers(frames) == [0, 1, 2]
    else:
        assert np.abs(frames[2].image - np.array([255.0, 0, 0])).max() < 12


@pytest.mark.parametrize(
    "name",
    [
        "Übung ő 体操 🤸.mp4",
        "a;b&c'd\"e$f`g.mp4",
        " spaces  and\ttab .mp4",
        "-dash.mp4",
        "100%d.mp4",
        "a:b.mp4",
        "x.y.z.MP4",
        "C:\\films\\x.mp4",
        "new\nline.mp4",
    ],
)
def test_any_name_is_read(name: str, tmp_path: Path) -> None:
    if os.name == "nt":
        pytest.skip("Windows allows fewer names")
    path = tmp_path / name
    make_film(tmp_path / "film.mp4").rename(path)
    videos, problems = build_videos([path], settle_s=0)
    assert problems.empty
    assert videos.video[0] == normalise_name(path.stem)
    assert read_numbers(list(read_video(path))) == list(range(12))


def test_the_larger_of_two_films_in_one_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "film.mkv"
    with av.open(str(path), "w") as container:
        sizes = [(64, 48), (128, 96)]
        streams = [container.add_stream("libx264", rate=15) for _ in sizes]
        for stream, (width, height) in zip(streams, sizes, strict=True):
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(12):
            for stream, size_wh in zip(streams, sizes, strict=True):
                image = draw_picture(number if size_wh == (128, 96) else 0, size_wh)
                frame = av.VideoFrame.from_ndarray(image, format="rgb24")
                frame.pts, frame.time_base = number, Fraction(1, 15)
                container.mux(stream.encode(frame))
        for stream in streams:
            container.mux(stream.encode())
    videos, problems = build_videos([path], settle_s=0)
    assert problems.empty
    assert (
        "holds 2 films; only the one with the most pictures, 128×96, is used"
        in videos.advice[0]
    )
    assert read_numbers(list(read_video(path))) == list(range(12))


def _make_sound(path: Path) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=8000)
        samples = np.zeros((1, 8000), np.float32)
        frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def _make_folder(path: Path) -> None:
    path.mkdir()


def _make_loop(path: Path) -> None:
    path.symlink_to(path)


def _make_dead_link(path: Path) -> None:
    path.symlink_to(path.parent / "nowhere.mp4")


def _make_pipe(path: Path) -> None:
    if not hasattr(os, "mkfifo"):
        pytest.skip("Windows has no such files")
    os.mkfifo(path)


def _make_half(path: Path) -> None:
    make_film(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


REFUSED = {
    "empty": (lambda path: path.touch(), r"is empty \(0 bytes\)"),
    "text": (lambda path: path.write_text("no film"), "cannot be read as a film"),
    "zeros": (lambda path: path.write_bytes(bytes(9999)), "cannot be read as a film"),
    "sound": (_make_sound, "holds no moving pictures, only audio"),
    "folder": (_make_folder, "is a folder, not a film"),
    "loop": (_make_loop, r"cannot be opened \("),
    "dead link": (_make_dead_link, "is a link to a file that is not there"),
    "pipe": (_make_pipe, "is a device, not a film"),
    "half": (_make_half, "not yet fully recorded or copied"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_film_is_one_sentence_and_the_others_go_on(
    kind: str, tmp_path: Path
) -> None:
    make, match = REFUSED[kind]
    bad, good = tmp_path / "bad.mp4", make_film(tmp_path / "good.mp4")
    make(bad)
    videos, problems = build_videos([bad, good], settle_s=0)
    assert videos.video.tolist() == ["good"]
    assert problems.video.tolist() == ["bad"]
    assert problems.problem.str.contains(match).all()
    assert "\n" not in problems.problem[0]
    with pytest.raises(ValueError, match=match):
        next(read_video(bad))


def test_a_file_that_may_not_be_read_is_one_sentence(tmp_path: Path) -> None:
    path = make_film(tmp_path / "film.mp4")
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read every file")
    _, problems = build_videos([path], settle_s=0)
    assert "may not be read by this user" in problems.problem[0]


def test_a_film_in_a_folder_that_cannot_be_written_is_read(tmp_path: Path) -> None:
    path = make_film(tmp_path / "film.mp4")
    path.chmod(0o444)
    tmp_path.chmod(0o555)
    try:
        videos, problems = build_videos([path], settle_s=0)
        assert read_numbers(list(read_video(path))) == list(range(12))
    finally:
        tmp_path.chmod(0o755)
    assert problems.empty
    assert len(videos) == 1


def test_a_film_still_being_written_is_one_sentence(tmp_path: Path) -> None:
    path = make_film(tmp_path / "film.mkv")
    is_over = threading.Event()

    def write_on() -> None:
        with path.open("ab", buffering=0) as file:
            while not is_over.wait(0.01):
                file.write(bytes(100))

    writer = threading.Thread(target=write_on)
    writer.start()
    try:
        videos, problems = build_videos([path], settle_s=0.5)
    finally:
        is_over.set()
        writer.join()
    assert videos.empty
    assert "is still being written" in problems.problem[0]


CUT = {
    "index_first.mp4": {"container_options": {"movflags": "faststart"}},
    "index_last.mp4": {},
    "fragmented.mp4": {"container_options": {"movflags": "frag_keyframe+empty_moov"}},
    "film.mkv": {},
    "film.webm": {"codec": "libvpx"},
    "live.webm": {"codec": "libvpx", "container_options": {"live": "1"}},
    "mpeg4.avi": {"codec": "mpeg4", "options": {"g": "10", "bf": "2"}},
    "h264.avi": {},
    "mjpeg.avi": {"codec": "mjpeg", "pix_fmt": "yuvj420p"},
}


@pytest.mark.parametrize("name", CUT)
def test_a_film_cut_anywhere_says_so_and_what_is_left_is_right(
    name: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    make_film(path, n_frames=60, **{"options": {"g": "10"}, **CUT[name]})
    whole = path.read_bytes()
    n_whole, n_some = 0, 0
    for percent in range(0, 100, 5):
        path.write_bytes(whole[: len(whole) * percent // 100])
        videos, problems = build_videos([path], settle_s=0)
        frames, said = [], ""
        try:
            for frame in read_video(path):
                frames.append(frame)
        except ValueError as error:
            said = str(error)
        assert read_numbers(frames) == list(range(len(frames)))
        if len(frames) == 60:  # only the index at the end was lost
            n_whole += 1
            continue
        assert len(problems) == 1
        assert said == problems.problem[0]
        assert "no moving pictures" not in said  # there are, or were
        if frames:
            assert len(list(read_video(path, skip_damage=True))) == len(frames)
        if len(videos):
            assert len(frames) == videos.n_frames[0] > 0
            assert f"the first {videos.duration_s[0]:.2f} s" in said
            assert said in videos.advice[0]
            n_some += 1
    assert n_whole <= 2
    assert n_some > 0 or name == "index_last.mp4"


def test_a_film_cut_by_a_phone_starts_where_its_edit_says(tmp_path: Path) -> None:
    if shutil.which("ffmpeg") is None:
        pytest.skip("needs ffmpeg to copy from the middle of a film")
    whole = make_film(tmp_path / "whole.mp4", n_frames=60, options={"g": "30"})
    path = tmp_path / "part.mp4"
    subprocess.run(
        ["ffmpeg", "-v", "error", "-ss", "1", "-i", whole, "-c", "copy", path],
        check=True,
    )
    videos, problems = build_videos([path], settle_s=0)
    frames = list(read_video(path))
    numbers = read_numbers(frames)
    assert problems.empty
    assert videos.n_frames[0] == len(frames)
    assert numbers == list(range(numbers[0], 60))
    assert numbers[0] in (14, 15)
    assert [frame.frame_idx for frame in frames] == list(range(len(frames)))


# file: frames, first and last time in s, width and height upright, a word it must say
REAL = {
    "awesome movie.mov": (123, 0.0, 7.278333, (640, 480), ""),
    "broken.mp4": (0, None, None, None, "cannot be read as a film"),
    "cursed-vfr.mp4": (63, 0.0, 7.155503, (3026, 1386), ""),
    "frames.webm": (100, 0.0, 3.3, (1080, 1080), ""),
    "ios9.mov": (14, 0.0, 0.433333, (720, 1280), ""),
    "multiple-aac-tracks.mp4": (0, None, None, None, "no moving pictures, only audio"),
    "rotate-buck-bunny.mp4": (45, 0.083333, 1.916667, (1080, 1920), ""),
    "sample_av1.mp4": (30, 0.0, 0.967633, (1080, 720), ""),
    "sideways movie.mov": (25, 0.0, 0.998333, (480, 640), ""),
    "video-h265.mp4": (300, 0.0, 9.966667, (1920, 1080), ""),
    "zero_empty_stsc.mp4": (0, None, None, None, "no picture that can be decoded"),
}


@pytest.mark.parametrize("name", REAL)
def test_real_awkward_films_are_read_or_refused_in_one_sentence(
    name: str, shared: Path
) -> None:
    n_frames, first_s, last_s, size_wh, said = REAL[name]
    path = shared / "real" / "awkward" / name
    videos, problems = build_videos([path])
    if said:
        assert videos.empty
        assert said in problems.problem[0]
        with pytest.raises(ValueError, match=said):
            next(read_video(path))
        return
    frames = list(read_video(path, every_s=0.5))
    assert problems.empty
    assert videos.n_frames[0] == n_frames
    assert (videos.width_px[0], videos.height_px[0]) == size_wh
    assert frames[0].image.shape[1::-1] == size_wh
    assert frames[0].time_s == pytest.approx(first_s, abs=1e-6)
    assert next(read_video(path, start_s=last_s - 1e-4)).frame_idx == n_frames - 1


def test_every_real_awkward_film_is_in_the_list(shared: Path) -> None:
    folder = shared / "real" / "awkward"
    assert sorted(REAL) == sorted(path.name for path in folder.iterdir())
