"""Folds by person or time, split strategies, and the leak between two sides."""

import warnings

import numpy as np
import pandas as pd
import pytest

from utils.training.protocol import Split
from utils.training.splits import (
    STRATEGIES,
    build_folds,
    build_samples,
    build_splits,
    build_strategies,
    build_time_folds,
    choose_folds,
    find_near,
    measure_leaks,
    summarise_folds,
)

EVERY_S = 0.2


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
    with pytest.warns(UserWarning, match="each of 4 people is a fold of their own"):
        folds = build_folds(samples, n_folds=2)
    assert folds["fold"].nunique() == 4
    for fold in range(4):
        assert set(folds.loc[folds["fold"] != fold, "label"]) == set("abc")


@pytest.mark.parametrize(
    ("people", "match"),
    [
        ({"ann": "a", "bob": "a"}, "Only one class is labelled, 'a'"),
        ({"ann": "ab"}, "Only one person is labelled, ann: none can be held out"),
        ({"ann": "a", "bob": "abc"}, "Only bob shows 'b': held out, nobody"),
    ],
)
def test_people_who_cannot_be_held_out_are_refused(
    people: dict[str, str], match: str
) -> None:
    with pytest.raises(ValueError, match=match):
        build_folds(make_samples(people))


def test_what_one_person_alone_shows_is_learnt_but_not_scored() -> None:
    samples = make_samples({"ann": "ab", "bob": "abc", "cy": "ab"})
    folds, text = choose_folds(samples)
    assert "Only bob shows c: it is learnt, but cannot be scored" in text
    splits = build_splits(folds)
    label, who = folds["label"].to_numpy(), folds["subject"].to_numpy()
    for split in splits:
        assert set(label[split.val]) == {"a", "b"}
        assert not set(who[split.train]) & set(who[split.val])
    learnt = [set(label[split.train]) for split in splits]
    assert learnt.count({"a", "b", "c"}) == 2
    # eight people in four folds: one lone class does not make a fold of each
    many = make_samples({f"p{i}": "abc" if i == 3 else "ab" for i in range(8)})
    assert build_folds(many, n_folds=4)["fold"].nunique() == 4


def test_summary_counts_frames_by_fold_person_and_class() -> None:
    samples = build_folds(make_samples({"ann": "aab", "bob": "ab"}, n_frames=3))
    summary = summarise_folds(samples)
    assert summary.loc[(0, "ann")].to_dict() == {"a": 6, "b": 3, "total": 9}
    assert summary["total"].sum() == len(samples)


def test_leak_counts_held_out_frames_with_a_near_twin_in_training() -> None:
    samples = make_samples({"ann": "a", "bob": "a"}, n_frames=10, every_s=1.0)
    val = np.array([0, 5, 6, 7])  # ann at 0, 5, 6, 7 s: 6 has no neighbour but 5 and 7
    split = Split(0, np.setdiff1d(np.arange(20), val), val)
    for within_s, share in ((1.0, 3 / 4), (0.9, 0), (2.0, 1)):
        leaks = measure_leaks(samples, [split], within_s=within_s)
        assert leaks["leak_near"] == pytest.approx(share)


def test_leak_is_none_when_split_by_person() -> None:
    samples = build_folds(make_samples({p: "ab" for p in "uvwxyz"}))
    assert measure_leaks(samples, build_splits(samples))["leak_near"] == 0


def test_a_single_fold_is_refused() -> None:
    samples = make_samples({"ann": "ab", "bob": "ab"}).assign(fold=0)
    with pytest.raises(ValueError, match="at least two folds, got 1"):
        build_splits(samples)
    with pytest.raises(ValueError, match="Only one person is labelled, ann"):
        build_splits(samples[samples["subject"] == "ann"])


def test_splits_validate_each_row_once_and_never_learn_from_it() -> None:
    samples = build_folds(make_samples({p: "ab" for p in "uvw"}))
    splits = build_splits(samples)
    assert sorted(np.concatenate([s.val for s in splits])) == list(range(24))
    for split in splits:
        people = samples["subject"]
        assert not set(people.iloc[split.train]) & set(people.iloc[split.val])


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


def test_spans_of_time_leak_nothing_within_the_gap(one_person: pd.DataFrame) -> None:
    samples = build_time_folds(one_person, gap_s=1.0)
    assert measure_leaks(samples, build_splits(samples))["leak_near"] == 0
    assert sorted(samples["fold"].unique()) == [0, 1, 2, 3, 4]
    assert 0.7 * len(one_person) < len(samples) < len(one_person)
    for fold in range(5):
        held_out = samples["fold"] == fold
        assert set(samples.loc[held_out, "label"]) == {"sit", "stand"}
        assert set(samples.loc[~held_out, "label"]) == {"sit", "stand"}


def test_short_spans_are_cut_into_shorter_spans(one_person: pd.DataFrame) -> None:
    short = make_clip("v", "ann", [("sit", 4.5), ("stand", 4.5)])
    samples = build_time_folds(short, gap_s=0.2)
    assert (samples.groupby("label")["fold"].nunique() == 2).all()


def test_a_class_at_one_time_only_is_learnt_but_not_scored() -> None:
    spans = [("sit", 6.0), ("stand", 6.0), ("wave", 1.0), ("sit", 6.0), ("stand", 6.0)]
    folds, text = choose_folds(make_clip("v", "ann", spans))
    assert "wave is learnt, but cannot be scored" in text
    splits = build_splits(folds)
    scored = np.concatenate([folds["label"].to_numpy()[s.val] for s in splits])
    assert set(scored) == {"sit", "stand"}


def test_two_classes_must_come_twice(one_person: pd.DataFrame) -> None:
    short = make_clip("v", "ann", [("sit", 20.0), ("stand", 1.0)])
    with pytest.raises(ValueError, match="'stand' is labelled at one time only"):
        build_time_folds(short)


def test_equal_seeds_give_equal_spans(one_person: pd.DataFrame) -> None:
    first = build_time_folds(one_person, seed=3)
    pd.testing.assert_frame_equal(first, build_time_folds(one_person, seed=3))


def test_a_pause_between_two_spans_of_a_label_ends_one(
    one_person: pd.DataFrame,
) -> None:
    spans = [("sit", 2.0), ("stand", 2.0)] * 2
    samples = build_time_folds(make_clip("v", "ann", spans), gap_s=0.1)
    assert len(samples) == 40 and samples["fold"].nunique() == 2
    stretch = np.repeat([0, 1, 2, 3], 10)
    assert samples["fold"].groupby(stretch).nunique().max() == 1


def test_people_are_held_out_where_there_are_two_and_time_where_there_is_one(
    one_person: pd.DataFrame,
) -> None:
    people = make_samples({p: "ab" for p in "uvwxyz"})
    folds, text = choose_folds(people, n_folds=3, seed=1)
    pd.testing.assert_frame_equal(folds, build_folds(people, n_folds=3, seed=1))
    assert text == "Whole people are held out: 6 in 3 folds."
    folds, text = choose_folds(one_person, n_folds=3, seed=1)
    expected = build_time_folds(one_person, n_folds=3, seed=1)
    pd.testing.assert_frame_equal(folds, expected)
    assert text.startswith("Only ann is labelled: moments of the same films are held")
    assert "flattering. Film one more person" in text


def test_time_is_held_out_where_two_people_share_no_two_postures() -> None:
    one = make_clip("v", "ann", [("sit", 20.0), ("wave", 20.0)])
    two = make_clip("w", "bob", [("stand", 20.0), ("wave", 20.0)])
    folds, text = choose_folds(pd.concat([one, two]))
    assert text.startswith("No two postures are shown by two people: moments of")
    assert set(folds["label"]) == {"sit", "stand", "wave"}


@pytest.fixture
def clips() -> pd.DataFrame:
    """3 people, two clips each in two rooms, 20 frames a clip at 5 a second."""
    filmed = [(f"{who}_{clip}", who, f"room{clip}") for who in "abc" for clip in "12"]
    rows = [
        (video, i, i / 5, who, "sit" if i < 10 else "stand", room)
        for video, who, room in filmed
        for i in range(20)
    ]
    columns = ["video", "frame_idx", "time_s", "subject", "label", "camera"]
    table = pd.DataFrame(rows, columns=columns)
    return table.assign(fold=pd.factorize(table["subject"])[0])


def test_every_strategy_scores_each_frame_once_and_learns_from_no_scored_frame(
    clips: pd.DataFrame,
) -> None:
    found = build_strategies(clips, n_folds=3)
    assert list(found) == list(STRATEGIES)
    for splits in found.values():
        scored = np.concatenate([s.val for s in splits])
        assert sorted(scored) == list(range(len(clips)))
        assert all(not set(s.train) & set(s.val) for s in splits)


def test_each_strategy_closes_one_more_leak(clips: pd.DataFrame) -> None:
    found = build_strategies(clips, n_folds=3)
    leaks = pd.DataFrame({n: measure_leaks(clips, s) for n, s in found.items()}).T
    assert leaks.loc["random", "leak_near"] > 0.9
    assert (leaks.loc[["times", "videos", "people"], "leak_near"] == 0).all()
    assert leaks.loc["times", "leak_video"] == 1
    assert (leaks.loc[["videos", "people"], "leak_video"] == 0).all()
    assert leaks.loc["videos", "leak_person"] == 1
    assert leaks.loc["people", "leak_person"] == 0
    assert leaks["leak_twin"].isna().all()


def test_twins_in_training_are_counted(clips: pd.DataFrame) -> None:
    splits = [Split(0, np.array([0, 1]), np.array([20, 21]))]
    twins = np.arange(len(clips))
    twins[20] = twins[0]
    assert measure_leaks(clips, splits, twins=twins)["leak_twin"] == 0.5


def test_strategies_that_the_data_does_not_allow_are_absent(
    clips: pd.DataFrame,
) -> None:
    one_clip = clips[clips["video"] == "a_1"].reset_index(drop=True)
    alone = one_clip.drop(columns=["camera", "fold"])
    assert set(build_strategies(alone, n_folds=3)) == {"random", "times"}
    timed = build_time_folds(alone, n_folds=2, gap_s=0.2)
    assert set(build_strategies(timed, n_folds=3)) == {"random", "times"}


def test_near_counts_exactly_one_second_and_not_another_video(
    clips: pd.DataFrame,
) -> None:
    near = find_near(clips, np.array([5, 6, 20]), np.array([0]), within_s=1.0)
    assert near.tolist() == [True, False, False]
