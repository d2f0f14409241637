"""Tests of `utils.questions.leakage`."""

from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from utils.questions.leakage import (
    RUNGS,
    build_ladder,
    find_near,
    measure_leaks,
    read_ladder,
    run_ladder,
)
from utils.training.protocol import Rival, Split, empty_history, run_rivals


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
    return empty_history(), shares


def test_every_rung_scores_each_frame_once_and_learns_from_no_scored_frame(
    samples: pd.DataFrame,
) -> None:
    ladder = build_ladder(samples, n_folds=3)
    assert list(ladder) == list(RUNGS)
    for splits in ladder.values():
        scored = np.concatenate([s.val for s in splits])
        assert sorted(scored) == list(range(len(samples)))
        assert all(not set(s.train) & set(s.val) for s in splits)


def test_each_rung_closes_one_more_leak(samples: pd.DataFrame) -> None:
    ladder = build_ladder(samples, n_folds=3)
    leaks = pd.DataFrame({r: measure_leaks(samples, s) for r, s in ladder.items()}).T
    assert leaks.loc["random", "leak_near"] > 0.9
    assert (leaks.loc[["blocks", "clips", "people"], "leak_near"] == 0).all()
    assert leaks.loc["blocks", "leak_video"] == 1
    assert (leaks.loc[["clips", "people"], "leak_video"] == 0).all()
    assert leaks.loc["clips", "leak_person"] == 1
    assert leaks.loc["people", "leak_person"] == 0
    assert leaks["leak_twin"].isna().all()


def test_twins_in_training_are_counted(samples: pd.DataFrame) -> None:
    splits = [Split(0, np.array([0, 1]), np.array([20, 21]))]
    twins = np.arange(len(samples))
    twins[20] = twins[0]
    assert measure_leaks(samples, splits, twins=twins)["leak_twin"] == 0.5


def test_rungs_that_the_data_does_not_allow_are_absent(samples: pd.DataFrame) -> None:
    one_clip = samples[samples["video"] == "a_1"].reset_index(drop=True)
    alone = one_clip.drop(columns=["camera", "fold"])
    assert set(build_ladder(alone, n_folds=3)) == {"random", "blocks"}


def test_near_counts_exactly_one_second_and_not_another_video(
    samples: pd.DataFrame,
) -> None:
    near = find_near(samples, np.array([5, 6, 20]), np.array([0]), within_s=1.0)
    assert near.tolist() == [True, False, False]


def test_a_model_that_only_remembers_falls_down_the_ladder(
    samples: pd.DataFrame, tmp_path: Path
) -> None:
    fit = partial(_remember_neighbours, samples=samples)
    rival = Rival("memory", fit, key="1", n_parameters=0)
    run = partial(run_rivals, seeds=[0], folder=tmp_path)
    table = run_ladder(samples, [rival], build_ladder(samples, n_folds=3), run=run)
    accuracy = table.set_index("rung")["accuracy"]
    assert accuracy["random"] > 0.95
    assert accuracy["people"] == pytest.approx(0.5)
    text = read_ladder(table, models={"memory": "rote learner"})
    assert "the rote learner goes from" in text
    assert "points were leak" in text
    assert "to 0.500" in text


def test_the_sentence_says_so_where_nobody_could_be_held_out(
    samples: pd.DataFrame, tmp_path: Path
) -> None:
    fit = partial(_remember_neighbours, samples=samples)
    rival = Rival("memory", fit, key="1", n_parameters=0)
    run = partial(run_rivals, seeds=[0], folder=tmp_path)
    ladder = build_ladder(samples.drop(columns="fold"), n_folds=3)
    table = run_ladder(samples, [rival], ladder, run=run)
    text = read_ladder(table, models={"memory": "rote learner"})
    assert "nobody could be held out" in text
