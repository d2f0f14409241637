"""What videos/demo/README.md says of the demo clips is so."""

from pathlib import Path

import pandas as pd

from utils.core.files import hash_file
from utils.core.skeleton import KEYPOINTS


def test_readme_tells_the_hash_of_every_file(demo_videos: Path) -> None:
    text = (demo_videos / "README.md").read_text(encoding="utf-8")
    names = [path.name for path in demo_videos.glob("person*.mp4")]
    assert len(names) == 16
    for name in (*names, "true_keypoints.csv"):
        assert f"| `{name}` |" in text
        assert hash_file(demo_videos / name) in text


def test_readme_says_that_nobody_was_filmed(demo_videos: Path) -> None:
    text = (demo_videos / "README.md").read_text(encoding="utf-8")
    assert "computer renderings" in text
    assert "nobody was filmed" in text


def test_a_true_keypoint_is_outside_where_it_says_so(demo_videos: Path) -> None:
    truth = pd.read_csv(demo_videos / "true_keypoints.csv")
    assert not truth.duplicated(["video", "frame_idx"]).any()
    n_outside = 0
    for name in KEYPOINTS:
        x, y = truth[f"{name}_x_px"], truth[f"{name}_y_px"]
        state = truth[f"{name}_visible"]
        assert state.isin([0, 1, 2]).all()
        inside = state > 0
        assert (x.between(0, 640) & y.between(0, 480))[inside].all()
        well_inside = x.between(3, 637) & y.between(3, 477)
        assert not well_inside[~inside].any()
        n_outside += (~inside).sum()
    assert n_outside > 0.005 * len(truth) * len(KEYPOINTS)


def test_every_person_shows_every_posture_in_a_room_of_several(
    demo_videos: Path,
) -> None:
    videos = pd.read_csv(demo_videos / "videos.csv")
    labels = pd.read_csv(demo_videos / "labels.csv").merge(videos, on="video")
    assert (labels.groupby("subject")["label"].nunique() == 8).all()
    assert videos["subject"].nunique() == 14
    assert (videos.groupby("camera")["subject"].nunique() >= 2).all()
    twice = videos[videos.duplicated("subject", keep=False)]
    assert (twice.groupby("subject")["camera"].nunique() == 2).all()
