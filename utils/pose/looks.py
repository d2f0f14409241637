"""Which looks are taken at a person: several err less than one, and not alike.

The first look is the one that found the person (`follow`). It says where the person is;
the further ones look there, closer, or at the whole picture, by a second network. What
was tried, with people held out (`training.pose_best`, which learns from all looks and
averages them; accuracy / log loss, means of two seeds or one; Thunder 55 ms, Lightning
14 ms a look; GMDCSA-24: 430 frames, UR Fall: 458 frames, rooms held out there; one:
learnt from one person, mean of both sets):

    further looks                          ms  GMDCSA-24   UR Fall     rooms  one
    none                                    0  .921 / .29  .882 / .46  .786   .782
    Thunder, whole picture                 55  .958 / .27  .893 / .35  .793   .807
    Thunder mirrored                       55  .921 / .30  .889 / .32  .830   .797
    Lightning, square                      14  .940 / .25  .904 / .33  .808   .800
    Lightning, square + mirrored           28  .944 / .22  .902 / .29  .804   .802
    Lightning, 0.8 square + mirrored       28  .921 / .24  .913 / .26  .849   .810
    Lightning whole                        14  .967 / .22  .919 / .27  .821   .841
    Lightning whole + square               28  .963 / .20  .933 / .22  .834   .852
    Lightning whole + 0.8 mirrored         28  .958 / .22  .939 / .17  .876   .855
    Lightning whole + square + mirrored    42  .961 / .19  .921 / .22  .838   .841
    Lightning whole + square + 0.8 mirr.   42  .958 / .21  .942 / .17  .872   .864
    the same but for Thunder mirrored      83  .961 / .21  .924 / .21  .858   .854
    Lightning, two passes of its own       28  .967 / .19  .924 / .25  .832   .837
      and mirrored likewise, without whole 56  .947 / .17  .909 / .30  .777   .808

(The rows differ in seed and in how the small network was fitted: a point is noise.)
The demo is right throughout with those taken. Of the first look alone, by a classifier
that learnt from all: .948 / .23, .913 / .31, rooms .852.

A search in overlapping squares of 0.55 of the longer side, in three turns, where the
first look scores below 0.3, replaced 28 poses of 1,358 for 18 looks a doubtful frame:
.955 / .21, .947 / .15, rooms .861. Log loss gains, but two of three accuracies lose, so
it is left out.
"""

from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from utils.core.cache import build_key
from utils.core.skeleton import MIRROR_IDX, stack_poses
from utils.pose.crop import frame_square, person_square, scale_square
from utils.pose.estimate import describe_network
from utils.pose.networks import load_network
from utils.pose.pictures import ReadImage, build_keypoints, find_in_pictures


class Look(NamedTuple):
    """A further look at a person whose place is known.

    Attributes:
        network: As `networks.load_network` takes it.
        side: Side of the square round the person, as a share of the rule's
            (`crop.person_square`); None looks at the whole picture.
        is_mirrored: Whether the picture is looked at in the mirror.
    """

    network: str
    side: float | None
    is_mirrored: bool = False


# Name of the setting LOOKS -> the looks beside the first.
LOOKS: dict[str, tuple[Look, ...]] = {
    "one": (),
    "all": (
        Look("movenet_lightning", side=None),
        Look("movenet_lightning", side=1.0),
        Look("movenet_lightning", side=0.8, is_mirrored=True),
    ),
}


def check_looks(looks: str) -> None:
    """Raise `ValueError` if there are no looks of that name."""
    if looks not in LOOKS:
        raise ValueError(f"LOOKS={looks}: expected {' or '.join(LOOKS)}.")


def look_again(
    pictures: pd.DataFrame,
    keypoints: pd.DataFrame,
    *,
    looks: str = "all",
    read_image: ReadImage,
    folder: Path,
    n_jobs: int = 1,
) -> list[pd.DataFrame]:
    """Take the further looks at the person in pictures on disk.

    Args:
        pictures: Table with `video`, `frame_idx` and `path`, an RGB picture a row.
        keypoints: Table `keypoints` of the first look, of these frames at least.
        looks: A name in `LOOKS`.
        read_image: Gives the RGB picture of a file.
        folder: Where the result is kept; safe to delete.
        n_jobs: Processes.

    Returns:
        Tables `keypoints`, one a look, each in the order of `pictures`; the first look
        is not among them.

    Raises:
        ValueError: If there are no looks of that name.
    """
    check_looks(looks)
    return take_looks(
        pictures,
        keypoints,
        LOOKS[looks],
        read_image=read_image,
        folder=folder,
        n_jobs=n_jobs,
    )


def take_looks(
    pictures: pd.DataFrame,
    keypoints: pd.DataFrame,
    looks: tuple[Look, ...],
    *,
    read_image: ReadImage,
    folder: Path,
    n_jobs: int = 1,
) -> list[pd.DataFrame]:
    """Take any looks at the person in pictures on disk; see `look_again`.

    Returns:
        Tables `keypoints`, one a look.
    """
    if not looks or pictures.empty:
        return []
    networks = {look.network for look in looks}
    poses = find_in_pictures(
        pictures,
        partial(look_at_person, looks=looks),
        key=build_key(
            code=("utils.pose.looks",),
            looks=looks,
            networks=sorted(describe_network(network) for network in networks),
        ),
        read_image=read_image,
        folder=folder,
        known=stack_poses(keypoints, pictures),
        n_jobs=n_jobs,
    )
    return [build_keypoints(pictures, poses[:, i]) for i in range(poses.shape[1])]


def look_at_person(
    image: np.ndarray, pose: np.ndarray, *, looks: tuple[Look, ...]
) -> np.ndarray:
    """Look at a person whose place is known.

    Args:
        image: RGB uint8 array `(height, width, 3)`, upright.
        pose: The first look's, `(17, 3)`. Where it shows no torso, the whole picture is
            looked at.
        looks: Which looks.

    Returns:
        float64 array `(n_looks, 17, 3)`: x_px, y_px in pixels of the picture, score.
    """
    height_px, width_px = image.shape[:2]
    whole = frame_square((width_px, height_px))
    near = person_square(pose, (width_px, height_px)) or whole
    poses = []
    for look in looks:
        run = load_network(look.network)
        square = whole if look.side is None else scale_square(near, look.side)
        if not look.is_mirrored:
            poses.append(run(image, square))
            continue
        left_px = width_px - square.left_px - square.side_px
        mirrored = np.ascontiguousarray(image[:, ::-1])
        found = run(mirrored, square._replace(left_px=left_px))
        found[:, 0] = width_px - found[:, 0]
        poses.append(found[list(MIRROR_IDX)])  # left and right change names
    return np.stack(poses)
