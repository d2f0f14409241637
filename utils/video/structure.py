"""What a file's own structure says of its pictures: whether it is cut, or encrypted.

A file that is cut ends inside one of its parts, or before the last sample of its table.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import av

# ISO/IEC 14496-12, 4.2 and QuickTime: boxes at the top of a file; those with pictures
_BOXES = {b"ftyp", b"styp", b"sidx", b"mfra", b"free", b"skip", b"wide", b"meta"}
_BOXES |= {b"udta", b"uuid", b"emsg", b"prft", b"pdin"}
_PICTURE_BOXES = {b"moov", b"moof", b"mdat"}
# RFC 8794, RFC 9559
_EBML, _SEGMENT, _CLUSTER = 0x1A45DFA3, 0x18538067, 0x1F43B675
_TRACKS, _TRACK, _ENCODINGS, _ENCODING = 0x1654AE6B, 0xAE, 0x6D80, 0x6240
_ENCRYPTION = 0x5035
_MOST_HEADER_BYTES = 1 << 26
# ISO/IEC 14496-12, 8.12: an encrypted sample's entry, and what is always inside it. One
# of them alone may stand in a long table of sizes by chance.
_PROTECTED = (b"encv", b"sinf", b"frma")


def is_file_cut(path: Path, *, n_needed: int = 0) -> bool:
    """Tell whether pictures are missing at a file's end, by its structure.

    Args:
        path: An mp4, mov, mkv, webm or avi file.
        n_needed: How long the file must be by its table of samples, which is right
            where the length of a box is not; 0 if that is not known.

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
        return n_needed > n_bytes if n_needed else _is_mp4_cut(file, n_bytes)


def count_needed_bytes(
    path: Path, container: av.container.InputContainer, stream: av.VideoStream
) -> int:
    """Return how long the file must be by its table of samples; 0 if it has none."""
    if "mp4" not in container.format.name:
        return 0
    with path.open("rb") as file:
        boxes = _walk_boxes(file, path.stat().st_size)
        if any(name == b"moof" for name, _, _ in boxes):  # the table is in pieces
            return 0
    return max((entry.pos + entry.size for entry in stream.index_entries), default=0)


def is_encrypted(path: Path) -> bool:
    """Tell whether a film's pictures are encrypted, by what an mp4 or mkv says of them.

    Args:
        path: The file.

    Returns:
        True if it says so; False if not, or if nothing is known of such files.
    """
    n_bytes = Path(path).stat().st_size
    with Path(path).open("rb") as file:
        if file.read(4) == _EBML.to_bytes(4, "big"):
            inside = (_SEGMENT, _TRACKS, _TRACK, _ENCODINGS, _ENCODING)
            return _has_element(file, 0, n_bytes, (*inside, _ENCRYPTION))
        for name, at, size in _walk_boxes(file, n_bytes):
            if name == b"moov":
                file.seek(at)
                header = file.read(min(size, _MOST_HEADER_BYTES))
                return all(mark in header for mark in _PROTECTED)
    return False


def is_segment_whole(path: Path) -> bool:
    """Tell whether a Matroska file is as long as it says, whatever it says it lasts.

    Args:
        path: The file.

    Returns:
        True if it is; False if not, if it does not say, or if it is no such file.
    """
    n_bytes, at = Path(path).stat().st_size, 0
    with Path(path).open("rb") as file:
        if file.read(4) != _EBML.to_bytes(4, "big"):
            return False
        while at < n_bytes:
            file.seek(at)
            name, size, n_head = _read_element(file.read(12))
            if name is None or size is None:
                return False
            at += n_head + size
            if name == _SEGMENT:
                return at <= n_bytes
    return False


def _has_element(file: BinaryIO, at: int, end: int, names: tuple[int, ...]) -> bool:
    """Tell whether a Matroska file has an element inside others, named from outside."""
    while at < end:
        file.seek(at)
        name, size, n_head = _read_element(file.read(12))
        if name is None or name == _CLUSTER:
            return False
        at += n_head
        inner = end if size is None else min(at + size, end)
        if name == names[0] and (
            len(names) == 1 or _has_element(file, at, inner, names[1:])
        ):
            return True
        at = inner
    return False


def _walk_boxes(file: BinaryIO, n_bytes: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield name, place and size of the boxes at an mp4's top, until one is no box."""
    at = 0
    while at + 8 <= n_bytes:
        file.seek(at)
        head = file.read(16)
        size, name = int.from_bytes(head[:4], "big"), head[4:8]
        if size == 1:
            size = int.from_bytes(head[8:], "big")
        if name not in _BOXES | _PICTURE_BOXES or size < 8:  # 0: to the file's end
            return
        yield name, at, size
        at += size


def _is_mp4_cut(file: BinaryIO, n_bytes: int) -> bool:
    """Tell whether a box with pictures, or the last fragment, goes beyond the end."""
    name, end, has_fragments = b"", 0, False
    for name, at, size in _walk_boxes(file, n_bytes):
        has_fragments |= name == b"moof"
        end = at + size
    if end > n_bytes:
        return has_fragments or name in _PICTURE_BOXES
    return has_fragments and 0 < n_bytes - end < 8  # inside a box's name or size


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
