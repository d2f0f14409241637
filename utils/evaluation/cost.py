"""What each model costs from the film onward: time, processor time, size."""

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from utils.core.cache import read_kept, write_kept

# Linux's counter of the processor's energy; few machines let programs read it.
_ENERGY = Path("/sys/class/powercap/intel-rapl:0/energy_uj")
_N_ROUNDS = 3
_DECODE = "decode"


@dataclass
class Spent:
    """What some work took.

    Attributes:
        seconds: By the clock.
        cpu_s: Processor seconds of this process and of children that have ended.
        energy_j: Joules of the whole processor; NaN where it cannot be read.
    """

    seconds: float = field(default=np.nan)
    cpu_s: float = field(default=np.nan)
    energy_j: float = field(default=np.nan)


@contextmanager
def measure() -> Iterator[Spent]:
    """Measure the work in a `with`.

    Yields:
        A record that is filled in when it ends.

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


@dataclass(frozen=True)
class Step:
    """How a picture becomes what a model learns from.

    Attributes:
        name: What does it, in words.
        run: Takes one picture through it.
        n_passes: How often each frame learnt from passes it: mirror images and
            augmented versions count.
        files: What must be there for it.
    """

    name: str
    run: Callable[[np.ndarray], object]
    n_passes: int = 1
    files: Sequence[Path] = ()


@dataclass(frozen=True)
class Costs:
    """What the models cost.

    Attributes:
        table: A row a model: `model`, `upfront_s` (seconds that its inputs take
            before it can learn), `train_s` and `train_cpu_s` (one training, all its
            epochs, mean of folds and seeds), `ms_per_frame`, `cpu_ms_per_frame` and
            `energy_j_per_frame` (from the film to the answer, decoding included; NaN
            where the machine does not say its energy), `frames_per_s`, `steps` (in
            words) and `megabytes` (of all that must be there to use it).
        upfront_s: That column, by model.
        ms_per_frame: Likewise.
    """

    table: pd.DataFrame
    upfront_s: dict[str, float]
    ms_per_frame: dict[str, float]


def measure_costs(
    history: pd.DataFrame,
    steps: Mapping[str, Sequence[Step]],
    *,
    decoded: Iterable[object],
    images: Sequence[np.ndarray],
    n_frames: int,
    kept: Path,
) -> Costs:
    """Measure what each model costs, from the film on.

    What a frame takes is measured once, like what training takes: a run in which
    nothing changed comes to the same verdicts, whatever else the machine does by then.

    Args:
        history: Table `history`: seconds and processor seconds since a run's start.
        steps: Model to how its inputs are made, one step after the other; a step that
            several models share is measured once.
        decoded: A film's frames as they are read, to time the reading.
        images: A few pictures to take through the steps.
        n_frames: Frames that are learnt from.
        kept: File for what a frame takes, named by all that decides it; safe to delete.

    Returns:
        The costs of the models in `history`, in its order.
    """
    by_name = {step.name: step for own in steps.values() for step in own}
    done = read_kept(kept) or {_DECODE: _measure_decoding(decoded)}
    if set(by_name) - set(done):
        done |= {name: _measure_step(step, images) for name, step in by_name.items()}
        write_kept(kept, done)
    runs = history.groupby(["model", "fold", "seed"], sort=False)
    table = runs[["seconds", "cpu_s"]].max().groupby("model", sort=False).mean()
    table.columns = ["train_s", "train_cpu_s"]
    table.insert(0, "upfront_s", np.nan)
    for model, own in steps.items():
        both = pd.DataFrame([done[_DECODE], *(done[step.name] for step in own)])
        upfront_ms = sum(done[step.name]["ms"] * step.n_passes for step in own)
        table.loc[model, "upfront_s"] = upfront_ms * n_frames / 1000
        table.loc[model, "ms_per_frame"] = both["ms"].sum()
        table.loc[model, "cpu_ms_per_frame"] = both["cpu_ms"].sum()
        table.loc[model, "energy_j_per_frame"] = both["energy_j"].sum(min_count=1)
        table.loc[model, "frames_per_s"] = 1e3 / both["ms"].sum()
        words = [f"{name} {ms:.1f}" for name, ms in both[["step", "ms"]].to_numpy()]
        table.loc[model, "steps"] = " + ".join(words)
        files = [path for step in own for path in step.files]
        sizes = [Path(path).stat().st_size for path in files]
        table.loc[model, "megabytes"] = sum(sizes) / 1e6
    known = table.loc[list(steps)]
    return Costs(
        table.reset_index(),
        upfront_s=known["upfront_s"].to_dict(),
        ms_per_frame=known["ms_per_frame"].to_dict(),
    )


def _measure_decoding(decoded: Iterable[object]) -> dict[str, object]:
    """Read a film's frames, and say what one of them took."""
    with measure() as spent:
        n_decoded = sum(1 for _ in decoded)
    return _share(_DECODE, spent, n_decoded)


def _measure_step(step: Step, images: Sequence[np.ndarray]) -> dict[str, object]:
    """Take pictures through a step, and say what one of them took.

    Of several rounds the quickest counts: what made the others slower was not the step,
    but whatever else the machine did meanwhile. The first picture goes through once
    before, unmeasured, for what is loaded at the first call.
    """
    step.run(images[0])
    rounds = []
    for _ in range(_N_ROUNDS):
        with measure() as spent:
            for image in images:
                step.run(image)
        rounds.append(spent)
    quickest = min(rounds, key=lambda spent: spent.seconds)
    return _share(step.name, quickest, len(images))


def _share(name: str, spent: Spent, n_items: int) -> dict[str, object]:
    """Return what a step took an item."""
    n = max(n_items, 1)
    ms, cpu_ms = 1e3 * spent.seconds / n, 1e3 * spent.cpu_s / n
    return {"step": name, "ms": ms, "cpu_ms": cpu_ms, "energy_j": spent.energy_j / n}


def describe_costs(table: pd.DataFrame, *, pose: str, image: str) -> str:
    """Compare two models' costs in use in one sentence.

    Args:
        table: Of `measure_costs`.
        pose: The model on keypoints.
        image: The model on pictures.

    Returns:
        The sentence; it says so where energy could not be read.
    """
    rows = table.set_index("model")
    one, two = (rows["ms_per_frame"][m] for m in (pose, image))
    ahead = "whole-picture" if one > two else "pose"
    text = (
        f"From the film on, a frame takes {one:.0f} ms with the pose classifier and "
        f"{two:.0f} ms with the whole-picture classifier: the {ahead} classifier is "
        f"{max(one, two) / min(one, two):.1f} times as fast."
    )
    if rows["energy_j_per_frame"].isna().all():
        text += " This machine does not say its energy; processor seconds stand for it."
    return text
