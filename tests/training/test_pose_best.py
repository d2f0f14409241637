"""The classifier of many looks: what it learns, says, and keeps in one file."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.made_poses import make_inputs
from utils.training.pose_best import (
    LAPSES,
    ONE_PERSON,
    add_shape,
    build_best_model,
    build_network,
    count_parameters,
    find_mixtures,
    fit_mixture,
)
from utils.training.protocol import Inputs
from utils.training.softmax import (
    PoseClassifier,
    load_classifier,
    save_classifier,
)


@pytest.fixture(scope="module")
def looks() -> tuple[Inputs, np.ndarray]:
    """Three looks at each frame, each off in its own way."""
    inputs, people = make_inputs(noise=0.5)
    rng = np.random.default_rng(1)
    shape = (len(inputs.x), 3, 34)
    x = (inputs.x[:, None] + rng.normal(scale=2.0, size=shape)).astype(np.float32)
    return replace(inputs, x=x, mirrored=x + np.float32(0.01)), people


def test_the_shape_is_wide_for_who_lies_and_does_not_change_with_size() -> None:
    xy = np.random.default_rng(0).uniform(size=(4, 17, 2))
    lying, standing = xy * [3, 1], xy * [1, 3]
    shape = [add_shape(p.reshape(4, 34))[:, 34] for p in (lying, 5 * lying, standing)]
    assert (shape[0] > 0.7).all()
    assert (shape[2] < -0.7).all()
    np.testing.assert_allclose(shape[0], shape[1])
    assert add_shape(np.zeros((1, 34)))[0, 34] == 0  # without size it has no shape


def test_several_looks_are_right_more_often_than_one(
    looks: tuple[Inputs, np.ndarray], tmp_path: Path
) -> None:
    inputs, people = looks
    train, val = np.flatnonzero(people > 0), np.flatnonzero(people == 0)
    right = {}
    for n_used in (1, 3):
        model = build_best_model("pose_best", inputs, n_used=n_used, folder=tmp_path)
        history, shares = model.fit(train, val, seed=0)
        assert history.empty  # it has no epochs
        np.testing.assert_allclose(shares.sum(axis=1), 1)
        assert shares.min() >= LAPSES / 3  # nothing is impossible
        right[n_used] = (shares.argmax(axis=1) == inputs.y[val]).mean()
    assert right[3] > right[1] > 0.5


def test_what_is_fitted_once_is_read_again_unless_it_is_damaged(
    looks: tuple[Inputs, np.ndarray], tmp_path: Path
) -> None:
    inputs, people = looks
    each = [np.flatnonzero(people != person) for person in (0, 1)]
    options = {"n_used": 3, "seed": 0, "folder": tmp_path}
    first = find_mixtures(inputs, each, **options)
    expected = [fit_mixture(inputs, rows, n_used=3, seed=0) for rows in each]
    for found, fitted in zip(first, expected, strict=True):
        np.testing.assert_array_equal(found.predict(inputs.x), fitted.predict(inputs.x))
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert len(kept) == 2
    find_mixtures(inputs, each, **options)
    assert kept == {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    damaged = min(kept)
    data = bytearray(damaged.read_bytes())
    data[len(data) // 2] ^= 1
    damaged.write_bytes(data)
    again = find_mixtures(inputs, each, **options)
    assert [m.temperature for m in again] == [m.temperature for m in first]


@pytest.mark.parametrize("known", [[0, 1, 2], [1, 2], [1]])
def test_one_file_holds_members_temperature_and_looks(
    looks: tuple[Inputs, np.ndarray], known: list[int], tmp_path: Path
) -> None:
    inputs, people = looks
    rows = np.flatnonzero((people > 0) & np.isin(inputs.y, known))
    mixture = fit_mixture(inputs, rows, n_used=3, seed=0)
    classifier = PoseClassifier(
        build_network(mixture), ("a", "b", "c"), "raw", "movenet_thunder", looks="all"
    )
    if len(known) == 3:
        assert classifier.model.count_params() == count_parameters(3)
    save_classifier(classifier, tmp_path / "pose_best.keras")
    back = load_classifier(tmp_path / "pose_best.keras")
    assert (back.looks, back.features, back.classes) == ("all", "raw", ("a", "b", "c"))
    # also of classes that were not learnt from, as scikit-learn itself says
    np.testing.assert_allclose(back(inputs.x), mixture.predict(inputs.x), atol=1e-5)
    one = back(inputs.x[:, 0])
    np.testing.assert_allclose(one, mixture.predict(inputs.x[:, :1]), atol=1e-5)


def test_the_temperature_is_fitted_on_people_left_out(
    looks: tuple[Inputs, np.ndarray],
) -> None:
    inputs, people = looks
    rows = np.flatnonzero(people > 0)
    fitted = fit_mixture(inputs, rows, n_used=1, seed=0).temperature
    # of people whose labels are guesses the others know nothing: less is believed
    y = np.where(people == 1, np.random.default_rng(0).permutation(inputs.y), inputs.y)
    odd = fit_mixture(replace(inputs, y=y), rows, n_used=1, seed=0).temperature
    assert odd > 1.5 * fitted
    alone = fit_mixture(inputs, np.flatnonzero(people == 1), n_used=1, seed=0)
    assert alone.temperature == ONE_PERSON
