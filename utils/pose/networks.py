"""The pose networks: a square of a picture in, 17 keypoints in pixels of it out.

To add one: put its file into models/ (with its hash in SHA256SUMS and its source in the
README there), write a loader that returns a `PoseNetwork`, and give it a row in
`NETWORKS` at the foot of this module. Nothing else knows the networks by name: the
setting POSE_MODEL, the cache keys and the errors go by that table.

Traps: MoveNet gives (y, x, score), y and x from 0 to 1 of the square it saw; PoseNet
gives heat maps and offsets, y before x too. Neither leaves this module.
"""

import warnings
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path, PureWindowsPath
from typing import NamedTuple

import numpy as np

from utils.core.files import stamp_file
from utils.core.skeleton import N_KEYPOINTS
from utils.core.weights import find_weights, load_interpreter
from utils.pose.crop import PoseNetwork, Square

_STRIDE_PX = 16  # PoseNet's: pixels of its input a cell of its heat map


def load_movenet(file: str, size_px: int) -> PoseNetwork:
    """Load one of the two MoveNets that come with the project, to run on one thread."""
    interpreter = load_interpreter(find_weights(file))
    interpreter.allocate_tensors()
    input_idx = interpreter.get_input_details()[0]["index"]
    output_idx = interpreter.get_output_details()[0]["index"]

    def run(pixels: np.ndarray) -> np.ndarray:
        interpreter.set_tensor(input_idx, pixels)
        interpreter.invoke()
        return interpreter.get_tensor(output_idx)

    return _build_movenet(run, size_px)


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

    return _build_movenet(run, shape[1])


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
            f"SAVED_MODEL {handle!r} is neither {_list_names()}, nor a SavedModel "
            f"that tensorflow_hub can load ({reason[0]}). Correct the name or the "
            "address."
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


def _build_movenet(run: Callable[[np.ndarray], np.ndarray], size: int) -> PoseNetwork:
    """Join sampling, network and the way back to pixels of the picture.

    Args:
        run: int32 pixels `(1, size, size, 3)` in, `(1, 1, 17, 3)` out.
        size: Side of the network's input, in pixels.
    """

    def estimate(image: np.ndarray, square: Square) -> np.ndarray:
        pixels = sample_movenet_square(image, square, size)
        output = run(pixels[None]).reshape(N_KEYPOINTS, 3)
        pose = output[:, [1, 0, 2]].astype(np.float64)  # (y, x) -> (x, y)
        pose[:, :2] = pose[:, :2] * square.side_px + square[:2]
        return pose

    return estimate


def sample_movenet_square(image: np.ndarray, square: Square, size: int) -> np.ndarray:
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


def load_posenet(file: str, size_px: int) -> PoseNetwork:
    """Load PoseNet (MobileNetV1 0.75, stride 16) at an input size, on one thread."""
    interpreter = load_interpreter(find_weights(file))
    input_idx = interpreter.get_input_details()[0]["index"]
    interpreter.resize_tensor_input(input_idx, [1, size_px, size_px, 3])
    interpreter.allocate_tensors()
    # Outputs are told by their depth; two more, displacements, are not needed.
    index = {d["shape"][-1]: d["index"] for d in interpreter.get_output_details()}

    def estimate(image: np.ndarray, square: Square) -> np.ndarray:
        pixels = sample_posenet_square(image, square, size_px)
        interpreter.set_tensor(input_idx, pixels[None])
        interpreter.invoke()
        pose = decode_pose(
            interpreter.get_tensor(index[N_KEYPOINTS])[0],
            interpreter.get_tensor(index[2 * N_KEYPOINTS])[0],
        )
        pose[:, :2] = pose[:, :2] * (square.side_px / size_px) + square[:2]
        return pose

    return estimate


def sample_posenet_square(image: np.ndarray, square: Square, size: int) -> np.ndarray:
    """Read a square of a picture as TF.js does for PoseNet, the edge going on outside.

    Trap: no half-pixel centres. Output pixel i lies at left + i * side / size.

    Args:
        image: RGB uint8 array `(height, width, 3)`.
        square: Which part of it.
        size: Side of the result, in pixels.

    Returns:
        float32 array `(size, size, 3)`, -1..1.
    """
    offset_px = np.arange(size) * (square.side_px / size)
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

    As TF.js does for one person (@tensorflow-models/pose-detection, decodeSinglePose):
    the best cell of each heat map, then the offset stored at that cell.

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
    pose[:, 0] = column * _STRIDE_PX + offset[row, column, keypoint + N_KEYPOINTS]
    pose[:, 1] = row * _STRIDE_PX + offset[row, column, keypoint]
    pose[:, 2] = 1 / (1 + np.exp(-logit[cell, keypoint].astype(np.float64)))
    return pose


class NetworkFile(NamedTuple):
    """A pose network of the project.

    Attributes:
        file: Its weights in models/.
        size_px: Side of its input.
        load: From both to the network, ready to run on one thread.
        other_sizes_px: Sides that its input can be given as well; `posenet_513` names
            one. Larger is slower, and finer for people who are small in the picture.
    """

    file: str
    size_px: int
    load: Callable[[str, int], PoseNetwork]
    other_sizes_px: tuple[int, ...] = ()


FOREIGN = "saved_model:"  # before the folder or address of a SavedModel asked for
NETWORKS: dict[str, NetworkFile] = {
    "movenet_lightning": NetworkFile("movenet_lightning.tflite", 192, load_movenet),
    "movenet_thunder": NetworkFile("movenet_thunder.tflite", 256, load_movenet),
    "posenet": NetworkFile(
        "posenet_mobilenet_v1_075.tflite", 257, load_posenet, other_sizes_px=(385, 513)
    ),
}


def find_network(network: str) -> NetworkFile | None:
    """Return the row of `NETWORKS` that a name means, at the input size it names.

    Example:
        >>> find_network("posenet_385").size_px
        385
    """
    if network in NETWORKS:
        return NETWORKS[network]
    name, _, size = network.rpartition("_")
    row = NETWORKS.get(name)
    for size_px in (row.size_px, *row.other_sizes_px) if row else ():
        if size == str(size_px):
            return row._replace(size_px=size_px)
    return None


def _list_names() -> str:
    """Return the names of all networks and sizes, for an error."""
    sized = [f"{n}_{px}" for n, row in NETWORKS.items() for px in row.other_sizes_px]
    return ", ".join([*NETWORKS, *sized])


def choose_network(network: str, saved_model: str = "") -> str:
    """Return the network to use: one of the project's own, or a SavedModel asked for.

    A SavedModel is a program: it runs with the user's rights. So none is taken because
    a name happens to lead to it, and it is said what it can do before it is loaded.

    Args:
        network: A name in `NETWORKS`, with an input size if wanted.
        saved_model: Folder or address of a MoveNet SavedModel to use instead.

    Returns:
        What `load_network` takes.

    Raises:
        ValueError: If there is no such network.
    """
    if saved_model:
        warnings.warn(
            f"SAVED_MODEL {saved_model} is a program: it can read and write all your "
            "files. Use it only if you trust who made it.",
            stacklevel=2,
        )
        return FOREIGN + saved_model
    if find_network(network) is None:
        raise ValueError(_refuse(network))
    return network


def name_network(network: str) -> str:
    """Return what a result says of the network: of a SavedModel's folder its own name.

    Args:
        network: What `choose_network` gives.

    Example:
        >>> name_network("saved_model:/home/ann/movenet"), name_network("posenet")
        ('saved_model:movenet', 'posenet')
    """
    where = network.removeprefix(FOREIGN)
    # An address stays: it leads to the same files from everywhere.
    if where == network or "://" in where:
        return network
    return FOREIGN + PureWindowsPath(where).name


def _refuse(network: str) -> str:
    """Say that there is no such network, and how to use a SavedModel."""
    return (
        f"POSE_MODEL={network}: expected {_list_names()}. A SavedModel goes into the "
        "setting SAVED_MODEL: it is a program, which can read and write your files."
    )


def load_network(network: str) -> PoseNetwork:
    """Load a pose network: once a process, and again if its files were touched.

    Args:
        network: A name in `NETWORKS`, with an input size if wanted (`posenet_385`), or
            `FOREIGN` and the folder or address of a MoveNet SavedModel, as
            `choose_network` gives it.

    Returns:
        From a picture and a square to a pose `(17, 3)` in pixels of the picture.

    Raises:
        FileNotFoundError: If the project's weights are not there.
        ValueError: If they are not the files they should be, or if there is no such
            network.
    """
    if find_network(network) is None and not network.startswith(FOREIGN):
        raise ValueError(_refuse(network))
    files = find_network_files(network)
    return _load_network(network, tuple((path, stamp_file(path)) for path in files))


@lru_cache(maxsize=4)
def _load_network(network: str, stamps: tuple) -> PoseNetwork:
    """Load a network as its files are now; `stamps` changes with them."""
    row = find_network(network)
    if row is None:
        return load_hub_movenet(network.removeprefix(FOREIGN))
    return row.load(row.file, row.size_px)


def find_network_files(network: str) -> list[Path]:
    """Return the files that a pose network is read from.

    Args:
        network: As `load_network` takes it.

    Returns:
        Its weight file, or all files of a SavedModel; none for an address.
    """
    row = find_network(network)
    if row is not None:
        return [find_weights(row.file)]
    folder = Path(network.removeprefix(FOREIGN))
    return sorted(path for path in folder.rglob("*") if path.is_file())
