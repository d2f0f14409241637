"""Small pictures for the labelling front end."""

import threading
from pathlib import Path

import cv2
import numpy as np
import pytest

from utils.labelling.widget.images import (
    FRAME_WIDTH_PX,
    THUMB_WIDTH_PX,
    PictureSender,
    Reel,
    scale_poses,
    shrink_jpeg,
)

WAIT_S = 30


def _write_jpeg(path: Path, width_px: int, height_px: int, seed: int = 0) -> str:
    """Write a noisy picture, so that its file is not small."""
    noise = np.random.default_rng(seed).integers(0, 255, (height_px, width_px, 3))
    cv2.imwrite(str(path), noise.astype(np.uint8))
    return str(path)


def _decode(jpeg: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(jpeg, dtype=np.uint8), cv2.IMREAD_COLOR)


@pytest.fixture
def reel(tmp_path: Path) -> Reel:
    paths = [_write_jpeg(tmp_path / f"{k}.jpg", 64, 48, k) for k in range(40)]
    poses = np.full((40, 17, 3), np.nan)
    poses[:, 0] = (32.0, 12.0, 0.9)
    return Reel("walk", paths, poses, (64, 48))


def test_a_wide_picture_is_shrunk_and_keeps_its_shape(tmp_path: Path) -> None:
    image = _decode(shrink_jpeg(_write_jpeg(tmp_path / "a.jpg", 1280, 720)))
    assert image.shape == (270, FRAME_WIDTH_PX, 3)


@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_a_thumbnail_of_any_picture_is_narrow(tmp_path: Path, suffix: str) -> None:
    path = _write_jpeg(tmp_path / f"a.{suffix}", 640, 480)
    image = _decode(shrink_jpeg(path, width_px=THUMB_WIDTH_PX))
    assert image.shape == (84, THUMB_WIDTH_PX, 3)


def test_a_small_jpeg_is_sent_as_it_is(tmp_path: Path) -> None:
    path = Path(_write_jpeg(tmp_path / "a.jpg", 64, 48))
    assert shrink_jpeg(path) == path.read_bytes()


@pytest.mark.parametrize("content", [None, b"", b"\xff\xd8 not a picture", b"text"])
def test_a_missing_or_broken_picture_is_grey(
    tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "a.jpg"
    if content is not None:
        path.write_bytes(content)
    image = _decode(shrink_jpeg(path, width_px=120))
    assert image.shape == (90, 120, 3)
    assert np.ptp(image.astype(int)) <= 2


def test_colours_stay(tmp_path: Path) -> None:
    red = np.zeros((480, 640, 3), np.uint8)
    red[..., 2] = 255  # BGR
    cv2.imwrite(str(tmp_path / "red.png"), red)
    blue, green, red_seen = _decode(shrink_jpeg(tmp_path / "red.png")).mean((0, 1))
    assert red_seen > 250
    assert max(blue, green) < 5


def test_poses_become_shares_of_the_picture(reel: Reel) -> None:
    poses = np.frombuffer(scale_poses(reel, [3, 5]), dtype=np.float32)
    poses = poses.reshape(2, 17, 3)
    assert poses[0, 0] == pytest.approx((0.5, 0.25, 0.9))
    assert np.isnan(poses[:, 1:]).all()


def test_without_keypoints_every_point_is_missing(reel: Reel) -> None:
    bare = Reel(reel.video, reel.paths, None, reel.size_wh)
    assert np.isnan(np.frombuffer(scale_poses(bare, [0]), dtype=np.float32)).all()


class _Mailbox:
    """Gathers what is sent, and lets a test wait for a number of messages."""

    def __init__(self) -> None:
        self.messages: list[tuple[dict, list[bytes]]] = []
        self._changed = threading.Condition()

    def send(self, message: dict, buffers: list[bytes]) -> None:
        with self._changed:
            self.messages.append((message, buffers))
            self._changed.notify_all()

    def wait_for(self, n_messages: int) -> list[tuple[dict, list[bytes]]]:
        with self._changed:
            done = self._changed.wait_for(
                lambda: len(self.messages) >= n_messages, timeout=WAIT_S
            )
        assert done, f"{len(self.messages)} of {n_messages} messages came"
        return self.messages


def test_frames_come_with_their_keypoints(reel: Reel) -> None:
    mailbox = _Mailbox()
    sender = PictureSender(mailbox.send)
    sender.show(reel)
    sender.request_frames("walk", [2, 7, 99])
    message, buffers = mailbox.wait_for(1)[0]
    sender.close()
    assert message == {"type": "frames", "video": "walk", "rows": [2, 7]}
    assert buffers[0] == Path(reel.paths[2]).read_bytes()
    assert len(buffers) == 3
    assert len(buffers[-1]) == 2 * 17 * 3 * 4


def test_the_overview_names_each_frame_once_and_reaches_both_ends_soon(
    reel: Reel,
) -> None:
    mailbox = _Mailbox()
    sender = PictureSender(mailbox.send)
    sender.show(reel)
    sender.request_overview("walk")
    messages = mailbox.wait_for(3)
    sender.close()
    batches = [message["rows"] for message, _ in messages]
    assert sorted(row for batch in batches for row in batch) == list(range(40))
    assert max(batches[0]) - min(batches[0]) > 30


def test_a_request_for_a_video_no_longer_in_view_is_dropped(reel: Reel) -> None:
    mailbox = _Mailbox()
    sender = PictureSender(mailbox.send)
    sender.show(reel)
    sender.request_frames("another", [1])
    sender.request_overview("another")
    sender.request_frames("walk", [1])
    assert mailbox.wait_for(1)[0][0]["video"] == "walk"
    sender.close()
