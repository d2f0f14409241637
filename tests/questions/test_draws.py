"""Tests of `utils.questions.learning_curve`."""

from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from utils.questions.learning_curve import (
    compare_recall,
    draw_people,
    draw_seconds,
    learn_from_draws,
    measure_step,
)
from utils.training.protocol import Model, build_empty_history, run_models


@pytest.fixture
def samples() -> pd.DataFrame:
    """6 people, one clip each, 4 s sitting then 4 s standing at 5 frames a second."""
    rows = [
        (f"{who}_1", i, i / 5, who, "sit" if i < 20 else "stand")
        for who in "abcdef"
        for i in range(40)
    ]
    columns = ["video", "frame_idx", "time_s", "subject", "label"]
    table = pd.DataFrame(rows, columns=columns)
    return table.assign(fold=pd.factorize(table["subject"])[0] // 2)


def _need_three_people(
    train: np.ndarray, val: np.ndarray, *, seed: int, samples: pd.DataFrame
) -> tuple[pd.DataFrame, np.ndarray]:
    """Know sitting at once; know standing from three people on."""
    del seed
    y = (samples["label"] == "stand").to_numpy().astype(int)[val]
    enough = samples["subject"].iloc[train].nunique() >= 3
    return build_empty_history(), np.eye(2)[y if enough else np.zeros_like(y)]


def _learn(samples: pd.DataFrame, folder: Path) -> pd.DataFrame:
    fit = partial(_need_three_people, samples=samples)
    model = Model("pose", fit, key="1", n_parameters=0)
    run = partial(run_models, seeds=[0], folder=folder)
    return learn_from_draws(samples, [model], draw_people(samples), run=run)


def test_people_are_drawn_in_doubling_numbers_evenly_and_all_others_are_scored(
    samples: pd.DataFrame,
) -> None:
    splits, draws = draw_people(samples, budget="quick")
    assert draws["n_people"].unique().tolist() == [1, 2, 4, 5]
    assert (draws.groupby("n_people").size() == 6).all()
    seen = []
    for split, n_people in zip(splits, draws["n_people"], strict=True):
        learnt = set(samples["subject"].iloc[split.train])
        told = set(samples["subject"].iloc[split.val])
        assert len(learnt) == n_people
        assert learnt | told == set("abcdef")
        assert not learnt & told
        seen.append((n_people, *sorted(learnt)))
    assert len(set(seen)) == len(seen)
    times = pd.Series([p for s in seen if s[0] == 2 for p in s[1:]]).value_counts()
    assert times.min() == times.max()


def test_full_budget_draws_more_but_no_set_twice(samples: pd.DataFrame) -> None:
    _, draws = draw_people(samples, budget="full")
    sizes = draws.groupby("n_people").size()
    assert sizes[1] == 6  # there are only six
    assert sizes[2] == 15
    with pytest.raises(ValueError, match="BUDGET of quick or full, got 'huge'"):
        draw_people(samples, budget="huge")


def test_a_single_person_cannot_be_drawn_from(samples: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match="Film one more person"):
        draw_people(samples[samples["subject"] == "a"])


def test_seconds_are_drawn_span_by_span_from_training_people(
    samples: pd.DataFrame,
) -> None:
    splits, draws = draw_seconds(samples, budget="quick")
    assert draws["n_seconds"].unique().tolist() == [1, 2, 5, 10, 16.0]
    for split, row in zip(splits, draws.itertuples(), strict=True):
        learnt = samples.iloc[split.train]
        counts = learnt["label"].value_counts()
        assert (counts == round(5 * row.n_seconds)).all()
        assert not set(learnt["subject"]) & set(samples["subject"].iloc[split.val])
    first = samples.iloc[splits[0].train]
    for _, stretch in first.groupby("label"):
        assert len(set(stretch["video"])) == 1
        assert np.ptp(stretch["time_s"]) == pytest.approx(0.8)


def test_step_is_the_usual_time_between_frames(samples: pd.DataFrame) -> None:
    assert measure_step(samples) == pytest.approx(0.2)


def test_curve_has_a_row_a_draw_and_person_left_out(
    samples: pd.DataFrame, tmp_path: Path
) -> None:
    curve = _learn(samples, tmp_path)
    assert len(curve) == 6 * (5 + 4 + 2 + 1)
    means = curve.groupby("n_people")[["accuracy", "recall_sit", "recall_stand"]].mean()
    assert means.loc[2].tolist() == [0.5, 1, 0]
    assert means.loc[4].tolist() == [1, 1, 1]


def test_gain_is_that_of_people_left_out_with_few_and_with_many(
    samples: pd.DataFrame, tmp_path: Path
) -> None:
    curve = _learn(samples, tmp_path)
    is_most = curve["n_people"] == 5
    who = curve.loc[is_most, "subject"].iloc[0]
    curve.loc[is_most, "recall_stand"] = 0.9
    # somebody who was scored with few people alone says nothing of the gain
    curve = curve[~is_most | (curve["subject"] == who)]
    curve.loc[~is_most & (curve["subject"] != who), "recall_stand"] = 0.5
    table = compare_recall(curve, model="pose")
    assert table.loc["stand"].tolist() == [0.9, 2, 5]
    assert table.loc["sit", "gain"] == 0
    one = compare_recall(curve[curve["n_people"] == 2], model="pose")
    assert one["gain"].isna().all()
