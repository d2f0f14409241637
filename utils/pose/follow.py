"""One person through a video: look where they were a moment ago, search when lost.

A single picture gets two looks (`estimate`); in a video the first is spared. The square
round the person of the frame before is looked at, and a second look is taken only where
the new pose's own square lies elsewhere. Where the person is lost, after a gap in time
and at a cut, the search starts afresh.
"""

import numpy as np

from utils.core.cache import build_key
from utils.pose.crop import (
    PoseNetwork,
    Square,
    frame_square,
    has_torso,
    measure_overlap,
    person_square,
)
from utils.pose.estimate import describe_network, find_pose
from utils.pose.networks import load_network

# Looks a frame (turned ones counted), PCK at 0.2 torso on the true points of the first
# demo (six people, upright; on today's fourteen, with Thunder 0.924 with two looks and
# followed alike, with Lightning 0.900 and 0.894), and
# accuracy / log loss of a linear softmax with people held out on 22 films of falls
# (GMDCSA-24, three postures, 430 frames), five frames a second:
#
#                          demo, Thunder  demo, Lightning  falls, Thunder
#   two looks, each alone    2.00  0.972      2.06  0.960    2.53  0.923 / 0.50
#   overlap at least 0.85    1.08  0.970      1.08  0.957    1.38  0.933 / 0.29
#   overlap at least 0.8     1.05  0.971      1.05  0.956    1.32  0.930 / 0.30
#   overlap at least 0.65    1.01  0.971      1.01  0.958    1.25  0.923 / 0.33
#
# Turning the picture wherever a pose is doubtful, not only where the search starts
# afresh, takes 1.69 looks on the falls and changes no figure there.
MIN_OVERLAP = 0.65
LOST_SCORE = 0.3  # mean score below which there is nobody to follow
MAX_GAP_S = 0.5  # frames further apart: the person may be anywhere
# Mean change in grey levels from frame to frame that is no movement any more: 0.6 on
# the demo, 4 on the falls and 31 at most; two scenes differ by more.
CUT_LEVELS = 40.0
_GLANCE = 16  # points a side that two frames are compared at


class Follower:
    """Finds one person's pose in the frames of a video, one after the other.

    State that lives from frame to frame: the square to look at next, its time, and a
    glance of the picture by which a cut is noticed.
    """

    def __init__(self, run: PoseNetwork) -> None:
        """Start with nobody known.

        Args:
            run: Picture and square in, pose `(17, 3)` in pixels of the picture out.
        """
        self._run = run
        self._square: Square | None = None
        self._time_s = -np.inf
        self._glance: np.ndarray | None = None
        self._places: tuple[np.ndarray, ...] | None = None  # of a glance's points

    def __call__(self, image: np.ndarray, time_s: float) -> np.ndarray:
        """Find the pose in the next frame.

        Args:
            image: RGB uint8 array `(height, width, 3)`, upright.
            time_s: Its time stamp, later than the last one's.

        Returns:
            float64 array `(17, 3)`, as `estimate.estimate_pose` gives it.
        """
        found = None
        if not (self._is_cut(image) or time_s - self._time_s > MAX_GAP_S):
            found = self._look_again(image)
        if found is None:
            pose = find_pose(image, self._run)
            found = pose, _find_square(pose, image)
        pose, self._square = found
        self._time_s = time_s
        return pose

    def _look_again(self, image: np.ndarray) -> tuple[np.ndarray, Square | None] | None:
        """Look where the person was, then where they are; None where they are lost."""
        if self._square is None:
            return None
        pose = self._run(image, self._square)
        square = _find_square(pose, image)
        if square is None:
            return None
        if measure_overlap(square, self._square) < MIN_OVERLAP:
            pose = self._run(image, square)
            square = _find_square(pose, image)
        return pose, square

    def _is_cut(self, image: np.ndarray) -> bool:
        """Tell if a picture has little to do with the one before."""
        if self._places is None:  # all pictures of a video have one size
            ends = [np.linspace(0, n - 1, _GLANCE).astype(int) for n in image.shape[:2]]
            self._places = np.ix_(*ends)
        before = self._glance
        self._glance = image[self._places].astype(np.int16)
        if before is None:
            return True
        return float(np.abs(self._glance - before).mean()) > CUT_LEVELS


def _find_square(pose: np.ndarray, image: np.ndarray) -> Square | None:
    """Return the square round a person; None where the pose is too unsure to follow.

    It is the whole picture's where the person's own is no smaller.
    """
    if pose[:, 2].mean() < LOST_SCORE or not has_torso(pose):
        return None
    size_wh = (image.shape[1], image.shape[0])
    return person_square(pose, size_wh) or frame_square(size_wh)


def start_following(network: str = "movenet_thunder") -> Follower:
    """Start on a video, or a part of one that is to depend on nothing before it.

    Args:
        network: As `networks.load_network` takes it.

    Returns:
        What is called with each frame and its time, in order.
    """
    return Follower(load_network(network))


def describe_following(network: str = "movenet_thunder") -> str:
    """Name all that decides the keypoints of a followed video, as a key for caches.

    Args:
        network: As `networks.load_network` takes it.

    Returns:
        As `estimate.describe_network`, with the rule of following.
    """
    key = build_key(code=("utils.pose.follow",), alone=describe_network(network))
    return f"{describe_network(network)} followed {key}"
