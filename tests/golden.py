"""The golden run: what a change of structure must leave as it was, byte for byte.

Run the notebook on the demo before the change and after it, each in a clone of its
own, then compare the two:

    python -m tests.golden BEFORE AFTER     (folders of the two clones)
    python -m tests.golden CLONE            (prints the hashes of one)

Compared are the labels, every keypoint, the predictions, the verdicts and the
comparison. Left out are times, which no two runs share, and all that hangs on them in
the verdicts: the claim on seconds, and the level of the other intervals, of which the
claims that are decided take their share.
"""

import hashlib
import sys
from pathlib import Path

import pandas as pd

_TIMES = ["seconds_to_best", "ms_per_frame"]
_HANGS_ON_TIMES = ["low", "high", "level", "n_needed", "sentence"]  # in the verdicts


def read_golden(clone: Path) -> dict[str, str]:
    """Read what is compared of one run, each as the text of a CSV file.

    Args:
        clone: Folder of the project after `make run`.

    Returns:
        Name to text.

    Raises:
        FileNotFoundError: If the run left no such file.
    """
    results = clone / "data/results"
    verdict = pd.read_csv(results / "verdict.csv", dtype=str)
    verdict = verdict[~verdict["claim"].str.contains("seconds")]
    comparison = pd.read_csv(results / "comparison.csv", dtype=str)
    return {
        "labels.csv": _find_labels(clone).read_text(encoding="utf-8"),
        "keypoints": _read_keypoints(clone / "data/keypoints").to_csv(),
        "predictions.csv": (results / "predictions.csv").read_text(encoding="utf-8"),
        "verdict.csv": verdict.drop(columns=_HANGS_ON_TIMES, errors="ignore").to_csv(
            index=False
        ),
        "comparison.csv": comparison.drop(columns=_TIMES).to_csv(index=False),
    }


def _find_labels(clone: Path) -> Path:
    """Return the file that holds the demo's labels."""
    paths = [clone / "data/demo_labels.csv", clone / "videos/demo/labels.csv"]
    return next(path for path in paths if path.exists())


def _read_keypoints(folder: Path) -> pd.DataFrame:
    """Read the keypoints of every film, in one order."""
    paths = sorted(folder.glob("every_*/*.parquet"), key=lambda path: path.name)
    if not paths:
        raise FileNotFoundError(f"No keypoints under {folder}. Run `make run` there.")
    tables = [pd.read_parquet(path) for path in paths]
    key = ["video", "frame_idx", "keypoint"]
    return pd.concat(tables).sort_values(key, ignore_index=True)


def main(arguments: list[str]) -> int:
    """Print hashes; with two folders, say what differs.

    Args:
        arguments: One or two folders.

    Returns:
        0 if all is equal, 1 if not.
    """
    runs = [read_golden(Path(argument)) for argument in arguments]
    code = 0
    for name in runs[0]:
        texts = [run[name] for run in runs]
        hashes = [hashlib.sha256(text.encode()).hexdigest()[:16] for text in texts]
        is_same = len(set(texts)) == 1
        code |= not is_same
        print(f"{name:<18} {'  '.join(hashes)}  {'same' if is_same else 'DIFFERS'}")
        if not is_same:
            print(_find_first_difference(*texts))
    return code


def _find_first_difference(before: str, after: str) -> str:
    """Return the first line that differs, of both."""
    pairs = zip(before.splitlines(), after.splitlines(), strict=False)
    for number, (one, two) in enumerate(pairs, start=1):
        if one != two:
            return f"  line {number}:\n  - {one[:300]}\n  + {two[:300]}"
    return "  one is longer than the other"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
