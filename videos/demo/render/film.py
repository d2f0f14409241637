"""Write clips: pictures to an mp4, what is true of them to tables."""

import csv
import subprocess
from collections.abc import Iterable
from pathlib import Path

import imageio_ffmpeg
import numpy as np

from .body import KEYPOINTS

Row = list[object]


class FilmWriter:
    """Encodes RGB pictures of one size, one after the other; close it with `with`."""

    def __init__(
        self, path: Path, size_wh: tuple[int, int], fps: int, crf: int
    ) -> None:
        """Start ffmpeg, on one thread so that the file is the same each time.

        Args:
            path: The mp4.
            size_wh: Width and height of the pictures.
            fps: Pictures a second.
            crf: Of libx264: lower is better and larger.
        """
        width, height = size_wh
        raw = f"-f rawvideo -pix_fmt rgb24 -s {width}x{height} -r {fps} -i -"
        coded = f"-c:v libx264 -preset slow -threads 1 -crf {crf} -pix_fmt yuv420p"
        exact = "-fflags +bitexact -flags:v +bitexact -movflags +faststart"
        words = f"-y -loglevel error {raw} {coded} {exact}".split()
        self._ffmpeg = subprocess.Popen(
            [imageio_ffmpeg.get_ffmpeg_exe(), *words, str(path)], stdin=subprocess.PIPE
        )

    def __enter__(self) -> "FilmWriter":
        """Give the writer itself."""
        return self

    def write(self, image: np.ndarray) -> None:
        """Add a picture, uint8 `(height, width, 3)`."""
        self._ffmpeg.stdin.write(np.ascontiguousarray(image).tobytes())

    def __exit__(self, *_: object) -> None:
        """End the file."""
        self._ffmpeg.stdin.close()
        if self._ffmpeg.wait():
            raise OSError(f"ffmpeg ended with {self._ffmpeg.returncode}: see above.")


def list_spans(labels: Iterable[str | None], fps: int) -> list[tuple]:
    """Join equal neighbours: (start_s, end_s, label) of each posture held."""
    spans: list[list] = []
    for index, label in enumerate([*labels, None]):
        if spans and spans[-1][1] is None and spans[-1][2] != label:
            spans[-1][1] = index / fps
        if label and (not spans or spans[-1][1] is not None):
            spans.append([index / fps, None, label])
    return [(f"{start:.3f}", f"{end:.3f}", label) for start, end, label in spans]


def name_columns() -> list[str]:
    """Columns of `true_keypoints.csv`."""
    parts = ("x_px", "y_px", "visible")
    return ["video", "frame_idx", *(f"{k}_{part}" for k in KEYPOINTS for part in parts)]


def write_table(path: Path, columns: list[str], rows: Iterable[Iterable]) -> None:
    """Write a CSV file."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
