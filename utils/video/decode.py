"""Frames decoded in order, each with its number in the file; damaged ones left out."""

import math
from bisect import insort
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np

from utils.video.probe import VideoFacts
from utils.video.source import DECODE_ERRORS, TimeLimit, open_video
from utils.video.timing import Timing, is_shown

_SEEK_BACK_S = (0, 2)  # key frames may be stamped later than frames that follow them
_MOST_AHEAD = 8  # packets by which one may be shown before another it is built on
_MOST_DELAYED = 32  # packets that a decoder may hold before it gives a frame


class _Frame(NamedTuple):
    """A decoded frame, its number in the file and its place in order of decoding."""

    number: int
    image: av.VideoFrame
    place: int


def decode_frames(
    path: Path, facts: VideoFacts, wanted: np.ndarray, limit: TimeLimit
) -> Iterator[tuple[int, av.VideoFrame]]:
    """Decode frames of a film in order of time.

    A seek that lands too late is done again from further back, then from the start.

    Args:
        path: The film.
        facts: What `probe_video` says of it.
        wanted: Numbers of the frames that are needed, ascending, at least one.
        limit: Checked at every packet.

    Yields:
        Number in the file and frame. Damaged frames, and those built on them, are left
        out.

    Raises:
        VideoError: If the container breaks off where it may not, or time is up.
    """
    for back_s in _SEEK_BACK_S if wanted[0] and facts.timing.has_stamps else ():
        target = int(facts.timing.pts[wanted[0]] - back_s / facts.timing.time_base)
        frames = _decode_from(path, facts, wanted, target, limit)
        first = next(frames, None)
        if first is not None and first[0] == wanted[0]:
            yield first
            yield from frames
            return
    yield from _decode_from(path, facts, wanted, None, limit)


class _Decoder:
    """Decodes packets, numbers the frames, and knows which can be trusted.

    Frames are built on frames decoded before them: from a damaged one on, in order of
    decoding, none is right until a key frame.
    """

    def __init__(self, timing: Timing, *, starts_whole: bool) -> None:
        """Start; after a seek nothing is right before the first key frame."""
        self._timing = timing
        self.reached = -1  # place of the packet decoded last, among all of the stream
        self._number = -1
        self._n_packets = 0
        self._places: dict[int, int] = {}
        self._damage: list[list[float]] = [] if starts_whole else [[-1, math.inf]]

    def decode(self, packet: av.Packet) -> Iterator[_Frame]:
        """Decode a packet; yield the frames that are right."""
        place = self._n_packets
        self._n_packets += 1
        self._follow(packet)
        if packet.pts is not None:
            self._places[packet.pts] = place
        try:
            frames = [] if packet.is_corrupt else packet.decode()
            is_damaged = packet.is_corrupt
        except DECODE_ERRORS:
            frames, is_damaged = [], True
        if is_damaged:
            self._open_damage(place)
        for image in frames:
            frame = _Frame(self._find_number(image), image, self._place(image, place))
            if self.is_right(frame):
                yield frame

    def _follow(self, packet: av.Packet) -> None:
        """Note how far the decoding has come: by the packet, not by what it says.

        Where its time stamp is that of one picture the number of its packet is known;
        from there on packets are counted.
        """
        timing, number = self._timing, -1
        if timing.has_stamps and packet.pts is not None and is_shown(packet):
            number = int(np.searchsorted(timing.pts, packet.pts))
        if 0 <= number < len(timing.pts) and timing.pts[number] == packet.pts:
            self.reached = int(timing.places[number])
        elif packet.size:
            self.reached += 1

    def is_right(self, frame: _Frame) -> bool:
        """Tell whether a frame is whole, and built on whole frames, as far as known."""
        return not any(start <= frame.place < end for start, end in self._damage)

    def _place(self, image: av.VideoFrame, latest: int) -> int:
        """Return a frame's place in order of decoding; damage starts or ends there."""
        place = self._places.pop(image.pts, latest)
        if image.is_corrupt:
            self._open_damage(place)
        elif image.key_frame and self._damage and place > self._damage[-1][0]:
            self._damage[-1][1] = min(self._damage[-1][1], place)
        return place

    def _open_damage(self, place: int) -> None:
        """Trust no frame from this place on."""
        if self._damage and math.isinf(self._damage[-1][1]):
            self._damage[-1][0] = min(self._damage[-1][0], place)
        else:
            self._damage.append([place, math.inf])

    def _find_number(self, image: av.VideoFrame) -> int:
        """Return a frame's number in the file; -1 if its time stamp is not in the file.

        By its time stamp, where the container stamps frames; frames that share a stamp
        follow each other.
        """
        pts, number = self._timing.pts, self._number + 1
        if self._timing.has_stamps and image.pts is not None:
            is_repeated = number > 0 and pts[number - 1] == image.pts
            if not is_repeated:
                number = int(np.searchsorted(pts, image.pts))
            if number == len(pts) or pts[number] != image.pts:
                number = -1
        self._number = number
        return number


def _decode_from(
    path: Path,
    facts: VideoFacts,
    wanted: np.ndarray,
    target: int | None,
    limit: TimeLimit,
) -> Iterator[tuple[int, av.VideoFrame]]:
    """Yield the wanted frames that are right, from the key frame before `target` on.

    A frame may be shown before one it is built on: each waits until that has come.
    """
    timing = facts.timing
    is_wanted = np.zeros(len(timing.pts), dtype=bool)
    is_wanted[wanted] = True
    # All shown before a picture have come when this packet has been decoded.
    settled = np.maximum.accumulate(timing.places)
    decoder = _Decoder(timing, starts_whole=target is None)
    waiting: list[_Frame] = []
    n_left = len(wanted)
    with open_video(path, has_edits=facts.has_edits) as container:
        stream = container.streams[facts.stream_index]
        stream.codec_context.thread_count = 1
        if target is not None:
            container.seek(target, stream=stream)
        for packet in container.demux(stream):
            limit.check()
            for frame in decoder.decode(packet):
                if 0 <= frame.number <= wanted[-1] and is_wanted[frame.number]:
                    is_wanted[frame.number] = False
                    n_left -= 1
                    insort(waiting, frame, key=lambda frame: frame.number)
            waiting = [frame for frame in waiting if decoder.is_right(frame)]
            context = stream.codec_context
            ahead = max(_MOST_AHEAD, context.has_b_frames) * bool(context.has_b_frames)
            reached = decoder.reached - ahead
            while waiting and settled[waiting[0].number] <= reached:
                yield waiting.pop(0)[:2]
            n_beyond = reached - settled[wanted[-1]]
            if n_beyond >= _MOST_DELAYED or (n_beyond >= 0 and not n_left):
                break
    for frame in waiting:
        yield frame[:2]
