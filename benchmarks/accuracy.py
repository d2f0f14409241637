"""How near the true points a way's points lie, beside how fast it is.

The demo's people are rendered, so that their true keypoints are known in every frame.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.plain_reader import read_numbered
from utils.core.skeleton import KEYPOINTS
from utils.pose.metrics import find_correct_keypoints

Start = Callable[[], Callable[[np.ndarray, float], np.ndarray]]


def measure_pck(
    start: Start, films: Sequence[Path], *, every_s: float
) -> dict[str, float]:
    """Measure PCK at 0.2 torso of a way on films with known points.

    Args:
        start: Starts on a film; gives what finds the pose `(17, 3)` in an image at a
            time stamp.
        films: The films; `true_keypoints.csv` lies beside them if it is known.
        every_s: Seconds between frames.

    Returns:
        `pck`, 0 to 1; nothing where the truth is not known.
    """
    path = Path(films[0]).parent / "true_keypoints.csv"
    if not path.exists():
        return {}
    truth = pd.read_csv(path).set_index(["video", "frame_idx"])
    found, true = [], []
    for film in films:
        find = start()
        for frame_idx, time_s, image in read_numbered(film, every_s):
            found.append(find(image, time_s)[:, :2])
            row = truth.loc[(Path(film).stem, frame_idx)]
            xy = [[row[f"{k}_x_px"], row[f"{k}_y_px"]] for k in KEYPOINTS]
            true.append(xy)
    correct = find_correct_keypoints(np.array(found), np.array(true, dtype=float))
    return {"pck": float(np.nanmean(correct))}
