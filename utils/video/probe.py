"""What is known of a film before it is read: time stamps, size, orientation, codec.

Reads packets and one picture: a film of an hour takes about a second.
"""

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import av
import numpy as np

from utils.video.source import TimeLimit, VideoError, check_file, open_video
from utils.video.timing import Timing, is_file_cut, read_timing

_LEAST_LIMIT_S = 60.0
_SLOWEST_BYTES_PER_S = 500_000  # a slow network drive; a disk reads 100 times faster
_MOST_ASPECT = 8  # pixels longer than this are a mistake in the file
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
        n_streams: Films in the container; the largest is read.
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

    @property
    def square_size_wh(self) -> tuple[int, int]:
        """Width and height in square pixels, not turned; no side gets shorter."""
        width, height = self.coded_size_wh
        aspect = self.sample_aspect_ratio
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
    """Probe a film; `mtime_ns` is there so that a changed file is probed again."""
    limit = TimeLimit(path, _LEAST_LIMIT_S + n_bytes / _SLOWEST_BYTES_PER_S)
    with open_video(path) as container:
        films = _list_streams(path, container)
        stream = max(films, key=lambda film: film.width * film.height)
        timing = read_timing(container, stream, limit, is_file_cut=is_file_cut(path))
        index, aspect = stream.index, stream.sample_aspect_ratio
        codec = stream.codec_context.codec.canonical_name
    frame = _decode_first(path, index, limit) if timing else None
    if frame is None:
        raise VideoError(
            f"{path.name} holds no picture that can be decoded. Copy it again or "
            "remove it."
        )
    rotation_deg, is_mirrored = _read_orientation(frame)
    return VideoFacts(
        stream_index=index,
        timing=timing,
        coded_size_wh=(frame.width, frame.height),
        sample_aspect_ratio=_limit_aspect(aspect),
        rotation_deg=rotation_deg,
        is_mirrored=is_mirrored,
        codec=codec,
        hdr=_HDR_TRANSFERS.get(int(frame.color_trc), ""),
        n_streams=len(films),
    )


def _list_streams(path: Path, container: av.container.InputContainer) -> list:
    """List the container's films: streams of pictures that are no cover picture."""
    films = [
        stream
        for stream in container.streams.video
        if not stream.disposition & av.stream.Disposition.attached_pic
    ]
    if not films and is_file_cut(path):
        raise VideoError(
            f"{path.name} is cut short, or not yet fully recorded or copied: it holds "
            "no picture yet. Copy it again or remove it."
        )
    if not films:
        kinds = ", ".join(sorted({s.type for s in container.streams})) or "nothing"
        raise VideoError(
            f"{path.name} holds no moving pictures, only {kinds}. Remove it, or put "
            "the film itself there."
        )
    readable = [stream for stream in films if stream.codec_context is not None]
    if not readable:
        raise VideoError(
            f"{path.name} uses a codec that cannot be decoded here. Convert it to mp4 "
            "(H.264)."
        )
    return readable


def _decode_first(
    path: Path, stream_index: int, limit: TimeLimit
) -> av.VideoFrame | None:
    """Decode the first picture that can be; None if none can."""
    with open_video(path) as container:
        stream = container.streams[stream_index]
        stream.codec_context.thread_count = 1
        for packet in container.demux(stream):
            limit.check()
            try:
                frames = packet.decode()
            except av.FFmpegError:
                continue
            if frames:
                return frames[0]
    return None


def _limit_aspect(aspect: Fraction | None) -> Fraction:
    """Return a pixel's width by its height; 1 where not given or beyond belief."""
    if not aspect or not Fraction(1, _MOST_ASPECT) <= aspect <= _MOST_ASPECT:
        return Fraction(1)
    return aspect


def _read_orientation(frame: av.VideoFrame) -> tuple[int, bool]:
    """Return the clockwise turn and whether to mirror before it, from the flag.

    The flag is a matrix ((a, b), (c, d)) in 16.16 fixed point: a stored pixel (x, y),
    y down, is shown at (a·x + c·y, b·x + d·y). Source: FFmpeg, libavutil/display.h.
    """
    flag = frame.side_data.get("DISPLAYMATRIX")
    if flag is None:
        return 0, False
    a, b, _, c, d = np.frombuffer(flag, dtype=np.int32)[:5].astype(float)
    is_mirrored = a * d - b * c < 0
    if is_mirrored:
        a, b = -a, -b
    quarters = round(np.degrees(np.arctan2(b, a)) / 90) if (a or b) else 0
    return quarters * 90 % 360, bool(is_mirrored)
