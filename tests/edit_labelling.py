"""Edit labels while labelling: `python -m tests.edit_labelling FOLDER N HOW`.

One process labels ten times a second, another reads the file, adds a row and saves it,
N times, in place (slowly, in two halves, every third time) or by renaming another file
over it. Then every label and every edit must be in the file. Prints a summary.
"""

import os
import random
import sys
import time
from pathlib import Path

from utils.labelling.actions import Action
from utils.labelling.csv_store import parse_labels
from utils.labelling.journal import LabelLog
from utils.labelling.spans import Span

LABELS_A_S = 10


def label_until(path: Path, stop: Path) -> int:
    """Give a label ten times a second until a file appears; return how many."""
    log, n = LabelLog(path), 0
    while not stop.exists():
        start_s = time.monotonic()
        spans = {"labels": (Span(2 * n, 2 * n + 1, ""),)}
        log.write(Action("paint", video="labels", label="sit", spans=spans))
        n += 1
        time.sleep(max(0.0, 1 / LABELS_A_S - (time.monotonic() - start_s)))
    time.sleep(0.3)
    log.refresh()
    spans = {"labels": (Span(2 * n, 2 * n + 1, ""),)}
    log.write(Action("paint", video="labels", label="sit", spans=spans))
    return n + 1


def edit_once(path: Path, nth: int, how: str) -> None:
    """Add a row to the file as it is now, as an editor does."""
    text = path.read_text(encoding="utf-8")
    text += f"edits,{2 * nth},{2 * nth + 1},lie\n"
    if how == "rename":
        part = path.with_name("mine.csv")
        part.write_text(text, encoding="utf-8")
        part.replace(path)
        return
    with path.open("w", encoding="utf-8") as file:
        if nth % 3 == 0:
            file.write(text[: len(text) // 2])
            file.flush()
            time.sleep(0.03)
            text = text[len(text) // 2 :]
        file.write(text)


def main(folder: Path, n_edits: int, how: str) -> int:
    """Label and edit at once; return how much was lost."""
    path, stop, chance = folder / "labels.csv", folder / "stop", random.Random(1)
    LabelLog(path).write(
        Action("paint", video="a", label="sit", spans={"a": (Span(0, 1, ""),)})
    )
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, f"{label_until(path, stop)}".encode())
        os._exit(0)
    for nth in range(n_edits):
        edit_once(path, nth, how)
        time.sleep(chance.uniform(0.0, 0.2))
    stop.touch()
    os.waitpid(child, 0)
    n_labels = int(os.read(reader, 20))
    rows = parse_labels(path.read_bytes())
    found = {(row.video, int(row.start_s)) for row in rows.itertuples()}
    n_lost = len({("labels", 2 * n) for n in range(n_labels)} - found)
    n_lost_edits = len({("edits", 2 * n) for n in range(n_edits)} - found)
    print(f"{n_labels} labels, {n_lost} lost; {n_edits} edits, {n_lost_edits} lost")
    return n_lost + n_lost_edits


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
