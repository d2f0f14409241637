"""Poses the way TensorFlow's MoveNet tutorial finds them, for comparison.

As the notebook "MoveNet: Ultra fast and accurate pose detection model" does it: crop
and resize by eager `tf.image.crop_and_resize`, run the network, bring the 17 points
back one by one, find the crop round the person, and look once more. The network is the
SavedModel from TensorFlow Hub, which the tutorial chooses unless told otherwise, or the
TFLite file, its other choice. Written anew; no thread limits and one frame at a time,
as there.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf

from utils.core.weights import find_weights
from utils.pose.crop import Square, frame_square, person_square
from utils.pose.networks import NETWORKS

Run = Callable[[tf.Tensor], np.ndarray]


def load_saved_model(folder: Path) -> tuple[Run, int]:
    """Load MoveNet by `hub.load`, as the tutorial does unless told otherwise.

    Args:
        folder: A SavedModel, as models/convert_tfjs.py makes it.

    Returns:
        From int32 pixels `(1, size, size, 3)` to `(1, 1, 17, 3)`; and the size.
    """
    import tensorflow_hub as hub

    module = hub.load(str(folder))
    signature = module.signatures["serving_default"]
    size = signature.structured_input_signature[1]["input"].shape[1]

    def run(pixels: tf.Tensor) -> np.ndarray:
        return signature(input=pixels)["output_0"].numpy()

    run.module = module  # the signature holds no reference to its variables
    return run, size


def load_tflite(model: str) -> tuple[Run, int]:
    """Load MoveNet into `tf.lite.Interpreter`, the tutorial's other choice.

    Args:
        model: `movenet_lightning` or `movenet_thunder`.

    Returns:
        From int32 pixels `(1, size, size, 3)` to `(1, 1, 17, 3)`; and the size.
    """
    interpreter = tf.lite.Interpreter(str(find_weights(NETWORKS[model].file)))
    interpreter.allocate_tensors()
    given = interpreter.get_input_details()[0]
    output_idx = interpreter.get_output_details()[0]["index"]

    def run(pixels: tf.Tensor) -> np.ndarray:
        interpreter.set_tensor(given["index"], pixels.numpy())
        interpreter.invoke()
        return interpreter.get_tensor(output_idx)

    return run, int(given["shape"][1])


def start(
    run: Run, size: int, *, follows: bool
) -> Callable[[np.ndarray, float], np.ndarray]:
    """Start on a film in one of the tutorial's two ways.

    Args:
        run: The network.
        size: Side of its input, in pixels.
        follows: Whether to look once, at the crop that the frame before gives, as the
            tutorial does with a film; else twice at each frame, the second time closer.

    Returns:
        From RGB uint8 `(height, width, 3)` and a time stamp, which is not used, to
        `(17, 3)`: x_px, y_px, score.
    """
    next_square: list[Square] = []

    def find(image: np.ndarray, _time_s: float) -> np.ndarray:
        size_wh = (image.shape[1], image.shape[0])
        square = next_square.pop() if next_square else frame_square(size_wh)
        pose = _look(image, square, run, size)
        square = person_square(pose, size_wh) or frame_square(size_wh)
        if not follows:
            return _look(image, square, run, size)
        next_square.append(square)
        return pose

    return find


def _look(image: np.ndarray, square: Square, run: Run, size: int) -> np.ndarray:
    """Find a pose in a square of a picture."""
    pixels = tf.cast(_crop_and_resize(image, square, size), tf.int32)
    return _bring_back(run(pixels)[0, 0], square)


def _crop_and_resize(image: np.ndarray, square: Square, size: int) -> tf.Tensor:
    """Crop a square of a picture and resize it, eagerly."""
    height_px, width_px = image.shape[:2]
    box = [
        square.top_px / height_px,
        square.left_px / width_px,
        (square.top_px + square.side_px) / height_px,
        (square.left_px + square.side_px) / width_px,
    ]
    return tf.image.crop_and_resize(
        tf.expand_dims(image, axis=0),
        boxes=[box],
        box_indices=[0],
        crop_size=[size, size],
    )


def _bring_back(output: np.ndarray, square: Square) -> np.ndarray:
    """Turn the network's (y, x, score) into pixels of the picture, point by point."""
    pose = np.zeros((17, 3))
    for idx, (y, x, score) in enumerate(output):
        pose[idx, 0] = square.left_px + square.side_px * x
        pose[idx, 1] = square.top_px + square.side_px * y
        pose[idx, 2] = score
    return pose
