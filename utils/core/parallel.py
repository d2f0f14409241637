"""Work spread over processes or a cluster by joblib, and how far it is.

Under papermill nobody sees the notebook's widgets. There a bar writes its line into a
file instead, which `make run` reads and prints.
"""

import multiprocessing
import os
import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import joblib
from joblib.parallel import get_active_backend

if TYPE_CHECKING:
    from tqdm import tqdm

Task = TypeVar("Task")
Result = TypeVar("Result")
Survey = Callable[[], tuple[float, str]]  # seconds of video done, a few words

# Read by the libraries when they start. One thread each: there is a process a core.
_ONE_THREAD = dict.fromkeys(
    (
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "TF_NUM_INTRAOP_THREADS",
        "TF_NUM_INTEROP_THREADS",
    ),
    "1",
)
_MAX_GROWTH_BYTES = 2 << 30
VARIABLE = "POSENET_PROGRESS"  # holds the file's path while `make run` follows it
_REFRESH_S = 0.5
_WATCH_S = 0.5


def count_workers(n_jobs: int) -> int:
    """Return how many tasks run at once with `n_jobs` under joblib's active backend."""
    return max(1, joblib.effective_n_jobs(n_jobs))


def run_tasks(
    function: Callable[[Task], Result], tasks: Sequence[Task], *, n_jobs: int
) -> Iterator[Result]:
    """Call a function on every task, in processes of one thread each.

    The backend is joblib's active one: processes of this machine (loky), or, under
    `joblib.parallel_config(backend="dask")`, a cluster.

    Args:
        function: What to call; it and the tasks can be pickled.
        tasks: What to call it with, the longest first.
        n_jobs: How many processes; 1 runs here, -1 takes every core.

    Yields:
        The results in the order in which they are done.

    Raises:
        Exception: Whatever the function raises; the other tasks are then stopped.
    """
    if not tasks:
        return
    backend = type(get_active_backend()[0]).__name__
    if backend == "LokyBackend" and count_workers(n_jobs) == 1:
        yield from map(function, tasks)
        return
    # loky starts another worker, and nothing is lost: nobody need do anything.
    warnings.filterwarnings("ignore", message="A worker stopped while some jobs")
    limits = {}  # Dask keeps to its own
    if backend == "LokyBackend":
        limits = {"backend": "loky", "inner_max_num_threads": 1}
    with _one_thread_each(), joblib.parallel_config(**limits):
        parallel = joblib.Parallel(
            n_jobs=n_jobs,
            return_as="generator_unordered",
            batch_size=1,
            pre_dispatch="all",
        )
        results = parallel(joblib.delayed(_run_limited)(function, t) for t in tasks)
        try:
            yield from results
        finally:
            results.close()  # stops what still runs, after an error or an interrupt


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Set the environment that new processes inherit to one thread a library."""
    before = {name: os.environ.get(name) for name in _ONE_THREAD}
    os.environ.update({name: old or _ONE_THREAD[name] for name, old in before.items()})
    try:
        yield
    finally:
        for name, old in before.items():
            if old is None:
                os.environ.pop(name, None)


def _run_limited(function: Callable[[Task], Result], task: Task) -> Result:
    """Call a function in a worker, with OpenCV and late imports at one thread."""
    import cv2
    from joblib.externals.loky import process_executor

    for name, value in _ONE_THREAD.items():
        os.environ.setdefault(name, value)
    cv2.setNumThreads(1)
    # loky takes a worker that grows by 300 MB for leaking and renews it. A pose network
    # and Keras weigh more than that, and renewing them each time takes half a minute.
    process_executor._MAX_MEMORY_LEAK_SIZE = _MAX_GROWTH_BYTES
    if multiprocessing.parent_process():  # else a thread of the user's own process
        watch_parent()
    return function(task)


@lru_cache(maxsize=1)
def watch_parent(*, whole_group: bool = False) -> None:
    """End this process soon after the one that started it is gone, however it went.

    A worker whose parent was killed would wait for tasks for five minutes, with all its
    memory. Called again, this does nothing.

    Args:
        whole_group: Whether to end all processes of this one's group with it: the
            kernel of a notebook leads a group of its own, its workers are in it.
    """
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_WATCH_S)
        if whole_group and hasattr(os, "killpg") and os.getpgrp() == os.getpid():
            # Workers end by this; loky's tracker does not, and clears up after them.
            os.killpg(0, signal.SIGTERM)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


@contextmanager
def show_progress(total_s: float, survey: Survey) -> Iterator[None]:
    """Show a bar, in the notebook or the terminal, while the block runs.

    Args:
        total_s: Seconds of film to do.
        survey: Gives the seconds of film done so far and a few words on them; called
            twice a second from a thread of its own.

    Yields:
        Nothing.
    """
    done_s, words = survey()
    bar = open_bar(
        total=max(total_s, done_s),
        initial=done_s,
        desc="Film",
        unit="s",
        bar_format="{desc} {percentage:3.0f}%|{bar}| {elapsed}<{remaining}{postfix}",
        postfix=words,
    )
    stop = threading.Event()

    def refresh() -> None:
        while not stop.wait(_REFRESH_S):
            _update_bar(bar, survey)

    thread = threading.Thread(target=refresh, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        _update_bar(bar, survey)
        bar.close()


def _update_bar(bar: object, survey: Survey) -> None:
    """Move a tqdm bar to where the survey says, with the speed against real time."""
    done_s, words = survey()
    elapsed_s = bar.format_dict["elapsed"]
    speed = (done_s - bar.initial) / elapsed_s if elapsed_s else 0.0
    bar.total = max(bar.total, done_s)
    bar.n = done_s
    bar.set_postfix_str(f"{words}, {speed:.1f}x real time", refresh=True)


class _LastLine:
    """A text stream that keeps only the line written last."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, text: str) -> int:
        """Keep a line; an empty one, with which a bar ends, changes nothing."""
        line = text.strip("\r\n ")
        if line:
            part = self._path.with_suffix(".part")
            part.write_text(line, encoding="utf-8")
            part.replace(self._path)
        return len(text)

    def flush(self) -> None:
        """Do nothing: each line is written at once."""


def open_bar(**options: object) -> "tqdm":
    """Open a tqdm bar where somebody sees it.

    Args:
        **options: As tqdm takes them.

    Returns:
        The bar: tqdm's own choice, or one whose line `make run` prints.
    """
    path = os.environ.get(VARIABLE)
    if not path or not Path(path).parent.is_dir():
        from tqdm.auto import tqdm as bar

        return bar(**options)
    from tqdm import tqdm as bar

    line = _LastLine(Path(path))
    return bar(file=line, mininterval=_REFRESH_S, ncols=76, ascii=True, **options)
