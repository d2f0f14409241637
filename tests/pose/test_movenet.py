"""MoveNet: sampling, axis order, and SavedModels from elsewhere."""

from pathlib import Path

import numpy as np
import pytest

from utils.pose.crop import Square
from utils.pose.movenet import load_hub_movenet, sample_square


def test_sample_square_reads_as_crop_and_resize_does() -> None:
    tf = pytest.importorskip("tensorflow")
    image = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    square = Square(-7.5, 4.25, 50.0)
    left, top = square.left_px / 60, square.top_px / 40
    box = [top, left, top + 50 / 40, left + 50 / 60]
    expected = tf.image.crop_and_resize(
        image[None].astype(np.float32), [box], [0], [33, 33]
    )
    sampled = sample_square(image, square, 33)
    assert sampled.dtype == np.int32
    assert np.abs(sampled - expected.numpy()[0]).max() < 1


def test_sample_square_reads_a_picture_turned_in_memory() -> None:
    image = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    turned, square = np.rot90(image), Square(-2, -3, 33)
    assert (
        sample_square(turned, square, 24) == sample_square(turned.copy(), square, 24)
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
    with pytest.raises(ValueError, match="'movenet_thundr' is neither movenet_thunder"):
        load_hub_movenet("movenet_thundr")
    with pytest.raises(ValueError, match="nor a SavedModel that tensorflow_hub"):
        load_hub_movenet(str(tmp_path))
