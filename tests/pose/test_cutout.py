"""Tests of `utils.pose.cutout`."""

import numpy as np
import pytest

from utils.pose.crop import GREY
from utils.pose.cutout import (
    blank_person,
    build_background,
    draw_body_mask,
    join_boxes,
    paste_person,
)


@pytest.fixture
def pose() -> np.ndarray:
    """17 keypoints in a box from (40, 30) to (60, 70), all sure."""
    xy = np.column_stack([np.linspace(40, 60, 17), np.linspace(30, 70, 17)])
    return np.column_stack([xy, np.ones(17)])


def test_joined_box_holds_all_boxes() -> None:
    assert join_boxes([(1, 5, 9, 9), None, (3, 2, 4, 20)]) == (1, 2, 9, 20)
    assert join_boxes([None]) is None


def test_background_is_the_room_where_any_frame_shows_it() -> None:
    room = np.zeros((20, 30, 3), dtype=np.uint8)
    room[:, 15:] = (10, 200, 90)
    boxes = [(2, 2, 8, 18), (20, 2, 28, 18)]
    images = []
    for left, top, right, bottom in boxes:
        image = room.copy()
        image[top:bottom, left:right] = 255
        images.append(image)
    background, filled = build_background(images, boxes)
    np.testing.assert_array_equal(background, room)
    assert filled == 0


def test_background_fills_what_no_frame_shows_without_the_person() -> None:
    image = np.full((20, 30, 3), 60, dtype=np.uint8)
    image[5:10, 5:10] = 255
    background, filled = build_background([image, image], [(4, 4, 12, 12)] * 2)
    assert filled == pytest.approx(64 / 600)
    assert background.max() <= 62
    grey, filled = build_background([image], [(0, 0, 30, 20)])
    assert filled == 1
    assert (grey == GREY).all()


def test_blanking_changes_the_box_only() -> None:
    image = np.full((20, 30, 3), 60, dtype=np.uint8)
    background = np.full_like(image, 9)
    blanked = blank_person(image, (5, 4, 12, 10), background)
    assert (blanked[4:10, 5:12] == 9).all()
    assert (blanked == 9).sum() == 6 * 7 * 3
    assert (blank_person(image, (5, 4, 12, 10))[4:10, 5:12] == GREY).all()
    assert (image == 60).all()


def test_pasted_person_is_theirs_and_the_room_is_the_other(pose: np.ndarray) -> None:
    image = np.full((100, 100, 3), 60, dtype=np.uint8)
    room = np.full((50, 40, 3), 200, dtype=np.uint8)
    mask = draw_body_mask(pose, (100, 100))
    pasted = paste_person(image, mask, room)
    assert abs(int(pasted[50, 50, 0]) - 60) <= 2  # on the body
    assert (pasted[:, :10] == 200).all()
    assert (paste_person(image, mask)[:, :10] == GREY).all()


def test_mask_of_nobody_is_small() -> None:
    mask = draw_body_mask(np.full((17, 3), np.nan), (100, 80))
    assert mask.shape == (80, 100)
    assert mask.mean() < 0.02
