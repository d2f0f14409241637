"""Stamps, packets and lengths that lie: what is shown when, and what is missing."""

import itertools
import shutil
import struct
import subprocess
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tests.made_films import make_film, read_numbers, stamp_film
from utils.video import probe, timing
from utils.video.catalogue import build_videos
from utils.video.decode import decode_frames
from utils.video.probe import probe_video
from utils.video.reader import read_video
from utils.video.source import VideoError
from utils.video.structure import is_encrypted
from utils.video.timing import find_astray, find_far

DAY_S = 86_400.0


# A film's clock


@pytest.mark.parametrize(
    ("name", "start_s"),
    [
        ("late.mkv", 3600.0),
        ("late.webm", 26 * 3600.0),
        ("clock.mkv", 1.7e9),
        ("late.mp4", 100.0),
        ("late.mov", 7 * DAY_S),
    ],
)
def test_a_film_may_start_at_any_time(
    name: str, start_s: float, tmp_path: Path
) -> None:
    times_ms = [round(1000 * start_s) + 40 * number for number in range(50)]
    made = {"codec": "libvpx"} if name.endswith("webm") else {"options": {"bf": "0"}}
    path = make_film(tmp_path / name, times_ms=times_ms, **made)
    with av.open(str(path)) as container:
        clock_s = container.start_time / av.time_base
    videos, problems = build_videos([path], settle_s=0)
    frames = list(read_video(path, length_s=1.0))
    film = videos.iloc[0]
    assert problems.empty
    assert film.advice == ""
    assert (film.n_frames, film.is_vfr) == (50, False)
    assert film.starts_at_s == pytest.approx(clock_s)
    assert film.starts_at_s == pytest.approx(start_s, abs=0.05)
    assert film.duration_s - film.starts_at_s == pytest.approx(2.0, abs=0.05)
    assert read_numbers(frames) == list(range(25))


@pytest.mark.parametrize(
    ("name", "start_s"),
    [("wrapped.ts", 2**33 / 90_000 - 1.0), ("milliseconds.mkv", 1.7e12)],
)
def test_a_clock_that_makes_no_sense_starts_with_the_film(
    name: str, start_s: float, tmp_path: Path
) -> None:
    times_ms = [round(1000 * start_s) + 40 * number for number in range(50)]
    path = make_film(tmp_path / name, times_ms=times_ms, options={"bf": "0"})
    videos, problems = build_videos([path], settle_s=0)
    frames = list(read_video(path, length_s=1.0))
    assert problems.empty
    assert frames[0].time_s == 0
    assert read_numbers(frames) == list(range(25))
    assert videos.duration_s[0] == pytest.approx(2.0, abs=0.05)
    assert videos.starts_at_s[0] == pytest.approx(0.0, abs=0.1)


def test_fragments_may_start_at_any_time(tmp_path: Path) -> None:
    path = make_film(
        tmp_path / "live.mp4",
        n_frames=60,
        options={"g": "15", "bf": "0"},
        container_options={"movflags": "frag_keyframe+empty_moov"},
    )
    data, at = bytearray(path.read_bytes()), -1
    while (at := data.find(b"tfdt", at + 1)) > 0:  # ISO/IEC 14496-12, 8.8.12
        value = int.from_bytes(data[at + 8 : at + 16], "big") + 1000 * 15360
        data[at + 8 : at + 16] = value.to_bytes(8, "big")
    path.write_bytes(data)
    videos, problems = build_videos([path], settle_s=0)
    frames = list(read_video(path))
    assert problems.empty
    assert read_numbers(frames) == list(range(60))
    assert (frames[0].time_s, videos.duration_s[0]) == pytest.approx((1000, 1004), 1e-3)


def test_a_late_film_that_is_cut_is_measured_from_its_start(tmp_path: Path) -> None:
    times_ms = [100_000 + 40 * number for number in range(100)]
    path = make_film(tmp_path / "late.mkv", times_ms=times_ms)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    _, problems = build_videos([path], settle_s=0)
    assert "only the first 2." in problems.problem[0]


# How far decoding has come


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two films of 150 frames at 15 a second, with and without B frames."""
    folder = tmp_path_factory.mktemp("plain")
    return {
        name: make_film(
            folder / f"{name}.mp4", n_frames=150, options={"g": "30", "bf": bf}
        )
        for name, bf in (("b", "3"), ("nob", "0"))
    }


@pytest.mark.parametrize("name", ["b", "nob"])
@pytest.mark.parametrize(
    "stamps_s",
    [{70: 3 * DAY_S}, {40: 600.0, 90: 7200.0}, {3: 1e6}, {125: 30.0}],
    ids=["one", "two", "early", "late"],
)
def test_a_wrong_stamp_costs_its_picture_alone(
    name: str, stamps_s: dict, plain: dict[str, Path], tmp_path: Path
) -> None:
    path = stamp_film(plain[name], tmp_path / "film.mkv", stamps_s)
    videos, problems = build_videos([path], settle_s=0)
    frames = list(read_video(path))
    assert problems.empty
    assert len(frames) == videos.n_frames[0] == 150 - len(stamps_s)
    numbers = read_numbers(frames)
    assert numbers == sorted(numbers)
    assert -1 not in numbers
    assert videos.duration_s[0] == pytest.approx(10.0, abs=0.07)
    assert f"{len(stamps_s)} of 150 pictures are left out" in videos.advice[0]
    parts = [
        frame.frame_idx
        for start_s, end_s in itertools.pairwise([0, 2.0, 4.7, 8.0, 11.0])
        for frame in read_video(path, start_s=start_s, end_s=end_s)
    ]
    assert parts == [frame.frame_idx for frame in frames]


@pytest.mark.parametrize("name", ["b", "nob"])
@pytest.mark.parametrize(
    ("suffix", "place"),
    [(s, place) for s in (".mkv", ".mp4") for place in (0, 140, 149)] + [(".mkv", 148)],
)
def test_a_picture_hours_ahead_at_either_end_costs_its_picture_alone(
    name: str, suffix: str, place: int, plain: dict[str, Path], tmp_path: Path
) -> None:
    path = stamp_film(plain[name], tmp_path / f"film{suffix}", {place: 9000.0})
    videos, problems = build_videos([path], settle_s=0)
    numbers = read_numbers(list(read_video(path)))
    assert problems.empty
    assert numbers == sorted(numbers)
    assert len(numbers) == videos.n_frames[0] == 149
    film = videos.iloc[0]
    assert film.starts_at_s <= film.duration_s <= 10.1
    assert (film.fps, film.is_vfr) == (pytest.approx(15, rel=0.01), False)


def test_a_few_pictures_after_hours_are_astray_but_not_those_of_a_time_lapse() -> None:
    even = np.arange(200) / 15
    assert find_far(np.append(even, [9000.0, 9001.0])).sum() == 2
    assert find_far(np.append(even, even + 9000)).sum() == 0  # a pause
    assert find_far(np.append(even, 60.0)).sum() == 0  # a screen that stood still
    assert find_far(np.append(60.0 * np.arange(200), 90_000.0)).sum() == 0
    assert find_far(3600.0 * np.arange(50)).sum() == 0


def test_reading_stops_soon_after_what_is_wanted(
    plain: dict[str, Path], tmp_path: Path
) -> None:
    path = stamp_film(plain["b"], tmp_path / "film.mkv", {20: DAY_S})
    facts = probe_video(path)
    checks = itertools.count()

    class Counter:
        def check(self) -> None:
            next(checks)

    got = decode_frames(path, facts, np.arange(30), Counter())
    assert [number for number, _ in got] == list(range(30))
    assert next(checks) < 75


@pytest.mark.parametrize(
    ("pts", "astray"),
    [
        (list(range(99)), []),
        ([0, 4, 2, 1, 3, 8, 6, 5, 7, *range(9, 60)], []),
        ([*range(50), *range(10**6, 10**6 + 50)], []),  # a pause
        ([0, *range(10**6, 10**6 + 50)], []),
        ([*range(50), 10**6], []),
        ([*range(50), 9000, *range(51, 99)], [50]),
        ([9000, *range(1, 99)], [0]),
        ([*range(50), -9000, *range(51, 99)], [50]),
        ([*range(50), 9000, 51, 9001, *range(53, 99)], [50, 52]),
        ([*range(60), 9000, *range(61, 78)], [60]),
        ([], []),
        ([7], []),
    ],
)
def test_pictures_far_from_their_neighbours_are_found(pts: list, astray: list) -> None:
    found = find_astray(np.array(pts, dtype=np.int64))
    assert np.flatnonzero(found).tolist() == astray


def test_a_film_whose_clock_starts_again_keeps_its_first_part() -> None:
    pts = np.array([*range(400), *range(300)], dtype=np.int64)
    assert 300 <= find_astray(pts).sum() <= 333


# A packet is not a picture, a length is not the table, the largest is not the film


@pytest.mark.parametrize(
    ("codec", "options", "split"),
    [
        ("libvpx", {"auto-alt-ref": "1", "lag-in-frames": "16"}, ""),
        ("libvpx-vp9", {"cpu-used": "8", "lag-in-frames": "16"}, ""),
        ("libsvtav1", {"preset": "10"}, ""),
        ("libsvtav1", {"preset": "10"}, "av1_frame_split"),
    ],
)
def test_hidden_frames_are_no_pictures(
    codec: str, options: dict, split: str, tmp_path: Path
) -> None:
    if codec not in av.codecs_available:
        pytest.skip(f"this PyAV has no encoder {codec}")
    path = make_film(
        tmp_path / "film.mkv",
        n_frames=60,
        size_wh=(256, 192),
        codec=codec,
        options=options,
    )
    if split:
        path = _filter_packets(path, tmp_path / "split.mkv", split)
        with av.open(str(path)) as container:
            assert sum(bool(packet.size) for packet in container.demux(video=0)) > 60
    videos, problems = build_videos([path], settle_s=0)
    frames = list(read_video(path))
    assert problems.empty
    assert len(frames) == videos.n_frames[0] == 60
    assert read_numbers(frames) == list(range(60))
    assert not videos.is_vfr[0]


@pytest.mark.parametrize("name", ["vp9_superframe", "vp9_superframe_split"])
def test_hidden_frames_of_vp9_may_share_a_packet_or_not(
    name: str, shared: Path, tmp_path: Path
) -> None:
    film = shared / "cases" / "films" / "roadtrip-vp92-10bit.webm"
    path = _filter_packets(film, tmp_path / "film.webm", name)
    videos, problems = build_videos([path], settle_s=0)
    assert problems.empty
    assert len(list(read_video(path))) == videos.n_frames[0] == 72


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        ([0b10000010], True),  # a key frame of profile 0
        ([0b10000000], False),
        ([0b10001000], True),  # one that is there is shown again
        ([0b10010110], True),  # profile 2
        ([0b10010100], False),
        ([0b10110010], False),  # profile 3 has a bit more
        ([0b10110001], True),
        ([0b10000000, 7, 0b10000010, 7, 0xC1, 2, 2, 0xC1], True),
        ([0b10000000, 7, 0b10000000, 7, 0xC1, 2, 2, 0xC1], False),
    ],
)
def test_the_bit_that_shows_a_frame_of_vp9(data: list, shown: bool) -> None:
    assert timing._is_vp9_shown(memoryview(bytes(data))) is shown


def _filter_packets(source: Path, path: Path, name: str) -> Path:
    """Copy a film through one of FFmpeg's filters of packets."""
    if shutil.which("ffmpeg") is None:
        pytest.skip("needs ffmpeg to take packets apart")
    command = [
        "ffmpeg",
        "-v",
        "error",
        "-i",
        source,
        "-c",
        "copy",
        "-bsf:v",
        name,
        path,
    ]
    subprocess.run(command, check=True)
    return path


@pytest.mark.parametrize("more", [1, 1000, 1 << 30])
def test_a_wrong_length_of_a_box_is_not_a_cut(more: int, tmp_path: Path) -> None:
    options = {"container_options": {"movflags": "faststart"}}
    path = make_film(tmp_path / "film.mp4", n_frames=30, **options)
    data = bytearray(path.read_bytes())
    at = data.index(b"mdat") - 4
    size = int.from_bytes(data[at : at + 4], "big")
    data[at : at + 4] = (size + more).to_bytes(4, "big")
    path.write_bytes(data)
    _, problems = build_videos([path], settle_s=0)
    assert problems.empty
    assert len(list(read_video(path))) == 30
    path.write_bytes(data[:-300])
    _, problems = build_videos([path], settle_s=0)
    assert "is cut short" in problems.problem[0]


@pytest.mark.parametrize("length_ms", [1e9, 5.0, -5.0, float("nan")])
def test_a_wrong_length_in_matroskas_header_is_not_a_cut(
    length_ms: float, tmp_path: Path
) -> None:
    path = make_film(tmp_path / "film.mkv", n_frames=30)
    data = bytearray(path.read_bytes())
    at = data.index(b"\x44\x89\x88") + 3  # RFC 9559, 5.1.2.10
    data[at : at + 8] = struct.pack(">d", length_ms)
    path.write_bytes(data)
    _, problems = build_videos([path], settle_s=0)
    assert problems.empty
    assert len(list(read_video(path))) == 30


def _join_streams(path: Path, streams: list[tuple]) -> Path:
    """Write several streams, each of a size, a rate and a number of frames."""
    with av.open(str(path), "w") as container:
        packets = []
        for (width, height), fps, n_frames in streams:
            stream = container.add_stream("libx264", rate=fps)
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            for number in range(n_frames):
                image = np.full((height, width, 3), number, np.uint8)
                frame = av.VideoFrame.from_ndarray(image, format="rgb24")
                frame.pts, frame.time_base = number, Fraction(1, fps)
                packets += stream.encode(frame)
            packets += stream.encode()
        for packet in packets:
            container.mux(packet)
    return path


@pytest.mark.parametrize(
    ("streams", "taken"),
    [
        ([((640, 480), 1, 1), ((160, 120), 15, 30)], (160, 120)),  # a motion photo
        ([((320, 240), 30, 60), ((640, 480), 2, 4)], (320, 240)),  # stills beside
        ([((160, 120), 15, 30), ((320, 240), 15, 30)], (320, 240)),  # two cameras
        ([((160, 120), 15, 30), ((320, 240), 15, 29)], (320, 240)),
        ([((320, 240), 240, 90), ((160, 120), 15, 60)], (160, 120)),  # a burst beside
    ],
)
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_the_stream_with_the_most_pictures_is_the_film(
    streams: list, taken: tuple, suffix: str, tmp_path: Path
) -> None:
    path = _join_streams(tmp_path / f"film{suffix}", streams)
    videos, problems = build_videos([path], settle_s=0)
    assert problems.empty
    assert (videos.width_px[0], videos.height_px[0]) == taken
    assert f"{taken[0]}×{taken[1]}, is used" in videos.advice[0]


# What cannot be read is said in words


@pytest.mark.parametrize("movflags", ["faststart", "frag_keyframe+empty_moov"])
def test_an_encrypted_film_is_said_to_be(movflags: str, tmp_path: Path) -> None:
    plain, path = make_film(tmp_path / "plain.mp4", n_frames=30), tmp_path / "drm.mp4"
    keys = {"encryption_key": "0" * 31 + "1", "encryption_kid": "0" * 31 + "2"}
    keys |= {"encryption_scheme": "cenc-aes-ctr", "movflags": movflags}
    make_film(path, n_frames=30, container_options=keys)
    videos, problems = build_videos([plain, path], settle_s=0)
    assert videos.video.tolist() == ["plain"]
    assert "drm.mp4 is encrypted" in problems.problem[0]


def test_an_encrypted_matroska_is_said_to_be(tmp_path: Path) -> None:
    def element(name: int, content: bytes) -> bytes:
        n_name = (name.bit_length() + 7) // 8
        return name.to_bytes(n_name, "big") + bytes([0x80 | len(content)]) + content

    encoding = element(0x6240, element(0x5035, b"\x80"))
    tracks = element(0x1654AE6B, element(0xAE, element(0x6D80, encoding)))
    head = element(0x1A45DFA3, b"\x42\x82\x84webm")
    path = tmp_path / "drm.webm"
    path.write_bytes(head + element(0x18538067, tracks))
    assert is_encrypted(path)
    assert not is_encrypted(make_film(tmp_path / "a.webm", codec="libvpx"))
    assert not is_encrypted(make_film(tmp_path / "a.mkv"))


def test_no_sentence_is_a_librarys_error_text(tmp_path: Path) -> None:
    whole = make_film(tmp_path / "film.mp4", n_frames=30).read_bytes()
    rng = np.random.default_rng(0)
    for number in range(60):
        data = bytearray(whole)
        for at in rng.integers(0, len(data), 1 + number):
            data[at] ^= 1 << rng.integers(8)
        path = tmp_path / f"{number}.mp4"
        path.write_bytes(data)
        _, problems = build_videos([path], settle_s=0)
        said = list(problems.problem)
        try:
            list(read_video(path))
        except VideoError as error:
            said.append(str(error))
        for text in said:
            assert text.startswith(path.name)
            assert "Invalid data" not in text
            assert "Errno" not in text


def test_a_codec_that_is_not_known_is_one_sentence(tmp_path: Path) -> None:
    path = make_film(tmp_path / "film.mp4")
    path.write_bytes(path.read_bytes().replace(b"avc1", b"zz9!"))
    _, problems = build_videos([path], settle_s=0)
    assert "uses a codec that cannot be decoded here" in problems.problem[0]


def test_side_data_without_a_name_does_not_hide_the_turn() -> None:
    class Notes:
        def get(self, name: str) -> bytes:
            raise ValueError("29 is not a valid Type")

    class Frame:
        side_data = Notes()
        rotation = -90

    assert probe.read_orientation(Frame()) == (90, False)


def test_pictures_too_large_to_hold_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_film(tmp_path / "film.mp4")
    monkeypatch.setattr(probe, "_MOST_PIXELS", 128 * 96 - 1)
    with pytest.raises(VideoError, match=r"128 x 96 px; at most 16384 px a side"):
        next(read_video(path))
