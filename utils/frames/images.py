"""Pictures made of pictures, on disk: the person of each frame, cut out."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from utils.core.cache import build_key
from utils.core.files import atomic_path
from utils.pose.crop import crop_person
from utils.pose.estimate import ReadImage


def write_jpeg(path: Path, image: np.ndarray) -> None:
    """Write an RGB picture with little loss."""
    import cv2

    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    with atomic_path(path) as part:
        part.write_bytes(cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, 95])[1])


def write_crops(
    samples: pd.DataFrame,
    poses: Mapping[tuple[str, int], np.ndarray],
    *,
    read_image: ReadImage,
    folder: Path,
) -> pd.DataFrame:
    """Write the square round the person of each frame, as JPEG files.

    Args:
        samples: Table with `video`, `frame_idx` and `path`.
        poses: Pose of each frame (`index_poses`).
        read_image: Gives the RGB picture of a file.
        folder: Where the pictures go; what is there already is not made again.

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
        out = Path(folder) / build_key(path=path, pose=pose.tobytes().hex())
        out = out.with_suffix(".jpg")
        if not out.exists():
            write_jpeg(out, crop_person(read_image(path), pose))
        paths.append(str(out))
    return samples.assign(path=paths)
