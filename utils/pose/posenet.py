"""PoseNet: a square of a picture in, 17 keypoints in pixels of the picture out.

The network gives heat maps and offsets; they are decoded here as TF.js does for one
person (@tensorflow-models/pose-detection, decodeSinglePose): the best cell of each heat
map, then the offset stored at that cell.
"""

from collections.abc import Callable

import numpy as np

from utils.core.skeleton import N_KEYPOINTS
from utils.core.weights import find_weights, load_interpreter
from utils.pose.crop import PoseNetwork, Square

WEIGHTS = "posenet_mobilenet_v1_075.tflite"
INPUT_SIZES: tuple[int, ...] = (257, 385, 513)
STRIDE_PX = 16


def load_posenet(input_size: int = 257) -> PoseNetwork:
    """Load PoseNet (MobileNetV1 0.75, stride 16), to run on one thread.

    Args:
        input_size: Side of what the network sees, in pixels: 257, 385 or 513. Larger
            is slower, and finer for people who are small in the picture.

    Returns:
        Network: picture and square in, pose `(17, 3)` out.

    Raises:
        FileNotFoundError: If the weights are not there.
        ValueError: If `input_size` is none of the three, or the weights are wrong.
    """
    if input_size not in INPUT_SIZES:
        raise ValueError(
            f"Expected PoseNet's input size to be one of {INPUT_SIZES}, got "
            f"{input_size!r}."
        )
    run = _build_runner(input_size)

    def estimate(image: np.ndarray, square: Square) -> np.ndarray:
        pose = decode_pose(*run(sample_square(image, square, input_size)))
        pose[:, :2] = pose[:, :2] * (square.side_px / input_size) + square[:2]
        return pose

    return estimate


def _build_runner(
    input_size: int,
) -> Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Return what gives heat map and offset of a sampled square."""
    interpreter = load_interpreter(find_weights(WEIGHTS))
    given_idx = interpreter.get_input_details()[0]["index"]
    interpreter.resize_tensor_input(given_idx, [1, input_size, input_size, 3])
    interpreter.allocate_tensors()
    index = {d["shape"][-1]: d["index"] for d in interpreter.get_output_details()}

    def run(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        interpreter.set_tensor(given_idx, pixels[None])
        interpreter.invoke()
        return (
            interpreter.get_tensor(index[N_KEYPOINTS])[0],
            interpreter.get_tensor(index[2 * N_KEYPOINTS])[0],
        )

    return run


def compute_heat_maps(
    image: np.ndarray, square: Square, *, input_size: int = 257
) -> np.ndarray:
    """Show what the network sees before a keypoint is chosen, for a picture of it.

    Args:
        image: RGB uint8 `(height, width, 3)`.
        square: Part of the picture to look at.
        input_size: As for `load_posenet`.

    Returns:
        float array `(rows, columns, 17)`, 0 to 1: how sure the network is that a
        keypoint lies near each place of a grid over the square.
    """
    heat_map, _ = _build_runner(input_size)(sample_square(image, square, input_size))
    return 1 / (1 + np.exp(-heat_map))


def sample_square(image: np.ndarray, square: Square, input_size: int) -> np.ndarray:
    """Read a square of a picture as TF.js does for PoseNet, the edge going on outside.

    Trap: no half-pixel centres. Output pixel i lies at left + i * side / input_size.

    Args:
        image: RGB uint8 array `(height, width, 3)`.
        square: Which part of it.
        input_size: Side of the result, in pixels.

    Returns:
        float32 array `(input_size, input_size, 3)`, -1..1.
    """
    offset_px = np.arange(input_size) * (square.side_px / input_size)
    sampled = sample_grid(image, square.left_px + offset_px, square.top_px + offset_px)
    sampled /= np.float32(127.5)
    sampled -= np.float32(1)
    return sampled


def sample_grid(image: np.ndarray, x_px: np.ndarray, y_px: np.ndarray) -> np.ndarray:
    """Read a picture at the crossings of columns and rows, bilinearly, in float.

    Column x = 0 is the middle of the first pixel; outside, the outermost pixel goes on,
    as in TF.js `transform` with fill mode "nearest". OpenCV gives whole grey levels
    only, which moved a keypoint of the reference picture by up to 0.86 px.

    Args:
        image: RGB uint8 array `(height, width, 3)`.
        x_px: Columns to read, float array `(n_x,)`.
        y_px: Rows to read, float array `(n_y,)`.

    Returns:
        float32 array `(n_y, n_x, 3)`, 0..255.
    """
    x0, x1, x_part = _split_positions(x_px, image.shape[1])
    y0, y1, y_part = _split_positions(y_px, image.shape[0])
    pixels = np.ascontiguousarray(image).reshape(-1, 3)
    upper, lower = y0[:, None] * image.shape[1], y1[:, None] * image.shape[1]
    return _blend(
        _blend(pixels.take(upper + x0, 0), pixels.take(upper + x1, 0), x_part[:, None]),
        _blend(pixels.take(lower + x0, 0), pixels.take(lower + x1, 0), x_part[:, None]),
        y_part[:, None, None],
    )


def _split_positions(
    position_px: np.ndarray, size_px: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Split positions on one axis into two pixels and the second one's share."""
    clipped_px = np.clip(position_px, 0, size_px - 1)
    before = np.floor(clipped_px).astype(np.intp)
    after = np.minimum(before + 1, size_px - 1)
    return before, after, (clipped_px - before).astype(np.float32)


def _blend(first: np.ndarray, second: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Return `first` + `share` * (`second` - `first`) as float32."""
    start = first.astype(np.float32, copy=False)
    step = second.astype(np.float32)
    step -= start
    step *= share
    step += start
    return step


def decode_pose(heat_map: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """Find one person's keypoints in PoseNet's heat maps and offsets.

    Args:
        heat_map: Float array `(n_rows, n_columns, 17)`, before the sigmoid.
        offset: Float array `(n_rows, n_columns, 34)`: 17 y, then 17 x, in pixels of
            the network's input.

    Returns:
        float64 array `(17, 3)`: x and y in pixels of the network's input, and score.
    """
    n_columns = heat_map.shape[1]
    logit = heat_map.reshape(-1, N_KEYPOINTS)
    cell, keypoint = logit.argmax(axis=0), np.arange(N_KEYPOINTS)
    row, column = np.divmod(cell, n_columns)
    pose = np.empty((N_KEYPOINTS, 3))
    pose[:, 0] = column * STRIDE_PX + offset[row, column, keypoint + N_KEYPOINTS]
    pose[:, 1] = row * STRIDE_PX + offset[row, column, keypoint]
    pose[:, 2] = 1 / (1 + np.exp(-logit[cell, keypoint].astype(np.float64)))
    return pose
