"""Tests of `utils.questions.leakage`."""

from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from utils.questions.leakage import describe_leakage, score_strategies
from utils.training.protocol import Model, build_empty_history, run_models
from utils.training.splits import build_strategies, find_near


@pytest.fixture
def samples() -> pd.DataFrame:
    """3 people, two clips each in two rooms, 20 frames a clip at 5 a second."""
    clips = [(f"{who}_{clip}", who, f"room{clip}") for who in "abc" for clip in "12"]
    rows = [
        (video, i, i / 5, who, "sit" if i < 10 else "stand", room)
        for video, who, room in clips
        for i in range(20)
    ]
    columns = ["video", "frame_idx", "time_s", "subject", "label", "camera"]
    table = pd.DataFrame(rows, columns=columns)
    return table.assign(fold=pd.factorize(table["subject"])[0])


def _remember_neighbours(
    train: np.ndarray, val: np.ndarray, *, seed: int, samples: pd.DataFrame
) -> tuple[pd.DataFrame, np.ndarray]:
    """Tell right what was seen within 1 s in the same video, guess the rest."""
    del seed
    y = (samples["label"] == "stand").to_numpy().astype(int)
    seen = find_near(samples, val, train, within_s=1.0)
    shares = np.full((len(val), 2), [0.51, 0.49])
    shares[seen] = np.eye(2)[y[val[seen]]]
    return build_empty_history(), shares


def test_a_model_that_only_remembers_falls_as_splits_grow_stricter(
    samples: pd.DataFrame, tmp_path: Path
) -> None:
    fit = partial(_remember_neighbours, samples=samples)
    model = Model("memory", fit, key="1", n_parameters=0)
    run = partial(run_models, seeds=[0], folder=tmp_path)
    table = score_strategies(
        samples, [model], build_strategies(samples, n_folds=3), run=run
    )
    accuracy = table.set_index("strategy")["accuracy"]
    assert accuracy["random"] > 0.95
    assert accuracy["people"] == pytest.approx(0.5)
    text = describe_leakage(table, models={"memory": "rote learner"})
    assert "the rote learner goes from" in text
    assert "points were leak" in text
    assert "to 50.0%" in text


def test_the_sentence_says_so_where_nobody_could_be_held_out(
    samples: pd.DataFrame, tmp_path: Path
) -> None:
    fit = partial(_remember_neighbours, samples=samples)
    model = Model("memory", fit, key="1", n_parameters=0)
    run = partial(run_models, seeds=[0], folder=tmp_path)
    strategies = build_strategies(samples.drop(columns="fold"), n_folds=3)
    table = score_strategies(samples, [model], strategies, run=run)
    text = describe_leakage(table, models={"memory": "rote learner"})
    assert "nobody could be held out" in text
