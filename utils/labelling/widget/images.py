"""Pictures for the labelling front end: small JPEGs with their keypoints, in batches.

They are read, shrunk and sent by a thread of their own, so that a label never waits for
a picture; nothing is kept, so that a kernel's memory does not grow with a film.
"""

import itertools
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import PriorityQueue

import numpy as np

FRAME_WIDTH_PX = 480
THUMB_WIDTH_PX = 112
N_THUMBS = 240
_THUMBS_A_BATCH = 16
_QUALITY = 82
_SMALL_FILE_BYTES = 40_000  # a JPEG no larger than this is sent as it is

# Sends a message (a dict that JSON can hold) with its binary buffers.
Send = Callable[[dict, list[bytes]], None]


@dataclass(frozen=True)
class Reel:
    """The pictures of one video.

    Attributes:
        video: Its name.
        paths: Paths of its JPEG files, one a sampled frame, in order.
        poses: Keypoints, `(n_frames, 17, 3)`: x_px, y_px, score; None without.
        size_wh: Width and height of the pictures in pixels.
    """

    video: str
    paths: Sequence[str]
    poses: np.ndarray | None
    size_wh: tuple[int, int]


def shrink_jpeg(path: Path, *, width_px: int = FRAME_WIDTH_PX) -> bytes:
    """Read a picture file and return it as a JPEG of at most this width.

    Args:
        path: A JPEG or PNG file.
        width_px: Width that is not exceeded; narrower pictures keep theirs.

    Returns:
        JPEG bytes. Where the file is missing or is not a picture, a grey picture.
    """
    import cv2

    try:
        data = np.fromfile(path, dtype=np.uint8)
    except OSError:
        data = np.empty(0, dtype=np.uint8)
    is_jpeg = data[:2].tolist() == [0xFF, 0xD8]
    if is_jpeg and width_px >= FRAME_WIDTH_PX and data.size <= _SMALL_FILE_BYTES:
        return data.tobytes()
    # A JPEG decodes to an eighth of its size far faster than to all of it.
    is_thumb = is_jpeg and width_px <= THUMB_WIDTH_PX and data.size > _SMALL_FILE_BYTES
    flag = cv2.IMREAD_REDUCED_COLOR_4 if is_thumb else cv2.IMREAD_COLOR
    image = cv2.imdecode(data, flag) if data.size else None
    if image is None:
        image = np.full((width_px * 3 // 4, width_px, 3), 96, dtype=np.uint8)
    height, width = image.shape[:2]
    if width > width_px:
        size_wh = (width_px, max(1, round(height * width_px / width)))
        image = cv2.resize(image, size_wh, interpolation=cv2.INTER_AREA)
    done, jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return jpeg.tobytes() if done else b""


def scale_poses(reel: Reel, rows: Sequence[int]) -> bytes:
    """Return keypoints as shares of the picture's width and height.

    Args:
        reel: The video's pictures.
        rows: Which frames.

    Returns:
        float32 bytes of shape `(len(rows), 17, 3)`: x, y, score; NaN where missing.
    """
    if reel.poses is None:
        return np.full((len(rows), 17, 3), np.nan, dtype=np.float32).tobytes()
    scale = np.array([*reel.size_wh, 1.0])
    return (reel.poses[list(rows)] / scale).astype(np.float32).tobytes()


class PictureSender:
    """Sends pictures of the video in view, from a thread.

    What is looked at goes before the overview; requests for a video that is no longer
    in view are dropped.
    """

    def __init__(self, send: Send) -> None:
        """Start without a video.

        Args:
            send: Called from the thread with a message and its buffers.
        """
        self._send = send
        self._reel: Reel | None = None
        self._jobs: PriorityQueue = PriorityQueue()
        self._count = itertools.count()
        self._thread: threading.Thread | None = None

    def show(self, reel: Reel) -> None:
        """Take up another video."""
        self._reel = reel

    def request_frames(self, video: str, rows: Sequence[int]) -> None:
        """Send these frames of a video as soon as possible."""
        self._put(0, video, [int(row) for row in rows], "frames")

    def request_overview(self, video: str) -> None:
        """Send small pictures from all over a video, coarse first, when idle."""
        reel = self._reel
        if reel is None or reel.video != video:
            return
        n_thumbs = min(N_THUMBS, len(reel.paths))
        rows = np.unique(np.linspace(0, len(reel.paths) - 1, n_thumbs).astype(int))
        coarse_first = sorted(range(len(rows)), key=lambda k: (-(k & -k) or -1e9, k))
        ordered = [int(rows[k]) for k in coarse_first]
        for start in range(0, len(ordered), _THUMBS_A_BATCH):
            self._put(1, video, ordered[start : start + _THUMBS_A_BATCH], "overview")

    def close(self) -> None:
        """End the thread once what was asked for before is sent."""
        if self._thread is not None:
            self._put(2, "", [], "")

    def _put(self, priority: int, video: str, rows: list[int], kind: str) -> None:
        self._jobs.put((priority, next(self._count), video, rows, kind))
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(
                target=self._work, name="labeller pictures", daemon=True
            )
            self._thread.start()

    def _work(self) -> None:
        while True:
            _, _, video, rows, kind = self._jobs.get()
            if not kind:
                return
            reel = self._reel
            if reel is None or reel.video != video:
                continue
            rows = [row for row in rows if 0 <= row < len(reel.paths)]
            width_px = FRAME_WIDTH_PX if kind == "frames" else THUMB_WIDTH_PX
            buffers = [shrink_jpeg(reel.paths[row], width_px=width_px) for row in rows]
            if kind == "frames":
                buffers.append(scale_poses(reel, rows))
            self._send({"type": kind, "video": video, "rows": rows}, buffers)
