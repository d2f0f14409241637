"""Frames decoded in order, each with its number in the file; damaged ones left out."""

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np

from utils.film_facts import FilmFacts
from utils.film_files import TimeLimit, open_film

_SEEK_BACK_S = (0, 2)  # key frames may be stamped later than frames that follow them


def decode_frames(
    path: Path, facts: FilmFacts, first_idx: int, limit: TimeLimit
) -> Iterator[tuple[int, av.VideoFrame]]:
    """Decode a film's frames in order, from `first_idx` or a little earlier on.

    A seek that lands too late is done again from further back, then from the start.

    Args:
        path: The film.
        facts: What `probe_film` says of it.
        first_idx: Number of the first frame that is needed.
        limit: Checked at every packet.

    Yields:
        Number in the file and frame, numbers ascending; damaged frames, and those built
        on them, are left out.

    Raises:
        FilmError: If the container breaks off where it may not, or time is up.
    """
    for back_s in _SEEK_BACK_S if first_idx and facts.timing.has_stamps else ():
        target = int(facts.timing.pts[first_idx] - back_s / facts.timing.time_base)
        frames = _decode_from(path, facts, target, limit)
        first = next(frames, None)
        if first is not None and first[0] <= first_idx:
            yield first
            yield from frames
            return
    yield from _decode_from(path, facts, None, limit)


def _decode_from(
    path: Path, facts: FilmFacts, target: int | None, limit: TimeLimit
) -> Iterator[tuple[int, av.VideoFrame]]:
    """Yield the whole frames and their numbers, from the key frame before `target` on.

    Frames are built on those before them: after a damaged one, and after a seek, the
    next key frame is the first that is right.
    """
    frame_idx, is_right = -1, target is None
    with open_film(path) as container:
        stream = container.streams[facts.stream_index]
        stream.codec_context.thread_count = 1
        if target is not None:
            container.seek(target, stream=stream)
        for packet in container.demux(stream):
            limit.check()
            try:
                frames = packet.decode()
            except av.FFmpegError:
                frames, is_right = [], False
            for frame in frames:
                is_right = not frame.is_corrupt and (is_right or frame.key_frame)
                number = _find_number(frame, facts, frame_idx)
                if number is not None:
                    frame_idx = number
                    if is_right:
                        yield frame_idx, frame


def _find_number(frame: av.VideoFrame, facts: FilmFacts, previous: int) -> int | None:
    """Return a frame's number in the file, by its time stamp; None if it has none."""
    number = previous + 1
    if facts.timing.has_stamps and frame.pts is not None:
        number = max(number, int(np.searchsorted(facts.timing.pts, frame.pts)))
        if number < len(facts.timing.pts) and facts.timing.pts[number] != frame.pts:
            return None
    return number if number < len(facts.timing.pts) else None
