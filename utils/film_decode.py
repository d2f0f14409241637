"""Frames decoded in order, each with its number in the file; damaged ones left out."""

import math
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np

from utils.film_facts import FilmFacts
from utils.film_files import TimeLimit, open_film

_SEEK_BACK_S = (0, 2)  # key frames may be stamped later than frames that follow them
_MOST_AHEAD = 8  # frames by which one may be shown before another it is built on


def decode_frames(
    path: Path, facts: FilmFacts, wanted: np.ndarray, limit: TimeLimit
) -> Iterator[tuple[int, av.VideoFrame]]:
    """Decode frames of a film in order of time.

    A seek that lands too late is done again from further back, then from the start.

    Args:
        path: The film.
        facts: What `probe_film` says of it.
        wanted: Numbers of the frames that are needed, ascending, at least one.
        limit: Checked at every packet.

    Yields:
        Number in the file and frame. Damaged frames, and those built on them, are left
        out.

    Raises:
        FilmError: If the container breaks off where it may not, or time is up.
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
    """Decodes packets and knows which frames can be trusted.

    Frames are built on frames decoded before them: from a damaged one on, in order of
    decoding, none is right until a key frame.
    """

    def __init__(self, *, starts_whole: bool) -> None:
        """Start; after a seek nothing is right before the first key frame."""
        self._n_packets = 0
        self._orders: dict[int, int] = {}
        self._damage: list[list[float]] = [] if starts_whole else [[-1, math.inf]]

    def decode(self, packet: av.Packet) -> Iterator[tuple[int, av.VideoFrame]]:
        """Decode a packet; yield frames, each with its place in order of decoding."""
        order = self._n_packets
        self._n_packets += 1
        if packet.pts is not None:
            self._orders[packet.pts] = order
        try:
            frames = [] if packet.is_corrupt else packet.decode()
            is_damaged = packet.is_corrupt
        except av.FFmpegError:
            frames, is_damaged = [], True
        if is_damaged:
            self._open_damage(order)
        for frame in frames:
            place = self._orders.pop(frame.pts, order)
            if frame.is_corrupt:
                self._open_damage(place)
            elif frame.key_frame and self._damage and place > self._damage[-1][0]:
                self._damage[-1][1] = min(self._damage[-1][1], place)
            yield place, frame

    def is_right(self, place: int) -> bool:
        """Tell whether a frame is whole, and built on whole frames, as far as known."""
        return not any(start <= place < end for start, end in self._damage)

    def _open_damage(self, place: int) -> None:
        """Trust no frame from this place on."""
        if self._damage and math.isinf(self._damage[-1][1]):
            self._damage[-1][0] = min(self._damage[-1][0], place)
        else:
            self._damage.append([place, math.inf])


def _decode_from(
    path: Path,
    facts: FilmFacts,
    wanted: np.ndarray,
    target: int | None,
    limit: TimeLimit,
) -> Iterator[tuple[int, av.VideoFrame]]:
    """Yield the wanted frames that are right, from the key frame before `target` on.

    A frame may be shown before one it is built on: each waits until that has come.
    """
    is_wanted, last_idx = set(wanted.tolist()), int(wanted[-1])
    decoder = _Decoder(starts_whole=target is None)
    frame_idx, waiting = -1, []
    with open_film(path) as container:
        stream = container.streams[facts.stream_index]
        stream.codec_context.thread_count = 1
        if target is not None:
            container.seek(target, stream=stream)
        for packet in container.demux(stream):
            limit.check()
            for place, frame in decoder.decode(packet):
                frame_idx = _find_number(frame, facts, frame_idx)
                if frame_idx in is_wanted:
                    waiting.append((frame_idx, frame, place))
            ahead = _MOST_AHEAD if stream.codec_context.has_b_frames else 0
            waiting = [held for held in waiting if decoder.is_right(held[2])]
            while waiting and frame_idx - waiting[0][0] >= ahead:
                yield waiting.pop(0)[:2]
            if frame_idx - last_idx >= ahead:
                break
    for number, frame, _ in waiting:
        yield number, frame


def _find_number(frame: av.VideoFrame, facts: FilmFacts, previous: int) -> int:
    """Return a frame's number in the file.

    By its time stamp, where the container stamps frames; one whose stamp is not in the
    file, or comes twice, counts with the frame before it.
    """
    if not facts.timing.has_stamps or frame.pts is None:
        return previous + 1
    pts = facts.timing.pts
    number = max(previous + 1, int(np.searchsorted(pts, frame.pts)))
    return number if number < len(pts) and pts[number] == frame.pts else previous
