"""The pose model: parts for the comparison, and the file it is kept in."""

from pathlib import Path

import numpy as np
import pytest

from tests.made_poses import make_inputs
from utils.training.posture_model import (
    SCHEDULE,
    PoseClassifier,
    build_fit,
    count_parameters,
    load_classifier,
    save_classifier,
    teach_classifier,
)
from utils.training.softmax import Inputs


@pytest.fixture(scope="module")
def classifier() -> PoseClassifier:
    inputs, _ = make_inputs()
    model = teach_classifier(inputs, n_epochs=5, seed=0)
    return PoseClassifier(model, ("sit", "lie", "été"), "normalised", "movenet_thunder")


def test_final_model_learns_every_sample(classifier: PoseClassifier) -> None:
    inputs, _ = make_inputs()
    assert (classifier(inputs.x).argmax(axis=1) == inputs.y).mean() > 0.95


def test_saved_classifier_comes_back_whole_from_one_file(
    classifier: PoseClassifier, tmp_path: Path
) -> None:
    inputs, _ = make_inputs()
    path = tmp_path / "posture.keras"
    save_classifier(classifier, path)
    back = load_classifier(path)
    assert list(tmp_path.iterdir()) == [path]
    assert (back.classes, back.features) == (classifier.classes, "normalised")
    assert back.pose_model == "movenet_thunder"
    np.testing.assert_allclose(back(inputs.x), classifier(inputs.x), atol=1e-6)


def test_file_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "posture.keras"
    with pytest.raises(FileNotFoundError, match="No classifier at"):
        load_classifier(path)
    path.write_bytes(b"not a model")
    with pytest.raises(ValueError, match="is not a classifier"):
        load_classifier(path)


def test_part_in_the_comparison_gives_history_and_probabilities() -> None:
    inputs, people = make_inputs()
    fit, _ = build_fit(inputs)
    train, val = np.flatnonzero(people > 0), np.flatnonzero(people == 0)
    history, shares = fit(train, val, seed=0)
    assert shares.shape == (len(val), 3)
    assert 1 <= len(history) <= SCHEDULE.n_epochs


def test_key_changes_with_the_inputs_and_with_nothing_else() -> None:
    inputs, _ = make_inputs()
    key = build_fit(inputs)[1]
    assert build_fit(make_inputs()[0])[1] == key
    assert build_fit(Inputs(inputs.x + 1, inputs.y, inputs.mirrored))[1] != key
    assert build_fit(Inputs(inputs.x, inputs.y))[1] != key


def test_parameters_are_one_a_number_and_class_and_one_a_class() -> None:
    assert count_parameters(6) == 34 * 6 + 6
