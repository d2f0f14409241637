"""Tests of `utils.questions.rooms`, and of the splits and the fusion it rests on."""

import numpy as np
import pandas as pd
import pytest

from utils.evaluation.fusion import fuse_models
from utils.evaluation.verdict import decide_claims
from utils.questions.rooms import FUSED, describe_fusion, measure_rooms, score_rooms
from utils.training.splits import build_room_splits

# Who is filmed where: b is in two rooms.
PLACES = [("a", "gym"), ("b", "gym"), ("b", "hall"), ("c", "hall"), ("d", "hall")]


def _samples() -> pd.DataFrame:
    rows = [
        (f"{who}_{room}", i, i / 5, who, "sit" if i < 5 else "stand", room)
        for who, room in PLACES
        for i in range(10)
    ]
    columns = ["video", "frame_idx", "time_s", "subject", "label", "camera"]
    table = pd.DataFrame(rows, columns=columns)
    return table.assign(fold=pd.factorize(table["subject"])[0])


def test_neither_room_nor_people_scored_are_learnt_from() -> None:
    samples = _samples()
    splits = build_room_splits(samples)
    scored = np.concatenate([split.val for split in splits])
    assert sorted(scored) == list(range(len(samples)))  # each frame once
    for split in splits:
        for column in ("camera", "subject"):
            known = set(samples[column].iloc[split.train])
            assert not known & set(samples[column].iloc[split.val])
    # the other people of a room are learnt from where they were elsewhere
    alone = next(s for s in splits if set(samples["subject"].iloc[s.val]) == {"a"})
    assert set(samples["video"].iloc[alone.train]) == {"b_hall", "c_hall", "d_hall"}


def test_one_person_alone_is_scored_in_a_new_room_all_the_same() -> None:
    samples = _samples().query("subject == 'b'").reset_index(drop=True)
    rooms = [set(samples["camera"].iloc[s.val]) for s in build_room_splits(samples)]
    assert rooms == [{"gym"}, {"hall"}]
    assert build_room_splits(samples.assign(camera="gym")) == []


def _predict(model: str, shares: np.ndarray) -> pd.DataFrame:
    table = _samples().rename(columns={"fold": "own"}).assign(model=model, fold=0)
    table = table.assign(seed=0, p_sit=shares, p_stand=1 - shares)
    sits = table["p_sit"] > 0.5
    table["predicted"] = np.where(sits, "sit", "stand")
    return table.assign(probability=table[["p_sit", "p_stand"]].max(axis=1))


def test_models_together_follow_the_surer_one() -> None:
    n = len(_samples())
    both = pd.concat([_predict("x", np.full(n, 0.9)), _predict("y", np.full(n, 0.4))])
    fused = fuse_models(both, models=("x", "y"), name="z")
    # sqrt(.9 * .4) against sqrt(.1 * .6)
    expected = 0.6 / (0.6 + np.sqrt(0.06))
    np.testing.assert_allclose(fused["p_sit"], expected)
    assert set(fused["predicted"]) == {"sit"} and set(fused["model"]) == {"z"}


def test_a_room_counts_once_however_many_people_are_in_it() -> None:
    truth = (_samples()["label"] == "sit").to_numpy().astype(float)
    blind = np.where(
        _samples()["camera"] == "gym", truth, 0.0
    )  # half right in the hall
    tables = [("pose_softmax", truth), ("mobilenet_frozen", blind)]
    tables.append(("mobilenet_crop", truth))
    by_room = score_rooms(pd.concat([_predict(*table) for table in tables]))
    evidence = measure_rooms(by_room, n_people=4)
    assert evidence["room"].differences.tolist() == [0.0, 0.5]
    assert evidence["room_crop"].differences.tolist() == [0.0, 0.0]
    verdicts = decide_claims(evidence)
    assert verdicts["sentence"].str.contains("2 rooms are too few, 4 are needed").all()
    few = decide_claims(measure_rooms(by_room, n_people=3))
    assert few["sentence"].str.contains("3 people are too few, 4 are needed").all()


@pytest.mark.parametrize(("new", "is_room"), [(0.71, True), (0.8, False)])
def test_a_gain_that_is_gone_in_a_new_room_was_knowing_the_room(
    new: float, is_room: bool
) -> None:
    rows = [("pose_softmax", 0.8, 0.7), (FUSED, 0.9, new)]
    table = pd.DataFrame(rows, columns=["model", "known_room", "accuracy"])
    assert ("knowing the room" in describe_fusion(table)[0]) == is_room
