"""Bouts of a film: what is held, from when to when, and what each frame shows."""

import numpy as np
import pandas as pd
import pytest

from tests.predict.test_steady import LABELS, make_film
from utils.predict.bouts import build_bouts, predict_each_frame


def test_bouts_are_made_film_by_film_and_say_where_nobody_is() -> None:
    time_s, shares = make_film(5, [("sit", 2.0), ("lie", 2.0), ("stand", 2.0)])
    shares[10:20] = np.nan
    one = pd.DataFrame({"video": "b", "time_s": time_s})
    times = pd.concat([one, one.assign(video="a")], ignore_index=True)
    mixed = np.argsort(times["time_s"].to_numpy(), kind="stable")  # b, a, b, a, …
    bouts = build_bouts(
        times.iloc[mixed],
        np.concatenate([shares, shares])[mixed],
        classes=LABELS,
        every_s=0.2,
    )
    assert bouts["video"].tolist() == ["b"] * 3 + ["a"] * 3
    assert bouts["label"].tolist() == ["sit", "nobody", "stand"] * 2
    assert bouts["start_s"].tolist()[:3] == pytest.approx([0.0, 2.0, 4.0])
    assert bouts["end_s"].tolist()[:3] == pytest.approx([2.0, 4.0, 6.0])
    np.testing.assert_allclose(bouts["probability"], [1.0, np.nan, 1.0] * 2)


def test_a_pose_unlike_all_is_none_of_these_also_where_that_is_a_class() -> None:
    time_s, shares = make_film(5, [("sit", 2.0), ("lie", 2.0), ("stand", 2.0)])
    shares[10:20] = 0.0
    times = pd.DataFrame({"video": "a", "time_s": time_s})
    for classes in (LABELS, ("sit", "stand", "none of these")):
        bouts = build_bouts(times, shares, classes=classes, every_s=0.2)
        assert bouts["label"].tolist()[:2] == ["sit", "none of these"]
        assert bouts["start_s"].tolist()[:2] == pytest.approx([0.0, 2.0])


def test_a_film_with_no_frames_has_no_bouts() -> None:
    none = pd.DataFrame({"video": [], "time_s": []})
    bouts = build_bouts(none, np.zeros((0, 3)), classes=LABELS, every_s=0.2)
    assert list(bouts) == ["video", "start_s", "end_s", "label", "probability"]
    assert bouts.empty


def test_each_frame_shows_the_posture_held_or_that_there_is_none() -> None:
    time_s, shares = make_film(5, [("sit", 1.0), ("lie", 2.0), ("stand", 1.0)])
    shares[5:10] = 1 / 3  # undecided
    shares[10:15] = np.nan
    frames = predict_each_frame(
        pd.DataFrame({"time_s": time_s}), shares, classes=LABELS, every_s=0.2
    )
    assert frames["time_s"].tolist() == time_s.tolist()
    words = ["sit", "none of these", "nobody", "stand"]
    # over 0.6 s the first undecided frame is still more than half sitting
    assert frames["label"].tolist() == np.repeat(words, [6, 4, 5, 5]).tolist()
    probability = np.repeat([1.0, 1 / 3, np.nan, 1.0], [5, 1, 9, 5])
    np.testing.assert_array_equal(frames["probability"], probability)


def test_a_frame_unsure_for_a_moment_does_not_change_what_is_shown() -> None:
    time_s, shares = make_film(15, [("sit", 2.0)])
    shares[12] = [0.2, 0.5, 0.3]
    shares[18] = np.nan
    frames = predict_each_frame(
        pd.DataFrame({"time_s": time_s}), shares, classes=LABELS, every_s=1 / 15
    )
    assert set(frames["label"]) == {"sit"}


def test_a_sampling_step_of_seconds_still_holds_postures() -> None:
    time_s, shares = make_film(0.5, [("sit", 8.0), ("lie", 8.0)])
    times = pd.DataFrame({"video": "a", "time_s": time_s})
    bouts = build_bouts(times, shares, classes=LABELS, every_s=2.0)
    assert bouts["label"].tolist() == ["sit", "lie"]
    assert bouts[["start_s", "end_s"]].to_numpy().tolist() == [[0, 8], [8, 16]]
