"""Films read frame by frame, each upright, in square pixels, at its own time; written.

Read by PyAV, in order, one thread. OpenCV reads through the same FFmpeg, as fast and to
the same pixels, but it passes damaged pictures on without a word, leaves mirrored films
mirrored and drops a start offset.
"""

import math
from collections.abc import Iterable, Iterator
from contextlib import suppress
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np

from utils.core.files import atomic_path
from utils.video.decode import decode_frames
from utils.video.hdr import tone_down
from utils.video.probe import VideoFacts, probe_video, read_orientation
from utils.video.source import DamagedVideoError, TimeLimit, VideoError

__all__ = [
    "DamagedVideoError",
    "Frame",
    "VideoError",
    "choose_frames",
    "read_chosen",
    "read_video",
    "write_shown",
    "write_video",
]

_CLOCK_S = 0.0005  # Matroska rounds time stamps to 1 ms
_LEAST_LIMIT_S = 60.0
_SLOWEST_PX_PER_S = 2e6  # a laptop's core decodes 50 to 500 million pixels a second
_BT709 = 1  # ITU-T H.273, for matrix, primaries and transfer alike
_LIMITED_RANGE = 1  # AVCOL_RANGE_MPEG
_TICKS_A_SECOND = 90_000  # as broadcasts count: whole for all usual rates
_MP4_OPTIONS = {"movflags": "+faststart"}  # the index first: plays while it loads
_H264_OPTIONS = {"crf": "20", "preset": "fast"}


class Frame(NamedTuple):
    """One frame of a film.

    Attributes:
        frame_idx: Number in the file, from 0, the same at any sampling rate.
        time_s: The container's own time stamp, in seconds.
        image: RGB uint8 array of shape `(height, width, 3)`, upright, square pixels.
    """

    frame_idx: int
    time_s: float
    image: np.ndarray


def read_video(  # noqa: PLR0913 - what to read, and how
    path: Path,
    *,
    every_s: float = 0.0,
    start_s: float = -math.inf,
    end_s: float = math.inf,
    length_s: float = math.inf,
    rotation_deg: int | None = None,
    skip_damage: bool = False,
) -> Iterator[Frame]:
    """Read a video's frames in order of time.

    Which frames are given depends on time stamps alone, so reading a video in parts
    gives the same frames as reading it at once. Of a video that is damaged or cut short
    every whole frame is given before `DamagedVideoError` is raised.

    Args:
        path: The video.
        every_s: Seconds between frames: the first frame at or after each multiple of
            `every_s`. 0 gives every frame.
        start_s: Frames before this time, on the video's own clock, are left out.
        end_s: Frames at or after this time, on the video's own clock, are left out.
        length_s: Frames this long after the first, or later, are left out: a video may
            start at any time.
        rotation_deg: Clockwise turn that sets the stored picture upright, a multiple
            of 90; by default what the video's own flag says. A mirrored video is
            mirrored back first, either way.
        skip_damage: Whether to say nothing of what cannot be read: where the table
            `videos` said it before.

    Yields:
        The frames, `Frame`.

    Raises:
        FileNotFoundError: If there is no such file.
        VideoError: If it holds no video that can be read.
        DamagedVideoError: After the last frame, if some between `start_s` and `end_s`
            cannot be read and `skip_damage` is False.
        OSError: If the file may not be read.
        ValueError: If `every_s` or `rotation_deg` makes no sense.
    """
    path = Path(path)
    timing = probe_video(path).timing
    end_s = min(end_s, timing.first_s + length_s)
    wanted = choose_frames(timing.times_s, every_s=every_s)
    times_s = timing.times_s[wanted]
    wanted = wanted[(times_s >= start_s) & (times_s < end_s)]
    frames = read_chosen(
        path, wanted, rotation_deg=rotation_deg, to_end=end_s > timing.end_s
    )
    with suppress(*((DamagedVideoError,) if skip_damage else ())):
        yield from frames


def read_chosen(
    path: Path,
    chosen: np.ndarray,
    *,
    rotation_deg: int | None = None,
    to_end: bool = False,
) -> Iterator[Frame]:
    """Read some of a video's frames in order of time.

    Args:
        path: The video.
        chosen: Numbers of the frames, ascending.
        rotation_deg: As for `read_video`.
        to_end: Whether to say so if the video is cut short.

    Yields:
        The frames, `Frame`.

    Raises:
        FileNotFoundError: If there is no such file.
        VideoError: If it holds no video that can be read.
        DamagedVideoError: After the last frame, if some cannot be read.
        OSError: If the file may not be read.
        ValueError: If `rotation_deg` makes no sense.
    """
    path = Path(path)
    facts = probe_video(path)
    if rotation_deg is not None and rotation_deg % 90:
        raise ValueError(
            f"Expected `rotation_deg` of 0, 90, 180 or 270, got {rotation_deg}."
        )
    yield from _read_wanted(path, facts, chosen, rotation_deg)
    if to_end and facts.timing.is_cut:
        raise DamagedVideoError(facts.timing.describe_cut(path.name))


def choose_frames(times_s: np.ndarray, *, every_s: float) -> np.ndarray:
    """Choose the first frame at or after each multiple of `every_s`.

    Args:
        times_s: Time of each frame, ascending.
        every_s: Seconds between the chosen frames; 0 chooses every frame.

    Returns:
        Numbers of the chosen frames, int64, ascending.

    Raises:
        ValueError: If `every_s` is negative or not a finite number.

    Example:
        >>> choose_frames(np.array([0.0, 0.4, 0.8, 1.2]), every_s=0.5).tolist()
        [0, 2, 3]
    """
    if not (math.isfinite(every_s) and every_s >= 0):
        raise ValueError(f"Expected `every_s` of 0 or more seconds, got {every_s}.")
    if every_s == 0:
        return np.arange(len(times_s))
    multiple = np.floor((np.asarray(times_s) + _CLOCK_S) / every_s)
    return np.flatnonzero(np.diff(multiple, prepend=-np.inf) > 0)


def _read_wanted(
    path: Path, facts: VideoFacts, wanted: np.ndarray, rotation_deg: int | None
) -> Iterator[Frame]:
    """Yield the wanted frames; raise `DamagedVideoError` at the end if some are bad."""
    if not len(wanted):
        return
    pixels = len(facts.timing.pts) * math.prod(facts.coded_size_wh)
    limit = TimeLimit(path, _LEAST_LIMIT_S + pixels / _SLOWEST_PX_PER_S)
    times_s, previous_idx = facts.timing.times_s, -1
    is_lost = np.zeros(len(times_s), dtype=bool)
    is_lost[wanted] = True
    for frame_idx, frame in decode_frames(path, facts, wanted, limit):
        if frame_idx <= previous_idx:
            continue  # only in a damaged film: its time has passed
        previous_idx = frame_idx
        is_lost[frame_idx] = False
        image = _make_upright(frame, facts, rotation_deg)
        with limit.pause():
            yield Frame(frame_idx, float(times_s[frame_idx]), image)
    if is_lost.any():
        lost_s = times_s[is_lost]
        raise DamagedVideoError(
            f"{path.name} is damaged: {len(lost_s)} of {len(wanted)} frames, between "
            f"{lost_s[0]:.2f} s and {lost_s[-1]:.2f} s, cannot be decoded and are left "
            "out. Copy it again, or go on without them."
        )


def _make_upright(
    frame: av.VideoFrame, facts: VideoFacts, rotation_deg: int | None
) -> np.ndarray:
    """Return a frame as RGB in square pixels, mirrored back and turned.

    A video may change its size, or be turned, in the midst: all its pictures get the
    shape of the first, and what is of another shape keeps its own inside black borders.
    """
    flag = read_orientation(frame) or (facts.rotation_deg, facts.is_mirrored)
    turn_deg = flag[0] if rotation_deg is None else rotation_deg
    first_deg = facts.rotation_deg if rotation_deg is None else rotation_deg
    size_wh = facts.square_size_wh
    upright_wh = size_wh[:: -1 if first_deg % 180 else 1]
    if (frame.width, frame.height) != facts.coded_size_wh or turn_deg != first_deg:
        own_wh = facts.square_pixels((frame.width, frame.height))
        turned_wh = own_wh[:: -1 if turn_deg % 180 else 1]
        scale = min(a / b for a, b in zip(upright_wh, turned_wh, strict=True))
        size_wh = tuple(max(1, round(side * scale)) for side in own_wh)
    image = frame.to_ndarray(format="rgb24", width=size_wh[0], height=size_wh[1])
    if facts.hdr:
        image = tone_down(image, facts.hdr)
    if flag[1]:
        image = image[:, ::-1]
    image = np.ascontiguousarray(np.rot90(image, -turn_deg // 90))
    if image.shape[1::-1] == upright_wh:
        return image
    padded = np.zeros((*upright_wh[::-1], 3), np.uint8)
    top, left = ((padded.shape[i] - image.shape[i]) // 2 for i in (0, 1))
    padded[top : top + image.shape[0], left : left + image.shape[1]] = image
    return padded


def write_video(path: Path, images: Iterable[np.ndarray], *, fps: float) -> None:
    """Write pictures as an mp4 (H.264, 4:2:0) that plays in a browser.

    Streams: `images` may be a generator. An odd width or height grows by one pixel.

    Args:
        path: Where to, `.mp4`; the file is whole or not there.
        images: RGB uint8 arrays of one shape `(height, width, 3)`.
        fps: Frames a second, a number or a `fractions.Fraction`.

    Raises:
        ValueError: If there is no picture, if one has another shape or dtype than the
            first, or if `fps` is not above 0.
        OSError: If the file cannot be written.
    """
    if not (math.isfinite(fps) and fps > 0):
        raise ValueError(f"Expected `fps` above 0, got {fps}.")
    rate = Fraction(fps).limit_denominator(1001)
    _write_shown(path, enumerate(images), rate=rate, ticks=rate)


def write_shown(
    path: Path, shown: Iterable[tuple[float, np.ndarray]], *, fps: float
) -> None:
    """Write pictures as `write_video` does, each shown at its own time.

    Args:
        path: Where to, `.mp4`; the file is whole or not there.
        shown: `(time_s, RGB image)` in order of time; the film starts with the first.
        fps: About how many there are a second.

    Raises:
        ValueError: If there is no picture, or one has another shape or dtype than the
            first.
        OSError: If the file cannot be written.
    """
    shown = iter(shown)
    first = next(shown, None)
    ticks = (
        (round((time_s - first[0]) * _TICKS_A_SECOND), image)
        for time_s, image in chain([first] if first else [], shown)
    )
    rate = Fraction(fps).limit_denominator(1001)
    _write_shown(path, ticks, rate=rate, ticks=Fraction(_TICKS_A_SECOND))


def _write_shown(
    path: Path,
    shown: Iterable[tuple[int, np.ndarray]],
    *,
    rate: Fraction,
    ticks: Fraction,
) -> None:
    """Write pictures, each with its time in ticks, of which a second has `ticks`."""
    path, shown = Path(path), iter(shown)
    first = next(shown, None)
    if first is None:
        raise ValueError(f"No picture to write to {path.name}.")
    with (
        atomic_path(path) as part,
        av.open(str(part), "w", format="mp4", options=_MP4_OPTIONS) as container,
    ):
        stream = _add_stream(container, first[1], rate)
        stream.codec_context.time_base = 1 / ticks
        for frame_idx, (tick, image) in enumerate(chain([first], shown)):
            _check_image(image, first[1], frame_idx)
            frame = _build_frame(image)
            frame.pts = tick
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def _add_stream(
    container: av.container.OutputContainer, image: np.ndarray, rate: Fraction
) -> av.VideoStream:
    """Add an H.264 stream for pictures like `image`, its colours said plainly."""
    stream = container.add_stream("libx264", rate=rate, options=_H264_OPTIONS)
    height, width = image.shape[:2]
    stream.width, stream.height = width + width % 2, height + height % 2
    stream.pix_fmt = "yuv420p"
    stream.codec_context.colorspace = _BT709
    stream.codec_context.color_primaries = _BT709
    stream.codec_context.color_trc = _BT709
    stream.codec_context.color_range = _LIMITED_RANGE
    return stream


def _check_image(image: np.ndarray, first: np.ndarray, frame_idx: int) -> None:
    """Raise `ValueError` if a picture is not RGB uint8 of the first one's shape."""
    is_rgb = image.ndim == 3 and image.shape[2] == 3 and image.size > 0
    if not is_rgb or image.dtype != np.uint8 or image.shape != first.shape:
        raise ValueError(
            f"Expected RGB uint8 pictures of shape {first.shape[:2]} + (3,), got "
            f"{image.dtype} of shape {image.shape} at frame {frame_idx}."
        )


def _build_frame(image: np.ndarray) -> av.VideoFrame:
    """Turn RGB into 4:2:0 of even size, by BT.709."""
    height, width = image.shape[:2]
    if height % 2 or width % 2:
        image = np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
    return frame.reformat(format="yuv420p", dst_colorspace="ITU709")
