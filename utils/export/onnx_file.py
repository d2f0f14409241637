"""The classifier as ONNX: 51 numbers in, a probability for each label out.

Where the classifier knows doubt, so does `unlike`: above 0 a pose is none of these.

The graph is written node by node, the standardising folded into the weights: Keras's
own export makes the mean of its Normalization an input that nobody gives.
"""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from utils.core.files import atomic_path
from utils.core.skeleton import KEYPOINT_IDX, N_KEYPOINTS
from utils.export.model_json import (
    Loaded,
    Model,
    compare_answers,
    format_model,
    parse_model,
)
from utils.pose.features import TORSO_FACTOR

if TYPE_CHECKING:
    import onnx

METADATA, UNLIKE = "model.json", "unlike"
# Old enough for runtimes of 2022 on (onnxruntime 1.12).
_OPSET, _IR_VERSION = 17, 8
_HUGE = np.float32(3e38)
_HIPS = [KEYPOINT_IDX["left_hip"], KEYPOINT_IDX["right_hip"]]
_SHOULDERS = [KEYPOINT_IDX["left_shoulder"], KEYPOINT_IDX["right_shoulder"]]


class _Graph:
    """Collects nodes and constants; each method returns the name of its result."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def add(self, kind: str, *inputs: str, **attributes: object) -> str:
        """Add a node."""
        from onnx import helper

        name = f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], name, **attributes))
        return name

    def keep(self, value: object) -> str:
        """Add a constant: floats as float32, whole numbers as int64."""
        from onnx import numpy_helper

        array = np.asarray(value)
        dtype = np.int64 if array.dtype.kind == "i" else np.float32
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(array.astype(dtype), name))
        return name

    def pick(self, values: str, rows: list[int], axis: int) -> str:
        """Pick rows along an axis."""
        return self.add("Gather", values, self.keep(rows), axis=axis)

    def sum(self, values: str, axis: int) -> str:
        """Sum along an axis, which stays."""
        return self.add("ReduceSum", values, self.keep([axis]), keepdims=1)

    def mean_seen(self, values: str, missing: str) -> str:
        """Return the mean over keypoints that are not missing; NaN if all are."""
        zero, one = self.keep(0.0), self.keep(1.0)
        n_seen = self.sum(self.add("Where", missing, zero, one), 1)
        return self.add(
            "Div", self.sum(self.add("Where", missing, zero, values), 1), n_seen
        )

    def length(self, values: str) -> str:
        """Return the length of `(…, 2)` vectors."""
        return self.add("Sqrt", self.sum(self.add("Mul", values, values), 2))


def write_onnx(model: Model, path: Path) -> Path:
    """Write the classifier as ONNX, `model.json` in its metadata.

    Args:
        model: From `build_model`.
        path: Where to, e.g. `posture.onnx`.

    Returns:
        The path.
    """
    import onnx
    from onnx import TensorProto, helper

    graph = _Graph()
    features = _add_features(graph, model["features"]["rule"])
    logits = graph.add("MatMul", features, graph.keep(model["weights"]))
    logits = graph.add("Add", logits, graph.keep(model["bias"]))
    cooled = graph.add("Div", logits, graph.keep(float(model["temperature"])))
    graph.nodes.append(helper.make_node("Softmax", [cooled], ["probabilities"], axis=1))

    if "doubt" in model:
        _add_doubt(graph, features, model["doubt"])

    def describe(name: str, *shape: int) -> "onnx.ValueInfoProto":
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", *shape])

    proto = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "posture",
            [describe("keypoints", 3 * N_KEYPOINTS)],
            [
                describe("probabilities", len(model["labels"])),
                *([describe(UNLIKE)] if "doubt" in model else []),
            ],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", _OPSET)],
        ir_version=_IR_VERSION,
        producer_name="posenet",
    )
    helper.set_model_props(proto, {METADATA: format_model(model)})
    onnx.checker.check_model(proto, full_check=True)
    with atomic_path(Path(path)) as part:
        part.write_bytes(proto.SerializeToString())
    return Path(path)


def _add_features(graph: _Graph, rule: str) -> str:
    """Add the feature rule; `utils/pose/features.py` has it in words."""
    points = graph.add("Reshape", "keypoints", graph.keep([-1, N_KEYPOINTS, 3]))
    xy = graph.pick(points, [1, 0], axis=2)  # given as y, x
    missing, zero = graph.add("IsNaN", xy), graph.keep(0.0)
    if rule == "normalised":
        low, high = (
            graph.add(kind, graph.add("Where", missing, far, xy), axes=[1], keepdims=1)
            for kind, far in (
                ("ReduceMin", graph.keep(_HUGE)),
                ("ReduceMax", graph.keep(-_HUGE)),
            )
        )
        sides = graph.add("Sub", high, low)
        # from the corner first: in float32 the middle of large numbers is rounded
        half = graph.add("Mul", sides, graph.keep(0.5))
        xy = graph.add("Sub", graph.add("Sub", xy, low), half)
        size = graph.add("ReduceMax", sides, axes=[2], keepdims=1)
    elif rule == "torso":
        hips, shoulders = (
            graph.mean_seen(graph.pick(xy, rows, 1), graph.pick(missing, rows, 1))
            for rows in (_HIPS, _SHOULDERS)
        )
        xy = graph.add("Sub", xy, hips)
        torso = graph.length(graph.add("Sub", shoulders, hips))
        torso = graph.add("Where", graph.add("IsNaN", torso), zero, torso)
        torso = graph.add("Mul", torso, graph.keep(TORSO_FACTOR))
        reach = graph.length(graph.add("Where", missing, zero, xy))
        reach = graph.add("ReduceMax", reach, axes=[1], keepdims=1)
        size = graph.add("Max", torso, reach)
    else:
        size = graph.keep([[[1.0]]])
    is_sized = graph.add("Greater", size, zero)
    scaled = graph.add("Div", xy, graph.add("Where", is_sized, size, graph.keep(1.0)))
    mean = graph.mean_seen(scaled, missing)
    filled = graph.add("Where", missing, mean, scaled)
    return graph.add("Reshape", filled, graph.keep([-1, 2 * N_KEYPOINTS]))


def _add_doubt(graph: _Graph, features: str, doubt: dict[str, Any]) -> None:
    """Add how unlike poses are to all learnt, as `measure_doubt` has it in numpy."""
    from onnx import helper

    roots, offsets = np.array(doubt["roots"]), np.array(doubt["offsets"])
    # one product for all postures: their roots side by side
    side_by_side = roots.transpose(1, 0, 2).reshape(len(roots[0]), -1)
    ways = graph.add("MatMul", features, graph.keep(side_by_side))
    ways = graph.add("Add", ways, graph.keep(offsets.reshape(-1)))
    ways = graph.add("Reshape", ways, graph.keep([-1, *offsets.shape]))
    squares = graph.add("Mul", ways, ways)
    unlike = graph.add("ReduceSum", squares, graph.keep([2]), keepdims=0)
    unlike = graph.add("Add", unlike, graph.keep(doubt["log_dets"]))
    least = graph.add("ReduceMin", unlike, axes=[1], keepdims=0)
    threshold = graph.keep(float(doubt["threshold"]))
    graph.nodes.append(helper.make_node("Sub", [least, threshold], [UNLIKE]))


def load_onnx(path: Path) -> Loaded:
    """Read `posture.onnx` back, and refuse it unless all its checks come out.

    It runs in ONNX's own evaluator: slow, but exact and there wherever this was
    written. Elsewhere any runtime takes the file.

    Args:
        path: The file.

    Returns:
        Labels, and what predicts.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If words or weights are not those that were exported.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"No exported model at {path}. Export it first.")
    import onnx
    from google.protobuf.message import DecodeError
    from onnx.reference import ReferenceEvaluator

    try:
        proto = onnx.load_from_string(path.read_bytes())
        text = {prop.key: prop.value for prop in proto.metadata_props}[METADATA]
        evaluator = ReferenceEvaluator(proto)
    except (KeyError, ValueError, DecodeError) as error:
        raise ValueError(
            f"{path.name} is damaged, or no export of this project. Export it again."
        ) from error
    model = parse_model(text, where=f"{METADATA} in {path.name}")

    def answer(numbers: np.ndarray, name: str) -> np.ndarray:
        numbers = np.asarray(numbers, np.float32).reshape(-1, 3 * N_KEYPOINTS)
        return evaluator.run([name], {"keypoints": numbers})[0]

    predict = partial(answer, name="probabilities")
    measure = partial(answer, name=UNLIKE) if "doubt" in model else None
    difference = compare_answers(model, predict, measure, where=path.name)
    return Loaded(model, predict, difference, measure)
