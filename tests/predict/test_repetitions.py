"""Repetitions on poses of made people: exact where there are, none where not.

`six_people.csv.gz` holds true keypoints (pixels) of six rendered people, five frames a
second, in the six postures that `demo_model.json` knows; each stays in one place.
"""

from itertools import permutations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from utils.core.skeleton import FEATURE_COLUMNS
from utils.export.model_json import compute_answers, read_model
from utils.pose.features import normalise_poses
from utils.predict.steady import Steady

PAIRS = (
    ("standing", "squatting"),
    ("standing", "bending"),
    ("sitting", "standing"),
    ("arms_raised", "standing"),
)
N_TIMES = 10
MODEL = read_model(Path(__file__).parents[1] / "export/demo_model.json")
LABELS, NONE_BELOW = MODEL["labels"], MODEL["none_below"]


def _predict(xy: np.ndarray) -> np.ndarray:
    features = normalise_poses(xy).reshape(len(xy), -1)
    return compute_answers(MODEL, features)[1]


@pytest.fixture(scope="module")
def films() -> pd.DataFrame:
    """True keypoints of every picture, with its time, person and posture."""
    path = Path(__file__).with_name("six_people.csv.gz")
    return pd.read_csv(path, keep_default_na=False)


def _read_xy(rows: pd.DataFrame) -> np.ndarray:
    columns = [f"{column}_px" for column in FEATURE_COLUMNS]
    return rows[columns].to_numpy().reshape(len(rows), -1, 2)


def _count(
    time_s: np.ndarray, shares: np.ndarray, pair: tuple[str, str]
) -> tuple[int, int]:
    steady = Steady(LABELS, none_below=NONE_BELOW, pair=pair)
    for now_s, row in zip(time_s, shares, strict=True):
        reading = steady.update(float(now_s), row)
    return reading.n_repetitions, reading.n_shown


@pytest.mark.parametrize("fps", [5, 15, 30])
@pytest.mark.parametrize("period_s", [0.8, 1.5, 4.0])
def test_every_person_and_pair_is_counted_exactly(
    period_s: float, fps: int, films: pd.DataFrame
) -> None:
    time_s = np.arange(0, 2 + N_TIMES * period_s, 1 / fps)
    turns = np.clip(time_s - 1, 0, N_TIMES * period_s) / period_s
    away = (1 - np.cos(2 * np.pi * turns))[:, None, None] / 2  # and back, eased
    for person, own in films.groupby("person"):
        middle = {
            label: _read_xy(rows)[len(rows) // 2]
            for label, rows in own.groupby("label")
            if label
        }
        for pair in PAIRS:
            home, other = (middle[label] for label in pair)
            shares = _predict((1 - away) * home + away * other)
            assert _count(time_s, shares, pair) == (N_TIMES, N_TIMES), (person, pair)


def test_no_repetition_is_shown_where_there_are_none(films: pd.DataFrame) -> None:
    for video, rows in films.groupby("video"):
        shares = _predict(_read_xy(rows))
        for pair in permutations(LABELS, 2):
            n_shown = _count(rows["time_s"].to_numpy(), shares, pair)[1]
            assert n_shown == 0, (video, pair)
