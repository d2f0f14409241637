"""Tests of `utils.frames.background_images`."""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from utils.frames.background_images import (
    VARIANTS,
    make_variants,
    pick_frames,
)
from utils.questions.background import split_variants, stack_variants


@pytest.fixture
def samples(tmp_path: Path) -> pd.DataFrame:
    """2 people, one clip each, 6 frames of one colour, sitting and standing."""
    rows = []
    for person, colour in (("ann", 40), ("bob", 200)):
        for idx in range(6):
            path = tmp_path / f"{person}_{idx}.png"
            cv2.imwrite(str(path), np.full((60, 80, 3), colour, dtype=np.uint8))
            label = "sit" if idx < 3 else "stand"
            rows.append((f"{person}_1", idx, idx / 5, person, label, str(path)))
    columns = ["video", "frame_idx", "time_s", "subject", "label", "path"]
    table = pd.DataFrame(rows, columns=columns)
    return table.assign(fold=pd.factorize(table["subject"])[0])


@pytest.fixture
def poses(samples: pd.DataFrame) -> dict[tuple[str, int], np.ndarray]:
    """A person in the middle of every frame."""
    xy = np.column_stack([np.linspace(35, 45, 17), np.linspace(20, 40, 17)])
    pose = np.column_stack([xy, np.ones(17)])
    keys = zip(samples["video"], samples["frame_idx"], strict=True)
    return dict.fromkeys(keys, pose)


def _read_image(path: str) -> np.ndarray:
    return cv2.imread(str(path))[..., ::-1]


def _make(samples: pd.DataFrame, poses: dict, folder: Path) -> pd.DataFrame:
    frames = samples.assign(width_px=80, height_px=60)
    return make_variants(samples, frames, poses, read_image=_read_image, folder=folder)


def test_every_frame_comes_in_every_variant(
    samples: pd.DataFrame, poses: dict, tmp_path: Path
) -> None:
    variants = _make(samples, poses, tmp_path / "room")
    assert len(variants) == 12 * len(VARIANTS)
    assert (variants.groupby("variant").size() == 12).all()
    filmed = variants[variants["variant"] == "filmed"]
    assert filmed["path"].tolist() == samples["path"].tolist()
    assert variants["video"].nunique() == 2 * len(VARIANTS)
    other = variants[
        (variants["variant"] == "other room") & (variants["subject"] == "ann")
    ]
    corner = _read_image(other["path"].iloc[0])[0, 0]
    assert np.abs(corner.astype(int) - 200).max() <= 3  # bob's room


def test_pictures_are_made_once(
    samples: pd.DataFrame, poses: dict, tmp_path: Path
) -> None:
    first = _make(samples, poses, tmp_path / "room")
    made = next((tmp_path / "room").rglob("*.jpg"))
    written = made.stat().st_mtime_ns
    pd.testing.assert_frame_equal(_make(samples, poses, tmp_path / "room"), first)
    assert made.stat().st_mtime_ns == written


def test_a_picture_or_table_that_changed_on_disk_is_made_again(
    samples: pd.DataFrame, poses: dict, tmp_path: Path
) -> None:
    first = _make(samples, poses, tmp_path / "room")
    paths = sorted(path for path in (tmp_path / "room").rglob("*") if path.is_file())
    for path in (paths[0], next(path for path in paths if path.name == "variants")):
        whole = path.read_bytes()
        data = bytearray(whole)
        data[len(data) // 2] ^= 4
        path.write_bytes(data)
        again = _make(samples, poses, tmp_path / "room")
        pd.testing.assert_frame_equal(again, first)
        assert path.read_bytes() == whole


def test_picked_frames_are_even_over_people_and_classes(samples: pd.DataFrame) -> None:
    many = pd.concat([samples] * 40, ignore_index=True)
    picked = pick_frames(many, budget="quick")
    assert len(picked) == 96
    assert (picked.groupby(["subject", "label"]).size() == 24).all()
    assert picked.index.is_monotonic_increasing
    with pytest.raises(ValueError, match="BUDGET of quick or full"):
        pick_frames(samples, budget="huge")


def test_models_learn_from_whole_pictures_of_other_people_only(
    samples: pd.DataFrame, poses: dict, tmp_path: Path
) -> None:
    variants = _make(samples, poses, tmp_path / "room")
    stacked = stack_variants(samples, variants)
    for split in split_variants(stacked, n_samples=len(samples)):
        learnt, told = stacked.iloc[split.train], stacked.iloc[split.val]
        assert split.train.max() < len(samples) <= split.val.min()
        assert not set(learnt["subject"]) & set(told["subject"])
        assert len(told) == 6 * len(VARIANTS)
