"""High dynamic range: an ordinary picture in it comes out as it was."""

from pathlib import Path

import av
import numpy as np
import pytest

from utils.video.hdr import tone_down
from utils.video.reader import read_video

_FROM_BT709 = np.array(  # ITU-R BT.2087, the way back
    [[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]]
)


def _to_signal(rgb: np.ndarray, transfer: str) -> np.ndarray:
    """Put an ordinary picture, 0..255, into a signal of high dynamic range, 0..1."""
    nits = 203 * (np.asarray(rgb) / 255) ** 2.4 @ _FROM_BT709.T
    if transfer == "PQ":
        power = (nits / 10_000) ** (2610 / 16384)
        return ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375
    scene = (nits / 1000) ** (1 / 1.2)
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    low, high = np.sqrt(3 * scene), a * np.log((12 * scene - b).clip(1e-9)) + c
    return np.where(scene <= 1 / 12, low, high)


@pytest.mark.parametrize("transfer", ["PQ", "HLG"])
@pytest.mark.parametrize(
    "rgb", [(0, 0, 0), (128, 128, 128), (180, 60, 90), (80, 160, 100), (200, 200, 210)]
)
def test_an_ordinary_colour_comes_out_as_it_was(transfer: str, rgb: tuple) -> None:
    signal = (255 * _to_signal(rgb, transfer)).round().astype(np.uint8)
    toned = tone_down(np.tile(signal, (2, 3, 1)), transfer)
    assert toned.shape == (2, 3, 3)
    assert toned.dtype == np.uint8
    assert np.abs(toned.astype(int) - rgb).max() <= 20


@pytest.mark.parametrize("transfer", ["PQ", "HLG"])
def test_brighter_is_never_darker(transfer: str) -> None:
    greys = np.repeat(np.arange(256, dtype=np.uint8), 3).reshape(1, 256, 3)
    toned = tone_down(greys, transfer)[0, :, 1].astype(int)
    assert np.diff(toned).min() >= 0
    assert toned[0] <= 1
    assert toned[-1] >= 254


@pytest.mark.parametrize(("transfer", "code"), [("PQ", 16), ("HLG", 18)])
def test_a_film_of_high_dynamic_range_shows_ordinary_colours(
    transfer: str, code: int, tmp_path: Path
) -> None:
    rgb = np.full((64, 64, 3), (180, 60, 90))
    rgb[:, 32:] = (60, 160, 90)
    deep = (65535 * _to_signal(rgb, transfer)).round().astype(np.uint16)
    path = tmp_path / "film.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv444p10le"
        context = stream.codec_context
        context.colorspace = context.color_primaries = 9
        context.color_trc, context.color_range = code, 1
        frame = av.VideoFrame.from_ndarray(deep, format="rgb48le")
        frame = frame.reformat(format="yuv444p10le", dst_colorspace="BT2020")
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    (frame,) = read_video(path)
    assert np.abs(frame.image.astype(int) - rgb).max() <= 20
