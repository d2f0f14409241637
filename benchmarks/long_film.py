"""A film repeated without decoding it, to measure memory against length."""

from pathlib import Path

import av


def write_loop(source: Path, path: Path, *, minutes: float) -> None:
    """Write a film over and over into one file, its packets unchanged.

    Args:
        source: A film with one video stream.
        path: Where to, `.mp4`.
        minutes: How long the result is at least.
    """
    with av.open(str(source)) as container, av.open(str(path), "w") as written:
        stream = container.streams.video[0]
        out = written.add_stream_from_template(stream)
        length = stream.duration
        n_loops = int(minutes * 60 / float(length * stream.time_base)) + 1
        for loop in range(n_loops):
            container.seek(0)
            for packet in container.demux(stream):
                if packet.dts is None:
                    continue
                packet.pts += loop * length
                packet.dts += loop * length
                packet.stream = out
                written.mux(packet)
