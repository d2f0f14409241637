"""The easier splits: random frames, blocks of time, another clip of the person."""

import numpy as np
import pandas as pd
import pytest

from utils.split_ladder import build_clip_folds, build_random_folds, build_time_blocks
from utils.splits import measure_leak

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


@pytest.fixture
def clips() -> pd.DataFrame:
    people = {f"{p}{c}": p for p in "uvw" for c in "12"}
    spans = [("sit", 2.0), ("stand", 2.0)]
    return pd.concat(
        [make_clip(v, p, spans) for v, p in people.items()], ignore_index=True
    )


def test_random_folds_leak_nearly_everything(one_person: pd.DataFrame) -> None:
    samples = build_random_folds(one_person)
    assert measure_leak(samples) > 0.95
    counts = pd.crosstab(samples["fold"], samples["label"])
    assert counts.shape == (5, 2) and counts.to_numpy().min() >= 29


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


def test_another_clip_of_each_held_out_person_is_learnt_from(
    clips: pd.DataFrame,
) -> None:
    for seed in range(5):
        samples = build_clip_folds(clips, seed=seed)
        assert samples.groupby("video")["fold"].nunique().max() == 1
        assert samples.groupby("subject")["fold"].nunique().min() > 1
        assert samples["fold"].nunique() == 5


def test_people_with_one_clip_have_no_other_to_hold_out(clips: pd.DataFrame) -> None:
    one_each = clips[clips["video"].str.endswith("1")]
    with pytest.raises(ValueError, match="No person has two labelled videos"):
        build_clip_folds(one_each)
    samples = build_clip_folds(clips[clips["video"] != "u1"])
    assert set(samples["subject"]) == {"v", "w"}


@pytest.mark.parametrize(
    "build", [build_random_folds, build_time_blocks, build_clip_folds]
)
def test_equal_seeds_give_equal_folds(build: object, clips: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(build(clips, seed=3), build(clips, seed=3))


def test_too_rare_a_class_is_refused_by_name(one_person: pd.DataFrame) -> None:
    rare = pd.concat([one_person, make_clip("w", "bob", [("lie", 0.4)])])
    with pytest.raises(ValueError, match="'lie' has 2 frames, expected at least 5"):
        build_random_folds(rare)
