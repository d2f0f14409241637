"""Following one person: how often the network looks, and where."""

import pickle
from functools import partial

import numpy as np
import pytest

from utils.core.skeleton import KEYPOINT_IDX
from utils.pose.crop import Square, frame_square
from utils.pose.estimate import find_pose
from utils.pose.follow import (
    MAX_GAP_S,
    Follower,
    describe_following,
    start_following,
)

SIZE_WH = (400, 300)


class CountingNetwork:
    """Sees an upright person whose hips are at the red pixel, if its square holds it.

    Attributes:
        squares: Where it looked, since `forget`.
    """

    def __init__(self) -> None:
        """Start without a look."""
        self.squares: list[Square] = []

    def __call__(self, image: np.ndarray, square: Square) -> np.ndarray:
        """Count the look and find the person."""
        self.squares.append(square)
        y_px, x_px = np.unravel_index(image[..., 0].argmax(), image.shape[:2])
        pose = np.full((17, 3), 0.9)
        pose[:, :2] = x_px, y_px
        for side in ("left", "right"):
            pose[KEYPOINT_IDX[f"{side}_shoulder"], 1] -= 30
            pose[KEYPOINT_IDX[f"{side}_ankle"], 1] += 40
        far = np.subtract((x_px, y_px), square[:2])
        if image.max() < 255 or (far < 0).any() or (far > square.side_px).any():
            pose[:, 2] = 0.1
        return pose

    def forget(self) -> int:
        """Return how often it looked, and begin to count anew."""
        n_looks, self.squares = len(self.squares), []
        return n_looks


@pytest.fixture
def network() -> CountingNetwork:
    return CountingNetwork()


def _draw(x_px: int | None, *, level: int = 0) -> np.ndarray:
    """Draw a person at half height, or nobody, in a room of some brightness."""
    image = np.full((SIZE_WH[1], SIZE_WH[0], 3), level, np.uint8)
    if x_px is not None:
        image[SIZE_WH[1] // 2, x_px, 0] = 255
    return image


def test_a_person_who_stays_costs_one_look_a_frame(network: CountingNetwork) -> None:
    follow = Follower(network)
    alone = find_pose(_draw(200), CountingNetwork())
    for nth, time_s in enumerate(np.arange(5) / 5):
        pose = follow(_draw(200), time_s)
        assert (pose == alone).all()
        assert network.forget() == (2 if nth == 0 else 1)


def test_a_person_who_moves_on_costs_a_second_look(network: CountingNetwork) -> None:
    follow = Follower(network)
    follow(_draw(200), 0.0)
    side_px = network.squares[-1].side_px
    network.forget()
    follow(_draw(203), 0.2)
    assert network.forget() == 1
    follow(_draw(203 + int(side_px / 4)), 0.4)  # still inside, an overlap of 0.6
    assert len(network.squares) == 2
    left_px, _, side_px = network.squares[1]
    assert left_px + side_px / 2 == 203 + int(side_px / 4)


def test_a_person_who_is_lost_is_searched_for(network: CountingNetwork) -> None:
    follow = Follower(network)
    follow(_draw(60), 0.0)
    network.forget()
    assert follow(_draw(340), 0.2)[0, 0] == 340
    assert network.squares[1] == frame_square(SIZE_WH)
    assert network.forget() == 3


def test_nobody_is_not_followed(network: CountingNetwork) -> None:
    follow = Follower(network)
    for time_s in (0.0, 0.2, 0.4):
        follow(_draw(None), time_s)
        assert network.squares[0] == frame_square(SIZE_WH)
        network.forget()


@pytest.mark.parametrize(
    ("time_s", "image"),
    [(MAX_GAP_S + 0.01, _draw(200)), (0.2, _draw(200, level=80))],
    ids=["gap in time", "cut"],
)
def test_the_search_starts_afresh(
    network: CountingNetwork, time_s: float, image: np.ndarray
) -> None:
    follow = Follower(network)
    follow(_draw(200), 0.0)
    network.forget()
    follow(image, time_s)
    assert network.squares[0] == frame_square(SIZE_WH)
    assert len(network.squares) == 2


def test_a_follower_knows_nothing_of_what_another_saw(network: CountingNetwork) -> None:
    first = Follower(network)(_draw(200), 0.0)
    Follower(network)(_draw(60), 0.0)
    network.forget()
    assert (Follower(network)(_draw(200), 0.2) == first).all()
    assert network.forget() == 2


def test_what_starts_a_follower_can_be_sent_to_another_process() -> None:
    start = pickle.loads(pickle.dumps(partial(start_following, "movenet_lightning")))
    assert start()(_draw(200), 0.0).shape == (17, 3)


def test_the_key_tells_networks_and_following_apart() -> None:
    from utils.pose.estimate import describe_network

    keys = {
        describe_following("movenet_thunder"),
        describe_following("movenet_lightning"),
        describe_network("movenet_thunder"),
    }
    assert len(keys) == 3
