"""PoseNet: heat maps decoded, pixels read without half-pixel centres."""

from pathlib import Path

import numpy as np
import pytest

from utils.pose.crop import Square
from utils.pose.posenet import decode_pose, load_posenet, sample_grid, sample_square


def test_decode_pose_adds_the_offset_of_the_best_cell() -> None:
    heat_map = np.full((5, 4, 17), -3.0, np.float32)
    offset = np.zeros((5, 4, 34), np.float32)
    heat_map[2, 3, 0] = 0.0
    offset[2, 3, 0], offset[2, 3, 17] = 1.5, -2.5
    heat_map[4, 1, 16] = 2.0
    offset[4, 1, 16], offset[4, 1, 33] = 7.0, 5.0
    pose = decode_pose(heat_map, offset)
    assert pose[0].tolist() == [3 * 16 - 2.5, 2 * 16 + 1.5, 0.5]
    assert pose[16, :2].tolist() == [16 + 5, 4 * 16 + 7]
    assert pose[16, 2] == pytest.approx(1 / (1 + np.exp(-2)))


def test_sample_square_starts_at_the_corner_not_half_a_pixel_in() -> None:
    image = np.zeros((10, 10, 3), np.uint8)
    image[...] = (np.arange(10) * 20)[:, None]
    sampled = sample_square(image, Square(0, 0, 10), 5)
    assert sampled.dtype == np.float32
    np.testing.assert_allclose(
        (sampled[0, :, 0] + 1) * 127.5, [0, 40, 80, 120, 160], atol=1e-4
    )


def test_load_posenet_refuses_another_input_size() -> None:
    with pytest.raises(ValueError, match=r"one of \(257, 385, 513\), got 300"):
        load_posenet(300)


def test_heat_maps_peak_where_the_keypoint_is_found(demo_videos: Path) -> None:
    from utils.pose.crop import frame_square
    from utils.pose.posenet import compute_heat_maps, load_posenet
    from utils.video.reader import read_film

    image = next(iter(read_film(demo_videos / "person2_a.mp4"))).image
    square = frame_square((image.shape[1], image.shape[0]))
    heat_maps = compute_heat_maps(image, square)
    assert heat_maps.shape == (17, 17, 17)
    pose = load_posenet(257)(image, square)
    np.testing.assert_allclose(heat_maps.max(axis=(0, 1)), pose[:, 2], atol=1e-5)


def test_sample_grid_blends_the_four_pixels_round_a_point() -> None:
    image = np.zeros((2, 2, 3), np.uint8)
    image[..., 0] = [[0, 100], [200, 100]]
    sampled = sample_grid(image, np.array([0.5]), np.array([0.25]))
    assert sampled[0, 0].tolist() == [0.75 * 50 + 0.25 * 150, 0, 0]


def test_sample_grid_gives_each_pixel_at_its_own_place() -> None:
    image = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    sampled = sample_grid(image, np.arange(7.0), np.arange(5.0))
    assert (sampled == image).all()


def test_sample_grid_goes_on_with_the_edge_outside_the_picture() -> None:
    image = np.full((3, 3, 3), 50, np.uint8)
    image[:, 2] = 70
    x_px = np.array([-5.0, 0.0, 2.0, 2.5])
    sampled = sample_grid(image, x_px, np.array([1.0, 9.0]))
    assert sampled[0, :, 0].tolist() == [50, 50, 70, 70]
    assert sampled[1, :, 0].tolist() == [50, 50, 70, 70]


def test_sample_grid_reads_a_picture_turned_in_memory() -> None:
    image = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    turned = np.rot90(image)
    sampled = sample_grid(turned, np.arange(5.0), np.arange(7.0))
    assert (sampled == turned).all()
