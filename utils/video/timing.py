"""A video's packets, not decoded: when each frame is shown, whether any is missing.

Whether any is missing is told by the packets and by the file's own structure: a file
that is cut ends inside one of its parts.
"""

from array import array
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import BinaryIO

import av
import numpy as np

from utils.video.source import TimeLimit

_CLOCK_S = 0.0025  # Matroska rounds to 1 ms: steps of an even film differ by up to 2
_UNEVEN_SHARE = 0.02
_MOST_AHEAD = 4  # frames stored before one that is shown earlier, at x264's defaults
_SHORT_S, _SHORT_SHARE = 1.0, 0.02  # headers are off by less
# ISO/IEC 14496-12, 4.2 and QuickTime: boxes at the top of a file; those with pictures
_BOXES = {b"ftyp", b"styp", b"sidx", b"mfra", b"free", b"skip", b"wide", b"meta"}
_BOXES |= {b"udta", b"uuid", b"emsg", b"prft", b"pdin"}
_PICTURE_BOXES = {b"moov", b"moof", b"mdat"}
# RFC 8794, RFC 9559
_EBML, _SEGMENT, _CLUSTER = 0x1A45DFA3, 0x18538067, 0x1F43B675


@dataclass(frozen=True)
class Timing:
    """When the frames of a film are shown.

    Attributes:
        pts: Time stamps of the frames in ascending order, int64, in `time_base`.
        time_base: Seconds in one unit of `pts`.
        has_stamps: Whether the container stamps each picture (AVI only counts them).
        end_s: When the last frame ends, in seconds.
        promised_s: When the film ends by its header; 0 where that says nothing.
        fps: Frames a second, the mean where the rate varies; 0 where it is not known.
        is_vfr: Whether the steps between frames differ.
        is_cut: Whether a part of the film is missing from the file.
    """

    pts: np.ndarray
    time_base: Fraction
    has_stamps: bool
    end_s: float
    promised_s: float
    fps: Fraction
    is_vfr: bool
    is_cut: bool

    @property
    def times_s(self) -> np.ndarray:
        """Time of each frame in seconds, float64, on the container's own clock."""
        return self.pts * self.time_base.numerator / self.time_base.denominator

    def describe_cut(self, name: str) -> str:
        """Say in one sentence that the film is cut short; empty if it is whole.

        Args:
            name: What to call the film.

        Returns:
            The sentence.
        """
        if not self.is_cut:
            return ""
        whole = f" of {self.promised_s:.2f} s" if self.promised_s > self.end_s else ""
        return (
            f"{name} is cut short: only the first {self.end_s:.2f} s{whole} can be "
            "read and are used. Copy the whole file again, or go on without the rest."
        )


@dataclass
class _Tally:
    """What has been seen of the packets so far.

    Attributes:
        pts: Time stamps of the film's whole packets, in the file's order.
        last_duration: Duration of the packet shown last; 0 where it is not known.
        last_dts: When the last of them is decoded: what is shown earlier is complete.
        end_s: When the last packet of any stream ends.
        is_broken: Whether the container broke off.
    """

    pts: array = field(default_factory=partial(array, "q"))
    last_pts: int = 0
    last_duration: int = 0
    last_dts: int | None = None
    end_s: float = 0.0
    is_broken: bool = False


def read_timing(
    container: av.container.InputContainer,
    stream: av.VideoStream,
    limit: TimeLimit,
    *,
    is_file_cut: bool,
) -> Timing | None:
    """Read all packets of a container and say when the film's frames are shown.

    Args:
        container: The container, from its start.
        stream: The film in it.
        limit: Checked at every packet.
        is_file_cut: Whether the file ends earlier than its structure says.

    Returns:
        The timing; None if there is no whole packet.

    Raises:
        VideoError: If time is up.
    """
    has_stamps = container.format.name != "avi"
    promised_s = _read_promise(container)
    tally = _read_packets(container, stream, limit, has_stamps=has_stamps)
    pts = np.sort(np.frombuffer(tally.pts, dtype=np.int64))
    rate = stream.average_rate or stream.base_rate or Fraction(0)
    step_s = _guess_step(np.diff(pts) * float(stream.time_base), rate)
    missing_s = promised_s - tally.end_s
    is_cut = (
        tally.is_broken
        or missing_s > max(_SHORT_S, _SHORT_SHARE * promised_s)
        or is_file_cut
    )
    last_step_s = float(tally.last_duration * stream.time_base) or step_s
    if is_cut:
        pts = _drop_ragged_end(pts, stream, tally, has_stamps=has_stamps)
    if not len(pts):
        return None
    steps_s = np.diff(pts) * float(stream.time_base)
    return Timing(
        pts=pts,
        time_base=stream.time_base,
        has_stamps=has_stamps,
        end_s=float(pts[-1] * stream.time_base) + last_step_s,
        promised_s=promised_s,
        fps=_measure_rate(steps_s, rate),
        is_vfr=_is_uneven(steps_s),
        is_cut=is_cut,
    )


def _read_packets(
    container: av.container.InputContainer,
    stream: av.VideoStream,
    limit: TimeLimit,
    *,
    has_stamps: bool,
) -> _Tally:
    """Read the packets of all streams up to the end or the first that is broken."""
    tally = _Tally()
    try:
        for packet in container.demux():
            limit.check()
            if packet.is_corrupt:
                tally.is_broken = True
            elif packet.size and (packet.dts, packet.pts) != (None, None):
                _count_packet(packet, stream, tally, has_stamps=has_stamps)
    except av.FFmpegError:
        tally.is_broken = True
    return tally


def _count_packet(
    packet: av.Packet, stream: av.VideoStream, tally: _Tally, *, has_stamps: bool
) -> None:
    """Add a whole packet of any stream to what has been seen."""
    is_stamped = packet.dts is None or (has_stamps and packet.pts is not None)
    pts = packet.pts if is_stamped else packet.dts
    duration = packet.duration or 0
    tally.end_s = max(tally.end_s, float((pts + duration) * packet.time_base))
    if packet.stream.index != stream.index or not _is_shown(packet):
        return
    if not tally.pts or pts >= tally.last_pts:
        tally.last_pts, tally.last_duration = pts, duration
    tally.pts.append(pts)
    tally.last_dts = packet.dts


def _drop_ragged_end(
    pts: np.ndarray, stream: av.VideoStream, tally: _Tally, *, has_stamps: bool
) -> np.ndarray:
    """Leave out the last frames of a cut film where some in between are missing.

    Frames are stored in order of decoding: when the file is cut, all that are shown
    before the last one is decoded are there, later ones with gaps.
    """
    if has_stamps:
        return pts if tally.last_dts is None else pts[pts <= tally.last_dts]
    return pts[:-_MOST_AHEAD] if stream.codec_context.has_b_frames else pts


def _is_shown(packet: av.Packet) -> bool:
    """Tell whether a packet becomes a picture."""
    if packet.is_discard:
        return False
    is_vp8 = packet.stream.codec_context.codec.canonical_name == "vp8"
    return not is_vp8 or bool(bytes(packet)[0] & 0x10)  # RFC 6386, 9.1: show_frame


def _read_promise(container: av.container.InputContainer) -> float:
    """Return when the film ends by its header, in seconds; 0 if it does not say."""
    if not container.duration:
        return 0.0
    return (container.duration + (container.start_time or 0)) / av.time_base


def _guess_step(steps_s: np.ndarray, rate: Fraction) -> float:
    """Return how long the last frame lasts where the file does not say."""
    if len(steps_s):
        return float(np.median(steps_s))
    return float(1 / rate) if rate else 0.0


def _is_uneven(steps_s: np.ndarray) -> bool:
    """Tell whether steps between frames differ by more than a clock's rounding."""
    if len(steps_s) < 2:
        return False
    return bool(np.ptp(steps_s) > max(_CLOCK_S, _UNEVEN_SHARE * np.median(steps_s)))


def _measure_rate(steps_s: np.ndarray, rate: Fraction) -> Fraction:
    """Return the header's frames a second if the steps bear it out, else their mean."""
    total_s = float(steps_s.sum())
    if not total_s or abs(float(rate) * total_s - len(steps_s)) < 1:
        return rate
    return Fraction(len(steps_s) / total_s).limit_denominator(1001)


def is_file_cut(path: Path) -> bool:
    """Tell whether pictures are missing at a file's end, by its structure.

    Args:
        path: An mp4, mov, mkv, webm or avi file.

    Returns:
        True if a part that holds pictures reaches beyond the file's end; False if none
        does, or the structure is not known.

    Raises:
        OSError: If the file cannot be read.
    """
    n_bytes = Path(path).stat().st_size
    with Path(path).open("rb") as file:
        head = file.read(12)
        if head[:4] == _EBML.to_bytes(4, "big"):
            return _is_matroska_cut(file, n_bytes)
        if head[:4] == b"RIFF" and head[8:] == b"AVI ":
            return _is_avi_cut(file, n_bytes)
        return _is_mp4_cut(file, n_bytes)


def _is_mp4_cut(file: BinaryIO, n_bytes: int) -> bool:
    """Walk the boxes at the top; stop where something is no box."""
    at, name, has_fragments = 0, b"", False
    while at + 8 <= n_bytes:
        file.seek(at)
        head = file.read(16)
        size, name = int.from_bytes(head[:4], "big"), head[4:8]
        if size == 1:
            size = int.from_bytes(head[8:], "big")
        if name not in _BOXES | _PICTURE_BOXES or size < 8:  # 0: to the file's end
            return False
        has_fragments |= name == b"moof"
        at += size
    return (at > n_bytes and name in _PICTURE_BOXES) or (
        has_fragments and at != n_bytes
    )


def _is_avi_cut(file: BinaryIO, n_bytes: int) -> bool:
    """Walk the chunks inside the RIFF chunks at the top, as far as the index."""
    at = 0
    while at + 12 <= n_bytes:
        file.seek(at)
        head = file.read(12)
        name, size = head[:4], int.from_bytes(head[4:8], "little")
        if name == b"RIFF":
            at += 12
            continue
        if (
            name == b"LIST"
            and head[8:] == b"movi"
            and (not size or at + size > n_bytes)
        ):
            return True  # 0: never finished
        at += 8 + size + size % 2
    return False


def _is_matroska_cut(file: BinaryIO, n_bytes: int) -> bool:
    """Walk the elements inside the segment; inside clusters of unknown size too."""
    at, is_inside = 0, False
    while at < n_bytes:
        file.seek(at)
        name, size, n_head = _read_element(file.read(12))
        if name is None:
            return n_bytes - at < 12  # the file ends inside an element's name or size
        is_inside |= name == _CLUSTER and size is None
        is_open = name == _SEGMENT or (name == _CLUSTER and size is None)
        if size is None and not is_open:
            return False
        at += n_head + (0 if is_open else size)
        if at > n_bytes and (is_inside or name == _CLUSTER):
            return True
    return False


def _read_element(head: bytes) -> tuple[int | None, int | None, int]:
    """Read an element's name, its size (None: unknown) and the length of both.

    The name is None if the bytes end too early, or are no element.
    """
    n_name = _count_bytes(head[:1], most=4)
    n_size = _count_bytes(head[n_name : n_name + 1], most=8)
    if not n_name or not n_size or len(head) < n_name + n_size:
        return None, None, 0
    name = int.from_bytes(head[:n_name], "big")
    unknown = (1 << 7 * n_size) - 1
    size = int.from_bytes(head[n_name : n_name + n_size], "big") & unknown
    return name, None if size == unknown else size, n_name + n_size


def _count_bytes(first: bytes, *, most: int) -> int:
    """Return how long a number is, by the zeros before its first one; 0 if too long."""
    n_bytes = 9 - first[0].bit_length() if first else 0
    return n_bytes if n_bytes <= most else 0
