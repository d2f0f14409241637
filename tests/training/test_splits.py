"""Folds by person, and the leak between training and held-out frames."""

import warnings

import numpy as np
import pandas as pd
import pytest

from utils.training.splits import (
    build_folds,
    build_samples,
    leak_share,
    measure_leak,
    summarise_folds,
)


def make_samples(
    shown: dict[str, str], *, n_frames: int = 4, every_s: float = 0.2
) -> pd.DataFrame:
    """Return samples: each person shows each letter of a text, one class a letter."""
    rows = [
        (subject, k, k * every_s, subject, label)
        for subject, labels in shown.items()
        for k, label in enumerate(np.repeat(list(labels), n_frames))
    ]
    columns = ["video", "frame_idx", "time_s", "subject", "label"]
    return pd.DataFrame(rows, columns=columns)


@pytest.fixture
def frames() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "video": ["a", "a", "b", "b"],
            "frame_idx": [0, 6, 0, 6],
            "time_s": [0.0, 0.2, 0.0, 0.2],
            "path": ["a0", "a6", "b0", "b6"],
            "width_px": 640,
            "height_px": 480,
            "sharpness": 1.0,
        }
    )


@pytest.fixture
def videos() -> pd.DataFrame:
    return pd.DataFrame({"video": ["a", "b"], "subject": ["ann", "bob"]})


def test_samples_are_the_labelled_frames_with_their_person(
    frames: pd.DataFrame, videos: pd.DataFrame
) -> None:
    labels = pd.Series(["sit", np.nan, None, "stand"], index=[7, 8, 9, 10])
    samples = build_samples(frames, labels, videos)
    assert samples[["video", "frame_idx"]].to_numpy().tolist() == [["a", 0], ["b", 6]]
    assert samples["subject"].tolist() == ["ann", "bob"]
    assert samples["label"].tolist() == ["sit", "stand"]
    assert samples["path"].tolist() == ["a0", "b6"]


def test_samples_keep_the_camera_if_known(
    frames: pd.DataFrame, videos: pd.DataFrame
) -> None:
    samples = build_samples(frames, ["x"] * 4, videos.assign(camera=["hall", "yard"]))
    assert samples["camera"].tolist() == ["hall", "hall", "yard", "yard"]


@pytest.mark.parametrize(
    ("labels", "match"),
    [
        (["sit"], "each of 4 frames, got 1"),
        ([None] * 4, "None of 4 frames has a label"),
    ],
)
def test_labels_that_do_not_fit_are_refused(
    labels: list, match: str, frames: pd.DataFrame, videos: pd.DataFrame
) -> None:
    with pytest.raises(ValueError, match=match):
        build_samples(frames, labels, videos)


def test_frames_of_an_unknown_video_are_refused(
    frames: pd.DataFrame, videos: pd.DataFrame
) -> None:
    with pytest.raises(ValueError, match="Frames of b have no row"):
        build_samples(frames, ["x"] * 4, videos.iloc[:1])


@pytest.mark.parametrize("seed", range(5))
def test_nobody_is_on_both_sides_and_every_class_is_learnt(seed: int) -> None:
    people = {f"person{i}": "abc" for i in range(7)}
    samples = build_folds(make_samples(people), seed=seed)
    assert samples.groupby("subject")["fold"].nunique().max() == 1
    assert sorted(samples["fold"].unique()) == [0, 1, 2, 3, 4]
    for fold in range(5):
        assert set(samples.loc[samples["fold"] != fold, "label"]) == set("abc")


def test_equal_seeds_give_equal_folds() -> None:
    samples = make_samples({f"person{i}": "ab" for i in range(9)})
    first = build_folds(samples, n_folds=3, seed=1)
    pd.testing.assert_frame_equal(first, build_folds(samples, n_folds=3, seed=1))
    others = [build_folds(samples, n_folds=3, seed=s)["fold"] for s in range(2, 6)]
    assert any((fold != first["fold"]).any() for fold in others)


def test_few_people_give_a_fold_each_without_warning() -> None:
    samples = make_samples({"ann": "ab", "bob": "ab", "cy": "ab"})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        folds = build_folds(samples, n_folds=5)
    assert folds.groupby("subject")["fold"].first().tolist() == [0, 1, 2]


def test_folds_that_would_lack_a_class_fall_back_to_a_fold_a_person() -> None:
    # in two folds, v is apart from u (for b) and from w (for c), and so from all
    samples = make_samples({"u": "ab", "v": "abc", "w": "ac", "x": "a"})
    with pytest.warns(UserWarning, match="each of 4 subjects is a fold of its own"):
        folds = build_folds(samples, n_folds=2)
    assert folds["fold"].nunique() == 4
    for fold in range(4):
        assert set(folds.loc[folds["fold"] != fold, "label"]) == set("abc")


def test_cameras_can_be_held_out_instead_of_people() -> None:
    samples = make_samples({p: "ab" for p in "uvwxyz"})
    samples["camera"] = samples["subject"].map(
        dict(zip("uvwxyz", ["hall", "hall", "yard", "yard", "gym", "gym"], strict=True))
    )
    folds = build_folds(samples, group="camera")
    assert folds.groupby("camera")["fold"].nunique().max() == 1
    assert folds["fold"].nunique() == 3


@pytest.mark.parametrize(
    ("people", "match"),
    [
        ({"ann": "a", "bob": "a"}, "Only one class is labelled, 'a'"),
        ({"ann": "ab"}, "Only one person is labelled, ann: none can be held out"),
        ({"ann": "ab", "bob": "abc"}, "Only bob shows 'c': held out, nobody"),
    ],
)
def test_people_who_cannot_be_held_out_are_refused(
    people: dict[str, str], match: str
) -> None:
    with pytest.raises(ValueError, match=match):
        build_folds(make_samples(people))


def test_holding_out_cameras_needs_cameras() -> None:
    with pytest.raises(ValueError, match="Fill in the column camera of"):
        build_folds(make_samples({"ann": "ab", "bob": "ab"}), group="camera")


def test_summary_counts_frames_by_fold_person_and_class() -> None:
    samples = build_folds(make_samples({"ann": "aab", "bob": "ab"}, n_frames=3))
    summary = summarise_folds(samples)
    assert summary.loc[(0, "ann")].to_dict() == {"a": 6, "b": 3, "total": 9}
    assert summary["total"].sum() == len(samples)


def test_leak_counts_held_out_frames_with_a_near_twin_in_training() -> None:
    samples = make_samples({"ann": "a", "bob": "a"}, n_frames=10, every_s=1.0)
    is_val = np.zeros(20, dtype=bool)
    is_val[[0, 5, 6, 7]] = True  # ann at 0, 5, 6, 7 s: 6 has no neighbour but 5 and 7
    assert leak_share(samples, is_val, within_s=1.0) == pytest.approx(3 / 4)
    assert leak_share(samples, is_val, within_s=0.9) == 0
    assert leak_share(samples, is_val, within_s=2.0) == 1


def test_leak_is_none_when_split_by_person_and_nan_without_validation() -> None:
    samples = build_folds(make_samples({p: "ab" for p in "uvwxyz"}))
    assert measure_leak(samples) == 0
    assert np.isnan(leak_share(samples, np.zeros(len(samples), dtype=bool)))
