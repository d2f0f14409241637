"""The only reader and writer of pictures: bytes on disk to RGB arrays and back."""

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
        data = np.frombuffer(file.read(), dtype=np.uint8)
    image = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    if image is None:
        raise ValueError(
            f"{Path(path).name} is not a whole picture. Delete it and run again."
        )
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def read_images(paths: Iterable[Address | str]) -> list[np.ndarray]:
    """Read pictures, in order; see `read_image`."""
    return [read_image(path) for path in paths]


def encode_jpeg(image: np.ndarray) -> bytes:
    """Return an RGB uint8 picture as the bytes of a JPEG file, with little loss.

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
    return jpeg.tobytes()


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
    return float(cv2.Laplacian(grey, cv2.CV_64F).var())


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
        folder: Where the pictures go; what is there already is not made again.
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
        if not out.exists():
            write_jpeg(out, crop_person(read_image(path), pose))
        paths.append(str(out))
    return samples.assign(path=paths)
