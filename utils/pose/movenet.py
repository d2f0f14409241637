"""MoveNet: a square of a picture in, 17 keypoints in pixels of the picture out.

Trap: the network gives (y, x, score), y and x from 0 to 1 of the square it saw. Neither
that order nor the square leaves this room.
"""

from collections.abc import Callable

import numpy as np

from utils.core.skeleton import N_KEYPOINTS
from utils.core.weights import find_weights, load_interpreter
from utils.pose.crop import PoseNetwork, Square

WEIGHTS: dict[str, str] = {
    "movenet_lightning": "movenet_lightning.tflite",
    "movenet_thunder": "movenet_thunder.tflite",
}


def load_movenet(name: str) -> PoseNetwork:
    """Load one of the two MoveNets that come with the project, to run on one thread.

    Args:
        name: `movenet_lightning` (192 px, fast) or `movenet_thunder` (256 px).

    Returns:
        Network: picture and square in, pose out.

    Raises:
        FileNotFoundError: If the weights are not there.
        ValueError: If the weights are not the file they should be.
    """
    interpreter = load_interpreter(find_weights(WEIGHTS[name]))
    interpreter.allocate_tensors()
    given = interpreter.get_input_details()[0]
    output_idx = interpreter.get_output_details()[0]["index"]

    def run(pixels: np.ndarray) -> np.ndarray:
        interpreter.set_tensor(given["index"], pixels)
        interpreter.invoke()
        return interpreter.get_tensor(output_idx)

    return _build_network(run, int(given["shape"][1]))


def load_hub_movenet(handle: str) -> PoseNetwork:
    """Load any other single-person MoveNet by `tensorflow_hub.load`.

    Args:
        handle: Folder of a SavedModel, or the address of one; its signature
            `serving_default` takes int32 `(1, size, size, 3)` and gives
            `(1, 1, 17, 3)`.

    Returns:
        Network: picture and square in, pose out.

    Raises:
        ValueError: If there is nothing to load, or if it is not such a MoveNet.
    """
    signature = _load_signature(handle)
    given = signature.structured_input_signature[1]
    spec = next(iter(given.values()))
    shape = list(spec.shape) if spec.shape.rank is not None else []
    if len(given) != 1 or len(shape) != 4 or None in shape[1:] or shape[1] != shape[2]:
        raise ValueError(
            f"{handle} is not a single-person MoveNet: expected one input of shape "
            f"(1, size, size, 3), found {given}. Choose movenet_thunder, or another "
            "SavedModel."
        )
    import tensorflow as tf

    input_name, output_name = next(iter(given)), _find_output(signature, handle)

    def run(pixels: np.ndarray) -> np.ndarray:
        tensor = tf.constant(pixels.astype(spec.dtype.as_numpy_dtype))
        return signature(**{input_name: tensor})[output_name].numpy()

    return _build_network(run, shape[1])


def _load_signature(handle: str) -> Callable:
    """Return the signature `serving_default` of a SavedModel, or say what is wrong."""
    try:
        import tensorflow as tf
        import tensorflow_hub as hub
    except ImportError as error:
        raise ValueError(
            f"{handle} needs tensorflow-hub, which cannot be imported ({error}). Run "
            "pip install -r requirements.txt, or choose movenet_thunder."
        ) from error
    try:
        loaded = hub.load(handle)
    except (OSError, ValueError, RuntimeError, tf.errors.OpError) as error:
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise ValueError(
            f"POSE_MODEL {handle!r} is neither movenet_thunder, movenet_lightning, "
            "posenet, posenet_257, posenet_385 or posenet_513, nor a SavedModel that "
            f"tensorflow_hub can load ({reason[0]}). Correct the name or the address."
        ) from error
    signatures = getattr(loaded, "signatures", {})
    if "serving_default" not in signatures:
        raise ValueError(
            f"{handle} has no signature 'serving_default', found "
            f"{', '.join(signatures) or 'none'}; a MoveNet SavedModel has one."
        )
    return signatures["serving_default"]


def _find_output(signature: Callable, handle: str) -> str:
    """Return the name of the output of shape (1, 1, 17, 3)."""
    outputs = signature.structured_outputs
    for name, spec in outputs.items():
        if spec.shape.is_compatible_with([1, 1, N_KEYPOINTS, 3]):
            return name
    raise ValueError(
        f"{handle} is not a single-person MoveNet: expected an output of shape (1, 1, "
        f"{N_KEYPOINTS}, 3), found {outputs}. Choose movenet_thunder, or another one."
    )


def _build_network(run: Callable[[np.ndarray], np.ndarray], size: int) -> PoseNetwork:
    """Join sampling, network and the way back to pixels of the picture.

    Args:
        run: int32 pixels `(1, size, size, 3)` in, `(1, 1, 17, 3)` out.
        size: Side of the network's input, in pixels.
    """

    def estimate(image: np.ndarray, square: Square) -> np.ndarray:
        output = run(sample_square(image, square, size)[None]).reshape(N_KEYPOINTS, 3)
        pose = output[:, [1, 0, 2]].astype(np.float64)
        pose[:, :2] = pose[:, :2] * square.side_px + square[:2]
        return pose

    return estimate


def sample_square(image: np.ndarray, square: Square, size: int) -> np.ndarray:
    """Read a square of a picture as `tf.image.crop_and_resize` does, black outside.

    It scales the square's corners from 0..width to 0..width - 1 and reads at both
    corners and evenly between; MoveNet's published reference crops with it.

    Args:
        image: RGB uint8 array `(height, width, 3)`.
        square: Which part of it.
        size: Side of the result, in pixels.

    Returns:
        int32 array `(size, size, 3)`, 0..255.
    """
    import cv2

    x_px, x_step = _place_samples(square.left_px, square.side_px, image.shape[1], size)
    y_px, y_step = _place_samples(square.top_px, square.side_px, image.shape[0], size)
    sampled = cv2.warpAffine(
        np.ascontiguousarray(image),
        np.array([[x_step, 0, x_px[0]], [0, y_step, y_px[0]]]),
        (size, size),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    sampled[:, (x_px < 0) | (x_px > image.shape[1] - 1)] = 0
    sampled[(y_px < 0) | (y_px > image.shape[0] - 1)] = 0
    return sampled.astype(np.int32)


def _place_samples(
    start_px: float, side_px: float, picture_px: int, size: int
) -> tuple[np.ndarray, float]:
    """Return where on one axis of a picture its pixels are read, and the step."""
    scale = (picture_px - 1) / picture_px
    step = side_px / (size - 1) * scale
    return start_px * scale + step * np.arange(size), step
