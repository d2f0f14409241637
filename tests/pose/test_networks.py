"""MoveNet, PoseNet and SavedModels: pixels read, axis order, heat maps decoded."""

import shutil
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from utils.core.files import hash_file
from utils.core.weights import find_weights
from utils.pose import networks
from utils.pose.crop import Square
from utils.pose.networks import (
    FOREIGN,
    NETWORKS,
    choose_network,
    decode_pose,
    find_network,
    find_network_files,
    load_hub_movenet,
    load_network,
    sample_grid,
    sample_movenet_square,
    sample_posenet_square,
)


def test_movenet_reads_as_crop_and_resize_does() -> None:
    tf = pytest.importorskip("tensorflow")
    image = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    square = Square(-7.5, 4.25, 50.0)
    left, top = square.left_px / 60, square.top_px / 40
    box = [top, left, top + 50 / 40, left + 50 / 60]
    expected = tf.image.crop_and_resize(
        image[None].astype(np.float32), [box], [0], [33, 33]
    )
    sampled = sample_movenet_square(image, square, 33)
    assert sampled.dtype == np.int32
    assert np.abs(sampled - expected.numpy()[0]).max() < 1


def test_movenet_reads_a_picture_turned_in_memory() -> None:
    image = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    turned, square = np.rot90(image), Square(-2, -3, 33)
    assert (
        sample_movenet_square(turned, square, 24)
        == sample_movenet_square(turned.copy(), square, 24)
    ).all()


def _save_movenet(folder: Path, *, shape: list[int | None], n_points: int = 17) -> str:
    """Save a SavedModel with MoveNet's signature; it finds the square's brightest spot.

    Every keypoint gets (y, x, score) = (0.25, 0.5, red of the first pixel / 255).
    """
    tf = pytest.importorskip("tensorflow")
    module = tf.Module()

    @tf.function(input_signature=[tf.TensorSpec(shape, tf.int32, name="input")])
    def run(picture):  # noqa: ANN001, ANN202 - tensorflow is not imported up there
        score = tf.cast(picture[0, 0, 0, 0], tf.float32) / 255
        point = tf.stack([0.25, 0.5, score])
        return {"output_0": tf.tile(point[None, None, None], [1, 1, n_points, 1])}

    module.run = run
    signatures = {"serving_default": run.get_concrete_function()}
    tf.saved_model.save(module, str(folder), signatures)
    return str(folder)


@pytest.mark.slow
def test_saved_model_from_a_folder_is_a_pose_network(tmp_path: Path) -> None:
    network = load_hub_movenet(_save_movenet(tmp_path, shape=[1, 24, 24, 3]))
    image = np.full((80, 80, 3), (51, 0, 0), np.uint8)
    pose = network(image, Square(20, 40, 40))
    assert pose.shape == (17, 3)
    assert pose.dtype == np.float64
    np.testing.assert_allclose(pose, np.tile([40, 50, 0.2], (17, 1)), atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shape", "n_points", "message"),
    [
        ([1, None, None, 3], 17, "expected one input of shape"),
        ([1, 24, 24, 3], 33, "expected an output of shape"),
    ],
)
def test_saved_model_of_another_kind_is_refused(
    tmp_path: Path, shape: list[int | None], n_points: int, message: str
) -> None:
    handle = _save_movenet(tmp_path, shape=shape, n_points=n_points)
    with pytest.raises(ValueError, match=f"not a single-person MoveNet: {message}"):
        load_hub_movenet(handle)


@pytest.mark.slow
def test_what_is_no_model_is_refused_in_one_sentence(tmp_path: Path) -> None:
    pytest.importorskip("tensorflow_hub")
    with pytest.raises(
        ValueError,
        match="'movenet_thundr' is neither movenet_lightning, movenet_thunder, posenet",
    ):
        load_hub_movenet("movenet_thundr")
    with pytest.raises(ValueError, match="nor a SavedModel that tensorflow_hub"):
        load_hub_movenet(str(tmp_path))


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


def test_posenet_starts_at_the_corner_not_half_a_pixel_in() -> None:
    image = np.zeros((10, 10, 3), np.uint8)
    image[...] = (np.arange(10) * 20)[:, None]
    sampled = sample_posenet_square(image, Square(0, 0, 10), 5)
    assert sampled.dtype == np.float32
    np.testing.assert_allclose(
        (sampled[0, :, 0] + 1) * 127.5, [0, 40, 80, 120, 160], atol=1e-4
    )


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


def test_a_network_is_found_by_name_and_input_size() -> None:
    assert find_network("posenet") == find_network("posenet_257") == NETWORKS["posenet"]
    assert find_network("posenet_513").size_px == 513
    for unknown in ("posenet_300", "movenet_thunder_257", "513", "a_folder"):
        assert find_network(unknown) is None


def test_a_saved_model_is_taken_only_by_its_own_setting(tmp_path: Path) -> None:
    folder = str(tmp_path)
    assert choose_network("posenet_513") == "posenet_513"
    for take in (choose_network, load_network):
        with pytest.raises(
            ValueError, match="goes into the setting SAVED_MODEL: it is"
        ):
            take(folder)
    with pytest.warns(UserWarning, match="a program: it can read and write all your"):
        assert choose_network("posenet", folder) == FOREIGN + folder
    (tmp_path / "saved_model.pb").write_bytes(b"x")
    assert len(find_network_files(FOREIGN + folder)) == 1


def test_a_network_is_read_from_files(tmp_path: Path) -> None:
    assert [p.suffix for p in find_network_files("movenet_lightning")] == [".tflite"]
    assert find_network_files("posenet_385") == find_network_files("posenet")
    (tmp_path / "variables").mkdir()
    for name in ("saved_model.pb", "variables/data"):
        (tmp_path / name).write_bytes(b"x")
    assert len(find_network_files(str(tmp_path))) == 2
    assert find_network_files("https://example.org/model") == []


def test_a_network_whose_file_was_touched_is_loaded_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(shutil.copy(find_network_files("movenet_lightning")[0], tmp_path))
    (tmp_path / "SHA256SUMS").write_text(f"{hash_file(path)}  {path.name}\n")
    monkeypatch.setattr(
        networks, "find_weights", partial(find_weights, folder=tmp_path)
    )
    before, data = load_network("movenet_lightning"), path.read_bytes()
    assert load_network("movenet_lightning") is before
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(ValueError, match="is not the file it should be"):
        load_network("movenet_lightning")
    path.write_bytes(data)
    assert load_network("movenet_lightning") is not before
