"""MobileNetV2's blocks that never change: each picture passes them once.

They get the picture itself, its mirror image, and augmented versions of it. The
features that come out are kept on disk by the picture's content, and everything that
learns from pictures learns from those. (A module of its own: its source is part of
their key, and minutes of work must not depend on how the blocks above learn.)
"""

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import joblib
import numpy as np
import pandas as pd

from utils.core.cache import build_key, read_kept, write_kept
from utils.core.files import hash_file, stamp_file
from utils.core.parallel import run_tasks
from utils.core.weights import find_weights, load_interpreter
from utils.training.augment import (
    Augmentation,
    augment_image,
    choose_canvas,
    fit_canvas,
)

if TYPE_CHECKING:
    import keras

WEIGHTS = "mobilenet_v2_imagenet.keras"
BLOCKS = "mobilenet_v2_blocks.tflite"  # those that never change, for LiteRT
CODE = ("utils.training.backbone", "utils.training.augment")
CUT = "block_13_project_BN"  # the last layer of the 13th of 17 blocks
# Mean and standard deviation of ImageNet's RGB/255, which the weights were made with.
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
N_AUGMENTED = 2  # augmented versions of a picture, for fine-tuning
_N_AT_ONCE = 64  # frames a file and a task

ReadImage = Callable[[Path], np.ndarray]
Compiled = Callable[[np.ndarray], np.ndarray]


def embed_frames(
    frames: pd.DataFrame,
    *,
    folder: Path,
    read_image: ReadImage,
    mirrors: bool = True,
    n_augmented: int = N_AUGMENTED,
    n_jobs: int = 1,
) -> np.ndarray:
    """Compute the backbone features of frames; those known from before are read.

    Args:
        frames: Table with `video` and `path`; pictures are known by their files'
            content.
        folder: Where the results are kept; safe to delete.
        read_image: From a path to an RGB picture.
        mirrors: Whether a mirror image is learnt from and augmentation may mirror.
        n_augmented: Augmented versions of each frame.
        n_jobs: Processes.

    Returns:
        float16 array `(n_frames, n_versions, h, w, 160)`: the frame, its mirror image
        if `mirrors`, the augmented versions.

    Raises:
        ValueError: If there are no frames.
    """
    if not len(frames):
        raise ValueError("No frames to compute features of. Label some spans first.")
    paths = [Path(path) for path in frames["path"]]
    hashes = [hash_file(path) for path in paths]
    # a network learns from one canvas: that of most pictures; all of a film are alike
    films = frames.drop_duplicates("video")
    canvases = {
        video: choose_canvas(read_image(Path(path)))
        for video, path in zip(films["video"], films["path"], strict=True)
    }
    canvas_wh = frames["video"].map(canvases).mode()[0]
    versions = Augmentation(canvas_wh, mirrors, n_augmented)
    weights = hash_file(find_weights(BLOCKS))
    key = build_key(code=CODE, weights=weights, versions=versions)
    folder = Path(folder) / key
    known = _find_known(folder)
    # a dict: a picture that is there twice is computed once
    missing = {h: p for h, p in zip(hashes, paths, strict=True) if h not in known}
    pairs = list(missing.items())
    tasks = [pairs[i : i + _N_AT_ONCE] for i in range(0, len(pairs), _N_AT_ONCE)]
    embed = partial(
        _embed_and_keep, folder=folder, read_image=read_image, versions=versions
    )
    for part in run_tasks(embed, tasks, n_jobs=n_jobs):
        known |= part
    return _read_known(hashes, known)


def _find_known(folder: Path) -> dict[str, tuple[Path, int]]:
    """Return where each picture's features lie: hash -> file and row in it."""
    known: dict[str, tuple[Path, int]] = {}
    for path in sorted(folder.glob("*.features")):
        hashes, _ = read_kept(path) or ([], None)
        known |= {h: (path, row) for row, h in enumerate(hashes)}
    return known


def _read_known(hashes: list[str], known: dict[str, tuple[Path, int]]) -> np.ndarray:
    """Read the features of pictures, in their order."""
    places = pd.DataFrame([known[h] for h in hashes], columns=["path", "row"])
    out: np.ndarray | None = None
    for path, rows in places.groupby("path"):
        features = read_kept(path)[1]
        if out is None:
            out = np.empty((len(hashes), *features.shape[1:]), dtype=features.dtype)
        out[rows.index] = features[rows["row"]]
    return out


def _embed_and_keep(
    task: Sequence[tuple[str, Path]],
    *,
    folder: Path,
    read_image: ReadImage,
    versions: Augmentation,
) -> dict[str, tuple[Path, int]]:
    """Compute the features of some frames in all versions, keep them, say where."""
    run, features = compile_backbone(versions.canvas_wh), []
    for content, path in task:
        # the versions of a picture depend on its content, not on its neighbours
        rng = np.random.default_rng(int(content[:16], 16))
        images = augment_image(read_image(path), versions=versions, rng=rng)
        # half the disk; what is lost is far below what augmentation changes
        features.append(run(images).astype(np.float16))
    hashes = [content for content, _ in task]
    out = folder / f"{build_key(hashes=hashes)}.features"
    write_kept(out, (hashes, np.stack(features)))
    return {content: (out, row) for row, content in enumerate(hashes)}


def compile_backbone(canvas_wh: tuple[int, int]) -> Compiled:
    """Return the blocks that never change as a function, preprocessing inside.

    LiteRT runs them, in less than half of TensorFlow's time, to the same numbers within
    1e-5; `models/convert_mobilenet.py` made the file.

    It takes RGB uint8 `(n, height, width, 3)` of the canvas's size to float32
    `(n, h, w, 160)`, a 32nd as large.

    Raises:
        FileNotFoundError: If the pretrained weights are not there.
        ValueError: If they are not the file they should be.
    """
    path = find_weights(BLOCKS)
    return _compile_backbone(path, stamp_file(path), canvas_wh)


@lru_cache(maxsize=4)
def _compile_backbone(
    path: Path, stamp: tuple[int, ...], canvas_wh: tuple[int, int]
) -> Compiled:
    """Open the blocks as their file is now; `stamp` changes with the file."""
    del stamp
    interpreter = load_interpreter(path)
    place = interpreter.get_input_details()[0]["index"]
    interpreter.resize_tensor_input(place, (1, canvas_wh[1], canvas_wh[0], 3))
    interpreter.allocate_tensors()
    out = interpreter.get_output_details()[0]["index"]

    def run(images: np.ndarray) -> np.ndarray:
        features = []
        for image in images.astype(np.float32):  # alone: no slower than together
            interpreter.set_tensor(place, image[None])
            interpreter.invoke()
            features.append(interpreter.get_tensor(out))
        return np.concatenate(features)

    return run


def compile_head(shape: tuple[int, int, int]) -> Compiled:
    """Return the last blocks, as pretrained, and the mean over the picture.

    It takes backbone features `(n, *shape)` to float32 `(n, 1280)`, the frozen
    network's features.
    """
    return _compile_head(load_base(), shape)


@lru_cache(maxsize=4)
def _compile_head(base: "keras.Model", shape: tuple[int, int, int]) -> Compiled:
    """Compile the last blocks of a network."""
    import keras
    import tensorflow as tf

    pool = keras.layers.GlobalAveragePooling2D()
    model = keras.Model(base.get_layer(CUT).output, pool(base.output))
    spec = tf.TensorSpec((None, *shape), tf.float32)
    run = tf.function(lambda x: model(x, training=False), input_signature=[spec])
    return lambda x: run(x.astype(np.float32)).numpy()


def load_head() -> "keras.Model":
    """Load the last blocks, as pretrained: `(n, h, w, 160)` to `(n, h, w, 1280)`."""
    import keras

    base = load_base()
    return keras.Model(base.get_layer(CUT).output, base.output)


def load_base() -> "keras.Model":
    """Load the whole pretrained network for pictures of any size.

    Once a process, and again if its file was touched.
    """
    path = find_weights(WEIGHTS)
    return _load_base(path, stamp_file(path))


@lru_cache(maxsize=1)
def _load_base(path: Path, stamp: tuple[int, ...]) -> "keras.Model":
    """Load the network as its file is now; `stamp` changes with the file."""
    import keras

    base = free_size(keras.models.load_model(path, compile=False))
    base.trainable = False
    return base


def free_size(network: "keras.Model") -> "keras.Model":
    """Return a network that is stored for 224 × 224 pixels for pictures of any size."""
    import keras

    config = network.get_config()
    for layer in config["layers"]:
        if layer["class_name"] == "InputLayer":
            layer["config"]["batch_shape"] = (None, None, None, 3)
    free = keras.Model.from_config(config)
    free.set_weights(network.get_weights())
    return free


def pool_features(
    features: np.ndarray, *, folder: Path | None = None, n_jobs: int = 1
) -> np.ndarray:
    """Run the last blocks, as pretrained, and average over the picture.

    Args:
        features: One version of each frame as the backbone gives it, `(n, h, w, 160)`.
        folder: Where the result is kept; safe to delete. None keeps nothing.
        n_jobs: Processes.

    Returns:
        The frozen network's features, float32 `(n, 1280)`.
    """
    if folder is None:
        starts = range(0, len(features), _N_AT_ONCE)
        tasks = [(i, features[i : i + _N_AT_ONCE]) for i in starts]
        pooled = dict(run_tasks(_pool_part, tasks, n_jobs=n_jobs))
        return np.concatenate([pooled[i] for i in starts])
    weights = hash_file(find_weights(WEIGHTS))
    key = build_key(code=CODE, weights=weights, features=joblib.hash(features))
    path = Path(folder) / f"pooled-{key}"
    pooled = read_kept(path)
    if pooled is None:
        pooled = pool_features(features, n_jobs=n_jobs)
        write_kept(path, pooled)
    return pooled


def _pool_part(task: tuple[int, np.ndarray]) -> tuple[int, np.ndarray]:
    """Run the last blocks on some frames; return where they begin, too."""
    start, features = task
    return start, compile_head(features.shape[1:])(features)


def embed_image(image: np.ndarray) -> np.ndarray:
    """Return the frozen network's features of one picture.

    Args:
        image: RGB uint8 `(height, width, 3)`.

    Returns:
        float32 `(1, 1280)`.
    """
    canvas_wh = choose_canvas(image)
    canvas = fit_canvas(image, canvas_wh=canvas_wh)
    return pool_features(compile_backbone(canvas_wh)(canvas[None]))
