"""Tests of `utils.evaluation.mistakes`."""

import numpy as np
import pandas as pd
import pytest

from tests.made_predictions import make_predictions
from utils.evaluation.mistakes import (
    OUTCOMES,
    count_kinds,
    count_outcomes,
    pick_examples,
    score_survivors,
    sort_into_kinds,
    sort_into_outcomes,
)

IMAGE = "mobilenet_frozen"


def _both(pose: dict[str, list[int]], image: dict[str, list[int]]) -> pd.DataFrame:
    tables = [
        make_predictions(pose, sure=0.9),
        make_predictions(image, model=IMAGE, sure=0.7),
    ]
    return pd.concat(tables, ignore_index=True)


def test_each_frame_falls_into_its_box() -> None:
    outcomes = sort_into_outcomes(_both({"a": [1, 1, 0, 0]}, {"a": [1, 0, 1, 0]}))
    found = outcomes.set_index("frame_idx")
    assert found["outcome"].astype(str).to_dict() == dict(enumerate(OUTCOMES))
    # The less sure model where both agree, the wrong one where one is wrong.
    assert found["confidence"].to_dict() == pytest.approx(
        {0: 0.7, 1: 0.7, 2: 0.9, 3: 0.7}
    )
    assert list(outcomes.columns[:4]) == ["video", "frame_idx", "outcome", "confidence"]


def test_surest_frames_come_first_within_a_box() -> None:
    pose = pd.concat(
        [make_predictions({"a": [0]}, sure=0.6), make_predictions({"b": [0]}, sure=0.9)]
    )
    image = make_predictions({"a": [1], "b": [1]}, model=IMAGE)
    outcomes = sort_into_outcomes(pd.concat([pose, image]))
    assert outcomes["subject"].tolist() == ["b", "a"]


def test_seeds_vote_by_their_mean_probability() -> None:
    sure = make_predictions({"a": [1]}, seed=1, sure=0.95)
    unsure = make_predictions({"a": [0]}, seed=2, sure=0.6)
    image = make_predictions({"a": [1]}, model=IMAGE)
    outcomes = sort_into_outcomes(pd.concat([sure, unsure, image]))
    assert outcomes["outcome"].tolist() == ["both right"]
    assert outcomes["pose_probability"].tolist() == pytest.approx([(0.95 + 0.4) / 2])


def test_empty_boxes_are_counted_too() -> None:
    outcomes = sort_into_outcomes(
        _both({"a": [1, 1], "b": [1]}, {"a": [1, 0], "b": [1]})
    )
    counts = count_outcomes(outcomes).set_index("outcome")
    assert counts["n_frames"].to_list() == [2, 1, 0, 0]
    assert counts.loc["both right", "n_people"] == 2
    assert counts["share"].sum() == pytest.approx(1)


def test_examples_show_every_video_before_one_twice() -> None:
    table = _both({"a": [1] * 8, "b": [1] * 2}, {"a": [0] * 8, "b": [0] * 2})
    examples = pick_examples(sort_into_outcomes(table), n_per_outcome=4)
    pairs = examples[["video", "label"]].drop_duplicates()
    assert len(examples) == len(pairs) == 4


def _samples_and_people() -> tuple[pd.DataFrame, pd.DataFrame]:
    table = make_predictions({"a": [1] * 10, "b": [1] * 10})
    samples = table[["video", "frame_idx", "subject", "label"]]
    seen = ~((table["subject"] == "a") & table["frame_idx"].isin([1, 3, 4]))
    people = table[["video", "frame_idx"]].assign(has_person=seen)
    return samples, people


def test_lost_frames_count_as_wrong() -> None:
    samples, people = _samples_and_people()
    # Pose guesses right in one of the three frames without a person.
    hits = [1, 0, 1, 0, 1, 1, 1, 1, 1, 0]
    table = _both({"a": hits, "b": [1] * 10}, {"a": [1] * 10, "b": [0] * 10})
    scores = score_survivors(table, samples, people).set_index("model")
    pose = scores.loc["pose_softmax"]
    assert pose["accuracy"] == pytest.approx(17 / 20)
    assert pose["accuracy_survivors"] == pytest.approx(16 / 17)
    assert pose["accuracy_lost_wrong"] == pytest.approx(16 / 20)
    assert (pose["n_frames"], pose["n_lost"], pose["n_unpredicted"]) == (20, 3, 0)


def test_frames_that_were_not_predicted_count_as_wrong() -> None:
    samples, people = _samples_and_people()
    table = make_predictions({"a": [1] * 10, "b": [1] * 10})
    seen = people["has_person"].to_numpy()
    scores = score_survivors(table[seen], samples, people).iloc[0]
    assert scores["n_unpredicted"] == 3
    assert scores["accuracy"] == scores["accuracy_lost_wrong"] == pytest.approx(0.85)
    assert scores["accuracy_survivors"] == 1


def test_a_missing_model_is_named() -> None:
    with pytest.raises(ValueError, match=f"No model '{IMAGE}'"):
        sort_into_outcomes(make_predictions({"a": [1]}))


def test_hard_frames_are_told_by_kind_and_their_errors_counted() -> None:
    upright = np.zeros((17, 3))
    upright[:, 0], upright[:, 1], upright[:, 2] = 50, np.linspace(10, 90, 17), 0.9
    upright[[5, 11], 0] += 15  # left shoulder and hip: seen from the front
    poses = np.tile(upright, (12, 1, 1))
    poses[1, :, 2] = 0.3  # unsure
    poses[2, 13:17, 1] = 100.0  # legs at the lower edge
    poses[3, 5, 0] = 99.0  # shoulders wider than the torso is long
    poses[4, [5, 11], 0] = 50.0  # from the side, as nobody else is
    samples = pd.DataFrame(
        {"video": ["a"] * 6 + ["b"] * 6, "subject": ["ann"] * 6 + ["ben"] * 6}
    ).assign(label="up", frame_idx=range(12), time_s=[*np.arange(6), *np.arange(6)])
    kinds = sort_into_kinds(samples, poses, np.full((12, 2), 100.0))
    found = {kind: np.flatnonzero(flags).tolist() for kind, flags in kinds.items()}
    assert found == {
        **{"unsure": [1], "cut": [2], "foreshortened": [3], "new side": [4]},
        "border": [0, 6],
    }
    samples["wrong"] = np.eye(12)[1] + np.eye(12)[7]
    rows = count_kinds(kinds, samples).set_index("kind")
    row = rows.loc["unsure"]
    assert (row["label"], row["subject"]) == ("up", "ann")
    assert pd.isna(rows.loc["cut", "label"])
    assert (row["share_of_errors"], row["wrong"]) == (0.5, 1.0)
    assert row["wrong_elsewhere"] == pytest.approx(1 / 11)
    assert not rows["is_hard"].any()  # of two errors nothing follows
    many = [pd.concat([t] * 5, ignore_index=True) for t in (kinds, samples)]
    is_hard = count_kinds(*many).set_index("kind")["is_hard"]
    assert is_hard.index[is_hard].tolist() == ["unsure"]
