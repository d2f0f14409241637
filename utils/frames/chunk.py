"""A video made into pictures and keypoints, a chunk (a minute) at a time.

The video is decoded once for both. Every chunk that is done is put in its place at
once, so that memory does not grow with the video and a run that was stopped goes on
where it was. Chunks are counted by time stamps from the first frame: how a video is
split among processes changes no byte of the results.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

import numpy as np

from utils.core.cache import build_key
from utils.core.files import explain_disk
from utils.core.remote import Address, is_remote
from utils.core.skeleton import KEYPOINTS, N_KEYPOINTS
from utils.frames import store
from utils.frames.images import encode_jpeg, measure_sharpness
from utils.frames.store import Product
from utils.frames.workspace import open_workspace
from utils.video import reader
from utils.video.probe import probe_video

# What decides the bytes of a picture or pose, from the packet to the file.
CODE = (
    "utils.video.source",
    "utils.video.probe",
    "utils.video.structure",
    "utils.video.timing",
    "utils.video.decode",
    "utils.video.hdr",
    "utils.video.reader",
    "utils.frames.images",
    "utils.frames.store",
    "utils.frames.chunk",
)
CHUNK_S = 60.0

# Called at the start of a chunk, so that what it gives may follow a person from frame
# to frame and results still depend on no other chunk: (image, time_s) -> pose.
StartEstimate = Callable[[], Callable[[np.ndarray, float], np.ndarray]]


@dataclass(frozen=True)
class Task:
    """A video, or a run of its chunks, and what is to be made of it.

    Attributes:
        video: The video's stem.
        path: Where it is.
        duration_s: How long it says it is, in seconds, 0 if it does not say; only used
            to share out work.
        n_frames: How many frames it says it has; the same.
        rotation_deg: Clockwise turn that sets it upright; None: as its own flag says.
        every_s: Seconds between pictures; 0 takes every frame.
        products: What to make: frames, keypoints or both.
        estimate: Starts a chunk; gives what finds the pose `(17, 3)` x_px, y_px, score
            in an RGB image at a time stamp.
        first_chunk: Number of the first chunk to make.
        end_chunk: Number of the first chunk not to make; None: to the video's end.
    """

    video: str
    path: Address
    duration_s: float
    n_frames: float
    rotation_deg: int | None
    every_s: float
    products: tuple[Product, ...]
    estimate: StartEstimate | None
    first_chunk: int = 0
    end_chunk: int | None = None

    @property
    def is_whole(self) -> bool:
        """Whether it is the whole video."""
        return self.first_chunk == 0 and self.end_chunk is None

    @property
    def is_remote(self) -> bool:
        """Whether the video, or where results go, is not on this machine's disks."""
        return any(map(is_remote, [self.path, *(p.root for p in self.products)]))

    @property
    def n_chunks(self) -> int:
        """How many chunks the video should have; the video itself decides."""
        return max(1, math.ceil(min(self.duration_s / CHUNK_S, self.n_frames)))


class Report(NamedTuple):
    """What became of a task.

    Attributes:
        video: The video's stem.
        end_chunk: Number of the first chunk that was not made.
        problem: What is wrong with the video; empty if nothing.
        unread: Why it could not be read this time; empty if it could.
    """

    video: str
    end_chunk: int
    problem: str = ""
    unread: str = ""


class _UnreadError(Exception):
    """The video could not be read this time, but perhaps next time."""


@lru_cache(maxsize=1)
def code_version() -> str:
    """Return a key of the code that decides the results, and of what decodes."""
    import av
    import cv2

    return build_key(code=CODE, av=av.__version__, cv2=cv2.__version__)


def make_chunks(task: Task) -> Report:
    """Make the chunks of a task that are not there yet.

    Args:
        task: What to do; video and results are on this machine.

    Returns:
        What became of it. Of a damaged video all that can be read is made, and the
        report says what is wrong.

    Raises:
        OSError: If the disk is full; finished chunks stay.
        ValueError: If `estimate` gives anything but `(17, 3)` numbers.
    """
    problems: list[str] = []
    end_chunk = task.first_chunk
    with ExitStack() as stack:
        works = {
            product: stack.enter_context(open_workspace(product.root))
            for product in task.products
        }
        try:
            for chunk, frames in groupby(
                _read_frames(task, problems), key=itemgetter(0)
            ):
                # One whose frames are all damaged is there too, with no row.
                for number in range(end_chunk, chunk):
                    _make_chunk(task, number, iter(()), works)
                _make_chunk(task, chunk, (frame for _, frame in frames), works)
                end_chunk = chunk + 1
            last_chunk = _count_chunks(task)
        except _UnreadError as error:
            return Report(task.video, end_chunk, unread=str(error))
        for number in range(end_chunk, last_chunk):
            _make_chunk(task, number, iter(()), works)
    return Report(task.video, last_chunk, problem=" ".join(problems))


def find_problem(task: Task) -> str:
    """Read a task's video from start to end for what is wrong with it.

    Returns:
        The sentence of a run that reads the video at once; empty if nothing is wrong.
    """
    problems: list[str] = []
    for _ in _read_frames(replace(task, first_chunk=0, end_chunk=None), problems):
        pass
    return " ".join(problems)


def number_chunks(times_s: np.ndarray) -> np.ndarray:
    """Number the chunks that frames belong to: minutes from the first, if not empty.

    A video may start at any time and have hours without a picture: a minute without one
    has no number.

    Args:
        times_s: Times of the frames of the whole video, ascending.

    Returns:
        Number of each frame's chunk, int64, from 0.

    Example:
        >>> number_chunks(np.array([100.0, 159.9, 160.0, 9000.0])).tolist()
        [0, 0, 1, 2]
    """
    minutes = (np.asarray(times_s) - times_s[:1]) // CHUNK_S
    return np.unique(minutes, return_inverse=True)[1]


@contextmanager
def _explain_unread() -> Iterator[None]:
    """Tell a video that cannot be read from other errors."""
    try:
        yield
    except reader.DamagedVideoError:
        raise
    except (reader.VideoError, OSError) as error:
        raise _UnreadError(str(error)) from error


def _choose_frames(task: Task) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers of a video's frames that are wanted, and of their chunks."""
    with _explain_unread():
        times_s = probe_video(task.path).timing.times_s
    chosen = reader.choose_frames(times_s, every_s=task.every_s)
    return chosen, number_chunks(times_s[chosen])


def _count_chunks(task: Task) -> int:
    """Return the number of the first chunk that is not a task's."""
    n_chunks = int(_choose_frames(task)[1][-1]) + 1
    return min(task.end_chunk or n_chunks, n_chunks)


def _read_frames(task: Task, problems: list[str]) -> Iterator[tuple[int, reader.Frame]]:
    """Yield a task's frames with the numbers of their chunks.

    What is wrong with the video goes into `problems`.
    """
    chosen, chunks = _choose_frames(task)
    is_own = (chunks >= task.first_chunk) & (chunks < (task.end_chunk or math.inf))
    chunk_of = dict(zip(chosen[is_own].tolist(), chunks[is_own].tolist(), strict=True))
    frames = reader.read_chosen(
        task.path,
        chosen[is_own],
        rotation_deg=task.rotation_deg,
        to_end=task.end_chunk is None,
    )
    while True:
        try:
            with _explain_unread():
                frame = next(frames, None)
        except reader.DamagedVideoError as error:
            problems.append(str(error))
            return
        if frame is None:
            return
        yield chunk_of[frame.frame_idx], frame


def _make_chunk(
    task: Task, chunk: int, frames: Iterator[reader.Frame], works: dict[Product, Path]
) -> None:
    """Make what is missing of one chunk."""
    missing = [p for p in task.products if not store.has_chunk(p, chunk)]
    rows: dict[Product, list[dict]] = {product: [] for product in missing}
    find = task.estimate() if any(p.name == "keypoints" for p in missing) else None
    with explain_disk(task.products[0].root):
        for frame in frames:
            for product in missing:
                if product.name == "frames":
                    row = _make_picture(frame, product, chunk, works[product])
                else:
                    row = _find_keypoints(frame, find)
                rows[product].append(row)
        for product in missing:
            # A value may be several rows long: a frame has 17 keypoints.
            columns = {
                name: np.concatenate(
                    [np.atleast_1d(row[name]) for row in rows[product]]
                )
                for name in (rows[product][0] if rows[product] else ())
            }
            store.write_chunk(product, chunk, columns, works[product])


def _make_picture(
    frame: reader.Frame, product: Product, chunk: int, work: Path
) -> dict[str, object]:
    """Write a frame as JPEG into the workspace, if asked for, and return its row."""
    name = None
    if product.has_pictures:
        name = f"{chunk:04d}/{frame.frame_idx:08d}.jpg"
        path = work / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(encode_jpeg(frame.image))
        name = f"pictures/{product.folder_name}/{name}"
    return {
        "frame_idx": frame.frame_idx,
        "time_s": frame.time_s,
        "path": name,
        "width_px": frame.image.shape[1],
        "height_px": frame.image.shape[0],
        "sharpness": measure_sharpness(frame.image),
    }


def _find_keypoints(
    frame: reader.Frame, find: Callable[[np.ndarray, float], np.ndarray]
) -> dict[str, object]:
    """Find a frame's pose and return its 17 rows."""
    pose = np.asarray(find(frame.image, frame.time_s), dtype=np.float64)
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
