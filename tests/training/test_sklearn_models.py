"""Tests of `utils.training.sklearn_models`."""

from dataclasses import replace

import numpy as np
import pytest

from utils.training.protocol import Inputs, extend_inputs
from utils.training.sklearn_models import (
    RECIPES,
    build_recipe_model,
    describe_effort,
)


@pytest.fixture
def inputs() -> Inputs:
    """4 people, 3 classes far apart, 5 frames each; column 1 is noise."""
    rng = np.random.default_rng(0)
    y = np.tile(np.repeat([0, 1, 2], 5), 4)
    x = np.column_stack([3.0 * y + rng.normal(0, 0.3, 60), rng.normal(0, 1, 60)])
    return Inputs(x, y, np.repeat(list("abcd"), 15), n_classes=3)


TRAIN, VAL = np.arange(45), np.arange(45, 60)


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_recipe_learns_what_is_easy_and_gives_probabilities(
    recipe: str, inputs: Inputs
) -> None:
    history, shares = build_recipe_model("m", inputs, recipe=recipe).fit(
        TRAIN, VAL, seed=0
    )
    assert len(history) == 0
    assert (shares.argmax(axis=1) == inputs.y[VAL]).mean() > 0.9
    assert np.allclose(shares.sum(axis=1), 1)


@pytest.mark.parametrize("recipe", RECIPES)
def test_equal_seeds_give_equal_results(recipe: str, inputs: Inputs) -> None:
    runs = [
        build_recipe_model("m", inputs, recipe=recipe, tune=False).fit(
            TRAIN, VAL, seed=3
        )[1]
        for _ in range(2)
    ]
    np.testing.assert_array_equal(*runs)


@pytest.mark.parametrize("recipe", RECIPES)
def test_labels_of_validation_people_change_nothing(
    recipe: str, inputs: Inputs
) -> None:
    other = replace(inputs, y=np.where(np.arange(60) < 45, inputs.y, 0))
    one, two = (
        build_recipe_model("m", i, recipe=recipe).fit(TRAIN, VAL, seed=0)[1]
        for i in (inputs, other)
    )
    np.testing.assert_array_equal(one, two)


def test_a_class_missing_from_training_gets_no_share(inputs: Inputs) -> None:
    train = TRAIN[inputs.y[TRAIN] < 2]
    _, shares = build_recipe_model("m", inputs, recipe="logistic").fit(
        train, VAL, seed=0
    )
    assert shares.shape == (15, 3)
    assert (shares[:, 2] == 0).all()


def test_one_person_or_one_class_is_enough_to_learn_from(inputs: Inputs) -> None:
    build_recipe_model("m", inputs, recipe="logistic").fit(TRAIN[:15], VAL, seed=0)
    _, shares = build_recipe_model("m", inputs, recipe="knn").fit(
        TRAIN[:5], VAL, seed=0
    )
    assert (shares[:, 0] == 1).all()


def test_hidden_columns_cannot_tell_classes_apart(inputs: Inputs) -> None:
    hidden = replace(inputs, hidden=(0,))
    _, shares = build_recipe_model("m", hidden, recipe="logistic").fit(
        TRAIN, VAL, seed=0
    )
    assert (shares.argmax(axis=1) == inputs.y[VAL]).mean() < 0.6


def test_mirrored_frames_are_learnt_from(inputs: Inputs) -> None:
    mirrored = replace(inputs, mirrored=-inputs.x)
    plain = build_recipe_model("m", inputs, recipe="logistic", tune=False)
    both = build_recipe_model("m", mirrored, recipe="logistic", tune=False)
    assert plain.key != both.key
    shares = both.fit(TRAIN, np.array([45]), seed=0)[1]
    assert not np.array_equal(shares, plain.fit(TRAIN, np.array([45]), seed=0)[1])


def test_key_goes_by_content_and_recipe(inputs: Inputs) -> None:
    model = build_recipe_model("a", inputs, recipe="logistic")
    assert model.key == build_recipe_model("a", inputs, recipe="logistic").key
    assert model.key != build_recipe_model("a", inputs, recipe="knn").key
    changed = replace(inputs, x=inputs.x + 1)
    assert model.key != build_recipe_model("a", changed, recipe="logistic").key
    assert model.n_parameters == 9


def test_wrong_recipes_and_lengths_are_refused(inputs: Inputs) -> None:
    with pytest.raises(ValueError, match="Expected a recipe of logistic"):
        build_recipe_model("a", inputs, recipe="magic")
    with pytest.raises(ValueError, match="60, 59 and 60 rows"):
        build_recipe_model("a", replace(inputs, y=inputs.y[1:]), recipe="knn")


def test_effort_is_three_settings_each() -> None:
    table = describe_effort(
        {name: ("34 numbers", name) for name in RECIPES},
        others={"mobilenet_finetuned": "one schedule"},
    )
    tried = table["tried"][: len(RECIPES)]
    assert (tried.str.count(",") == 2).all()
    assert len(table) == len(RECIPES) + 1
    fixed = describe_effort({"a": ("34 numbers", "knn")}, others={}, tune=False)
    assert fixed["tried"].tolist() == ["9"]


def test_further_rows_are_predicted_by_the_same_model(inputs: Inputs) -> None:
    mirrored = replace(inputs, mirrored=-inputs.x)
    for own in (inputs, mirrored):
        y, people = np.tile(inputs.y, 2), np.tile(inputs.people, 2)
        more = extend_inputs(own, inputs.x, y=y, people=people)
        one = build_recipe_model("m", own, recipe="logistic").fit(TRAIN, VAL, seed=0)[1]
        two = build_recipe_model("m", more, recipe="logistic").fit(
            TRAIN, VAL + 60, seed=0
        )[1]
        np.testing.assert_array_equal(one, two)
