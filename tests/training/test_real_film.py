"""The bars of `pose_best` on real film, people and rooms held out."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from utils.evaluation.calibration import build_reliability, compute_calibration_error
from utils.evaluation.scores import score_predictions, summarise_scores
from utils.frames.extraction import extract
from utils.labelling.labels import read_labels
from utils.study import Study
from utils.training.protocol import Split
from utils.training.splits import build_strategies
from utils.video.catalogue import list_videos

# set -> seconds between frames; accuracy at least, log loss at most; accuracy in rooms
BARS = {"gmdcsa24": (0.2, 0.950, 0.28, None), "urfd": (0.3, 0.910, 0.28, 0.79)}
MOST_OFF = 0.04  # calibration error
ONE_PERSON = (0.83, 0.52)  # mean of both sets


@pytest.fixture(scope="module")
def studies(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Study]:
    """A study of each set; labels end with their film."""
    folder = tmp_path_factory.mktemp("real")
    studies = {}
    for name, (every_s, *_) in BARS.items():
        source = shared / "real" / name
        videos, _ = list_videos(source, data=folder)
        labels = pd.read_csv(source / "labels.csv").merge(videos)
        labels["end_s"] = labels[["end_s", "duration_s"]].min(axis=1)
        columns = ["video", "start_s", "end_s", "label"]
        path = folder / f"{name}.csv"
        labels.loc[labels["start_s"] < labels["end_s"], columns].to_csv(
            path, index=False
        )
        network = "movenet_thunder"
        frames, keypoints, _ = extract(
            videos, every_s=every_s, network=network, data=folder
        )
        studies[name] = Study(
            videos,
            frames,
            keypoints,
            read_labels(path, videos),
            every_s=every_s,
            seeds=[0, 1],
            budget="full",  # `pose_best` with both seeds, not with the first alone
            results=folder / name,
            cache=folder / "cache",
        )
    return studies


@pytest.mark.slow
@pytest.mark.parametrize("name", list(BARS))
def test_people_and_rooms_never_seen(studies: dict[str, Study], name: str) -> None:
    study, (_, accuracy, log_loss, in_rooms) = studies[name], BARS[name]
    fitted = study.fit("majority", "pose_softmax", "pose_best")
    rows = fitted.scores.set_index("model")
    best = rows.loc["pose_best"]
    assert best["accuracy"] >= accuracy
    assert best["log_loss"] <= log_loss
    assert best["accuracy"] > rows.loc["pose_softmax", "accuracy"]
    error = compute_calibration_error(build_reliability(fitted.predictions))
    assert error["pose_best"] <= MOST_OFF
    if in_rooms is not None:
        rooms = build_strategies(study.samples)["cameras"]
        model = study.models["pose_best"]
        found = study.run(study.samples, [model], rooms, seeds=study.seeds)[1]
        assert summarise_scores(found)["accuracy"].iloc[0] >= in_rooms


@pytest.mark.slow
def test_one_labelled_person(studies: dict[str, Study]) -> None:
    means = []
    for study in studies.values():
        study.fit("pose_best")
        who, shown = study.samples["subject"], study.samples["label"]
        whole = shown.groupby(who).nunique() == len(study.classes)
        learnt = [(who == person).to_numpy() for person in whole.index[whole]]
        splits = [
            Split(i, np.flatnonzero(own), np.flatnonzero(~own))
            for i, own in enumerate(learnt)
        ]
        found = study.run(study.samples, [study.models["pose_best"]], splits)[1]
        scored = score_predictions(found).groupby("fold")[["is_right", "loss"]].mean()
        means.append(scored.mean())
    accuracy, log_loss = pd.concat(means, axis=1).mean(axis=1)
    assert accuracy >= ONE_PERSON[0]
    assert log_loss <= ONE_PERSON[1]
