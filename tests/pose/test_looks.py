"""Further looks at a person: where, by what, and in pixels of the picture itself."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from utils.core.skeleton import MIRROR_IDX
from utils.pose.estimate import estimate_pose
from utils.pose.features import normalise_poses
from utils.pose.looks import LOOKS, Look, look_again, look_at_person
from utils.pose.pictures import build_keypoints
from utils.video.reader import read_video

FAST = "movenet_lightning"


@pytest.fixture(scope="module")
def image(demo_videos: Path) -> np.ndarray:
    """The first picture of a demo clip."""
    return next(iter(read_video(demo_videos / "person01_a.mp4", every_s=1.0))).image


def test_looks_agree_on_a_person_who_is_plain_to_see(image: np.ndarray) -> None:
    pose = estimate_pose(image, network=FAST)
    looks = look_at_person(image, pose, looks=LOOKS["all"])
    assert looks.shape == (3, 17, 3)
    numbers = normalise_poses(np.concatenate([pose[None], looks])[..., :2])
    assert np.abs(numbers[1:] - numbers[0]).max(axis=2).mean() < 0.05
    # left stays left in the mirror: taken for right, shoulders would be far off
    assert np.abs(numbers[3, list(MIRROR_IDX)] - numbers[0])[5:13].max() > 0.1


def test_a_mirrored_look_at_the_mirrored_picture_is_the_plain_look(
    image: np.ndarray,
) -> None:
    pose = estimate_pose(image, network=FAST)
    plain = look_at_person(image, pose, looks=(Look(FAST, side=1.0),))[0]
    mirrored = pose[list(MIRROR_IDX)] * [-1, 1, 1] + [image.shape[1], 0, 0]
    found = look_at_person(
        np.ascontiguousarray(image[:, ::-1]),
        mirrored,
        looks=(Look(FAST, side=1.0, is_mirrored=True),),
    )[0]
    back = found[list(MIRROR_IDX)] * [-1, 1, 1] + [image.shape[1], 0, 0]
    np.testing.assert_allclose(back, plain, atol=1e-6)


def test_where_no_torso_was_seen_the_whole_picture_is_looked_at() -> None:
    image = np.random.default_rng(0).integers(0, 255, (60, 90, 3)).astype(np.uint8)
    nobody = np.full((17, 3), np.nan)
    near, whole = look_at_person(
        image, nobody, looks=(Look(FAST, side=1.0), Look(FAST, side=None))
    )
    np.testing.assert_array_equal(near, whole)


def test_one_look_takes_no_more_and_an_unknown_name_is_refused(tmp_path: Path) -> None:
    pictures = pd.DataFrame({"video": ["a"], "frame_idx": [0], "path": ["a.jpg"]})
    keypoints = build_keypoints(pictures, np.ones((1, 17, 3)))
    options = {"read_image": None, "folder": tmp_path}  # nothing is read
    assert look_again(pictures, keypoints, looks="one", **options) == []
    assert look_again(pictures.head(0), keypoints, looks="all", **options) == []
    with pytest.raises(ValueError, match="LOOKS=two: expected one or all"):
        look_again(pictures, keypoints, looks="two", **options)
