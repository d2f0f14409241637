"""Tests of `utils.study`, on made poses: nothing is filmed, no picture is read."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from utils.core.colours import MODEL_COLOURS
from utils.core.skeleton import KEYPOINTS
from utils.core.tables import WORDS
from utils.frames.images import encode_jpeg
from utils.plots.style import _MARKERS, NAMES
from utils.predict.classify import predict_frames
from utils.questions.film import score_steadiness
from utils.screen import YourTurn
from utils.study import MODELS, Study

POSTURES = ("lying", "standing")
N_EACH = 12  # frames of a posture and video


def _make_pose(posture: str, rng: np.random.Generator) -> np.ndarray:
    """Return 17 points in a column or in a row, a little off."""
    along, across = np.linspace(20, 100, 17), np.full(17, 60.0)
    xy = (across, along) if posture == "standing" else (along, across)
    return np.stack(xy, axis=1) + rng.normal(scale=2.0, size=(17, 2))


def make_tables(people: tuple[str, ...]) -> dict[str, pd.DataFrame]:
    """Make videos, frames, keypoints and labels: one video a person, two postures."""
    rng = np.random.default_rng(0)
    names = [f"{person}_film" for person in people]
    videos = pd.DataFrame({"video": names, "subject": people, "sha256": "ab"})
    n, frames, keypoints, labels = 2 * N_EACH, [], [], []
    for name in names:
        time_s = 0.2 * np.arange(n)
        frames.append(
            pd.DataFrame(
                {"video": name, "frame_idx": np.arange(n), "time_s": time_s}
            ).assign(path=f"{name}.jpg", width_px=120, height_px=120, sharpness=1.0)
        )
        for idx in range(n):
            xy = _make_pose(POSTURES[idx // N_EACH], rng)
            points = {"keypoint": KEYPOINTS, "x_px": xy[:, 0], "y_px": xy[:, 1]}
            table = pd.DataFrame(points).assign(video=name, frame_idx=idx, score=0.9)
            keypoints.append(table)
        half_s = 0.2 * N_EACH
        labels += [
            (name, 0.0, half_s - 0.1, "lying"),
            (name, half_s, 2 * half_s, "standing"),
        ]
    columns = ["video", "start_s", "end_s", "label"]
    return {
        "videos": videos,
        "frames": pd.concat(frames, ignore_index=True),
        "keypoints": pd.concat(keypoints, ignore_index=True),
        "labels": pd.DataFrame(labels, columns=columns),
    }


def make_study(
    folder: Path, people: tuple[str, ...] = ("anna", "ben", "cleo")
) -> Study:
    """Make a study of made people, quick to fit."""
    return Study(
        *make_tables(people).values(),
        classifier="softmax",  # the best one looks at pictures
        seeds=[0],
        n_folds=3,
        results=folder / "results",
        cache=folder / "cache",
        n_jobs=1,
    )


def test_whole_people_are_held_out(tmp_path: Path) -> None:
    study = make_study(tmp_path)
    assert study.leak == 0
    assert study.classes == ["lying", "standing"]
    people = study.samples["subject"].to_numpy()
    for split in study.splits:
        assert not set(people[split.train]) & set(people[split.val])
    assert "Whole people" in study.held_out


def test_one_person_alone_gets_folds_of_time_that_are_said_to_flatter(
    tmp_path: Path,
) -> None:
    tables = make_tables(("anna",))
    again = tables["labels"].assign(start_s=0.0)  # two spans of each, far apart
    spans = [(0, 1, "lying"), (1.2, 2.3, "standing"), (2.5, 3.5, "lying")]
    spans += [(3.7, 4.8, "standing")]
    rows = [("anna_film", a, b, label) for a, b, label in spans]
    tables["labels"] = pd.DataFrame(rows, columns=again.columns)
    study = Study(
        *tables.values(), results=tmp_path / "r", cache=tmp_path / "c", n_jobs=1
    )
    assert "flattering" in study.held_out
    assert study.samples["fold"].nunique() == 2


def test_without_labels_it_is_the_users_turn(tmp_path: Path) -> None:
    tables = make_tables(("anna", "ben"))
    tables["labels"] = tables["labels"].head(0)
    with pytest.raises(YourTurn, match=r"has a label.*label in the labelling cell"):
        Study(*tables.values(), results=tmp_path / "r", cache=tmp_path / "c")


def test_models_are_fitted_on_the_same_rows_and_read_back(tmp_path: Path) -> None:
    study = make_study(tmp_path)
    fitted = study.fit("majority", "pose_softmax")
    scores = fitted.scores.set_index("model")["accuracy"]
    assert scores["pose_softmax"] == 1.0
    assert scores["majority"] <= 0.6
    again = make_study(tmp_path).fit("majority", "pose_softmax")
    pd.testing.assert_frame_equal(again.predictions, fitted.predictions)
    pd.testing.assert_frame_equal(again.history, fitted.history)  # times too: read


def test_predictions_of_all_models_are_on_disk_each_once(tmp_path: Path) -> None:
    study = make_study(tmp_path)
    study.fit("pose_softmax")
    study.fit("majority")
    study.fit("pose_softmax")
    found = pd.read_csv(study.results / "predictions.csv")
    assert found.groupby("model").size().to_dict() == {
        "majority": len(study.samples),
        "pose_softmax": len(study.samples),
    }


def test_a_model_that_does_not_exist_is_refused_with_those_that_do(
    tmp_path: Path,
) -> None:
    with pytest.raises(ValueError, match=f"Choose among {', '.join(MODELS)}"):
        make_study(tmp_path).fit("resnet")


def test_each_model_has_a_name_a_mark_and_a_colour_of_its_own() -> None:
    for table in (NAMES, _MARKERS, MODEL_COLOURS, WORDS):
        own = [table[name] for name in MODELS]
        assert len(set(own)) == len(own)


def test_the_classifier_for_a_film_has_not_seen_its_person(tmp_path: Path) -> None:
    study = make_study(tmp_path)
    study.fit("pose_softmax")
    own = study.samples["subject"] == "anna"
    study.pose_inputs.x[own.to_numpy()] = np.nan  # learnt from, they would spoil it
    classifier = study.fit_classifier(without=["anna"])
    shares = classifier(study.pose_inputs.x[~own.to_numpy()])
    assert np.isfinite(shares).all()
    assert classifier.classes == ("lying", "standing")
    assert classifier.network == "movenet_thunder"


def test_the_best_classifier_learns_from_all_looks_and_uses_those_asked_for(
    tmp_path: Path,
) -> None:
    study = replace(make_study(tmp_path), classifier="best", looks_in_use="one")
    path = tmp_path / "grey.jpg"
    path.write_bytes(encode_jpeg(np.full((120, 120, 3), 127, np.uint8)))
    study.frames["path"] = study.samples["path"] = str(path)
    scores = study.fit("majority", "pose_best").scores.set_index("model")["accuracy"]
    # nobody is seen on grey: what is right is right by the first look
    assert scores["pose_best"] > 0.9
    assert study.look_inputs.x.shape == (len(study.samples), 4, 34)
    classifier = study.fit_classifier(without=["anna"])
    assert classifier.looks == "one"
    shares = predict_frames(classifier, study.frames, study.keypoints)
    assert shares.shape == (len(study.frames), 2)
    further = study.look_again(study.frames, looks="all")
    key = ["video", "frame_idx"]
    assert (further[0][key].to_numpy()[::17] == study.frames[key].to_numpy()).all()
    # the look of another network is the one that was taken, at the same person
    seen = study.look_again(study.samples, looks="all")[1]
    pd.testing.assert_frame_equal(study.look_by("movenet_lightning"), seen)


def test_frames_without_label_are_told_apart(tmp_path: Path) -> None:
    study = make_study(tmp_path)
    assert len(study.unlabelled) == len(study.frames) - len(study.samples)


def test_steadiness_is_scored_on_films_of_people_held_out(tmp_path: Path) -> None:
    study = make_study(tmp_path)
    study.fit("pose_softmax")
    table = score_steadiness(study).set_index("way")
    assert table.index.tolist() == ["each frame alone", "steady"]
    assert (table["n_bouts"] == 6).all()  # three people, two postures
    assert (table["frames_right"] > 0.9).all()
    assert (table["n_found"] == 6).all()
    assert (table["n_extra"] == 0).all()
