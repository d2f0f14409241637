"""Doubt: poses unlike those learnt from."""

from dataclasses import replace

import numpy as np
import pytest

from tests.made_poses import make_inputs
from utils.training.doubt import fit_doubt, pack_doubt, score_doubt, unpack_doubt
from utils.training.protocol import take_rows


def test_known_poses_are_named_and_others_refused() -> None:
    inputs, people = make_inputs(n_people=6)
    doubt = fit_doubt(take_rows(inputs, people > 0))
    new = inputs.x[people == 0]  # of a person never seen
    assert doubt(new).mean() < 0.3
    assert doubt(-3 * new).all()


def test_a_class_left_out_is_found_to_be_new() -> None:
    inputs, _ = make_inputs(n_people=6, noise=0.2)
    table = score_doubt(inputs, ("sit", "lie", "stand"))
    assert table["label"].tolist() == ["sit", "lie", "stand"]
    assert (table["n_frames"] == 120).all()
    assert (table["refused"] > 0.9).all()
    alike = replace(inputs, y=np.arange(len(inputs.y)) % 3)  # classes of chance
    assert score_doubt(alike, ("a", "b", "c"))["refused"].to_numpy() == pytest.approx(
        0.05, abs=0.05
    )


def test_one_person_alone_refuses_nothing() -> None:
    inputs, people = make_inputs()
    alone = take_rows(inputs, people == 0)
    assert fit_doubt(alone) is None
    assert score_doubt(alone, ("sit", "lie", "stand")).empty


def test_a_doubt_comes_back_as_it_was() -> None:
    inputs, _ = make_inputs()
    doubt = fit_doubt(inputs)
    back = unpack_doubt(pack_doubt(doubt))
    assert back.threshold == doubt.threshold
    np.testing.assert_array_equal(back.measure(inputs.x), doubt.measure(inputs.x))
