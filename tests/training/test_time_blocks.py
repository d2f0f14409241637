"""Blocks of time: folds where only one person is labelled."""

import numpy as np
import pandas as pd
import pytest

from utils.training.splits import measure_leak
from utils.training.time_blocks import build_time_blocks

EVERY_S = 0.2


def make_clip(video: str, subject: str, spans: list[tuple[str, float]]) -> pd.DataFrame:
    """Return samples of one video: labels that follow one another, seconds each."""
    labels = [label for label, s in spans for _ in range(round(s / EVERY_S))]
    frame_idx = np.arange(len(labels)) * 3
    return pd.DataFrame(
        {
            "video": video,
            "frame_idx": frame_idx,
            "time_s": frame_idx / 15,
            "subject": subject,
            "label": labels,
        }
    )


@pytest.fixture
def one_person() -> pd.DataFrame:
    return make_clip("v", "ann", [("sit", 30.0), ("stand", 30.0)])


def test_blocks_of_time_leak_nothing_within_the_gap(one_person: pd.DataFrame) -> None:
    samples = build_time_blocks(one_person, gap_s=1.0)
    assert measure_leak(samples, within_s=1.0) == 0
    assert sorted(samples["fold"].unique()) == [0, 1, 2, 3, 4]
    assert 0.7 * len(one_person) < len(samples) < len(one_person)
    for fold in range(5):
        held_out = samples["fold"] == fold
        assert set(samples.loc[held_out, "label"]) == {"sit", "stand"}
        assert set(samples.loc[~held_out, "label"]) == {"sit", "stand"}


def test_blocks_of_time_need_each_class_twice(one_person: pd.DataFrame) -> None:
    short = one_person[one_person["time_s"] < 33]
    with pytest.raises(ValueError, match="'stand' has 1 blocks of 5 s, expected at"):
        build_time_blocks(short)


def test_equal_seeds_give_equal_blocks(one_person: pd.DataFrame) -> None:
    first = build_time_blocks(one_person, seed=3)
    pd.testing.assert_frame_equal(first, build_time_blocks(one_person, seed=3))


def test_a_pause_between_two_stretches_ends_a_block(one_person: pd.DataFrame) -> None:
    spans = [("sit", 2.0), ("stand", 2.0)] * 2
    samples = build_time_blocks(make_clip("v", "ann", spans), gap_s=0.1)
    assert len(samples) == 40 and samples["fold"].nunique() == 2
    stretch = np.repeat([0, 1, 2, 3], 10)
    assert samples["fold"].groupby(stretch).nunique().max() == 1
