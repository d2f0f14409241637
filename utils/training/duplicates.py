"""Near-duplicate pictures: a short hash of each, and groups of those that agree."""

from collections.abc import Callable, Iterable

import numpy as np

# 256 bits from the 16 × 16 lowest frequencies of a 64 × 64 grey thumbnail: the
# perceptual hash described by N. Krawetz ("Looks Like It", 2011) with more bits, since
# frames of one fixed camera differ in little but the person.
_THUMBNAIL, _KEPT = 64, 16
_N_WORDS = _KEPT * _KEPT // 64
_MAX_WORDS = 1 << 22  # compared at once: 32 MB


def hash_picture(image: np.ndarray) -> np.ndarray:
    """Hash a picture so that pictures that look alike differ in few bits.

    Args:
        image: RGB uint8 `(height, width, 3)`.

    Returns:
        256 bits as uint64 array `(4,)`.
    """
    import cv2

    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    size_wh = (_THUMBNAIL, _THUMBNAIL)
    small = cv2.resize(grey, size_wh, interpolation=cv2.INTER_AREA)
    low = cv2.dct(small.astype(np.float32))[:_KEPT, :_KEPT].ravel()
    bits = low > np.median(low[1:])  # the first one is the mean brightness
    return np.packbits(bits).view(np.uint64)


def hash_pictures(
    paths: Iterable[str], *, read_image: Callable[[str], np.ndarray]
) -> np.ndarray:
    """Hash many pictures.

    Args:
        paths: The pictures' files.
        read_image: Gives the RGB picture of a file.

    Returns:
        uint64 array `(n_pictures, 4)`.
    """
    hashes = [hash_picture(read_image(path)) for path in paths]
    return np.array(hashes, dtype=np.uint64).reshape(-1, _N_WORDS)


def group_duplicates(hashes: np.ndarray, *, max_bits: int = 12) -> np.ndarray:
    """Group pictures that are linked by a chain of look-alikes.

    Args:
        hashes: uint64 array `(n_pictures, 4)`.
        max_bits: Hashes that differ in at most this many of 256 bits look alike.

    Returns:
        Group number of each picture.

    Example:
        >>> hashes = np.array([[0, 0, 0, 0], [1, 0, 0, 0], [0, 2**40 - 1, 0, 0]])
        >>> group_duplicates(hashes.astype(np.uint64)).tolist()
        [0, 0, 1]
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    distinct, place = np.unique(hashes, axis=0, return_inverse=True)
    pairs = [np.zeros((2, 0), dtype=int)]
    step = max(1, _MAX_WORDS // max(1, distinct.size))
    for start in range(0, len(distinct), step):
        part = distinct[start : start + step]
        differing = part[:, None, :] ^ distinct[None, :, :]
        n_bits = np.bitwise_count(differing).sum(axis=2, dtype=int)
        first, second = np.nonzero(n_bits <= max_bits)
        pairs.append(np.stack([first + start, second]))
    links = np.concatenate(pairs, axis=1)
    ones = np.ones(links.shape[1], dtype=np.int8)
    graph = coo_array((ones, links), shape=(len(distinct), len(distinct)))
    _, group = connected_components(graph, directed=False)
    return group[place.ravel()]
