"""The classifier as TensorFlow Lite: behind a pose network, or joined with one.

`posture_51.tflite` takes the 51 numbers that MoveNet gives, 17 times y, x, score, and
gives a probability for each label and, where the classifier knows doubt, how unlike the
pose is to all that was learnt; `posture_picture.tflite` takes the picture that MoveNet
takes and gives the keypoints too. All of `model.json` is in the file's metadata.
"""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from utils.core.files import atomic_path
from utils.core.skeleton import KEYPOINT_IDX, N_KEYPOINTS
from utils.core.weights import load_interpreter
from utils.export.model_json import (
    TOLERANCE,
    Loaded,
    Model,
    compare_answers,
    compute_answers,
    compute_features,
    format_model,
    is_near_doubt,
    measure_doubt,
    parse_model,
)
from utils.pose.features import TORSO_FACTOR
from utils.pose.networks import find_network, find_network_files, load_movenet

if TYPE_CHECKING:
    import tensorflow as tf

METADATA = "model.json"
N_NUMBERS = 3 * N_KEYPOINTS
_HUGE = 3e38  # further than any keypoint
_HIPS = [KEYPOINT_IDX["left_hip"], KEYPOINT_IDX["right_hip"]]
_SHOULDERS = [KEYPOINT_IDX["left_shoulder"], KEYPOINT_IDX["right_shoulder"]]


def write_posture_51(model: Model, path: Path) -> Path:
    """Write the classifier as a graph from 51 numbers to probabilities.

    Args:
        model: From `build_model`.
        path: Where to, e.g. `posture_51.tflite`.

    Returns:
        The path.
    """
    return _write_graph(_convert(model, [None, N_NUMBERS]), model, Path(path))


def write_posture_picture(model: Model, path: Path) -> Path:
    """Write pose network and classifier as one graph, from a picture to both answers.

    The picture is what the network takes: a square, `network.input` in `model.json`;
    a picture of another shape is padded to it, never squeezed.

    Args:
        model: From `build_model`.
        path: Where to, e.g. `posture_picture.tflite`.

    Returns:
        The path.

    Raises:
        ValueError: If the classifier's network or feature rule cannot be joined.
    """
    name = model["network"]["name"]
    if not is_joinable(model):
        raise ValueError(
            "Only MoveNet can be joined with the classifier, and only where the "
            f"picture's size does not count; this one has {name} and "
            f"{model['features']['rule']} features. Use posture_51.tflite."
        )
    from ai_edge_litert import schema_py_generated as schema

    network = _unpack(find_network_files(name)[0].read_bytes())
    body, head = network.subgraphs[0], _convert(model, [1, 1, N_KEYPOINTS, 3])
    tail = head.subgraphs[0]
    codes, buffers, tensors = (
        len(part) for part in (network.operatorCodes, network.buffers, body.tensors)
    )
    keypoints = body.outputs[0]
    answers = {t.name.decode(): t.tensorIndex for t in head.signatureDefs[0].outputs}

    def renumber(number: int) -> int:
        if number == tail.inputs[0]:
            return keypoints
        return number + tensors if number >= 0 else number  # -1: left out

    for tensor in tail.tensors:
        tensor.buffer += buffers
        tensor.name = b"posture/" + tensor.name
    for operator in tail.operators:
        operator.opcodeIndex += codes
        operator.inputs = [renumber(i) for i in operator.inputs]
        operator.outputs = [renumber(i) for i in operator.outputs]
    network.operatorCodes += head.operatorCodes
    network.buffers += head.buffers
    body.tensors += tail.tensors
    body.operators += tail.operators
    outputs = {name: renumber(index) for name, index in answers.items()}
    outputs["keypoints"] = keypoints
    body.outputs = list(outputs.values())
    signature = schema.SignatureDefT()
    signature.signatureKey = b"serving_default"
    signature.inputs = [_map_tensor("picture", body.inputs[0])]
    signature.outputs = [_map_tensor(*output) for output in outputs.items()]
    network.signatureDefs = [signature]
    return _write_graph(network, model, Path(path))


def is_joinable(model: Model) -> bool:
    """Tell if network and classifier fit into one graph."""
    network = find_network(model["network"]["name"])
    is_movenet = network is not None and network.load is load_movenet
    return is_movenet and model["features"]["rule"] != "raw"


def _map_tensor(name: str, index: int) -> object:
    """Return a name for a tensor of a signature."""
    from ai_edge_litert import schema_py_generated as schema

    tensor_map = schema.TensorMapT()
    tensor_map.name, tensor_map.tensorIndex = name.encode(), index
    return tensor_map


def _convert(model: Model, shape: list[int | None]) -> Any:  # noqa: ANN401 (generated)
    """Return the classifier's graph for keypoints of a shape, unpacked."""
    import tensorflow as tf

    weights, bias = (np.array(model[k], np.float32) for k in ("weights", "bias"))
    temperature, rule = np.float32(model["temperature"]), model["features"]["rule"]

    @tf.function(input_signature=[tf.TensorSpec(shape, tf.float32, name="keypoints")])
    def classify(keypoints: "tf.Tensor") -> dict[str, "tf.Tensor"]:
        features = _trace_features(keypoints, rule)
        logits = tf.matmul(features, weights) + bias
        answers = {"probabilities": tf.nn.softmax(logits / temperature)}
        if "doubt" in model:
            answers["unlike"] = _trace_doubt(features, model["doubt"])
        return answers

    module = tf.Module()
    module.classify = classify
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [classify.get_concrete_function()], module
    )
    logger = tf.get_logger()
    before = logger.level
    logger.setLevel("ERROR")  # it would say in which temporary folder it works
    try:
        return _unpack(converter.convert())
    finally:
        logger.setLevel(before)


def _trace_features(keypoints: "tf.Tensor", rule: str) -> "tf.Tensor":
    """Trace the feature rule; `utils/pose/features.py` has it in words."""
    import tensorflow as tf

    points = tf.reshape(keypoints, [-1, N_KEYPOINTS, 3])
    xy = tf.stack([points[:, :, 1], points[:, :, 0]], axis=-1)  # given as y, x
    seen = tf.equal(xy, xy)  # NaN is missing

    def mean_seen(values: "tf.Tensor", mask: "tf.Tensor") -> "tf.Tensor":
        n_seen = tf.reduce_sum(tf.cast(mask, tf.float32), axis=1, keepdims=True)
        # 0 / 0 where none is seen: NaN, as it should be
        return tf.reduce_sum(tf.where(mask, values, 0.0), 1, keepdims=True) / n_seen

    def pick(rows: list[int]) -> "tf.Tensor":
        return mean_seen(tf.gather(xy, rows, axis=1), tf.gather(seen, rows, axis=1))

    if rule == "normalised":
        low = tf.reduce_min(tf.where(seen, xy, _HUGE), axis=1, keepdims=True)
        high = tf.reduce_max(tf.where(seen, xy, -_HUGE), axis=1, keepdims=True)
        # from the corner first: in float32 the middle of large numbers is rounded
        xy = (xy - low) - (high - low) / 2
        size = tf.reduce_max(high - low, axis=2, keepdims=True)
    elif rule == "torso":
        hips, shoulders = pick(_HIPS), pick(_SHOULDERS)
        xy = xy - hips
        length = tf.sqrt(tf.reduce_sum((shoulders - hips) ** 2, 2, keepdims=True))
        length = tf.where(tf.equal(length, length), length, 0.0) * TORSO_FACTOR
        reach = tf.sqrt(tf.reduce_sum(tf.where(seen, xy, 0.0) ** 2, 2, keepdims=True))
        size = tf.maximum(length, tf.reduce_max(reach, axis=1, keepdims=True))
    else:
        size = tf.ones_like(xy[:, :1, :1])
    scaled = xy / tf.where(size > 0, size, 1.0)
    filled = tf.where(seen, scaled, mean_seen(scaled, seen))
    return tf.reshape(filled, [-1, 2 * N_KEYPOINTS])


def _trace_doubt(features: "tf.Tensor", doubt: dict[str, Any]) -> "tf.Tensor":
    """Trace how unlike poses are to all learnt, as `measure_doubt` has it in numpy."""
    import tensorflow as tf

    roots, offsets, log_dets = (
        np.array(doubt[name], np.float32) for name in ("roots", "offsets", "log_dets")
    )
    # one product for all postures: their roots side by side
    side_by_side = roots.transpose(1, 0, 2).reshape(len(roots[0]), -1)
    ways = tf.matmul(features, side_by_side) + offsets.reshape(-1)
    squares = tf.reshape(ways**2, [-1, *offsets.shape])
    unlike = tf.reduce_sum(squares, axis=2) + log_dets
    return tf.reduce_min(unlike, axis=1) - np.float32(doubt["threshold"])


def _unpack(content: bytes) -> Any:  # noqa: ANN401 (generated code)
    """Return a TFLite file as objects."""
    from ai_edge_litert import schema_py_generated as schema

    return schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))


def _write_graph(graph: Any, model: Model, path: Path) -> Path:  # noqa: ANN401
    """Write a graph with `model.json` in its metadata."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    buffer, entry = schema.BufferT(), schema.MetadataT()
    buffer.data = np.frombuffer(format_model(model).encode(), np.uint8)
    entry.name, entry.buffer = METADATA.encode(), len(graph.buffers)
    graph.buffers.append(buffer)
    graph.metadata = [*(graph.metadata or []), entry]
    builder = flatbuffers.Builder()
    builder.Finish(graph.Pack(builder), b"TFL3")
    with atomic_path(path) as part:
        part.write_bytes(builder.Output())
    return path


def read_tflite_model(path: Path) -> Model:
    """Read the `model.json` inside a TFLite file.

    Args:
        path: File that this module wrote.

    Returns:
        The checked model.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If there is none inside, or if it contradicts itself.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"No exported model at {path}. Export it first.")
    try:
        graph = _unpack(path.read_bytes())
        names = [entry.name for entry in graph.metadata or []]
        buffer = graph.metadata[names.index(METADATA.encode())].buffer
        text = bytes(graph.buffers[buffer].data)
    except Exception as error:
        raise ValueError(
            f"{path.name} has no {METADATA} inside: it is damaged, or no export of "
            "this project. Export it again."
        ) from error
    return parse_model(text, where=f"{METADATA} in {path.name}")


def load_posture_51(path: Path) -> Loaded:
    """Read `posture_51.tflite` back, and refuse it unless all its checks come out.

    Args:
        path: The file.

    Returns:
        Labels, and what predicts.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If words or weights are not those that were exported.
    """
    model = read_tflite_model(path)
    run = load_interpreter(Path(path)).get_signature_runner()

    def answer(numbers: np.ndarray, name: str) -> np.ndarray:
        numbers = np.asarray(numbers, np.float32).reshape(-1, N_NUMBERS)
        return run(keypoints=numbers)[name]

    predict = partial(answer, name="probabilities")
    measure = partial(answer, name="unlike") if "doubt" in model else None
    difference = compare_answers(model, predict, measure, where=Path(path).name)
    return Loaded(model, predict, difference, measure)


def load_posture_picture(path: Path) -> Loaded:
    """Read `posture_picture.tflite` back, and refuse it unless it agrees with itself.

    Args:
        path: The file.

    Returns:
        As `load_posture_51`, but it predicts from a square RGB uint8 picture of the
        network's size, and gives probabilities `(n_labels,)` and keypoints `(17, 3)`:
        y and x in shares of the square, score.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If words or weights are not those that were exported.
    """
    model = read_tflite_model(path)
    run = load_interpreter(Path(path)).get_signature_runner()
    dtype = run.get_input_details()["picture"]["dtype"]

    def answer(picture: np.ndarray) -> dict[str, np.ndarray]:
        return run(picture=picture[None].astype(dtype))

    def predict(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        answers = answer(picture)
        return answers["probabilities"][0], answers["keypoints"].reshape(-1, 3)

    # No check vector can be fed past the network: what it gives for any picture must
    # be what the model inside makes of the keypoints found.
    size_px = model["network"]["input"]["shape"][1]
    rng = np.random.default_rng(0)
    given = answer(rng.integers(0, 256, (size_px, size_px, 3), np.uint8))
    pose = given["keypoints"].reshape(1, -1, 3)[:, :, [1, 0, 2]].astype(np.float64)
    features = compute_features(model, pose, np.array([[1, 1]]))
    expected = compute_answers(model, features)[1]
    difference = float(np.abs(given["probabilities"] - expected).max())
    unlike = measure_doubt(model, features)
    is_alike = unlike is None or is_near_doubt(model, given["unlike"], unlike)
    if not (is_alike and difference <= TOLERANCE):
        raise ValueError(
            f"{Path(path).name} cannot be used: its graph and the {METADATA} inside "
            "do not agree. Export it again."
        )
    return Loaded(model, predict, difference)
