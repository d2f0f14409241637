"""The picture classifiers: frozen and fine-tuned, on made pictures."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.made_pictures import read_picture, write_pictures
from utils.training import backbone
from utils.training.backbone import embed_frames, pool_features
from utils.training.mobilenet import (
    FROZEN,
    N_WEIGHTS,
    build_finetuned_model,
    build_frozen_model,
    build_network,
)
from utils.training.protocol import Inputs
from utils.training.softmax import build_softmax

TRAIN, VAL = np.arange(0, 32), np.arange(32, 48)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    folder: Path = tmp_path_factory.mktemp("pictures")
    frames = write_pictures(folder, n=48)
    features = embed_frames(
        frames, folder=folder / "kept", read_image=read_picture, n_augmented=1
    )
    return Inputs(features, frames["y"].to_numpy(), np.zeros(48), n_classes=2)


@pytest.fixture(scope="module")
def inputs(pictures: Inputs) -> Inputs:
    x, mirrored = (pool_features(pictures.x[:, i]) for i in (0, 1))
    return replace(pictures, x=x, mirrored=mirrored)


def test_frozen_head_is_no_worse_than_scikit_learns(inputs: Inputs) -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    history, shares = build_frozen_model(inputs).fit(TRAIN, VAL, seed=0)
    x = np.concatenate([inputs.x[TRAIN], inputs.mirrored[TRAIN]])
    theirs = make_pipeline(StandardScaler(), LogisticRegression(max_iter=300))
    theirs.fit(x, np.tile(inputs.y[TRAIN], 2))
    accuracy = (shares.argmax(axis=1) == inputs.y[VAL]).mean()
    assert accuracy >= theirs.score(inputs.x[VAL], inputs.y[VAL])
    assert len(history) <= FROZEN.n_epochs


def test_finetuned_network_learns_and_equal_seeds_give_equal_results(
    pictures: Inputs, inputs: Inputs
) -> None:
    fit = build_finetuned_model(pictures.x, inputs).fit
    history, shares = fit(TRAIN, VAL, seed=0)
    backbone._load_base.cache_clear()  # as in a process that learns its first model
    _, again = fit(TRAIN, VAL, seed=0)
    np.testing.assert_array_equal(shares, again)
    # what was tuned is a copy: the pretrained blocks are as they were
    np.testing.assert_allclose(
        pool_features(pictures.x[:4, 0]), inputs.x[:4], atol=1e-5
    )
    # the softmax first, then at most 6 epochs of 8 steps: as many as give 46
    alone, frozen = build_frozen_model(inputs).fit(TRAIN, VAL, seed=0)
    assert len(alone) < len(history) <= len(alone) + 6
    assert (history["epoch"] == np.arange(1, len(history) + 1)).all()
    assert history["seconds"].is_monotonic_increasing
    # and what comes out is no worse than the softmax alone
    given = [p[np.arange(len(VAL)), pictures.y[VAL]] for p in (shares, frozen)]
    assert np.log(given[0]).mean() >= np.log(given[1]).mean() - 1e-5
    assert (shares.argmax(axis=1) == pictures.y[VAL]).mean() > 0.8


def test_batch_normalisation_does_not_learn(pictures: Inputs, inputs: Inputs) -> None:
    import keras

    softmax = build_softmax(inputs.x, n_classes=2)
    model = build_network(pictures.x.shape[2:], softmax)
    head = model.layers[1]
    normal = [x for x in head.layers if isinstance(x, keras.layers.BatchNormalization)]
    assert normal and not any(layer.trainable_weights for layer in normal)
    assert head.trainable_weights
    # it begins as the softmax on the frozen features
    np.testing.assert_allclose(
        model.predict(pictures.x[:4, 0].astype(np.float32), verbose=0),
        softmax.predict(inputs.x[:4], verbose=0),
        atol=1e-4,
    )


def test_unknown_budget_is_refused(pictures: Inputs, inputs: Inputs) -> None:
    with pytest.raises(ValueError, match="one of quick, full, got 'endless'"):
        build_finetuned_model(pictures.x, inputs, budget="endless")


def test_key_tells_budgets_and_inputs_apart(pictures: Inputs, inputs: Inputs) -> None:
    others = replace(inputs, y=1 - inputs.y)
    keys = [
        build_finetuned_model(pictures.x, inputs).key,
        build_finetuned_model(pictures.x, inputs, budget="full").key,
        build_finetuned_model(pictures.x, others).key,
    ]
    assert len(set(keys)) == 3
    again = build_finetuned_model(pictures.x.copy(), inputs)
    assert again.key == keys[0]


def test_parameters_are_those_of_the_network_and_the_softmax(inputs: Inputs) -> None:
    assert backbone.load_base().count_params() == N_WEIGHTS
    assert build_frozen_model(inputs).n_parameters == N_WEIGHTS + 1280 * 2 + 2
