"""Work spread over processes or a cluster by joblib, and how far it is.

Under papermill nobody sees the notebook's widgets. There a bar writes its line into a
file instead, which `make run` reads and prints.
"""

import os
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, TextIO, TypeVar

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
_TERMINAL_S, _PIPE_S = 1.0, 15.0  # between two looks at the file
_REFRESH_S = 0.5


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
    return function(task)


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
    return bar(file=line, mininterval=_TERMINAL_S, ncols=100, ascii=True, **options)


@contextmanager
def follow_bars(out: TextIO | None = None) -> Iterator[None]:
    """Print the bars of programs that are started in this block.

    On a terminal the line is renewed; in a file or pipe a line comes now and then.

    Args:
        out: Where to print; stderr if None.

    Yields:
        Nothing.
    """
    out = out or sys.stderr
    with TemporaryDirectory(prefix="posenet-") as folder:
        path, stop = Path(folder) / "progress", threading.Event()
        thread = threading.Thread(target=_follow, args=(path, out, stop), daemon=True)
        os.environ[VARIABLE] = str(path)
        thread.start()
        try:
            yield
        finally:
            del os.environ[VARIABLE]
            stop.set()
            thread.join()


def _follow(path: Path, out: TextIO, stop: threading.Event) -> None:
    """Print the file's line whenever it has changed, until told to stop."""
    on_terminal, shown, is_last = out.isatty(), "", False
    while not is_last:
        is_last = stop.wait(_TERMINAL_S if on_terminal else _PIPE_S)
        line = path.read_text(encoding="utf-8") if path.exists() else ""
        if line != shown:
            print(f"  {line}", end="\r" if on_terminal else "\n", file=out, flush=True)
            shown = line
