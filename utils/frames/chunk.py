"""One stretch of a film made into pictures and keypoints, a minute at a time.

The film is decoded once for both. Every minute of film (a piece) that is done is put
in its place at once, so that memory does not grow with the film and a run that was
stopped goes on where it was. The minutes are counted by time stamps from the film's
start: how a film is split among processes changes no byte of the results.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import numpy as np

from utils.core.cache import build_key
from utils.core.remote import Address
from utils.core.skeleton import KEYPOINTS, N_KEYPOINTS
from utils.frames import store
from utils.frames.store import Product
from utils.frames.workspace import explain_full_disk, open_workspace
from utils.video import reader

# What decides the bytes of a picture or pose, from the packet to the file.
CODE = (
    "utils.video.source",
    "utils.video.probe",
    "utils.video.timing",
    "utils.video.ends",
    "utils.video.decode",
    "utils.video.hdr",
    "utils.video.reader",
    "utils.frames.store",
    "utils.frames.chunk",
)
PIECE_S = 60.0
JPEG_QUALITY = 95  # OpenCV's own default: no loss the eye can see
SHARPNESS_SIDE_PX = 320  # longer side at which sharpness is measured

Estimate = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Stretch:
    """A stretch of one film, and what is to be made of it.

    Attributes:
        video: The film's stem.
        path: Where the film is.
        rotation_deg: Clockwise turn that sets it upright; None: as its own flag says.
        every_s: Seconds between pictures; 0 takes every frame.
        first_piece: Number of the first piece to make.
        end_piece: Number of the first piece not to make; None: to the film's end.
        products: What to make: frames, keypoints or both.
        estimate: From an RGB image to `(17, 3)` x_px, y_px, score.
    """

    video: str
    path: Address
    rotation_deg: int | None
    every_s: float
    first_piece: int
    end_piece: int | None
    products: tuple[Product, ...]
    estimate: Estimate | None

    @property
    def is_whole(self) -> bool:
        """Whether it is the whole film."""
        return self.first_piece == 0 and self.end_piece is None


class StretchReport(NamedTuple):
    """What became of a stretch.

    Attributes:
        video: The film's stem.
        end_piece: Number of the first piece that was not made.
        problem: What is wrong with the film; empty if nothing.
        unread: Why the film could not be read this time; empty if it could.
    """

    video: str
    end_piece: int
    problem: str = ""
    unread: str = ""


class _UnreadError(Exception):
    """The film could not be read this time, but perhaps next time."""


@lru_cache(maxsize=1)
def code_version() -> str:
    """Return a key of the code that decides the results, and of what decodes."""
    import av
    import cv2

    return build_key(code=CODE, av=av.__version__, cv2=cv2.__version__)


def extract_stretch(stretch: Stretch) -> StretchReport:
    """Make the pieces of a stretch that are not there yet.

    Args:
        stretch: What to do.

    Returns:
        What became of it. Of a damaged film all that can be read is made, and the
        report says what is wrong.

    Raises:
        OSError: If the disk is full; finished pieces stay.
        ValueError: If `estimate` gives anything but `(17, 3)` numbers.
    """
    problems: list[str] = []
    end_piece = stretch.first_piece
    with ExitStack() as stack:
        works = {
            product: stack.enter_context(open_workspace(product.root))
            for product in stretch.products
        }
        try:
            frames = _read_frames(stretch, problems)
            for piece, group in groupby(frames, key=_piece_of):
                for number in range(end_piece, piece):
                    _make_piece(stretch, number, iter(()), works)
                _make_piece(stretch, piece, group, works)
                end_piece = piece + 1
        except _UnreadError as error:
            return StretchReport(stretch.video, end_piece, unread=str(error))
        if stretch.end_piece is not None:
            for number in range(end_piece, stretch.end_piece):
                _make_piece(stretch, number, iter(()), works)
            end_piece = stretch.end_piece
    return StretchReport(stretch.video, end_piece, problem=" ".join(problems))


def find_problem(stretch: Stretch) -> str:
    """Read a stretch's film from start to end for what is wrong with it.

    Args:
        stretch: Any stretch of the film.

    Returns:
        The sentence of a run that reads the film at once; empty if nothing is wrong.
    """
    problems: list[str] = []
    for _ in _read_frames(replace(stretch, first_piece=0, end_piece=None), problems):
        pass
    return " ".join(problems)


def measure_sharpness(image: np.ndarray) -> float:
    """Measure how sharp a picture is: the variance of its Laplacian.

    Source: Pech-Pacheco and others, ICPR 2000. The picture is first made grey and,
    where it is larger, shrunk to 320 px on its longer side, so that films of different
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


def _read_frames(stretch: Stretch, problems: list[str]) -> Iterator[reader.FilmFrame]:
    """Yield a stretch's frames; what is wrong with the film goes into `problems`.

    Reading starts a little earlier than the stretch, so that the first frame after a
    multiple of `every_s` is the same as when the film is read from its start.
    """
    start_s = stretch.first_piece * PIECE_S
    frames = reader.read_film(
        stretch.path,
        every_s=stretch.every_s,
        start_s=max(0.0, start_s - 2 * stretch.every_s),
        end_s=math.inf if stretch.end_piece is None else stretch.end_piece * PIECE_S,
        rotation_deg=stretch.rotation_deg,
    )
    while True:
        try:
            frame = next(frames, None)
        except reader.DamagedFilmError as error:
            problems.append(str(error))
            return
        except (reader.FilmError, OSError) as error:
            raise _UnreadError(str(error)) from error
        if frame is None:
            return
        if stretch.first_piece <= _piece_of(frame) < (stretch.end_piece or math.inf):
            yield frame


def _piece_of(frame: reader.FilmFrame) -> int:
    """Return the number of the piece a frame belongs to."""
    return max(0, int(frame.time_s // PIECE_S))


def _make_piece(
    stretch: Stretch,
    piece: int,
    frames: Iterator[reader.FilmFrame],
    works: dict[Product, Path],
) -> None:
    """Make what is missing of one piece."""
    missing = [p for p in stretch.products if piece not in store.find_pieces(p)]
    rows: dict[Product, list[dict]] = {product: [] for product in missing}
    with explain_full_disk(stretch.products[0].root):
        for frame in frames:
            for product in missing:
                if product.name == "frames":
                    row = _make_picture(frame, product, piece, works[product])
                else:
                    row = _find_keypoints(frame, stretch.estimate)
                rows[product].append(row)
        for product in missing:
            columns = _stack_rows(rows[product])
            store.write_piece(product, piece, columns, works[product])


def _stack_rows(rows: list[dict]) -> dict[str, np.ndarray]:
    """Join the rows' values column by column; a value may be several rows long."""
    names = rows[0] if rows else ()
    return {
        name: np.concatenate([np.atleast_1d(row[name]) for row in rows])
        for name in names
    }


def _make_picture(
    frame: reader.FilmFrame, product: Product, piece: int, work: Path
) -> dict:
    """Write a frame as JPEG into the workspace, if asked for, and return its row."""
    name = None
    if product.has_pictures:
        name = f"{piece:04d}/{frame.frame_idx:08d}.jpg"
        _write_jpeg(frame, work / name)
        name = f"pictures/{product.folder_name}/{name}"
    return {
        "frame_idx": frame.frame_idx,
        "time_s": frame.time_s,
        "path": name,
        "width_px": frame.image.shape[1],
        "height_px": frame.image.shape[0],
        "sharpness": measure_sharpness(frame.image),
    }


def _write_jpeg(frame: reader.FilmFrame, path: Path) -> None:
    """Write a frame as JPEG; JPEG knows no side above 65500 px."""
    import cv2

    bgr = cv2.cvtColor(frame.image, cv2.COLOR_RGB2BGR)
    done, jpeg = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not done:
        raise ValueError(
            f"A frame of {bgr.shape[1]} x {bgr.shape[0]} px does not fit into a JPEG. "
            "Make the film smaller."
        )
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(jpeg)


def _find_keypoints(frame: reader.FilmFrame, estimate: Estimate) -> dict:
    """Estimate a frame's pose and return its 17 rows."""
    pose = np.asarray(estimate(frame.image), dtype=np.float64)
    if pose.shape != (N_KEYPOINTS, 3):
        raise ValueError(
            f"Expected `estimate` to give (17, 3) x_px, y_px, score, got {pose.shape}."
        )
    return {
        "frame_idx": np.full(N_KEYPOINTS, frame.frame_idx),
        "keypoint": np.array(KEYPOINTS),
        "x_px": pose[:, 0],
        "y_px": pose[:, 1],
        "score": pose[:, 2],
    }
