"""The image rival: frozen and fine-tuned, on made pictures."""

from pathlib import Path

import numpy as np
import pytest

from tests.made_pictures import make_picture, read_picture, write_pictures
from utils.training import backbone
from utils.training.mobilenet import (
    FROZEN,
    build_finetuned,
    build_finetuned_fit,
    build_frozen_fit,
    count_parameters,
    embed_image,
    look_at_frames,
    pool_views,
)
from utils.training.softmax import Inputs

TRAIN, VAL = np.arange(0, 32), np.arange(32, 48)


@pytest.fixture(scope="module")
def views_and_y(tmp_path_factory: pytest.TempPathFactory) -> tuple:
    folder: Path = tmp_path_factory.mktemp("pictures")
    frames = write_pictures(folder, n=48)
    views = look_at_frames(
        frames, folder=folder / "kept", read_image=read_picture, n_augmented=1
    )
    return views, frames["y"].to_numpy()


@pytest.fixture(scope="module")
def inputs(views_and_y: tuple) -> Inputs:
    views, y = views_and_y
    return Inputs(pool_views(views[:, 0]), y, pool_views(views[:, 1]))


def test_frozen_head_is_no_worse_than_scikit_learns(inputs: Inputs) -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    fit, _ = build_frozen_fit(inputs)
    history, shares = fit(TRAIN, VAL, seed=0)
    x = np.concatenate([inputs.x[TRAIN], inputs.mirrored[TRAIN]])
    theirs = make_pipeline(StandardScaler(), LogisticRegression(max_iter=300))
    theirs.fit(x, np.tile(inputs.y[TRAIN], 2))
    accuracy = (shares.argmax(axis=1) == inputs.y[VAL]).mean()
    assert accuracy >= theirs.score(inputs.x[VAL], inputs.y[VAL])
    assert len(history) <= FROZEN.n_epochs


def test_finetuned_network_learns_and_equal_seeds_give_equal_results(
    views_and_y: tuple, inputs: Inputs
) -> None:
    views, y = views_and_y
    fit, _ = build_finetuned_fit(views, y)
    history, shares = fit(TRAIN, VAL, seed=0)
    backbone._load_base.cache_clear()  # as in a process that learns its first model
    _, again = fit(TRAIN, VAL, seed=0)
    np.testing.assert_array_equal(shares, again)
    # what was tuned is a copy: the pretrained blocks are as they were
    np.testing.assert_allclose(pool_views(views[:4, 0]), inputs.x[:4], atol=1e-5)
    assert len(history) <= 6  # 8 steps each: as many as give 46
    assert history["loss"].iloc[-1] < history["loss"].iloc[0]
    assert (shares.argmax(axis=1) == y[VAL]).mean() > 0.8


def test_batch_normalisation_does_not_learn(views_and_y: tuple) -> None:
    import keras

    model = build_finetuned(views_and_y[0].shape[2:], n_classes=2)
    tail = model.layers[1]
    normal = [x for x in tail.layers if isinstance(x, keras.layers.BatchNormalization)]
    assert normal and not any(layer.trainable_weights for layer in normal)
    assert tail.trainable_weights


def test_one_picture_is_seen_as_among_many(inputs: Inputs) -> None:
    alone = embed_image(make_picture(True, seed=5))
    np.testing.assert_allclose(alone[0], inputs.x[5], atol=0.05)


def test_unknown_budget_is_refused(views_and_y: tuple) -> None:
    with pytest.raises(ValueError, match="one of quick, full, got 'endless'"):
        build_finetuned_fit(*views_and_y, budget="endless")


def test_key_tells_budgets_and_inputs_apart(views_and_y: tuple) -> None:
    views, y = views_and_y
    keys = [
        build_finetuned_fit(views, y)[1],
        build_finetuned_fit(views, y, budget="full")[1],
        build_finetuned_fit(views, 1 - y)[1],
    ]
    assert len(set(keys)) == 3
    assert build_finetuned_fit(views.copy(), y.copy())[1] == keys[0]


def test_parameters_are_those_of_the_network_and_the_softmax() -> None:
    from utils.training.backbone import _load_base

    assert count_parameters(6) == _load_base().count_params() + 1280 * 6 + 6
