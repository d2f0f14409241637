"""What several tests share."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared"
# Begun first, so that no process is left with one of them when the others are done.
_LONGEST = ("test_notebook.py", "test_browser.py", "test_workspace.py", "test_run.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files that take longest before the others."""
    items.sort(key=lambda item: item.path.name not in _LONGEST)


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
