"""Pictures on a canvas, mirrored and augmented."""

import numpy as np
import pytest

from utils.training.augment import (
    CANVAS_PX,
    Augmentation,
    augment_image,
    choose_canvas,
    fit_canvas,
)

RED, GREY = (255, 0, 0), (124, 116, 104)


def make_red(height: int, width: int) -> np.ndarray:
    return np.full((height, width, 3), RED, dtype=np.uint8)


def make_noise() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (120, 160, 3), dtype=np.uint8)


@pytest.mark.parametrize("size", [(480, 640), (1080, 1920), (1920, 1080), (300, 300)])
def test_canvas_has_the_pictures_shape_and_a_fixed_area(size: tuple[int, int]) -> None:
    height, width = size
    wide, high = choose_canvas(np.zeros((*size, 3), dtype=np.uint8))
    assert wide % 16 == 0 and high % 16 == 0
    assert wide / high == pytest.approx(width / height, rel=0.1)
    assert wide * high == pytest.approx(CANVAS_PX, rel=0.1)


def test_picture_of_the_canvas_shape_fills_it() -> None:
    canvas = fit_canvas(make_red(480, 640), canvas_wh=(208, 160))
    assert canvas.shape == (160, 208, 3) and canvas.dtype == np.uint8
    assert (canvas == RED).all()


def test_picture_of_another_shape_keeps_it_and_lies_on_grey() -> None:
    canvas = fit_canvas(make_red(640, 360), canvas_wh=(208, 160))
    assert (canvas[:, 59:149] == RED).all()
    assert (canvas[:, :59] == GREY).all() and (canvas[:, 149:] == GREY).all()


def test_versions_are_the_picture_its_mirror_image_and_others() -> None:
    versions = Augmentation((160, 120), mirrors=True, n_augmented=3)
    image = make_noise()
    images = augment_image(image, versions=versions, rng=np.random.default_rng(0))
    assert images.shape == (5, 120, 160, 3) and images.dtype == np.uint8
    np.testing.assert_array_equal(images[0], image)
    np.testing.assert_array_equal(images[1], image[:, ::-1])
    assert len(np.unique(images.reshape(5, -1), axis=0)) == 5


def test_without_mirroring_left_stays_left() -> None:
    image = np.zeros((120, 160, 3), dtype=np.uint8)
    image[:, :60] = 200
    versions = Augmentation((160, 120), mirrors=False, n_augmented=20)
    images = augment_image(image, versions=versions, rng=np.random.default_rng(0))
    assert len(images) == 21
    assert (
        images[:, :, :20].mean((1, 2, 3)) > images[:, :, -20:].mean((1, 2, 3))
    ).all()


def test_equal_seeds_give_equal_versions() -> None:
    versions = Augmentation((160, 120), mirrors=True, n_augmented=2)
    first, second, other = (
        augment_image(make_noise(), versions=versions, rng=np.random.default_rng(seed))
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, second)
    assert (first[2:] != other[2:]).any()
