"""Poses the way TensorFlow's MoveNet tutorial finds them, for comparison.

As the notebook "MoveNet: Ultra fast and accurate pose detection model" does it: crop
and resize by eager `tf.image.crop_and_resize`, run `tf.lite.Interpreter`, bring the 17
points back one by one, find the crop round the person, and look once more. Written
anew; no thread limits and one frame at a time, as there.
"""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from utils.movenet import WEIGHTS
from utils.squares import Square, frame_square, person_square
from utils.weights import find_weights


def load_tutorial(model: str) -> Callable[[np.ndarray], np.ndarray]:
    """Load MoveNet as the tutorial does.

    Args:
        model: `movenet_lightning` or `movenet_thunder`.

    Returns:
        From an RGB image to a pose `(17, 3)`: x_px, y_px, score; two passes.
    """
    interpreter = tf.lite.Interpreter(str(find_weights(WEIGHTS[model])))
    interpreter.allocate_tensors()
    given = interpreter.get_input_details()[0]
    output_idx = interpreter.get_output_details()[0]["index"]

    def look(image: np.ndarray, square: Square) -> np.ndarray:
        pixels = _crop_and_resize(image, square, int(given["shape"][1]))
        interpreter.set_tensor(given["index"], tf.cast(pixels, tf.int32).numpy())
        interpreter.invoke()
        return _bring_back(interpreter.get_tensor(output_idx)[0, 0], square)

    def estimate(image: np.ndarray) -> np.ndarray:
        size_wh = (image.shape[1], image.shape[0])
        pose = look(image, frame_square(size_wh))
        square = person_square(pose, size_wh)
        return look(image, frame_square(size_wh) if square is None else square)

    return estimate


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
