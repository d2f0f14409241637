"""What the browser tests of the live page share: model, fake camera, page, server."""

import functools
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np
import pandas as pd

from utils.core.skeleton import KEYPOINTS, MIRROR_IDX
from utils.export.model_json import Facts, Model, build_model, compute_features
from utils.labelling.csv_store import read_labels_file
from utils.pose.estimate import find_pose
from utils.pose.networks import load_network
from utils.training.protocol import Inputs
from utils.training.softmax import fit_classifier

if TYPE_CHECKING:
    from playwright.sync_api import Page

ROOT = Path(__file__).parents[2]
CLASSES = (
    *("arms_raised", "bending", "kneeling", "lying"),
    *("sitting_chair", "sitting_floor", "squatting", "standing"),
)
CAMERA_ARGS = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")

# The number of a frame is painted into its lowest rows: N_BITS cells of 8 x 8 pixels.
N_BITS, CELL_PX = 12, 8
# Reads that number off each picture that the page takes, and keeps what it makes of it.
_WATCH = """
window.frames_ = [];
window.results = [];
window.policies = [];
const read = CanvasRenderingContext2D.prototype.getImageData;
CanvasRenderingContext2D.prototype.getImageData = function (...args) {
  const picture = read.apply(this, args);
  const { data, width, height } = picture;
  let number = 0;
  for (let bit = 0; bit < 12; bit += 1) {
    const at = 4 * ((height - 4) * width + bit * 8 + 4);
    if (data[at + 1] > 127) number += 2 ** bit;
  }
  window.frames_.push(number);
  return picture;
};
document.addEventListener("securitypolicyviolation", (event) => {
  window.policies.push(event.blockedURI);
});
document.addEventListener("live-pose", (event) => {
  const { pose, ...rest } = event.detail;
  const frame = window.frames_[window.frames_.length - 1];
  window.results.push({ ...rest, pose: [...pose], frame, now: performance.now() });
}, true);
"""


def read_images(clip: Path, *, step: int = 1) -> Iterator[tuple[float, np.ndarray]]:
    """Yield time in seconds and RGB image of each `step`-th frame of a clip."""
    with av.open(str(clip)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number % step == 0:
                yield frame.time, frame.to_ndarray(format="rgb24")


def read_spans(video: str) -> pd.DataFrame:
    """Return the labels of a demo clip in order of time."""
    labels = read_labels_file(ROOT / "videos/demo/labels.csv")
    return labels[labels["video"] == video].sort_values("start_s")


def label_times(video: str, times_s: Sequence[float]) -> list[str | None]:
    """Return the label of moments of a demo clip; None where there is none."""
    spans = read_spans(video)
    found: list[str | None] = []
    for time_s in times_s:
        at = spans[(spans["start_s"] <= time_s) & (time_s < spans["end_s"])]
        found.append(at["label"].iloc[0] if len(at) else None)
    return found


@functools.lru_cache(maxsize=1)
def estimate_demo() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Estimate labelled frames of the demo by Lightning: poses, labels, videos."""
    network = load_network("movenet_lightning")
    poses, names, videos = [], [], []
    for clip in sorted((ROOT / "videos/demo").glob("*.mp4")):
        times, images = zip(*read_images(clip, step=8), strict=True)
        for label, image in zip(label_times(clip.stem, times), images, strict=True):
            if label is not None:
                poses.append(find_pose(image, network))
                names.append(label)
                videos.append(clip.stem)
    return np.stack(poses), np.array(names), np.array(videos)


def fit_without(person: str, sentence: str = "") -> Model:
    """Fit the softmax on all demo clips but a person's, keypoints by Lightning.

    Args:
        person: Beginning of the names of their clips.
        sentence: What the page says of the model.
    """
    poses, names, videos = estimate_demo()
    others = ~np.char.startswith(videos, person)
    poses, names, videos = poses[others], names[others], videos[others]
    mirrored = poses[:, list(MIRROR_IDX)]
    mirrored[..., 0] *= -1
    rule = {"keypoints": list(KEYPOINTS), "features": {"rule": "normalised"}}
    sizes = np.tile((640, 480), (len(poses), 1))
    inputs = Inputs(
        compute_features(rule, poses, sizes),
        np.array([CLASSES.index(name) for name in names]),
        videos,
        len(CLASSES),
        mirrored=compute_features(rule, mirrored, sizes),
    )
    classifier = fit_classifier(
        inputs,
        classes=CLASSES,
        features="normalised",
        network="movenet_lightning",
        n_epochs=60,
        seed=0,
    )
    return build_model(classifier, Facts(sentence or f"Fitted without {person}."))


def write_camera_film(
    path: Path, images: Sequence[np.ndarray], *, fps: int, is_numbered: bool = True
) -> Path:
    """Write pictures, numbered or not, as a film that Chromium plays as a camera."""
    height, width = images[0].shape[:2]
    with path.open("wb") as file:
        file.write(f"YUV4MPEG2 W{width} H{height} F{fps}:1 Ip A1:1 C420jpeg\n".encode())
        for number, image in enumerate(images):
            image = image.copy()
            for bit in range(N_BITS if is_numbered else 0):
                cell = slice(bit * CELL_PX, (bit + 1) * CELL_PX)
                image[-CELL_PX:, cell] = 255 * (number >> bit & 1)
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            file.write(
                b"FRAME\n" + frame.reformat(format="yuv420p").to_ndarray().tobytes()
            )
    return path


@contextmanager
def serve_folder(folder: Path) -> Iterator[str]:
    """Serve a folder as the plainest static host does; yield its address."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    handler = functools.partial(Quiet, directory=str(folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


class LivePage:
    """The live page in a browser, and what a person does with it.

    Attributes:
        page: The browser's page.
        requests: Addresses asked for so far.
        errors: Errors of the page so far.
    """

    def __init__(self, page: "Page") -> None:
        """Watch a page that is not yet opened."""
        self.page = page
        self.requests: list[str] = []
        self.errors: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.add_init_script(_WATCH)

    def open(self, address: str) -> None:
        """Open the page and wait until it knows its model."""
        self.page.goto(address)
        self.page.locator(".live-status:not(:text('Loading'))").wait_for()

    @property
    def status(self) -> str:
        """The sentence that the page says."""
        return self.page.locator(".live-status").inner_text()

    def wait_for_status(self, part: str, *, seconds: float = 30) -> None:
        """Wait until the page's sentence holds a text."""
        self._wait(lambda: part in self.status, f"{part!r} in {self.status!r}", seconds)

    def wait_for_results(self, n: int, *, seconds: float = 30) -> None:
        """Wait until so many frames were judged."""
        found = lambda: self.page.evaluate("results.length") >= n  # noqa: E731
        self._wait(found, f"{n} results; the page says {self.status!r}", seconds)

    def start_camera(self) -> float:
        """Start the camera; return the seconds to the first result."""
        start = time.monotonic()
        self.page.get_by_role("button", name="Start camera").click()
        self.wait_for_results(1)
        return time.monotonic() - start

    def take_results(self) -> pd.DataFrame:
        """Return what the page found so far, a row a frame."""
        return pd.DataFrame(self.page.evaluate("results"))

    def _wait(self, is_so: object, what: str, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not is_so():
            if time.monotonic() > deadline:
                raise AssertionError(f"Waited {seconds} s for {what}; {self.errors}")
            time.sleep(0.05)
