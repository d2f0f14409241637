"""Tests of `utils.training.duplicates`."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from utils.training.duplicates import group_duplicates, hash_picture, hash_pictures

# person01_a: kneeling until 1.4 s, standing from 6.5 s on; 15 frames a second
KNEELING, STANDING = (2, 4), (99, 101)


@pytest.fixture(scope="module")
def pictures(demo_videos: Path) -> dict[str, np.ndarray]:
    """Frames of one clip, two of each of two postures, and one of another clip."""
    wanted = {"person01_a": KNEELING + STANDING, "person03_a": (10,)}
    found = {}
    for video, places in wanted.items():
        capture = cv2.VideoCapture(str(demo_videos / f"{video}.mp4"))
        for idx in range(max(places) + 1):
            _, image = capture.read()
            if idx in places:
                found[f"{video} {idx}"] = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
    return found


def _count_bits(first: np.ndarray, second: np.ndarray) -> int:
    return int(np.bitwise_count(hash_picture(first) ^ hash_picture(second)).sum())


def test_neighbours_hash_nearly_the_same_and_other_rooms_do_not(
    pictures: dict[str, np.ndarray],
) -> None:
    images = list(pictures.values())
    assert _count_bits(images[0], images[1]) <= 12
    assert _count_bits(images[0], images[2]) > 12
    assert _count_bits(images[0], images[4]) > 60


def test_groups_hold_one_posture_of_one_clip(pictures: dict[str, np.ndarray]) -> None:
    hashes = hash_pictures(pictures, read_image=pictures.__getitem__)
    kneeling, kneeling_later, standing, standing_later, other = group_duplicates(hashes)
    assert kneeling == kneeling_later != standing == standing_later
    assert other not in (kneeling, standing)


def test_chains_of_look_alikes_are_one_group() -> None:
    chain = np.zeros((3, 4), dtype=np.uint64)
    chain[1, 0], chain[2, 0] = 0b11, 0b1111
    assert len(set(group_duplicates(chain, max_bits=2))) == 1
    assert len(set(group_duplicates(chain, max_bits=1))) == 3


def test_no_pictures_make_no_groups() -> None:
    hashes = hash_pictures([], read_image=lambda path: None)
    assert group_duplicates(hashes).shape == (0,)
