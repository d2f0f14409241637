"""What is to be done: which videos lack what, and who makes which chunks."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import replace

import pandas as pd

from utils.core.cache import build_key
from utils.core.remote import Address, is_remote, parse_address
from utils.frames import store
from utils.frames.chunk import StartEstimate, Task, code_version
from utils.frames.images import JPEG_QUALITY, SHARPNESS_SIDE_PX
from utils.frames.store import Product

_MIN_CHUNKS = 2  # fewer are not worth opening the video again
_TASKS_PER_WORKER = 4  # so that the last one does not keep the others waiting
_FACTS = ("starts_at_s", "duration_s", "n_frames", "rotation_deg")  # used where known
_NEEDED = ("video", "path", "sha256")


def plan_tasks(
    videos: pd.DataFrame,
    roots: dict[str, Address],
    *,
    every_s: float,
    estimate: StartEstimate | None,
    estimate_key: str,
    pictures: bool = True,
) -> list[Task]:
    """Say for every video what belongs to it on disk.

    Args:
        videos: Table `videos`, or its columns `video`, `path`, `sha256`.
        roots: Folder of the results by product, `frames` and perhaps `keypoints`.
        every_s: Seconds between pictures.
        estimate: The estimator of keypoints, if they are wanted.
        estimate_key: Names what the keypoints depend on.
        pictures: Whether frames come with pictures.

    Returns:
        A task a video, in the order of the table.

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
        parts = {"every_s": every_s, "made_by": code_version(), **settings[name]}
        folders[name] = store.name_settings(**parts)
        if not is_remote(root):
            store.write_settings(root, folders[name], parts)
    tasks = []
    for row in videos.to_dict("records"):
        facts = {name: row.get(name, math.nan) for name in _FACTS}
        known = {name: value for name, value in facts.items() if math.isfinite(value)}
        length_s = known.get("duration_s", 0.0) - known.get("starts_at_s", 0.0)
        turn_deg = int(known["rotation_deg"]) if "rotation_deg" in known else None
        products = tuple(
            Product(
                name,
                root,
                folders[name],
                row["video"],
                build_key(
                    sha256=row["sha256"], rotation_deg=turn_deg, settings=folders[name]
                ),
                has_pictures=pictures,
            )
            for name, root in roots.items()
        )
        task = Task(
            row["video"],
            parse_address(row["path"]),
            max(0.0, length_s),
            known.get("n_frames", math.inf),
            turn_deg,
            every_s,
            products,
            estimate,
        )
        tasks.append(task)
    return tasks


def find_missing(tasks: Iterable[Task]) -> list[Task]:
    """Return the tasks whose video lacks something, with the products that it lacks.

    Chunks of what is whole are removed: a run that was killed may have left some.
    """
    missing = []
    for task in tasks:
        lacks = [
            product
            for product in task.products
            if store.read_product(product, check_pictures=True) is None
        ]
        if lacks:
            missing.append(replace(task, products=tuple(lacks)))
        for product in set(task.products) - set(lacks):
            if not is_remote(product.root):
                store.remove_chunks(product)
    return missing


def split_tasks(tasks: Iterable[Task], *, n_workers: int) -> list[Task]:
    """Share out videos among workers: whole ones, and long ones in parts.

    Args:
        tasks: What is to be made, with the products that are missing.
        n_workers: How many tasks are done at once.

    Returns:
        Tasks, the longest first. The last of each video goes on to its end, however
        long the video says it is.
    """
    tasks = list(tasks)
    n_most = sum(task.n_chunks for task in tasks)
    if n_workers > 1:
        n_most = max(_MIN_CHUNKS, math.ceil(n_most / n_workers / _TASKS_PER_WORKER))
    parts = [
        replace(task, first_chunk=first, end_chunk=end)
        for task in tasks
        for first, end in _find_gaps(task, n_most)
    ]
    return sorted(parts, key=lambda p: p.first_chunk - (p.end_chunk or p.n_chunks))


def _find_gaps(task: Task, n_most: int) -> Iterator[tuple[int, int | None]]:
    """Yield the runs of chunks not done, of at most `n_most`; the last is open."""
    if task.is_remote:
        yield 0, None
        return
    done = set.intersection(*(store.find_chunks(p) for p in task.products))
    n_chunks = max([task.n_chunks, *(chunk + 1 for chunk in done)])
    first = None
    for chunk in range(n_chunks):
        if chunk in done or (first is not None and chunk - first == n_most):
            if first is not None:
                yield first, chunk
            first = None if chunk in done else chunk
        elif first is None:
            first = chunk
    yield n_chunks if first is None else first, None


def _check_videos(videos: pd.DataFrame) -> None:
    """Raise `ValueError` if a needed column is missing or two videos share a name."""
    missing = [column for column in _NEEDED if column not in videos]
    if missing:
        raise ValueError(
            f"Expected a table of videos with {', '.join(_NEEDED)}; "
            f"{', '.join(missing)} is missing. Build it with utils.video.list_videos."
        )
    twice = videos["video"][videos["video"].duplicated()]
    if len(twice):
        raise ValueError(
            f"Two videos are named {twice.iloc[0]!r}. Rename one of the files."
        )
