"""What is known of a video before it is read: time stamps, size, orientation, codec.

Reads packets and one picture: a film of an hour takes about a second.
"""

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
from pathlib import Path

import av
import numpy as np

from utils.video.source import (
    DECODE_ERRORS,
    TimeLimit,
    VideoError,
    check_file,
    open_video,
)
from utils.video.structure import is_encrypted, is_file_cut
from utils.video.timing import (
    Tally,
    Timing,
    build_timing,
    read_packets,
)

_LEAST_LIMIT_S = 60.0
_SLOWEST_BYTES_PER_S = 500_000  # a slow network drive; a disk reads 100 times faster
_MOST_ASPECT = 8  # pixels longer than this are a mistake in the file
_MOST_SIDE_PX, _MOST_PIXELS = 16_384, 1 << 26  # 64 megapixels; 8K has 33
_ALIKE_SHARE = 0.9  # streams with nearly as many pictures show the same
_MOST_A_SECOND = 10  # pictures that count: a burst is no film, however many it has
_NO_FILM = (
    av.stream.Disposition.attached_pic
    | av.stream.Disposition.still_image
    | av.stream.Disposition.timed_thumbnails
)
_HDR_TRANSFERS = {16: "PQ", 18: "HLG"}  # ITU-T H.273, table 3


@dataclass(frozen=True)
class VideoFacts:
    """What is known of a film before it is read.

    Attributes:
        stream_index: Which stream of the container holds the film.
        timing: When its frames are shown, and whether any is missing.
        coded_size_wh: Width and height as stored: not turned, pixels as they are.
        sample_aspect_ratio: Width of a pixel divided by its height.
        rotation_deg: Clockwise turn that sets the picture upright: 0, 90, 180 or 270.
        is_mirrored: Whether left and right must be swapped, before the turn.
        codec: Name of the codec, as FFmpeg calls it.
        hdr: `PQ` or `HLG` for high dynamic range, else empty.
        n_streams: Films in the container; the one with the most pictures is read.
        has_edits: Whether the container's list of edits counts.
    """

    stream_index: int
    timing: Timing
    coded_size_wh: tuple[int, int]
    sample_aspect_ratio: Fraction
    rotation_deg: int
    is_mirrored: bool
    codec: str
    hdr: str
    n_streams: int
    has_edits: bool

    @cached_property
    def square_size_wh(self) -> tuple[int, int]:
        """Width and height in square pixels, not turned; no side gets shorter."""
        return self.square_pixels(self.coded_size_wh)

    def square_pixels(self, size_wh: tuple[int, int]) -> tuple[int, int]:
        """Return the width and height in square pixels of what is stored as this."""
        (width, height), aspect = size_wh, self.sample_aspect_ratio
        return round(width * max(aspect, 1)), round(height / min(aspect, 1))


def probe_video(path: Path) -> VideoFacts:
    """Find out what a film's container says.

    Args:
        path: The film.

    Returns:
        The facts.

    Raises:
        FileNotFoundError: If there is no such file.
        VideoError: If it holds no film that can be read.
        OSError: If the file may not be read.
    """
    path = Path(path).absolute()
    status = check_file(path)
    return _probe(path, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=8)
def _probe(path: Path, n_bytes: int, mtime_ns: int) -> VideoFacts:
    """Probe a video; `mtime_ns` is there so that a changed file is probed again."""
    limit = TimeLimit(path, _LEAST_LIMIT_S + n_bytes / _SLOWEST_BYTES_PER_S)
    if is_encrypted(path):
        raise VideoError(
            f"{path.name} is encrypted (protected against copying) and cannot be read. "
            "Use a copy without protection, or remove it."
        )
    facts = _read_facts(path, limit, has_edits=True)
    # Pictures stamped far ahead may have made edits that hide them all.
    facts = facts or _read_facts(path, limit, has_edits=False)
    if facts is None:
        raise VideoError(
            f"{path.name} holds no picture that can be decoded. Copy it again or "
            "remove it."
        )
    return facts


def _read_facts(path: Path, limit: TimeLimit, *, has_edits: bool) -> VideoFacts | None:
    """Read a video's packets and its first picture; None if there is none."""
    with open_video(path, has_edits=has_edits) as container:
        streams = _list_streams(path, container)
        tallies, is_broken = read_packets(container, limit)
        stream = choose_stream(streams, tallies)
        _check_size(path, stream.width, stream.height)
        timing = build_timing(
            container, stream, tallies, path=path, is_broken=is_broken
        )
        index, aspect = stream.index, stream.sample_aspect_ratio
        codec = stream.codec_context.codec.canonical_name
    if timing is None:
        return None
    frame = _decode_first(path, index, limit, has_edits=has_edits)
    if frame is None:
        return None
    _check_size(path, frame.width, frame.height)
    rotation_deg, is_mirrored = read_orientation(frame) or (0, False)
    return VideoFacts(
        stream_index=index,
        timing=timing,
        coded_size_wh=(frame.width, frame.height),
        sample_aspect_ratio=_limit_aspect(aspect),
        rotation_deg=rotation_deg,
        is_mirrored=is_mirrored,
        codec=codec,
        hdr=_HDR_TRANSFERS.get(int(frame.color_trc), ""),
        n_streams=len(streams),
        has_edits=has_edits,
    )


def choose_stream(
    streams: list[av.VideoStream], tallies: dict[int, Tally]
) -> av.VideoStream:
    """Choose the stream that is the film: the one with the most pictures over time.

    A still, a preview or a cover may be larger, and a burst may have more pictures: ten
    a second count. Of streams with nearly as many (two cameras) the larger is taken, of
    equals the first.

    Args:
        streams: The container's films, at least one.
        tallies: What was seen of their packets.

    Returns:
        The stream.
    """
    counts = {}
    for stream in streams:
        seconds = np.array(tallies[stream.index].pts) * float(stream.time_base)
        _, n_pictures = np.unique(seconds // 1, return_counts=True)
        counts[stream.index] = np.minimum(n_pictures, _MOST_A_SECOND).sum()
    n_most = max(counts.values())
    alike = [s for s in streams if counts[s.index] >= _ALIKE_SHARE * n_most]
    return max(alike, key=lambda stream: stream.width * stream.height)


def _check_size(path: Path, width: int, height: int) -> None:
    """Raise `VideoError` for pictures that would take too much memory."""
    if max(width, height) > _MOST_SIDE_PX or width * height > _MOST_PIXELS:
        raise VideoError(
            f"{path.name} has pictures of {width} x {height} px; at most "
            f"{_MOST_SIDE_PX} px a side and {_MOST_PIXELS >> 20} megapixels can be "
            "used. Make it smaller."
        )


def _list_streams(path: Path, container: av.container.InputContainer) -> list:
    """List the container's films: streams of pictures that are no cover or still."""
    videos = [
        stream
        for stream in container.streams.video
        if not stream.disposition & av.stream.Disposition.attached_pic
    ]
    if not videos and is_file_cut(path):
        raise VideoError(
            f"{path.name} is cut short, or not yet fully recorded or copied: it holds "
            "no picture yet. Copy it again or remove it."
        )
    if not videos:
        kinds = ", ".join(sorted({s.type for s in container.streams}))
        raise VideoError(
            f"{path.name} holds no moving pictures{kinds and f', only {kinds}'}. "
            "Remove it, or put the film itself there."
        )
    videos = [
        stream for stream in videos if not stream.disposition & _NO_FILM
    ] or videos
    readable = [stream for stream in videos if stream.codec_context is not None]
    if not readable:
        raise VideoError(
            f"{path.name} uses a codec that cannot be decoded here. Convert it to mp4 "
            "(H.264)."
        )
    return readable


def _decode_first(
    path: Path, stream_index: int, limit: TimeLimit, *, has_edits: bool
) -> av.VideoFrame | None:
    """Decode the first picture that can be; None if none can."""
    with open_video(path, has_edits=has_edits) as container:
        stream = container.streams[stream_index]
        stream.codec_context.thread_count = 1
        for packet in container.demux(stream):
            limit.check()
            try:
                frames = packet.decode()
            except DECODE_ERRORS:
                continue
            if frames:
                return frames[0]
    return None


def _limit_aspect(aspect: Fraction | None) -> Fraction:
    """Return a pixel's width by its height; 1 where not given or beyond belief."""
    if not aspect or not Fraction(1, _MOST_ASPECT) <= aspect <= _MOST_ASPECT:
        return Fraction(1)
    return aspect


def read_orientation(frame: av.VideoFrame) -> tuple[int, bool] | None:
    """Return the clockwise turn and whether to mirror before it, from a frame's flag.

    The flag is a matrix ((a, b), (c, d)) in 16.16 fixed point: a stored pixel (x, y),
    y down, is shown at (a·x + c·y, b·x + d·y). Source: FFmpeg, libavutil/display.h.

    Args:
        frame: A decoded frame.

    Returns:
        Degrees (0, 90, 180, 270), and whether it is mirrored; None without a flag.
    """
    try:
        flag = frame.side_data.get("DISPLAYMATRIX")
    except ValueError:
        # PyAV knows no name for some other note on the frame (3D video of phones, say)
        # and then gives none of them; the turn alone it gives another way.
        return -round(frame.rotation / 90) * 90 % 360, False
    if flag is None:
        return None
    a, b, _, c, d = np.frombuffer(flag, dtype=np.int32)[:5].astype(float)
    is_mirrored = a * d - b * c < 0
    if is_mirrored:
        a, b = -a, -b
    quarters = round(np.degrees(np.arctan2(b, a)) / 90) if (a or b) else 0
    return quarters * 90 % 360, bool(is_mirrored)
