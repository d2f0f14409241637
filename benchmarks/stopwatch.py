"""A process that loads, says "ready", waits for a word, runs, and tells how long."""

import json
import os
import resource
import sys
import time
from collections.abc import Callable


def time_at_a_word(
    run: Callable[[], int], judge: Callable[[], dict[str, float]] | None = None
) -> None:
    """Say "ready", wait for a line, run, and print what it took as JSON.

    Args:
        run: What to time; returns how many frames it did.
        judge: Measures what else there is to say, once the time is taken.
    """
    print("ready", flush=True)
    sys.stdin.readline()
    started_s, started_cpu_s = time.perf_counter(), _cpu_seconds()
    n_frames = run()
    took = {
        "seconds": time.perf_counter() - started_s,
        "cpu_s": _cpu_seconds() - started_cpu_s,
        "n_frames": n_frames,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    print(json.dumps(took | (judge() if judge else {})), flush=True)


def _cpu_seconds() -> float:
    """Return the processor time of this process and of its children that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system
