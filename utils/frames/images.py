"""The only reader and writer of pictures: bytes on disk to RGB arrays and back.

Each JPEG that is written here carries a checksum of its bytes in a comment. A flipped
bit leaves most JPEGs readable, with other pixels: without the checksum nobody would
notice.
"""

import zlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from utils.core.cache import build_key
from utils.core.files import atomic_path
from utils.core.remote import Address, open_binary, parse_address
from utils.pose.crop import crop_person

JPEG_QUALITY = 95  # OpenCV's own default: no loss the eye can see
SHARPNESS_SIDE_PX = 320  # longer side at which sharpness is measured
_N_DIGITS = 8
_COMMENT = b"\xff\xfe\x00\x10crc32 "  # a comment of 14 bytes and its length
# What decides the bytes of a person's crop.
CROP_CODE = ("utils.frames.images", "utils.pose.crop")


def read_image(path: Address | str) -> np.ndarray:
    """Read a picture.

    Args:
        path: A JPEG or PNG file, of any address; its name may hold any character.

    Returns:
        RGB uint8 array of shape `(height, width, 3)`.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is not a whole picture.
    """
    import cv2

    # Not cv2.imread: it takes no address, and on Windows only names in the code page.
    with open_binary(parse_address(path)) as file:
        data = file.read()
    image = None
    if data and _is_right(data) is not False:
        image = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise ValueError(
            f"{Path(path).name} is not a whole picture. Delete it and run again."
        )
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def read_images(paths: Iterable[Address | str]) -> list[np.ndarray]:
    """Read pictures, in order; see `read_image`."""
    return [read_image(path) for path in paths]


def is_whole(path: Path) -> bool:
    """Tell whether a picture that was written here is there and has not changed since.

    Args:
        path: A JPEG file of `write_jpeg` or `encode_jpeg`.

    Returns:
        False too for a picture that carries no checksum.
    """
    try:
        return _is_right(Path(path).read_bytes()) is True
    except OSError:
        return False


def encode_jpeg(image: np.ndarray) -> bytes:
    """Return an RGB uint8 picture as the bytes of a JPEG file, with little loss.

    The checksum stands in a comment after the first segment, so that programs which
    look for `JFIF` near the start find it there.

    Raises:
        ValueError: If a side is above 65500 px, which JPEG does not know.
    """
    import cv2

    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    done, jpeg = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not done:
        raise ValueError(
            f"A frame of {bgr.shape[1]} x {bgr.shape[0]} px does not fit into a JPEG. "
            "Make the film smaller."
        )
    data = jpeg.tobytes()
    at = _find_comment(data)
    return data[:at] + _COMMENT + f"{zlib.crc32(data):08x}".encode() + data[at:]


def _find_comment(data: bytes) -> int:
    """Return where a JPEG's second segment starts; ITU-T T.81, B.1.1."""
    return 4 + int.from_bytes(data[4:6], "big")


def _is_right(data: bytes) -> bool | None:
    """Tell whether a file's checksum is that of its bytes; None if it carries none."""
    at = _find_comment(data)
    end = at + len(_COMMENT) + _N_DIGITS
    if data[at : at + len(_COMMENT)] != _COMMENT:
        return None
    found = zlib.crc32(data[end:], zlib.crc32(data[:at]))
    return data[end - _N_DIGITS : end] == f"{found:08x}".encode()


def write_jpeg(path: Path, image: np.ndarray) -> None:
    """Write an RGB uint8 picture as JPEG, whole or not at all."""
    with atomic_path(path) as part:
        part.write_bytes(encode_jpeg(image))


def measure_sharpness(image: np.ndarray) -> float:
    """Measure how sharp a picture is: the variance of its Laplacian.

    Source: Pech-Pacheco and others, ICPR 2000. The picture is first made grey and,
    where it is larger, shrunk to 320 px on its longer side, so that videos of different
    sizes can be compared.

    Args:
        image: RGB uint8 array of shape `(height, width, 3)`.

    Returns:
        Variance, in squared grey levels; near 0 for a blurred or empty picture.
    """
    import cv2

    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    scale = SHARPNESS_SIDE_PX / max(grey.shape)
    if scale < 1:
        size_wh = [max(1, round(side * scale)) for side in reversed(grey.shape)]
        grey = cv2.resize(grey, size_wh, interpolation=cv2.INTER_AREA)
    _, deviation = cv2.meanStdDev(cv2.Laplacian(grey, cv2.CV_64F))
    return float(deviation.item() ** 2)


def write_crops(
    samples: pd.DataFrame,
    poses: Mapping[tuple[str, int], np.ndarray],
    *,
    folder: Path,
    read_image: Callable[[str], np.ndarray] = read_image,
) -> pd.DataFrame:
    """Write the square round the person of each frame, as JPEG files.

    Args:
        samples: Table with `video`, `frame_idx` and `path`.
        poses: Pose of each frame (`index_poses`).
        folder: Where the pictures go; what is there, and whole, is not made again.
        read_image: Gives the RGB picture of a file.

    Returns:
        `samples` with the crops' paths. A frame without a pose keeps its own picture.
    """
    paths = []
    for video, frame_idx, path in zip(
        samples["video"], samples["frame_idx"], samples["path"], strict=True
    ):
        pose = poses.get((video, frame_idx))
        if pose is None:
            paths.append(str(path))
            continue
        key = build_key(code=CROP_CODE, path=path, pose=pose.tobytes().hex())
        out = Path(folder, f"{key}.jpg")
        if not is_whole(out):
            write_jpeg(out, crop_person(read_image(path), pose))
        paths.append(str(out))
    return samples.assign(path=paths)
