"""Tests of `utils.plots.sheets`."""

from collections.abc import Iterator

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest

from utils.core.skeleton import EDGES, KEYPOINTS
from utils.plots.sheets import plot_heat_maps, plot_pose, plot_sheet

IMAGE = np.zeros((60, 80, 3), dtype=np.uint8)


@pytest.fixture(autouse=True)
def _no_window() -> Iterator[None]:
    mpl.use("agg")
    yield
    plt.close("all")


@pytest.fixture
def pose() -> np.ndarray:
    """17 different points; the last one doubtful."""
    pose = np.column_stack([np.arange(17) * 4, np.arange(17) * 3, np.full(17, 0.9)])
    pose[-1, 2] = 0.05
    return pose.astype(float)


def test_pose_draws_every_edge_and_marks_doubtful_points_hollow(
    pose: np.ndarray,
) -> None:
    ax = plot_pose(IMAGE, pose)
    bones, points = ax.collections
    assert len(bones.get_segments()) == len(EDGES)
    alpha = points.get_facecolors()[:, 3]
    assert alpha[-1] == 0
    assert (alpha[:-1] == 1).all()
    assert ax.get_ylim() == (60, 0)


def test_names_are_written_once_each(pose: np.ndarray) -> None:
    ax = plot_pose(IMAGE, pose, names=True)
    texts = sorted(t.get_text().split(" ", 1)[1] for t in ax.texts)
    assert texts == sorted(name.replace("_", " ") for name in KEYPOINTS)


def test_missing_keypoints_do_not_stop_the_drawing(pose: np.ndarray) -> None:
    pose[3] = np.nan
    plot_pose(IMAGE, pose)


def test_sheet_shows_all_pictures_with_titles() -> None:
    figure = plot_sheet([IMAGE] * 7, titles=list("abcdefg"), n_columns=3)
    shown = [ax.get_title() for ax in figure.axes if ax.images]
    assert shown == list("abcdefg")


def test_sheet_refuses_no_pictures() -> None:
    with pytest.raises(ValueError, match="at least one picture"):
        plot_sheet([])


def test_heat_maps_have_a_picture_a_keypoint() -> None:
    figure = plot_heat_maps(IMAGE[:60, :60], np.zeros((9, 9, 17)))
    names = [ax.get_title() for ax in figure.axes][1:]
    assert names == [name.replace("_", " ") for name in KEYPOINTS]
