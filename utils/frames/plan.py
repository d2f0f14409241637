"""What is to be done: which films lack what, and who makes which minutes."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import pandas as pd

from utils.core.cache import build_key
from utils.core.remote import Address, is_remote, parse_address
from utils.core.skeleton import N_KEYPOINTS
from utils.frames import store
from utils.frames.chunk import (
    JPEG_QUALITY,
    PIECE_S,
    SHARPNESS_SIDE_PX,
    Estimate,
    Stretch,
)
from utils.frames.chunk import code_version as pieces_version
from utils.frames.store import Product

_MIN_PIECES = 2  # a shorter stretch is not worth opening the film again
_STRETCHES_PER_WORKER = 4  # so that the last one does not keep the others waiting
_NEEDED = ("video", "path", "sha256")


@dataclass(frozen=True)
class Film:
    """A film, how it is read, and what belongs to it on disk.

    Attributes:
        video: Its stem.
        path: Where it is.
        duration_s: How long it says it is, in seconds, 0 if it does not say; only used
            to share out work.
        rotation_deg: Clockwise turn that sets it upright; None: as its own flag says.
        products: What is wanted of it.
    """

    video: str
    path: Address
    duration_s: float
    rotation_deg: int | None
    products: tuple[Product, ...]

    @property
    def is_remote(self) -> bool:
        """Whether it, or where its results go, is not on this machine's disks."""
        return any(map(is_remote, [self.path, *(p.root for p in self.products)]))

    @property
    def n_pieces(self) -> int:
        """How many pieces it should have; the film itself decides."""
        return max(1, math.ceil(self.duration_s / PIECE_S))


def plan_films(
    videos: pd.DataFrame,
    roots: dict[str, Address],
    *,
    every_s: float,
    estimate_key: str,
    pictures: bool = True,
) -> list[Film]:
    """Say for every video what belongs to it on disk.

    Args:
        videos: Table `videos`, or its columns `video`, `path`, `sha256`; where it has
            `duration_s` and `rotation_deg` they are used.
        roots: Folder of the results by product, `frames` and perhaps `keypoints`.
        every_s: Seconds between pictures.
        estimate_key: Names what the keypoints depend on.
        pictures: Whether frames come with pictures.

    Returns:
        The films in the order of the table.

    Raises:
        ValueError: If a needed column is missing or two videos share a name.
    """
    _check_videos(videos)
    settings = {
        "frames": {
            "jpeg_quality": JPEG_QUALITY if pictures else None,
            "sharpness_px": SHARPNESS_SIDE_PX,
        },
        "keypoints": {"estimate": estimate_key},
    }
    folders = {}
    for name, root in roots.items():
        parts = {"every_s": every_s, "code": pieces_version(), **settings[name]}
        folders[name] = store.name_settings(**parts)
        if not is_remote(root):
            store.write_settings(root, folders[name], parts)
    films = [_plan_film(row, roots, folders) for row in videos.to_dict("records")]
    return films if pictures else [_leave_out_pictures(film) for film in films]


def find_missing(films: Iterable[Film]) -> list[Film]:
    """Return the films that lack something, each with the products that it lacks.

    Pieces of what is whole are removed: a run that was killed may have left some.
    """
    missing = []
    for film in films:
        lacks = [p for p in film.products if store.read_facts(p) is None]
        if lacks:
            missing.append(replace(film, products=tuple(lacks)))
        for product in set(film.products) - set(lacks):
            if not is_remote(product.root):
                store.remove_pieces(product)
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
    local = [root for root in roots if not is_remote(root)]
    found = {root: store.survey_pieces(root) for root in local}
    for film in films:
        product = film.products[-1]
        pieces = found.get(product.root, {})
        n_pieces, n_rows = pieces.get(product.folder_name, (0, 0))
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
    if film.is_remote:
        yield 0, None
        return
    done = set.intersection(*(store.find_pieces(p) for p in film.products))
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


def _leave_out_pictures(film: Film) -> Film:
    """Return a film of which no pictures are wanted."""
    products = [replace(product, has_pictures=False) for product in film.products]
    return replace(film, products=tuple(products))


def _plan_film(
    row: dict[str, object], roots: dict[str, Address], folders: dict[str, str]
) -> Film:
    """Say for one video what belongs to it on disk."""
    duration_s, turn_deg = row.get("duration_s", 0.0), row.get("rotation_deg", math.nan)
    duration_s = duration_s if math.isfinite(duration_s) else 0.0
    rotation_deg = int(turn_deg) if math.isfinite(turn_deg) else None
    products = [
        Product(
            name,
            root,
            folders[name],
            row["video"],
            build_key(
                sha256=row["sha256"], rotation_deg=rotation_deg, settings=folders[name]
            ),
        )
        for name, root in roots.items()
    ]
    path = parse_address(row["path"])
    return Film(row["video"], path, duration_s, rotation_deg, tuple(products))
