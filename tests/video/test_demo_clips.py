"""What videos/README.md says of the demo clips is so."""

from pathlib import Path

import pandas as pd

from utils.core.files import hash_file
from utils.core.skeleton import KEYPOINTS


def test_readme_tells_the_hash_of_every_file(demo_videos: Path) -> None:
    text = (demo_videos / "README.md").read_text(encoding="utf-8")
    names = [path.name for path in demo_videos.glob("person*.mp4")]
    assert len(names) == 12
    for name in (*names, "true_keypoints.csv"):
        assert f"| `{name}` |" in text
        assert hash_file(demo_videos / name) in text


def test_readme_says_that_nobody_was_filmed(demo_videos: Path) -> None:
    text = (demo_videos / "README.md").read_text(encoding="utf-8")
    assert "computer renderings" in text
    assert "nobody was filmed" in text


def test_true_keypoints_lie_in_the_frame_for_every_frame(demo_videos: Path) -> None:
    truth = pd.read_csv(demo_videos / "true_keypoints.csv")
    assert len(truth) == 3609
    assert not truth.duplicated(["video", "frame_idx"]).any()
    for name in KEYPOINTS:
        assert truth[f"{name}_x_px"].between(0, 640).all()
        assert truth[f"{name}_y_px"].between(0, 480).all()
        assert truth[f"{name}_visible"].isin([1, 2]).all()
