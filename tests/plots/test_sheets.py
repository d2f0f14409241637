"""Tests of `utils.plots.sheets`."""

import numpy as np
import pytest

from utils.core.skeleton import EDGES, KEYPOINTS
from utils.plots.sheets import plot_pose, plot_pose_and_names, plot_sheet

IMAGE = np.zeros((60, 80, 3), dtype=np.uint8)


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
    figure = plot_pose_and_names(IMAGE, pose)
    assert len(figure.axes[0].texts) == 0
    texts = sorted(t.get_text().split(" ", 1)[1] for t in figure.axes[1].texts)
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
