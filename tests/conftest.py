"""What several tests share."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder with real film and reference keypoints; tests skip where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("needs real film, which is not in git: no ../shared here")
    return SHARED


@pytest.fixture(scope="session")
def demo_videos() -> Path:
    """Folder with the rendered demo clips, `videos.csv` and `true_keypoints.csv`."""
    return ROOT / "videos/demo"
