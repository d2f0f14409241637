"""Label without end and be killed: `python -m tests.kill_labelling FOLDER N SEED`.

Forks N times a process that labels and says what was acknowledged, kills it at a random
moment with SIGKILL, and checks that nothing acknowledged is lost. Prints a summary.
"""

import os
import random
import signal
import sys
import time
from pathlib import Path

from utils.labelling.actions import Action
from utils.labelling.journal import LabelLog
from utils.labelling.spans import Span
from utils.labelling.state import find_unit


def label_forever(path: Path, seed: int, pipe: int) -> None:
    """Paint, erase, undo and redo at random; write the labels after each call."""
    chance = random.Random(seed)
    log = LabelLog(path)
    while True:
        kind = chance.random()
        if kind < 0.15 and (found := log.find_last("undo", "")):
            log.write(Action("undo", video="a", of=find_unit(found[1])))
        elif kind < 0.2 and (found := log.find_last("redo", "")):
            log.write(Action("redo", video="a", of=find_unit(found[1])))
        else:
            start_s = chance.randrange(200)
            spans = {"a": (Span(start_s, start_s + chance.randrange(1, 9), ""),)}
            label = chance.choice(["sit", "lie", "stand"])
            do = "erase" if kind > 0.9 else "paint"
            label = "" if do == "erase" else label
            log.write(Action(do, video="a", label=label, spans=spans))
        os.write(pipe, f"{log.state.n_actions}\n".encode())


def kill_once(path: Path, seed: int, after_s: float) -> tuple[int, LabelLog]:
    """Let a process label for a while and kill it.

    Returns:
        How many actions it had acknowledged, and the log as it reads now.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        label_forever(path, seed, writer)
    os.close(writer)
    time.sleep(after_s)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with os.fdopen(reader) as said:
        lines = said.read().split("\n")[:-1]  # a half-written number does not count
    return (int(lines[-1]) if lines else 0), LabelLog(path)


def main(folder: Path, n_kills: int, seed: int) -> int:
    """Kill a labelling process many times; return how often something was lost."""
    chance = random.Random(seed)
    path = folder / "labels.csv"
    n_actions, n_lost, n_mended = 0, 0, 0
    for nth in range(n_kills):
        n_said, log = kill_once(path, seed + nth, chance.uniform(0.0, 0.12))
        n_now, csv = log.state.n_actions, path.exists() and path.read_bytes()
        # Acknowledged actions are all there, and at most the one under way besides.
        n_lost += not max(n_said, n_actions) <= n_now <= max(n_said, n_actions) + 1
        n_lost += csv != log._format_csv() if n_now else 0
        n_mended += bool(log.notices)
        n_actions = n_now
    print(f"{n_kills} kills, {n_actions} actions, {n_lost} lost, {n_mended} mended")
    return n_lost


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
