"""Tests of `utils.questions.learning_curve`."""

import numpy as np
import pandas as pd
import pytest

from utils.questions.learning_curve import (
    average_curve,
    describe_people_needed,
    find_people_needed,
)

IMAGE = "mobilenet_frozen"


def _curve(pose: list[float], image: list[float]) -> pd.DataFrame:
    """Return a curve over 1, 2, 4, 8 people; two draws a hundredth either side."""
    rows = [
        (model, 2**k, draw, accuracy + (0.01 if draw else -0.01))
        for model, means in (("pose_softmax", pose), (IMAGE, image))
        for k, accuracy in enumerate(means)
        for draw in (0, 1)
    ]
    return pd.DataFrame(rows, columns=["model", "n_people", "draw", "accuracy"])


def test_curve_is_averaged_over_draws_with_its_band() -> None:
    means = average_curve(_curve([0.7, 0.8], [0.5, 0.6])).set_index(
        ["model", "n_people"]
    )
    row = means.loc[("pose_softmax", 2)]
    assert row["accuracy"] == pytest.approx(0.8)
    assert (row["low"], row["high"]) == pytest.approx((0.792, 0.808))
    assert row["n_draws"] == 2


def test_a_draw_counts_once_however_many_people_it_left_out() -> None:
    rows = [("m", 1, 0, s, a) for s, a in zip("abc", (1.0, 1.0, 1.0), strict=True)]
    rows.append(("m", 1, 1, "a", 0.0))
    columns = ["model", "n_people", "draw", "subject", "accuracy"]
    means = average_curve(pd.DataFrame(rows, columns=columns))
    assert means["accuracy"].tolist() == [0.5]


def test_people_needed_is_the_smallest_number_that_reaches_the_target() -> None:
    curve = _curve([0.9, 0.9, 0.9, 0.9], [0.5, 0.7, 0.9, 0.95])
    assert find_people_needed(curve, 0.9, model=IMAGE) == 4
    assert find_people_needed(curve, 0.4, model=IMAGE) == 1
    assert find_people_needed(curve, 0.96, model=IMAGE) == np.inf


def test_a_lucky_number_of_people_that_does_not_last_is_not_enough() -> None:
    curve = _curve([0.9] * 4, [0.5, 0.91, 0.8, 0.95])
    assert find_people_needed(curve, 0.9, model=IMAGE) == 8


@pytest.mark.parametrize(
    ("image", "sentence"),
    [
        (
            [0.5, 0.7, 0.92, 0.95],
            "With 1 person the pose classifier reaches 90.0%; the "
            "whole-picture classifier needs 4 people for that.",
        ),
        (
            [0.5, 0.7, 0.8, 0.85],
            "With 1 person the pose classifier reaches 90.0%; the "
            "whole-picture classifier never does in this data (85.0% with 8 people).",
        ),
        (
            [0.95, 0.96, 0.97, 0.98],
            "With 1 person the pose classifier reaches 90.0%; the "
            "whole-picture classifier needs no more than that either.",
        ),
    ],
)
def test_what_few_people_give_is_said_in_a_sentence(
    image: list[float], sentence: str
) -> None:
    assert describe_people_needed(_curve([0.9] * 4, image)) == sentence


def test_a_curve_without_what_is_needed_is_refused() -> None:
    curve = _curve([0.9], [0.8])
    with pytest.raises(ValueError, match="has no column draw"):
        average_curve(curve.drop(columns="draw"))
    with pytest.raises(ValueError, match="No model 'nobody' in the learning curve"):
        find_people_needed(curve, 0.5, model="nobody")
