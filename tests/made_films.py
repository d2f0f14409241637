"""Films with a known picture: coloured corners, and the frame's number in black bars.

Top left red, top right green, bottom left blue, bottom right white; between them,
left to right, eight cells: the bits of the frame's number, lowest first, white is 1.
"""

import struct
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np

COLOURS = {
    "red": (255, 0, 0),
    "green": (0, 255, 0),
    "blue": (0, 0, 255),
    "white": (255, 255, 255),
}
N_BITS = 8
UPRIGHT = ["red", "green", "blue", "white"]


def draw_picture(number: int, size_wh: tuple[int, int] = (128, 96)) -> np.ndarray:
    """Draw the known picture of a frame: RGB uint8 of shape `(height, width, 3)`."""
    width, height = size_wh
    image = np.full((height, width, 3), 96, np.uint8)
    thirds = np.array([0, height // 3, height - height // 3, height])
    half = width // 2
    image[: thirds[1], :half] = COLOURS["red"]
    image[: thirds[1], half:] = COLOURS["green"]
    image[thirds[2] :, :half] = COLOURS["blue"]
    image[thirds[2] :, half:] = COLOURS["white"]
    edges = np.linspace(0, width, N_BITS + 1).round().astype(int)
    for bit, (left, right) in enumerate(pairwise(edges)):
        image[thirds[1] : thirds[2], left:right] = 255 * (number >> bit & 1)
    return image


def read_picture(image: np.ndarray) -> tuple[int, list[str]]:
    """Read the frame's number and the colours of the corners off a picture.

    Returns:
        The number, and the names of the colours top left, top right, bottom left,
        bottom right. Of a picture that lies on its side the number means nothing.
    """
    height, width = image.shape[:2]
    cells = (np.arange(N_BITS) + 0.5) * width / N_BITS
    bits = image[height // 2, cells.astype(int)].mean(axis=1) > 127
    number = int((bits << np.arange(N_BITS)).sum())
    corners = [
        image[y, x].astype(int)
        for y in (height // 8, height - 1 - height // 8)
        for x in (width // 8, width - 1 - width // 8)
    ]
    names = [
        min(COLOURS, key=lambda name: np.abs(np.subtract(COLOURS[name], rgb)).sum())
        for rgb in corners
    ]
    return number, names


def make_film(
    path: Path,
    *,
    n_frames: int = 12,
    fps: Fraction | float = 15,
    times_ms: Sequence[int] | None = None,
    size_wh: tuple[int, int] = (128, 96),
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
    aspect: Fraction | None = None,
    colour: dict[str, int] | None = None,
    draw: object = draw_picture,
) -> Path:
    """Write a film of known pictures by PyAV.

    Args:
        path: Where to; the suffix says which container.
        n_frames: How many frames, if `times_ms` is not given.
        fps: Frames a second, if `times_ms` is not given.
        times_ms: When each frame is shown.
        size_wh: Width and height of the stored picture.
        codec: Name of the encoder.
        pix_fmt: How pixels are stored.
        options: Options of the encoder.
        container_options: Options of the container.
        aspect: Width of a pixel divided by its height.
        colour: Attributes of the codec that name the colours' meaning.
        draw: From number and size to an RGB picture.

    Returns:
        `path`.
    """
    rate = Fraction(fps).limit_denominator(1001)
    numbers = range(n_frames if times_ms is None else len(times_ms))
    with av.open(str(path), "w", options=container_options or {}) as container:
        stream = container.add_stream(codec, rate=rate, options=options or {})
        stream.width, stream.height = size_wh
        stream.pix_fmt = pix_fmt
        context = stream.codec_context
        context.time_base = 1 / rate if times_ms is None else Fraction(1, 1000)
        if aspect:
            context.sample_aspect_ratio = aspect
        for name, value in (colour or {}).items():
            setattr(context, name, value)
        for number in numbers:
            frame = av.VideoFrame.from_ndarray(draw(number, size_wh), format="rgb24")
            frame = frame.reformat(format=pix_fmt)
            frame.pts = number if times_ms is None else times_ms[number]
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def flag_film(path: Path, matrix: tuple[int, int, int, int]) -> Path:
    """Write an orientation flag into an mp4 or mov: the matrix ((a, b), (c, d))."""
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40  # ISO/IEC 14496-12, 8.3.2, version 0
    a, b, c, d = (value << 16 for value in matrix)
    data[at : at + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    return path


def read_numbers(frames: Sequence) -> list[int]:
    """Read the number off each frame's picture; -1 where it is not upright."""
    read = [read_picture(frame.image) for frame in frames]
    return [number if corners == UPRIGHT else -1 for number, corners in read]


def stamp_film(source: Path, path: Path, stamps_s: dict[int, float]) -> Path:
    """Copy a film, some packets, by their place, stamped anew and the rest as is."""
    with av.open(str(source)) as container, av.open(str(path), "w") as copy:
        stream = container.streams.video[0]
        out = copy.add_stream_from_template(stream)
        place = 0
        for packet in container.demux(stream):
            if packet.dts is None:
                continue
            if place in stamps_s:
                packet.pts = round(stamps_s[place] / packet.time_base)
            place += 1
            packet.stream = out
            copy.mux(packet)
    return path


def join_films(path: Path, *sources: Path) -> Path:
    """Write the packets of films one after the other into one stream, by their times.

    The header is the first film's: codecs that say a picture's size in each key frame
    change it in the midst.
    """
    with av.open(str(path), "w") as copy:
        out, offset_s = None, Fraction(0)
        for source in sources:
            with av.open(str(source)) as container:
                stream = container.streams.video[0]
                out = out or copy.add_stream_from_template(stream)
                end_s = Fraction(0)
                for packet in container.demux(stream):
                    if packet.dts is None:
                        continue
                    end_s = max(
                        end_s, (packet.pts + packet.duration) * packet.time_base
                    )
                    packet.pts += round(offset_s / packet.time_base)
                    packet.dts += round(offset_s / packet.time_base)
                    packet.stream = out
                    copy.mux(packet)
                offset_s += end_s
    return path
