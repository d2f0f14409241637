"""What each model costs from the film onward: time, processor time, size."""

import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

# Linux's counter of the processor's energy; few machines let programs read it.
_ENERGY = Path("/sys/class/powercap/intel-rapl:0/energy_uj")


@dataclass
class Spent:
    """What a stretch of work took.

    Attributes:
        seconds: By the clock.
        cpu_s: Processor seconds of this process and of children that have ended.
        energy_j: Joules of the whole processor; NaN where it cannot be read.
    """

    seconds: float = field(default=np.nan)
    cpu_s: float = field(default=np.nan)
    energy_j: float = field(default=np.nan)


@contextmanager
def measure() -> Iterable[Spent]:
    """Measure a block of work.

    Yields:
        A record that is filled in when the block ends.

    Example:
        >>> with measure() as spent:
        ...     _ = sum(range(1000))
        >>> spent.seconds >= 0
        True
    """
    spent = Spent()
    start_s, start_cpu_s, start_j = time.perf_counter(), _cpu_s(), read_energy_j()
    try:
        yield spent
    finally:
        spent.seconds = time.perf_counter() - start_s
        spent.cpu_s = _cpu_s() - start_cpu_s
        energy_j = read_energy_j() - start_j
        spent.energy_j = energy_j if energy_j >= 0 else np.nan  # the counter wraps


def _cpu_s() -> float:
    """Return processor seconds of this process and its ended children."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def read_energy_j(path: Path = _ENERGY) -> float:
    """Return the processor's energy counter in joules; NaN where there is none."""
    try:
        return int(path.read_text()) / 1e6
    except (OSError, ValueError):
        return np.nan


def summarise_training(history: pd.DataFrame) -> pd.DataFrame:
    """Average over folds and seeds what one training took, all its epochs.

    Args:
        history: Table `history`: seconds and processor seconds since a run's start.

    Returns:
        Table `model`, `train_s`, `train_cpu_s`, models in the order of `history`.
    """
    runs = history.groupby(["model", "fold", "seed"], sort=False)
    spent = runs[["seconds", "cpu_s"]].max().groupby("model", sort=False).mean()
    spent.columns = ["train_s", "train_cpu_s"]
    return spent.reset_index()


def measure_steps(
    steps: Sequence[tuple[str, Callable[[object], object]]],
    items: Sequence[object],
    *,
    n_rounds: int = 3,
) -> pd.DataFrame:
    """Measure each step on the way from an item to an answer.

    Of several rounds the quickest counts: what made the others slower was not the step,
    but whatever else the machine did meanwhile.

    Args:
        steps: Name and function of each step; a step gets what the one before gave.
        items: What the first step gets, e.g. pictures; the first item is taken through
            once before, unmeasured, for what is loaded at the first call.
        n_rounds: How often each step is done with all items.

    Returns:
        Table `step`, `ms`, `cpu_ms` and `energy_j` an item (means; joules are NaN where
        the machine does not tell them).
    """
    value = items[0]
    for _, call in steps:
        value = call(value)
    values, rows = list(items), []
    for name, call in steps:
        rounds = []
        for _ in range(n_rounds):
            with measure() as spent:
                results = [call(value) for value in values]
            rounds.append(spent)
        values = results
        quickest = min(rounds, key=lambda spent: spent.seconds)
        rows.append(_build_step(name, quickest, len(values)))
    return pd.DataFrame(rows)


def _build_step(name: str, spent: Spent, n_items: int) -> dict[str, object]:
    """Return what a step took an item."""
    n = max(n_items, 1)
    ms, cpu_ms = 1e3 * spent.seconds / n, 1e3 * spent.cpu_s / n
    return {"step": name, "ms": ms, "cpu_ms": cpu_ms, "energy_j": spent.energy_j / n}


def measure_decoding(frames: Iterable[object]) -> pd.DataFrame:
    """Measure how long a film's frames take to come, one by one.

    Args:
        frames: Frames as they are read, e.g. `film.read_video(path, every_s=0.2)`.

    Returns:
        One row, as `measure_steps` gives, of the step `decode`.
    """
    with measure() as spent:
        n_frames = sum(1 for _ in frames)
    return pd.DataFrame([_build_step("decode", spent, n_frames)])


def measure_megabytes(paths: Iterable[Path]) -> float:
    """Return the size of files together, in 10^6 bytes."""
    return sum(Path(path).stat().st_size for path in paths) / 1e6


def summarise_costs(
    training: pd.DataFrame,
    steps: Mapping[str, pd.DataFrame],
    *,
    upfront_s: Mapping[str, float],
    megabytes: Mapping[str, float],
) -> pd.DataFrame:
    """Join what each model costs to train and to use.

    Args:
        training: From `summarise_training`.
        steps: Model to its steps from the film to the answer, decoding included.
        upfront_s: Model to the seconds that its inputs take before it can learn:
            keypoints or picture features of all frames learnt from.
        megabytes: Model to the size of all that must be there to use it.

    Returns:
        Table with a row a model: `model`, `upfront_s`, `train_s`, `train_cpu_s`,
        `ms_per_frame`, `cpu_ms_per_frame`, `energy_j_per_frame`, `frames_per_s`,
        `steps` (in words) and `megabytes`.
    """
    table = training.set_index("model")
    table.insert(0, "upfront_s", pd.Series(upfront_s, dtype=float))
    for model, own in steps.items():
        table.loc[model, "ms_per_frame"] = own["ms"].sum()
        table.loc[model, "cpu_ms_per_frame"] = own["cpu_ms"].sum()
        table.loc[model, "energy_j_per_frame"] = own["energy_j"].sum(min_count=1)
    table["frames_per_s"] = 1e3 / table["ms_per_frame"]
    words = {
        model: " + ".join(f"{r.step} {r.ms:.1f}" for r in own.itertuples())
        for model, own in steps.items()
    }
    table["steps"] = pd.Series(words, dtype=object)
    table["megabytes"] = pd.Series(megabytes, dtype=float)
    return table.reset_index()


def describe_costs(table: pd.DataFrame, *, pose: str, image: str) -> str:
    """Compare two models' costs in use in one sentence.

    Args:
        table: From `summarise_costs`.
        pose: The pose model.
        image: The image model.

    Returns:
        The sentence; it says so where energy could not be read.
    """
    rows = table.set_index("model")
    one, two = (rows["ms_per_frame"][m] for m in (pose, image))
    order = "slower" if one > two else "faster"
    text = (
        f"From the film on, a frame takes {one:.0f} ms with the pose model and "
        f"{two:.0f} ms with the image model: {max(one, two) / min(one, two):.1f} times "
        f"{order}."
    )
    if rows["energy_j_per_frame"].isna().all():
        text += (
            " This machine does not tell its energy; processor seconds stand for it."
        )
    return text
