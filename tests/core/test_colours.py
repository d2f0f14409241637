"""Tests of `utils.core.colours`."""

import pytest

from utils.core.colours import (
    EDGE_COLOURS,
    SIDE_COLOURS,
    colour_classes,
    colour_model,
    colour_side,
    ink_on,
    split_rgb,
)
from utils.core.skeleton import EDGES


def test_fourteen_classes_have_fourteen_colours_and_a_key_each() -> None:
    named = colour_classes([f"c{k}" for k in range(14)], ["none of these", "unsure"])
    assert len({c["colour"] for c in named}) == 16
    keys = [c["key"] for c in named]
    assert keys[:9] == [*"123456789"]
    assert keys[-2:] == ["0", "u"]
    assert len(set(keys)) == 16
    assert "" not in keys


def test_classes_of_one_colour_have_different_patterns() -> None:
    named = colour_classes([f"c{k}" for k in range(30)])
    assert len({(c["colour"], c["pattern"]) for c in named}) == 30
    assert not any(c["pattern"] for c in named[:14])


def test_a_chosen_key_and_colour_hold_and_who_had_the_key_gets_another() -> None:
    looks = {"c": {"key": "1"}, "b": {"colour": "#123456"}}
    named = colour_classes(["a", "b", "c", "d"], looks=looks)
    assert [c["key"] for c in named] == ["3", "2", "1", "4"]
    assert named[1]["colour"] == "#123456"


def test_classes_beyond_the_keys_have_none() -> None:
    assert colour_classes([f"c{k}" for k in range(99)])[-1]["key"] == ""


def test_models_have_their_own_colours_and_strangers_share_one() -> None:
    known = ("pose_softmax", "pose_best", "mobilenet_frozen", "mobilenet_crop")
    known += ("mobilenet_finetuned", "majority")
    assert len({colour_model(model) for model in (*known, "a", "b")}) == len(known) + 1


@pytest.mark.parametrize(
    ("names", "side"),
    [
        (("left_knee",), "left"),
        (("right_knee",), "right"),
        (("nose",), "middle"),
        (("left_hip", "left_knee"), "left"),
        (("left_hip", "right_hip"), "middle"),
        (("nose", "right_eye"), "middle"),
    ],
)
def test_a_bone_has_the_colour_of_its_side(names: tuple[str, ...], side: str) -> None:
    assert colour_side(*names) == SIDE_COLOURS[side]


def test_bones_are_coloured_in_the_order_of_the_edges() -> None:
    at = EDGES.index(("right_knee", "right_ankle"))
    assert EDGE_COLOURS[at] == SIDE_COLOURS["right"]


def test_a_colour_is_split_into_its_three_parts() -> None:
    assert split_rgb("#56b4e9") == (86, 180, 233)


@pytest.mark.parametrize(
    ("colour", "ink"), [("#f0e442", "#000000"), ("#332288", "#ffffff")]
)
def test_ink_reads_on_its_ground(colour: str, ink: str) -> None:
    assert ink_on(colour) == ink
