"""Tests of `utils.predict.bouts`."""

import numpy as np
import pandas as pd
import pytest

from utils.predict.bouts import build_bouts, smooth_probabilities

CLASSES = ("sit", "stand")


def _times(time_s: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame({"video": "clip", "time_s": time_s})


def _sure(labels: str) -> np.ndarray:
    return np.array([[0.9, 0.1] if c == "s" else [0.1, 0.9] for c in labels])


def test_smoothing_keeps_rows_summing_to_one_and_constants_as_they_are() -> None:
    time_s = np.array([0.0, 0.1, 0.5, 0.6])
    smooth = smooth_probabilities(np.full((4, 2), 0.5), time_s)
    assert np.allclose(smooth, 0.5)
    mixed = smooth_probabilities(_sure("ssts"), time_s)
    assert np.allclose(mixed.sum(axis=1), 1)


def test_smoothing_is_the_same_forwards_and_backwards() -> None:
    time_s = np.array([0.0, 0.2, 0.3, 0.9])
    forward = smooth_probabilities(_sure("sstt"), time_s)
    backward = smooth_probabilities(_sure("ttss"), (0.9 - time_s)[::-1])
    assert np.allclose(forward, backward[::-1])


def test_smoothing_weighs_by_half_life() -> None:
    smooth = smooth_probabilities(_sure("st"), np.array([0.0, 0.3]), half_life_s=0.3)
    assert smooth[0, 0] == pytest.approx((0.9 + 0.5 * 0.1) / 1.5)


def test_smoothing_refuses_frames_out_of_order() -> None:
    with pytest.raises(ValueError, match="Sort them by `time_s`"):
        smooth_probabilities(_sure("st"), np.array([1.0, 0.0]))


def test_bouts_join_equal_neighbours_and_meet_without_gap() -> None:
    bouts = build_bouts(
        _times(np.arange(6) * 0.5), _sure("ssstts"), classes=CLASSES, every_s=0.5
    )
    assert bouts["label"].tolist() == ["sit", "stand", "sit"]
    assert bouts["start_s"].tolist() == [0.0, 1.5, 2.5]
    assert bouts["end_s"].tolist() == [1.5, 2.5, 3.0]


def test_a_bout_shorter_than_the_minimum_goes_to_its_neighbour() -> None:
    bouts = build_bouts(
        _times(np.arange(7) * 0.2),
        _sure("ssstsss"),
        classes=CLASSES,
        every_s=0.2,
        min_bout_s=0.5,
    )
    assert bouts["label"].tolist() == ["sit"]
    assert bouts["end_s"].iloc[0] == pytest.approx(1.4)


def test_a_gap_in_the_frames_ends_a_bout() -> None:
    bouts = build_bouts(
        _times(np.array([0.0, 0.5, 5.0, 5.5])),
        _sure("ssss"),
        classes=CLASSES,
        every_s=0.5,
    )
    assert bouts[["start_s", "end_s"]].to_numpy().tolist() == [[0, 1], [5, 6]]


def test_no_frames_give_no_bouts() -> None:
    empty = build_bouts(
        _times(np.array([])), np.empty((0, 2)), classes=CLASSES, every_s=0.2
    )
    assert len(empty) == 0
    assert list(empty) == ["video", "start_s", "end_s", "label", "probability"]
