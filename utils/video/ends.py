"""Whether a film's file ends where its own structure says: a cut file does not."""

from pathlib import Path
from typing import BinaryIO

# ISO/IEC 14496-12, 4.2 and QuickTime: boxes at the top of a file; those with pictures
_BOXES = {b"ftyp", b"styp", b"sidx", b"mfra", b"free", b"skip", b"wide", b"meta"}
_BOXES |= {b"udta", b"uuid", b"emsg", b"prft", b"pdin"}
_PICTURE_BOXES = {b"moov", b"moof", b"mdat"}
# RFC 8794, RFC 9559
_EBML, _SEGMENT, _CLUSTER = 0x1A45DFA3, 0x18538067, 0x1F43B675


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
