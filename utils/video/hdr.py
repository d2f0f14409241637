"""High dynamic range made into the colours of an ordinary film."""

from functools import lru_cache

import numpy as np

_WHITE_NITS = 203.0  # ITU-R BT.2408: where the white of an ordinary film belongs
_DISPLAY_GAMMA = 2.4  # ITU-R BT.1886
_KNEE = 0.75  # brighter than this share of white is compressed, not cut off
_N_LEVELS = 128
# ITU-R BT.2087: linear light of BT.2020 primaries to BT.709 primaries
_TO_BT709 = np.array(
    [
        [1.6605, -0.5876, -0.0728],
        [-0.1246, 1.1329, -0.0083],
        [-0.0182, -0.1006, 1.1187],
    ],
    dtype=np.float32,
)


def tone_down(image: np.ndarray, transfer: str) -> np.ndarray:
    """Turn a picture of high dynamic range into one of ordinary range.

    Args:
        image: uint8 array of shape `(height, width, 3)`: R'G'B' as decoded, BT.2020.
        transfer: `PQ` or `HLG`.

    Returns:
        RGB uint8 array of the same shape, for an ordinary display; each channel was
        told apart in 128 steps.
    """
    red, green, blue = (image[..., i].astype(np.intp) >> 1 for i in range(3))
    place = (red * _N_LEVELS + green) * _N_LEVELS + blue
    colours = _build_colours(transfer).take(place)
    return np.ascontiguousarray(
        colours.view(np.uint8).reshape(*image.shape[:2], 4)[..., :3]
    )


@lru_cache(maxsize=2)
def _build_colours(transfer: str) -> np.ndarray:
    """Return the ordinary colour of each of 128 × 128 × 128 colours.

    Four bytes a colour (red, green, blue, nothing) in one uint32: quick to look up.
    """
    signal = (np.arange(_N_LEVELS) * 2 + 0.5) / 255
    to_nits = {"PQ": _pq_to_nits, "HLG": _hlg_to_nits}[transfer]
    light = (to_nits(signal) / _WHITE_NITS).astype(np.float32)
    red, green, blue = np.meshgrid(light, light, light, indexing="ij")
    mixed = np.stack([red, green, blue], axis=-1).reshape(-1, 3) @ _TO_BT709.T
    mixed = mixed.clip(0)
    bright = _KNEE + (1 - _KNEE) * (1 - np.exp((_KNEE - mixed) / (1 - _KNEE)))
    toned = np.where(mixed > _KNEE, bright, mixed)
    rgb = (255 * toned ** (1 / _DISPLAY_GAMMA)).round().astype(np.uint8)
    return np.pad(rgb, ((0, 0), (0, 1))).view(np.uint32).ravel()


def _pq_to_nits(signal: np.ndarray) -> np.ndarray:
    """Return the light of a PQ signal of 0..1 in cd/m²; SMPTE ST 2084."""
    c1, c2, c3 = 3424 / 4096, 2413 / 128, 2392 / 128
    power = signal ** (4096 / 2523 / 128)
    return 10_000 * ((power - c1).clip(0) / (c2 - c3 * power)) ** (16384 / 2610)


def _hlg_to_nits(signal: np.ndarray) -> np.ndarray:
    """Return the light of an HLG signal of 0..1 on a 1000 cd/m² display; BT.2100.

    The display's gamma is applied to each channel, not to the luminance.
    """
    a = 0.17883277
    b, c = 1 - 4 * a, 0.5 - a * np.log(4 * a)
    scene = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)
    return 1000 * scene**1.2
