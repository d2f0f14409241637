"""What is to be done: which films lack what, and who makes which minutes."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from utils import frame_store
from utils.files import build_key
from utils.frame_store import Product
from utils.pieces import JPEG_QUALITY, PIECE_S, SHARPNESS_SIDE_PX, Estimate, Stretch
from utils.pieces import code_version as pieces_version
from utils.skeleton import N_KEYPOINTS

_MIN_PIECES = 2  # a shorter stretch is not worth opening the film again
_STRETCHES_PER_WORKER = 4  # so that the last one does not keep the others waiting
_NEEDED = ("video", "path", "sha256", "duration_s", "rotation_deg")


@dataclass(frozen=True)
class Film:
    """A film, how it is read, and what belongs to it on disk.

    Attributes:
        video: Its stem.
        path: Where it is.
        duration_s: How long it says it is, in seconds, 0 if it does not say; only used
            to share out work.
        rotation_deg: Clockwise turn that sets it upright.
        products: What is wanted of it.
    """

    video: str
    path: str
    duration_s: float
    rotation_deg: int
    products: tuple[Product, ...]

    @property
    def n_pieces(self) -> int:
        """How many pieces it should have; the film itself decides."""
        return max(1, math.ceil(self.duration_s / PIECE_S))


def plan_films(
    videos: pd.DataFrame, roots: dict[str, Path], *, every_s: float, estimate_key: str
) -> list[Film]:
    """Say for every video what belongs to it on disk.

    Args:
        videos: Table `videos`.
        roots: Folder of the results by product, `frames` and perhaps `keypoints`.
        every_s: Seconds between pictures.
        estimate_key: Names what the keypoints depend on.

    Returns:
        The films in the order of the table.

    Raises:
        ValueError: If a needed column is missing or two videos share a name.
    """
    _check_videos(videos)
    settings = {
        "frames": {"jpeg_quality": JPEG_QUALITY, "sharpness_px": SHARPNESS_SIDE_PX},
        "keypoints": {"estimate": estimate_key},
    }
    folders = {}
    for name, root in roots.items():
        parts = {"every_s": every_s, "code": pieces_version(), **settings[name]}
        folders[name] = frame_store.name_settings(**parts)
        frame_store.write_settings(root, folders[name], parts)
    return [_plan_film(row, roots, folders) for row in videos.itertuples()]


def find_missing(films: Iterable[Film]) -> list[Film]:
    """Return the films that lack something, each with the products that it lacks.

    Pieces of what is whole are removed: a run that was killed may have left some.
    """
    missing = []
    for film in films:
        lacks = [p for p in film.products if frame_store.read_facts(p) is None]
        if lacks:
            missing.append(replace(film, products=tuple(lacks)))
        for product in set(film.products) - set(lacks):
            frame_store.remove_pieces(product)
    return missing


def plan_stretches(
    films: Iterable[Film], *, every_s: float, estimate: Estimate | None, n_workers: int
) -> list[Stretch]:
    """Share out films among workers: whole ones, and long ones in stretches.

    Args:
        films: What is to be made, with the products that are missing.
        every_s: Seconds between pictures.
        estimate: The estimator of keypoints, if they are wanted.
        n_workers: How many stretches are made at once.

    Returns:
        Stretches, the longest first. The last of each film goes on to its end,
        however long the film says it is.
    """
    films = list(films)
    n_pieces = sum(film.n_pieces for film in films)
    n_most = (
        n_pieces if n_workers == 1 else n_pieces / n_workers / _STRETCHES_PER_WORKER
    )
    n_most = max(_MIN_PIECES, math.ceil(n_most))
    stretches = [
        Stretch(
            film.video,
            film.path,
            film.rotation_deg,
            every_s,
            first,
            end,
            film.products,
            estimate,
        )
        for film in films
        for first, end in _find_gaps(film, n_most)
    ]
    lengths = {film.video: film.n_pieces for film in films}
    return sorted(
        stretches,
        key=lambda s: s.first_piece - (s.end_piece or lengths[s.video]),
    )


def survey_films(films: Iterable[Film], finished: dict[str, int]) -> tuple[float, str]:
    """Tell how much is done, by what is on disk.

    Args:
        films: What is to be made.
        finished: Number of frames of each film that is finished.

    Returns:
        Seconds of film done, and a few words: films and frames.
    """
    films = list(films)
    done_s, n_frames = 0.0, sum(finished.values())
    roots = {film.products[-1].root for film in films}
    found = {root: frame_store.survey_pieces(root) for root in roots}
    for film in films:
        product = film.products[-1]
        n_pieces, n_rows = found[product.root].get(product.folder_name, (0, 0))
        if film.video in finished:
            done_s += film.duration_s
        else:
            done_s += min(film.duration_s, n_pieces * PIECE_S)
            n_frames += n_rows // count_rows_a_frame(product)
    return done_s, f"{len(finished)}/{len(films)} films, {n_frames} frames"


def count_rows_a_frame(product: Product) -> int:
    """Return how many rows of a table belong to one frame."""
    return N_KEYPOINTS if product.name == "keypoints" else 1


def _find_gaps(film: Film, n_most: int) -> Iterator[tuple[int, int | None]]:
    """Yield the stretches of pieces not done, of at most `n_most`; the last is open."""
    done = set.intersection(*(frame_store.find_pieces(p) for p in film.products))
    n_pieces = max([film.n_pieces, *(piece + 1 for piece in done)])
    first = None
    for piece in range(n_pieces):
        if piece in done or (first is not None and piece - first == n_most):
            if first is not None:
                yield first, piece
            first = None if piece in done else piece
        elif first is None:
            first = piece
    yield n_pieces if first is None else first, None


def _check_videos(videos: pd.DataFrame) -> None:
    """Raise `ValueError` if a needed column is missing or two videos share a name."""
    missing = [column for column in _NEEDED if column not in videos]
    if missing:
        raise ValueError(
            f"Expected a table of videos with {', '.join(_NEEDED)}; "
            f"{', '.join(missing)} is missing. Build it with videos.build_videos."
        )
    twice = videos["video"][videos["video"].duplicated()]
    if len(twice):
        raise ValueError(
            f"Two videos are named {twice.iloc[0]!r}. Rename one of the files."
        )


def _plan_film(row: object, roots: dict[str, Path], folders: dict[str, str]) -> Film:
    """Say for one video what belongs to it on disk."""
    rotation_deg = int(row.rotation_deg)
    products = [
        Product(
            name,
            root,
            folders[name],
            row.video,
            build_key(
                sha256=row.sha256, rotation_deg=rotation_deg, settings=folders[name]
            ),
        )
        for name, root in roots.items()
    ]
    duration_s = row.duration_s if math.isfinite(row.duration_s) else 0.0
    return Film(row.video, row.path, duration_s, rotation_deg, tuple(products))
