"""The softmax on numbers, held against scikit-learn's, and the file it is kept in."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.made_poses import make_inputs
from utils.training.doubt import fit_doubt
from utils.training.keras_loop import predict
from utils.training.softmax import (
    SCHEDULE,
    PoseClassifier,
    build_softmax,
    build_softmax_model,
    count_parameters,
    find_classifier,
    fit_classifier,
    fit_softmax,
    load_classifier,
    save_classifier,
    save_classifiers,
)


def test_softmax_has_34k_plus_k_weights_and_standardises_inside() -> None:
    x = np.random.default_rng(0).normal(7, 3, (50, 34)).astype(np.float32)
    model = build_softmax(x, n_classes=6)
    assert sum(int(np.prod(w.shape)) for w in model.trainable_weights) == 34 * 6 + 6
    scaled = np.asarray(model.layers[0](x))
    np.testing.assert_allclose(scaled.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(scaled.std(axis=0), 1, atol=1e-4)


def test_column_that_never_changes_does_no_harm() -> None:
    x = np.zeros((20, 3), dtype=np.float32)
    x[:, 1] = np.arange(20)
    model = build_softmax(x, n_classes=2)
    np.testing.assert_allclose(predict(model, x + 0.01), predict(model, x), atol=0.02)


def test_held_out_people_are_predicted_as_well_as_by_scikit_learn() -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    inputs, people = make_inputs(noise=2.0)
    train, val = np.flatnonzero(people > 0), np.flatnonzero(people == 0)
    history, shares = build_softmax_model("m", inputs).fit(train, val, seed=0)
    x = np.concatenate([inputs.x[train], inputs.mirrored[train]])
    theirs = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))
    theirs.fit(x, np.tile(inputs.y[train], 2))
    accuracy = (shares.argmax(axis=1) == inputs.y[val]).mean()
    # 60 held-out frames: one frame is 1.7 points
    assert accuracy >= theirs.score(inputs.x[val], inputs.y[val]) - 0.02
    assert history["val_accuracy"].max() >= accuracy > 0.8


def test_model_learns_from_the_mirrored_rows_too() -> None:
    inputs, people = make_inputs(noise=0.1)
    elsewhere = replace(inputs, x=np.zeros_like(inputs.x), mirrored=inputs.x)
    rows = np.flatnonzero(people == 0)
    model, _ = fit_softmax(elsewhere, rows, rows, schedule=SCHEDULE, seed=0)
    assert (predict(model, inputs.x).argmax(axis=1) == inputs.y).mean() > 0.95


def test_what_was_learnt_before_in_a_process_changes_nothing() -> None:
    inputs, people = make_inputs(noise=2.0)
    model = build_softmax_model("m", inputs)
    folds = [(np.flatnonzero(people != p), np.flatnonzero(people == p)) for p in (0, 1)]
    first, _, again = (model.fit(*folds[i], seed=0) for i in (0, 1, 0))
    np.testing.assert_array_equal(first[1], again[1])
    assert first[0]["val_loss"].equals(again[0]["val_loss"])


def test_hidden_columns_cannot_be_used() -> None:
    inputs, people = make_inputs(noise=0.1)
    train, val = np.flatnonzero(people > 0), np.flatnonzero(people == 0)
    hidden = replace(inputs, hidden=tuple(range(34)))
    history, shares = build_softmax_model("m", hidden).fit(train, val, seed=0)
    assert history["val_accuracy"].max() > 0.95  # it stops by what is not hidden
    assert len(np.unique(shares.argmax(axis=1))) == 1


def test_missing_numbers_are_refused() -> None:
    inputs, people = make_inputs()
    inputs.x[people == 0, 0] = np.nan
    train, val = np.flatnonzero(people > 0), np.flatnonzero(people == 0)
    with pytest.raises(ValueError, match="no probabilities for 60 of 60 frames"):
        build_softmax_model("m", inputs).fit(train, val, seed=0)


@pytest.fixture(scope="module")
def classifier() -> PoseClassifier:
    inputs, _ = make_inputs()
    return fit_classifier(
        inputs,
        classes=("sit", "lie", "été"),
        features="normalised",
        network="movenet_thunder",
        n_epochs=5,
        seed=0,
    )


def test_final_model_learns_every_sample(classifier: PoseClassifier) -> None:
    inputs, _ = make_inputs()
    assert (classifier(inputs.x).argmax(axis=1) == inputs.y).mean() > 0.95


def test_saved_classifier_comes_back_whole_from_one_file(
    classifier: PoseClassifier, tmp_path: Path
) -> None:
    inputs, _ = make_inputs()
    path = tmp_path / "posture.keras"
    about = {"films": ("ab12",), "people": ("zoë",), "doubt": fit_doubt(inputs)}
    save_classifier(replace(classifier, **about), path)
    back = load_classifier(path)
    assert (back.films, back.people) == (("ab12",), ("zoë",))
    assert back.doubt.threshold == about["doubt"].threshold
    assert list(tmp_path.iterdir()) == [path]
    assert (back.classes, back.features) == (classifier.classes, "normalised")
    assert back.network == "movenet_thunder"
    np.testing.assert_allclose(back(inputs.x), classifier(inputs.x), atol=1e-6)


def test_the_classifier_of_a_run_is_found_and_none_of_an_earlier_run(
    classifier: PoseClassifier, tmp_path: Path
) -> None:
    save_classifiers({"pose_best": classifier, "pose_softmax": classifier}, tmp_path)
    assert find_classifier(tmp_path) == tmp_path / "pose_best.keras"
    save_classifiers({"pose_softmax": classifier}, tmp_path)
    assert find_classifier(tmp_path) == tmp_path / "pose_softmax.keras"
    save_classifiers({}, tmp_path)
    with pytest.raises(FileNotFoundError, match="Run the notebook first"):
        find_classifier(tmp_path)


def test_file_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "posture.keras"
    with pytest.raises(FileNotFoundError, match="No classifier at"):
        load_classifier(path)
    path.write_bytes(b"not a model")
    with pytest.raises(ValueError, match="is not a classifier"):
        load_classifier(path)


def test_part_in_the_comparison_gives_history_and_probabilities() -> None:
    inputs, people = make_inputs()
    model = build_softmax_model("pose_softmax", inputs)
    train, val = np.flatnonzero(people > 0), np.flatnonzero(people == 0)
    history, shares = model.fit(train, val, seed=0)
    assert shares.shape == (len(val), 3)
    assert 1 <= len(history) <= SCHEDULE.n_epochs


def test_key_changes_with_the_inputs_and_with_nothing_else() -> None:
    inputs, _ = make_inputs()
    key = build_softmax_model("m", inputs).key
    assert build_softmax_model("m", make_inputs()[0]).key == key
    assert build_softmax_model("m", replace(inputs, x=inputs.x + 1)).key != key
    assert build_softmax_model("m", replace(inputs, mirrored=None)).key != key


def test_parameters_are_one_a_number_and_class_and_one_a_class() -> None:
    assert count_parameters(6) == 34 * 6 + 6
