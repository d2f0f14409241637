"""A video's packets, not decoded: when each picture is shown, whether any is missing.

A packet is not a picture: some are never shown. And a stamp is not to be trusted: one
in a million is hours off.
"""

from array import array
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from pathlib import Path

import av
import numpy as np

from utils.video.source import TimeLimit
from utils.video.structure import (
    count_needed_bytes,
    is_file_cut,
    is_segment_whole,
)

_CLOCK_S = 0.0025  # Matroska rounds to 1 ms: steps of an even film differ by up to 2
_UNEVEN_SHARE = 0.02
_MOST_AHEAD = 4  # frames stored before one that is shown earlier, at x264's defaults
_MOST_REORDERED = 16  # the same by the standards: H.264 and H.265 hold 16 pictures back
_WITNESSES = 33  # packets that say together whether one is stamped ahead of its time
_FAR_S, _FAR_SHARE = 3600.0, 0.1  # a few pictures that far from all others are astray
_LATEST_S = 1e10  # the year 2286, by a clock that counts from 1970
_MOST_STEP_S = 36.0  # but not in a time lapse, nor where recording stops and goes on
_SHORT_S, _SHORT_SHARE = 1.0, 0.02  # headers are off by less


@dataclass(frozen=True)
class Timing:
    """When the pictures of a video are shown.

    Attributes:
        pts: Time stamps of the pictures in ascending order, int64, in `time_base`.
        zero_pts: Where time is 0, in `time_base`: 0, but for clocks that make no sense.
        places: Number of each picture's packet in its stream, in order of decoding.
        time_base: Seconds in one unit of `pts`.
        has_stamps: Whether the container stamps each picture (AVI only counts them).
        clock_s: The container's start, on its own clock: where players show 0.
        end_s: When the last picture ends, in seconds on the container's own clock.
        promised_s: When the video ends by its header; 0 where that says nothing.
        fps: Frames a second, the mean where the rate varies; 0 where it is not known.
        is_vfr: Whether the steps between pictures differ.
        is_cut: Whether a part of the video is missing from the file.
        n_astray: Pictures left out, as they are stamped far from their neighbours.
    """

    pts: np.ndarray
    zero_pts: int
    places: np.ndarray
    time_base: Fraction
    has_stamps: bool
    clock_s: float
    end_s: float
    promised_s: float
    fps: Fraction
    is_vfr: bool
    is_cut: bool
    n_astray: int

    @property
    def times_s(self) -> np.ndarray:
        """Time of each picture in seconds, float64, on the container's own clock."""
        pts = self.pts - self.zero_pts
        return pts * self.time_base.numerator / self.time_base.denominator

    @property
    def first_s(self) -> float:
        """When the first picture is shown, in seconds on the container's own clock."""
        return float(self.times_s[0])

    def describe_cut(self, name: str) -> str:
        """Say in one sentence that the video is cut short; empty if it is whole.

        Args:
            name: What to call the video.

        Returns:
            The sentence.
        """
        if not self.is_cut:
            return ""
        # A fraction of a second is how decoders wait for pictures stored out of order.
        start_s = self.clock_s if self.clock_s >= 1 else 0.0
        whole_s, length_s = self.promised_s - start_s, self.end_s - start_s
        whole = f" of {whole_s:.2f} s" if whole_s > length_s else ""
        return (
            f"{name} is cut short: only the first {length_s:.2f} s{whole} can be "
            "read and are used. Copy the whole file again, or go on without the rest."
        )


@dataclass
class Tally:
    """What has been seen of the packets of one stream.

    Attributes:
        pts: Time stamps of the whole packets that become pictures, in the file's order.
        places: Their numbers among all packets of the stream.
        n_packets: Packets so far, pictures or not.
        durations: How long each of the pictures lasts; 0 where it is not known.
        last_dts: When the last of them is decoded: what is shown earlier is complete.
        end_s: When the last packet ends.
    """

    pts: array = field(default_factory=partial(array, "q"))
    places: array = field(default_factory=partial(array, "q"))
    durations: array = field(default_factory=partial(array, "q"))
    n_packets: int = 0
    last_dts: int | None = None
    end_s: float = 0.0


def read_packets(
    container: av.container.InputContainer, limit: TimeLimit
) -> tuple[dict[int, Tally], bool]:
    """Read the packets of all streams up to the end or the first that is broken.

    Args:
        container: The container, from its start.
        limit: Checked at every packet.

    Returns:
        What was seen of each stream, by its index, and whether the container broke off.

    Raises:
        VideoError: If time is up.
    """
    has_stamps = _has_stamps(container)
    tallies = {stream.index: Tally() for stream in container.streams}
    is_broken = False
    try:
        for packet in container.demux():
            limit.check()
            if packet.is_corrupt:
                is_broken = True
            elif packet.size and (packet.dts, packet.pts) != (None, None):
                tally = tallies.setdefault(packet.stream.index, Tally())
                _count_packet(packet, tally, has_stamps=has_stamps)
    except av.FFmpegError:
        is_broken = True
    return tallies, is_broken


def build_timing(
    container: av.container.InputContainer,
    stream: av.VideoStream,
    tallies: dict[int, Tally],
    *,
    path: Path,
    is_broken: bool,
) -> Timing | None:
    """Say when the pictures of a stream are shown.

    Args:
        container: The container.
        stream: The video in it.
        tallies: What `read_packets` saw.
        path: The file.
        is_broken: Whether the container broke off.

    Returns:
        The timing; None if there is no whole packet.
    """
    tally, has_stamps = tallies[stream.index], _has_stamps(container)
    pts, places, durations = (
        np.frombuffer(values, dtype=np.int64)
        for values in (tally.pts, tally.places, tally.durations)
    )
    is_astray = np.zeros(len(pts), dtype=bool)
    if has_stamps:
        is_astray = find_astray(pts) | find_far(pts * float(stream.time_base))
    clock_s = (container.start_time or 0) / av.time_base
    n_needed = count_needed_bytes(path, container, stream)
    promised_s = _read_promise(container, has_table=n_needed > 0)
    is_cut = is_broken or is_file_cut(path, n_needed=n_needed)
    if not (n_needed or is_segment_whole(path)):  # by what it says it lasts
        end_s = max(other.end_s for other in tallies.values())
        missing_s = promised_s - end_s
        is_cut |= missing_s > max(_SHORT_S, _SHORT_SHARE * (promised_s - clock_s))
    is_kept = ~is_astray
    if is_cut and has_stamps and tally.last_dts is not None:
        # Stored in order of decoding: in a cut file all that are shown before the last
        # one is decoded are there, later ones with gaps.
        is_kept &= pts <= tally.last_dts
    order = np.flatnonzero(is_kept)[np.argsort(pts[is_kept], kind="stable")]
    if is_cut and not has_stamps and stream.codec_context.has_b_frames:
        order = order[:-_MOST_AHEAD]
    if not len(order):
        return None
    rate = stream.average_rate or stream.base_rate or Fraction(0)
    steps_s = np.diff(pts[order]) * float(stream.time_base)
    last_s = float(durations[order[-1]] * stream.time_base)
    n_astray = int(is_astray.sum())
    first_pts, last_pts = pts[order[0]], pts[order[-1]]
    end_s = float(last_pts * stream.time_base)
    end_s += last_s or _guess_step(steps_s, rate)
    if clock_s >= end_s:  # it was taken from a picture that is astray
        clock_s = float(first_pts * stream.time_base)
    # A clock may have wrapped, or count what is no time: then it starts with the film.
    is_clock = 0 <= first_pts * stream.time_base < _LATEST_S
    zero_pts = 0 if is_clock else int(first_pts)
    zero_s = float(zero_pts * stream.time_base)
    return Timing(
        pts=pts[order],
        zero_pts=zero_pts,
        places=places[order],
        time_base=stream.time_base,
        has_stamps=has_stamps,
        clock_s=clock_s - zero_s,
        end_s=end_s - zero_s,
        promised_s=promised_s - zero_s,
        fps=_measure_rate(steps_s, rate, n_astray),
        is_vfr=_is_uneven(np.sort(steps_s)[: len(steps_s) - n_astray]),
        is_cut=is_cut,
        n_astray=n_astray,
    )


def find_astray(pts: np.ndarray) -> np.ndarray:
    """Find pictures that are stamped far from those stored next to them.

    Codecs store a picture at most 16 places before one that is shown earlier. A picture
    that is shown later than most of those stored beyond that has a wrong stamp; so has
    one that is then still shown earlier than another stored so far before it. A pause,
    after which all stamps are later, is no mistake.

    Args:
        pts: Time stamps in order of decoding, int64.

    Returns:
        Boolean array of the same shape.

    Example:
        >>> find_astray(np.array([*range(50), 9000, *range(51, 99)])).nonzero()[0]
        array([50])
    """
    is_astray = np.zeros(len(pts), dtype=bool)
    n_apart = _MOST_REORDERED + 1
    if len(pts) <= n_apart:
        return is_astray
    earlier = np.maximum.accumulate(pts)[:-n_apart]
    if (pts[n_apart:] >= earlier).all():  # as nearly always
        return is_astray
    later = np.pad(pts[n_apart:].astype(float), (0, _WITNESSES - 1), "edge")
    witnesses = np.lib.stride_tricks.sliding_window_view(later, _WITNESSES)
    is_astray[:-n_apart] = pts[:-n_apart] > np.median(witnesses, axis=1)
    trusted = np.where(is_astray, np.iinfo(np.int64).min, pts)
    is_astray[n_apart:] |= pts[n_apart:] < np.maximum.accumulate(trusted)[:-n_apart]
    return is_astray


def find_far(times_s: np.ndarray) -> np.ndarray:
    """Find the few pictures that are stamped hours from all others.

    At the end of a film too few pictures are stored after one for `find_astray`.

    Args:
        times_s: Time of each picture in seconds, float64, in any order.

    Returns:
        Boolean array of the same shape.

    Example:
        >>> find_far(np.array([*range(50), 9000])).nonzero()[0]
        array([50])
    """
    is_far = np.zeros(len(times_s), dtype=bool)
    order = np.argsort(times_s, kind="stable")
    gaps = np.flatnonzero(np.diff(times_s[order]) >= _FAR_S)
    body = max(np.split(order, gaps + 1), key=len)
    n_far = len(times_s) - len(body)
    if not n_far or n_far > min(_MOST_REORDERED, _FAR_SHARE * len(times_s)):
        return is_far
    if np.diff(times_s[body], prepend=times_s[body[0]]).max() <= _MOST_STEP_S:
        is_far[:] = True
        is_far[body] = False
    return is_far


def is_shown(packet: av.Packet) -> bool:
    """Tell whether a packet becomes a picture: those of VP8, VP9 and AV1 may not."""
    if packet.is_discard:
        return False
    kind = packet.stream.codec_context.codec.canonical_name
    if kind not in _SHOWN:
        return True
    return _SHOWN[kind](memoryview(packet))


def _is_vp8_shown(data: memoryview) -> bool:
    """Read the bit `show_frame`; RFC 6386, 9.1."""
    return bool(data[0] & 0x10)


def _is_vp9_shown(data: memoryview) -> bool:
    """Tell whether any of a packet's frames is shown; VP9 specification, 6.2, annex B.

    A packet is a frame, or several with an index at the end.
    """
    mark, starts = data[-1], [0]
    n_frames, n_size = (mark & 7) + 1, (mark >> 3 & 3) + 1
    n_index = 2 + n_frames * n_size
    if mark >> 5 == 0b110 and len(data) >= n_index and data[-n_index] == mark:
        index = bytes(data[-n_index + 1 : -1])
        for at in range(0, len(index) - n_size, n_size):
            size = int.from_bytes(index[at : at + n_size], "little")
            starts.append(starts[-1] + size)
    return any(_is_vp9_frame_shown(data[at]) for at in starts if at < len(data))


def _is_vp9_frame_shown(head: int) -> bool:
    """Read `show_existing_frame` and `show_frame` off a frame's first byte."""
    bits = f"{head:08b}"[2:]  # after the frame's mark
    bits = bits[3:] if bits[:2] == "11" else bits[2:]  # after the profile
    return bits[0] == "1" or bits[2:3] != "0"


def _is_av1_shown(data: memoryview) -> bool:
    """Look for a frame that is shown among a packet's parts; AV1 specification, 5.3."""
    at, has_frame = 0, False
    while at < len(data):
        kind, has_extension, has_size = data[at] >> 3 & 15, data[at] & 4, data[at] & 2
        at += 2 if has_extension else 1
        size, n_bytes = _read_leb128(data[at : at + 8]) if has_size else (len(data), 0)
        at += n_bytes
        if kind in (3, 6) and at < len(data):  # a frame's header, a frame
            # show_existing_frame, frame_type of two bits, show_frame
            if data[at] & 0x90:
                return True
            has_frame = True
        at += size
    return not has_frame


def _read_leb128(data: memoryview) -> tuple[int, int]:
    """Read a number of seven bits a byte, lowest first, and how many bytes it takes."""
    value = 0
    for idx, byte in enumerate(data):
        value |= (byte & 0x7F) << 7 * idx
        if not byte & 0x80:
            return value, idx + 1
    return value, len(data)


_SHOWN = {"vp8": _is_vp8_shown, "vp9": _is_vp9_shown, "av1": _is_av1_shown}


def _has_stamps(container: av.container.InputContainer) -> bool:
    """Tell whether a container stamps each picture."""
    return container.format.name != "avi"


def _count_packet(packet: av.Packet, tally: Tally, *, has_stamps: bool) -> None:
    """Add a whole packet to what has been seen of its stream."""
    is_stamped = packet.dts is None or (has_stamps and packet.pts is not None)
    pts = packet.pts if is_stamped else packet.dts
    duration = packet.duration or 0
    place, tally.n_packets = tally.n_packets, tally.n_packets + 1
    tally.end_s = max(tally.end_s, float((pts + duration) * packet.time_base))
    if packet.stream.type != "video" or not is_shown(packet):
        return
    tally.pts.append(pts)
    tally.places.append(place)
    tally.durations.append(duration)
    tally.last_dts = packet.dts


def _read_promise(container: av.container.InputContainer, *, has_table: bool) -> float:
    """Return when the video ends by its header, in seconds; 0 if it does not say."""
    if not container.duration:
        return 0.0
    # Writers of Matroska, and of mp4 in fragments, do not agree on whether the time
    # before the first picture counts: the less is promised. In other mp4 it does not.
    name = container.format.name
    is_length = has_table or not ("matroska" in name or "mp4" in name)
    start = (container.start_time or 0) if is_length else 0
    return (container.duration + start) / av.time_base


def _guess_step(steps_s: np.ndarray, rate: Fraction) -> float:
    """Return how long the last picture lasts where the file does not say."""
    if len(steps_s):
        return float(np.median(steps_s))
    return float(1 / rate) if rate else 0.0


def _is_uneven(steps_s: np.ndarray) -> bool:
    """Tell whether steps between pictures differ by more than a clock's rounding."""
    if len(steps_s) < 2:
        return False
    return bool(np.ptp(steps_s) > max(_CLOCK_S, _UNEVEN_SHARE * np.median(steps_s)))


def _measure_rate(steps_s: np.ndarray, rate: Fraction, n_astray: int) -> Fraction:
    """Return the header's frames a second if the steps bear it out, else their mean."""
    total_s, n_steps = float(steps_s.sum()), len(steps_s) + n_astray
    is_borne_out = any(
        abs(float(rate) * total_s - n) < 1 for n in (n_steps, len(steps_s))
    )
    if not total_s or is_borne_out:
        return rate
    if n_steps < total_s:  # less than one a second
        return 1 / Fraction(total_s / n_steps).limit_denominator(1001)
    return Fraction(n_steps / total_s).limit_denominator(1001)
