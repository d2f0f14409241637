"""Videos made into pictures on disk and keypoints, cached, on all cores.

The only reader of pictures. What is on disk is keyed by content: the film's sha256,
the settings, the estimator's key and the code. Run again, it makes what is missing.
"""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from utils.core.parallel import count_workers, run_tasks, show_progress
from utils.core.remote import Address, is_remote, join, open_binary, parse_address
from utils.core.tables import SCHEMAS, check_table
from utils.frames import store
from utils.frames.chunk import Estimate, StretchReport
from utils.frames.jobs import finish_film, run_stretch
from utils.frames.plan import (
    Film,
    count_rows_a_frame,
    find_missing,
    plan_films,
    plan_stretches,
    survey_films,
)
from utils.frames.workspace import sweep_workspaces


def extract_frames(  # noqa: PLR0913 - two products, each with its folder and settings
    videos: pd.DataFrame,
    *,
    every_s: float,
    frames_dir: Address,
    keypoints_dir: Address | None = None,
    estimate: Estimate | None = None,
    estimate_key: str = "",
    n_jobs: int = 1,
    pictures: bool = True,
) -> tuple[pd.DataFrame, pd.DataFrame | None, pd.DataFrame]:
    """Make pictures, and keypoints if asked for, of every video; only what is missing.

    Each film is decoded once for both. Films, and minutes of a long film, are spread
    over `n_jobs` processes by joblib; the results do not depend on how. A run that was
    stopped at any moment goes on where it was.

    Args:
        videos: Table `videos`.
        every_s: Seconds between pictures: the first frame at or after each multiple.
            0 takes every frame.
        frames_dir: Folder for pictures (JPEG, quality 95) and their tables. It may be
            any address that fsspec takes, as may `keypoints_dir` and videos' paths.
        keypoints_dir: Folder for the tables of keypoints; None makes none.
        estimate: From an RGB uint8 image to a `(17, 3)` array x_px, y_px, score; can
            be pickled.
        estimate_key: Names what `estimate` depends on: model, weights, version.
        n_jobs: Processes; -1 takes every core. Under `joblib.parallel_config(
            backend="dask")` the tasks run on that cluster.
        pictures: Whether to write pictures; without them `path` is missing.

    Returns:
        The table `frames`, with absolute paths; the table `keypoints`, in pixels of
        the upright film frame, or None; and a row `video`, `path`, `problem` for each
        film with a problem. `attrs["folder"]` of the first two names the folder that
        holds them, one Parquet file a film.

    Raises:
        ValueError: If a setting makes no sense.
        OSError: If the disk is full; what was finished stays.
    """
    _check_settings(every_s, keypoints_dir, estimate, estimate_key)
    roots = {"frames": parse_address(frames_dir)}
    if keypoints_dir is not None:
        roots["keypoints"] = parse_address(keypoints_dir)
    films = plan_films(
        videos, roots, every_s=every_s, estimate_key=estimate_key, pictures=pictures
    )
    _sweep(roots)
    unread = _make_missing(films, every_s=every_s, estimate=estimate, n_jobs=n_jobs)
    _sweep(roots)  # a worker may have died
    return _gather(films, unread, roots)


def read_image(path: Address) -> np.ndarray:
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

    with open_binary(parse_address(path)) as file:
        data = np.frombuffer(file.read(), dtype=np.uint8)
    image = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    if image is None:
        raise ValueError(
            f"{Path(path).name} is not a whole picture. Delete it and run again."
        )
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def _check_settings(
    every_s: float,
    keypoints_dir: Address | None,
    estimate: Estimate | None,
    estimate_key: str,
) -> None:
    """Raise `ValueError` for settings that make no sense."""
    if not (math.isfinite(every_s) and every_s >= 0):
        raise ValueError(f"Expected `every_s` of 0 or more seconds, got {every_s}.")
    if (keypoints_dir is None) != (estimate is None):
        raise ValueError("Give both `keypoints_dir` and `estimate`, or neither.")
    if estimate is not None and not estimate_key:
        raise ValueError(
            "Give `estimate_key`, a text that names model, weights and version: "
            "without it, keypoints on disk could be of another model."
        )


def _sweep(roots: dict[str, Address]) -> None:
    """Remove what processes that died have left."""
    for root in roots.values():
        if not is_remote(root):
            sweep_workspaces(root)


def _make_missing(
    films: list[Film], *, every_s: float, estimate: Estimate | None, n_jobs: int
) -> dict[str, str]:
    """Make what is missing; return, by video, why it could not be read this time."""
    missing = {film.video: film for film in find_missing(films)}
    stretches = plan_stretches(
        missing.values(),
        every_s=every_s,
        estimate=estimate,
        n_workers=count_workers(n_jobs),
    )
    if not stretches:
        return {}
    reports: dict[str, list[StretchReport]] = {video: [] for video in missing}
    finished: dict[str, int] = {}
    unread: dict[str, str] = {}
    total_s = sum(film.duration_s for film in missing.values())
    with show_progress(total_s, lambda: survey_films(missing.values(), finished)):
        for report in run_tasks(run_stretch, stretches, n_jobs=n_jobs):
            film = missing[report.video]
            reports[film.video].append(report)
            parts = [stretch for stretch in stretches if stretch.video == film.video]
            if len(reports[film.video]) == len(parts):
                if not film.is_remote:
                    report = finish_film(parts, reports[film.video])
                if report.unread:
                    unread[film.video] = report.unread
                finished[film.video] = _count_frames(film)
    return unread


def _count_frames(film: Film) -> int:
    """Return how many frames a film that was just finished has."""
    product = film.products[-1]
    return store.count_rows(product) // count_rows_a_frame(product)


def _gather(
    films: list[Film], unread: dict[str, str], roots: dict[str, Address]
) -> tuple[pd.DataFrame, pd.DataFrame | None, pd.DataFrame]:
    """Read all films' tables as one a product, and list the films with a problem."""
    problems = dict(unread)
    tables: dict[str, list[pa.Table]] = {}
    for film in films:
        for product in film.products:
            table = store.read_product(product)
            problems.setdefault(film.video, _tell_problem(table))
            if table is not None:
                tables.setdefault(product.name, []).append(table)
    frames, keypoints = (
        _join_tables(name, films, tables) if name in roots else None
        for name in ("frames", "keypoints")
    )
    rows = [
        {"video": film.video, "path": film.path, "problem": problems[film.video]}
        for film in films
        if problems[film.video]
    ]
    return frames, keypoints, pd.DataFrame(rows, columns=["video", "path", "problem"])


def _tell_problem(table: pa.Table | None) -> str:
    """Return what is wrong with a film, by its table; empty if nothing."""
    if table is None:
        return "It was changed while it was read. Run again."
    if problem := table.schema.metadata[b"problem"].decode():
        return problem
    return "" if table.num_rows else "It holds no picture. Check that it plays."


def _join_tables(
    name: str, films: list[Film], tables: dict[str, list[pa.Table]]
) -> pd.DataFrame:
    """Join the films' tables of one product, with absolute paths of pictures."""
    if name not in tables:
        return check_table(pd.DataFrame(columns=list(SCHEMAS[name].columns)), name)
    product = next(p for p in films[0].products if p.name == name)
    plain = [table.replace_schema_metadata(None) for table in tables[name]]
    joined = check_table(pa.concat_tables(plain).to_pandas(), name)
    if name == "frames":
        root = product.root if is_remote(product.root) else product.root.as_posix()
        joined["path"] = f"{root}/" + joined["path"]
    joined.attrs["folder"] = str(join(product.root, product.settings))
    return joined
