"""Videos made into pictures on disk and keypoints, cached, on all cores.

What is on disk is keyed by content: the video's sha256, the settings, the estimator's
key and the code. Run again, it makes what is missing.

    plan_tasks     a task a video: where it is, what belongs to it on disk
    find_missing   what of it is not there
    split_tasks    long videos in parts, so that all cores have work
    _run_task      chunk after chunk, here or elsewhere (`make_chunks`)
    _finish_video  the chunks of a video become its tables
    _gather        the tables of all videos become one a product
"""

import math
import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

import pandas as pd
import pyarrow as pa

from utils.core.files import find_data
from utils.core.parallel import count_workers, run_tasks, show_progress
from utils.core.remote import (
    Address,
    is_remote,
    local_copy,
    parse_address,
    upload_folder,
)
from utils.core.tables import SCHEMAS, check_table
from utils.frames import store
from utils.frames.chunk import (
    CHUNK_S,
    Report,
    StartEstimate,
    Task,
    find_problem,
    make_chunks,
)
from utils.frames.plan import find_missing, plan_tasks, split_tasks
from utils.frames.workspace import open_workspace, sweep_workspaces
from utils.pose.follow import describe_following, start_following


def extract(
    videos: pd.DataFrame,
    *,
    every_s: float,
    network: str,
    n_jobs: int = -1,
    data: Address | str = "",
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Make pictures and keypoints of every video; only what is missing is made.

    Args:
        videos: Table `videos`.
        every_s: Seconds between pictures: the first frame at or after each multiple.
        network: Pose network that finds the keypoints.
        n_jobs: Processes; -1 takes every core.
        data: Folder of what can be made again, of any address, `find_data()` if empty:
            `frames` and `keypoints` lie inside.

    Returns:
        The tables `frames` and `keypoints`, and a row for each video with a problem;
        see `extract_frames`.
    """
    data = parse_address(data or find_data())
    return extract_frames(
        videos,
        every_s=every_s,
        frames_dir=data / "frames",
        keypoints_dir=data / "keypoints",
        estimate=partial(start_following, network),
        estimate_key=describe_following(network),
        n_jobs=n_jobs,
    )


def extract_frames(  # noqa: PLR0913 - two products, each with its folder and settings
    videos: pd.DataFrame,
    *,
    every_s: float,
    frames_dir: Address | str,
    keypoints_dir: Address | str | None = None,
    estimate: StartEstimate | None = None,
    estimate_key: str = "",
    n_jobs: int = 1,
    pictures: bool = True,
) -> tuple[pd.DataFrame, pd.DataFrame | None, pd.DataFrame]:
    """Make pictures, and keypoints if asked for, of every video; only what is missing.

    Each video is decoded once for both. Videos, and chunks of a long video, are spread
    over `n_jobs` processes by joblib; the results do not depend on how. A run that was
    stopped at any moment goes on where it was.

    Args:
        videos: Table `videos`.
        every_s: Seconds between pictures: the first frame at or after each multiple.
            0 takes every frame.
        frames_dir: Folder for pictures (JPEG, quality 95) and their tables. It may be
            any address that fsspec takes, as may `keypoints_dir` and videos' paths.
        keypoints_dir: Folder for the tables of keypoints; None makes none.
        estimate: Called without arguments for every chunk (a minute) of video; what it
            gives is called with each RGB uint8 image and its time stamp, in order, and
            returns a `(17, 3)` array x_px, y_px, score. Can be pickled.
        estimate_key: Names what `estimate` depends on: network, weights, version.
        n_jobs: Processes; -1 takes every core. Under `joblib.parallel_config(
            backend="dask")` the tasks run on that cluster.
        pictures: Whether to write pictures; without them `path` is missing.

    Returns:
        The table `frames`, with absolute paths; the table `keypoints`, in pixels of
        the upright frame, or None; and a row `video`, `path`, `problem` for each video
        with a problem. `attrs["folder"]` of the first two names the folder that holds
        them, one Parquet file a video.

    Raises:
        ValueError: If a setting makes no sense.
        DiskError: If the disk is full or may not be written; what was finished stays.
    """
    if not (math.isfinite(every_s) and every_s >= 0):
        raise ValueError(f"Expected `every_s` of 0 or more seconds, got {every_s}.")
    if (keypoints_dir is None) != (estimate is None):
        raise ValueError("Give both `keypoints_dir` and `estimate`, or neither.")
    if estimate is not None and not estimate_key:
        raise ValueError(
            "Give `estimate_key`, a text that names network, weights and version: "
            "without it, keypoints on disk could be of another network."
        )
    roots = {"frames": parse_address(frames_dir)}
    if keypoints_dir is not None:
        roots["keypoints"] = parse_address(keypoints_dir)
    tasks = plan_tasks(
        videos,
        roots,
        every_s=every_s,
        estimate=estimate,
        estimate_key=estimate_key,
        pictures=pictures,
    )
    _sweep(roots)
    unread = _make_missing(tasks, n_jobs=n_jobs)
    _sweep(roots)  # a worker may have died
    return _gather(tasks, unread, roots)


def _sweep(roots: dict[str, Address]) -> None:
    """Remove what processes that died have left."""
    for root in roots.values():
        if not is_remote(root):
            sweep_workspaces(root)


def _make_missing(tasks: list[Task], *, n_jobs: int) -> dict[str, str]:
    """Make what is missing; return, by video, why it could not be read this time."""
    missing = {task.video: task for task in find_missing(tasks)}
    parts = split_tasks(missing.values(), n_workers=count_workers(n_jobs))
    if not parts:
        return {}
    reports: dict[str, list[Report]] = {video: [] for video in missing}
    finished: dict[str, int] = {}
    unread: dict[str, str] = {}
    total_s = sum(task.duration_s for task in missing.values())
    with show_progress(total_s, lambda: _survey(missing.values(), finished)):
        for report in run_tasks(_run_task, parts, n_jobs=n_jobs):
            task = missing[report.video]
            own = [part for part in parts if part.video == task.video]
            reports[task.video].append(report)
            if len(reports[task.video]) < len(own):
                continue
            if not task.is_remote:
                report = _finish_video(own, reports[task.video])
            if report.unread:
                unread[task.video] = report.unread
            finished[task.video] = store.count_frames(task.products[-1])
    return unread


def _run_task(task: Task) -> Report:
    """Make a task's chunks; of videos or results elsewhere, make and send all.

    Where the video or the results are not on this machine, the task is the whole video:
    that is copied here, made in a folder that is removed afterwards, and the results
    are sent, the tables last.
    """
    if not task.is_remote:
        return make_chunks(task)
    remote = [product for product in task.products if is_remote(product.root)]
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="results-"))
        products = tuple(
            replace(product, root=Path(folder, product.name))
            if product in remote
            else product
            for product in task.products
        )
        try:
            path = stack.enter_context(local_copy(task.path))
        except OSError as error:
            reason = str(error) or type(error).__name__
            unread = (
                f"{task.path} cannot be fetched ({reason}). Check the address and the "
                "right to read it, then run again."
            )
            return Report(task.video, 0, unread=unread)
        here = replace(task, path=path, products=products)
        report = _finish_video([here], [make_chunks(here)])
        if not report.unread:
            for product in remote:
                upload_folder(Path(folder, product.name), product.root)
    return report


def _finish_video(parts: list[Task], reports: list[Report]) -> Report:
    """Make a video's tables of its chunks, once all its parts are done.

    Args:
        parts: All tasks of the video, their local products still in chunks.
        reports: What became of each.

    Returns:
        One report for the video.
    """
    unread = [report.unread for report in reports if report.unread]
    end_chunk = max(report.end_chunk for report in reports)
    if unread:
        return Report(reports[0].video, end_chunk, unread=unread[0])
    problem = reports[0].problem
    if any(report.problem for report in reports) and not parts[0].is_whole:
        problem = find_problem(parts[0])  # as one reading of the whole would say it
    for product in parts[0].products:
        with open_workspace(product.root) as work:
            store.merge_chunks(product, work, n_chunks=end_chunk, problem=problem)
    return Report(reports[0].video, end_chunk, problem=problem)


def _survey(tasks: Iterable[Task], finished: dict[str, int]) -> tuple[float, str]:
    """Tell how much is done, by what is on disk.

    Args:
        tasks: What is to be made.
        finished: Number of frames of each video that is finished.

    Returns:
        Seconds of video done, and a few words: videos and frames.
    """
    tasks = list(tasks)
    done_s, n_frames = 0.0, sum(finished.values())
    roots = {task.products[-1].root for task in tasks}
    found = {root: store.survey_chunks(root) for root in roots if not is_remote(root)}
    for task in tasks:
        product = task.products[-1]
        chunks = found.get(product.root, {})
        n_chunks, n_rows = chunks.get(product.folder_name, (0, 0))
        if task.video in finished:
            done_s += task.duration_s
        else:
            done_s += min(task.duration_s, n_chunks * CHUNK_S)
            n_frames += n_rows // product.rows_a_frame
    return done_s, f"{len(finished)}/{len(tasks)} films, {n_frames} frames"


def _gather(
    tasks: list[Task], unread: dict[str, str], roots: dict[str, Address]
) -> tuple[pd.DataFrame, pd.DataFrame | None, pd.DataFrame]:
    """Read all videos' tables as one a product, and list the videos with a problem."""
    problems = dict(unread)
    tables: dict[str, list[pa.Table]] = {name: [] for name in roots}
    for task in tasks:
        for product in task.products:
            table = store.read_product(product)
            problems.setdefault(task.video, _describe_problem(table))
            if table is not None:
                tables[product.name].append(table.replace_schema_metadata(None))
    joined = {name: _join_tables(name, tasks, tables[name]) for name in roots}
    rows = [
        {"video": task.video, "path": str(task.path), "problem": problems[task.video]}
        for task in tasks
        if problems[task.video]
    ]
    problems = pd.DataFrame(rows, columns=["video", "path", "problem"])
    return joined["frames"], joined.get("keypoints"), problems


def _describe_problem(table: pa.Table | None) -> str:
    """Return what is wrong with a video, by its table; empty if nothing."""
    if table is None:
        return "It was changed while it was read. Run again."
    if problem := table.schema.metadata[b"problem"].decode():
        return problem
    return "" if table.num_rows else "It holds no picture. Check that it plays."


def _join_tables(name: str, tasks: list[Task], tables: list[pa.Table]) -> pd.DataFrame:
    """Join the videos' tables of one product, with absolute paths of pictures."""
    if not tables:
        return check_table(pd.DataFrame(columns=list(SCHEMAS[name].columns)), name)
    product = next(p for p in tasks[0].products if p.name == name)
    joined = check_table(pa.concat_tables(tables).to_pandas(), name)
    if name == "frames":
        root = product.root
        joined["path"] = (
            f"{root if is_remote(root) else root.as_posix()}/" + joined["path"]
        )
    joined.attrs["folder"] = str(product.root / product.settings)
    return joined
