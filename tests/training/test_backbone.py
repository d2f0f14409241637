"""The blocks that never change: right preprocessing, and nothing computed twice."""

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.made_pictures import make_picture, read_picture, write_pictures
from utils.core.files import hash_file
from utils.core.weights import find_weights
from utils.training import backbone
from utils.training.augment import choose_canvas, fit_canvas
from utils.training.backbone import (
    BLOCKS,
    MEAN,
    STD,
    WEIGHTS,
    compile_backbone,
    embed_frames,
    embed_image,
    load_base,
    load_head,
    pool_features,
)


@pytest.fixture
def frames(tmp_path: Path) -> pd.DataFrame:
    folder = tmp_path / "pictures"
    folder.mkdir()
    return write_pictures(folder, n=6)


@pytest.fixture
def embed(tmp_path: Path) -> Callable[[pd.DataFrame], tuple[np.ndarray, int]]:
    """Embed frames; also says how many pictures were read beside the first."""

    def embed(frames: pd.DataFrame) -> tuple[np.ndarray, int]:
        read: list[Path] = []

        def read_image(path: Path) -> np.ndarray:
            read.append(path)
            return read_picture(path)

        folder = tmp_path / "kept"
        features = embed_frames(
            frames, folder=folder, read_image=read_image, n_augmented=1
        )
        return features, len(read) - 1

    return embed


def test_backbone_and_head_are_the_stored_network_on_imagenet_colours() -> None:
    import keras

    image = np.random.default_rng(0).integers(0, 255, (224, 224, 3), dtype=np.uint8)
    features = compile_backbone((224, 224))(image[None])
    stored = keras.models.load_model(find_weights(WEIGHTS), compile=False)
    scaled = ((image / 255 - MEAN) / STD)[None].astype(np.float32)
    expected = np.asarray(stored(scaled, training=False)).mean(axis=(1, 2))
    np.testing.assert_allclose(pool_features(features), expected, atol=1e-4)


def test_frames_come_in_order_in_every_version(
    frames: pd.DataFrame, embed: Callable
) -> None:
    features, n_read = embed(frames)
    assert features.shape[:2] == (6, 3) and features.dtype == np.float16
    assert n_read == 6
    image = make_picture(True, seed=3)
    canvas_wh = choose_canvas(image)
    alone = compile_backbone(canvas_wh)(fit_canvas(image, canvas_wh=canvas_wh)[None])
    np.testing.assert_allclose(features[3, 0], alone[0], atol=0.02)


def test_only_new_pictures_are_embedded(frames: pd.DataFrame, embed: Callable) -> None:
    some, n_read = embed(frames.iloc[1:4])
    assert n_read == 3
    every, n_read = embed(frames)
    assert n_read == 3
    np.testing.assert_array_equal(every[1:4], some)
    again, n_read = embed(frames.iloc[::-1])
    assert n_read == 0
    np.testing.assert_array_equal(again[::-1], every)


def test_damaged_features_are_made_again(
    frames: pd.DataFrame, embed: Callable, tmp_path: Path
) -> None:
    first, _ = embed(frames)
    (path,) = (tmp_path / "kept").glob("*/*")
    whole, rng = path.read_bytes(), np.random.default_rng(0)
    for _ in range(5):  # where in the file does not matter: see test_cache
        damaged = bytearray(whole)
        damaged[rng.integers(len(damaged))] ^= 1 << rng.integers(8)
        path.write_bytes(damaged)
        again, n_read = embed(frames)
        assert n_read == 6
        np.testing.assert_array_equal(first, again)
        assert path.read_bytes() == whole


def test_versions_of_a_picture_do_not_depend_on_its_neighbours(
    frames: pd.DataFrame, embed: Callable, tmp_path: Path
) -> None:
    together, _ = embed(frames)
    alone = embed_frames(
        frames.iloc[4:5],
        folder=tmp_path / "other",
        read_image=read_picture,
        n_augmented=1,
    )
    np.testing.assert_array_equal(alone[0], together[4])


def test_pictures_are_known_by_content_not_by_name(
    frames: pd.DataFrame, embed: Callable
) -> None:
    embed(frames)
    moved = Path(frames["path"][0]).rename(Path(frames["path"][0]).with_name("z.png"))
    changed = Path(frames["path"][1])
    changed.write_bytes(Path(frames["path"][2]).read_bytes())
    features, n_read = embed(frames.assign(path=[str(moved), *frames["path"][1:]]))
    assert n_read == 0
    np.testing.assert_array_equal(features[1], features[2])


def test_other_settings_are_kept_apart(frames: pd.DataFrame, embed: Callable) -> None:
    embed(frames)
    folder = Path(frames["path"][0]).parents[1] / "kept"
    plain = embed_frames(
        frames.iloc[:2],
        folder=folder,
        read_image=read_picture,
        mirrors=False,
        n_augmented=0,
    )
    assert plain.shape[1] == 1 and len(list(folder.iterdir())) == 2


@pytest.mark.slow
def test_processes_give_the_same_as_one(
    frames: pd.DataFrame,
    embed: Callable,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    one, _ = embed(frames)
    monkeypatch.setattr(backbone, "_N_AT_ONCE", 3)
    two = embed_frames(
        frames,
        folder=tmp_path / "two",
        read_image=read_picture,
        n_augmented=1,
        n_jobs=2,
    )
    np.testing.assert_array_equal(one, two)


def test_the_canvas_suits_most_pictures(
    frames: pd.DataFrame, embed: Callable, tmp_path: Path
) -> None:
    import cv2

    high = tmp_path / "high.png"
    cv2.imwrite(str(high), np.zeros((320, 120, 3), np.uint8))
    first = frames.iloc[:1].assign(video="high", path=str(high))
    features, _ = embed(pd.concat([first, frames]))
    assert features.shape == (7, *embed(frames)[0].shape[1:])


def test_no_frames_are_refused(tmp_path: Path) -> None:
    none = pd.DataFrame({"video": "film", "path": []})
    with pytest.raises(ValueError, match="No frames to compute features of"):
        embed_frames(none, folder=tmp_path, read_image=read_picture)


def test_pooled_features_are_kept_and_made_again_if_damaged(
    frames: pd.DataFrame, embed: Callable, tmp_path: Path
) -> None:
    features = embed(frames)[0][:, 0]
    pooled = pool_features(features, folder=tmp_path / "pooled")
    np.testing.assert_array_equal(pooled, pool_features(features))
    (path,) = (tmp_path / "pooled").iterdir()
    made = path.stat().st_mtime_ns
    pool_features(features, folder=tmp_path / "pooled")
    assert path.stat().st_mtime_ns == made
    path.write_bytes(path.read_bytes()[:-9])
    again = pool_features(features, folder=tmp_path / "pooled")
    np.testing.assert_array_equal(again, pooled)


def test_one_picture_is_embedded_as_among_many(
    frames: pd.DataFrame, embed: Callable
) -> None:
    features, _ = embed(frames)
    alone = embed_image(make_picture(True, seed=5))
    np.testing.assert_allclose(alone[0], pool_features(features[5:, 0])[0], atol=0.05)


def test_weights_swapped_within_a_process_are_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, blocks = (
        Path(shutil.copy(find_weights(name), tmp_path)) for name in (WEIGHTS, BLOCKS)
    )
    monkeypatch.setattr(
        backbone, "find_weights", partial(find_weights, folder=tmp_path)
    )
    sums = tmp_path / "SHA256SUMS"
    sums.write_text("".join(f"{hash_file(p)}  {p.name}\n" for p in (path, blocks)))
    before, compiled = load_base(), compile_backbone((224, 224))
    assert load_base() is before and compile_backbone((224, 224)) is compiled
    data = path.read_bytes()
    at = data.index(b"PK\x01\x02") - 1
    _flip_bit(path, at=at)
    _flip_bit(blocks, at=-100)
    frames = pd.DataFrame({"video": "film", "path": [str(path)]})
    for use in (load_base, partial(compile_backbone, (224, 224)), load_head):
        with pytest.raises(ValueError, match="is not the file it should be"):
            use()
    with pytest.raises(ValueError, match="is not the file it should be"):
        embed_frames(
            frames, folder=tmp_path, read_image=lambda _: make_picture(True, seed=0)
        )
    path.write_bytes(data)  # the right bytes, but a new file: loaded again
    _flip_bit(blocks, at=-100)
    assert load_base() is not before
    assert compile_backbone((224, 224)) is not compiled


def _flip_bit(path: Path, *, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)
