"""The live page in a real browser: the same answers as Python, in three places.

Figures are logged: `pytest -o log_cli=1 -o log_cli_level=INFO` shows them.
"""

import json
import logging
import os
import shutil
import time
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.jupyter_rig import find_chromium, run_browser
from tests.live.rig import (
    CAMERA_ARGS,
    ROOT,
    LivePage,
    fit_without,
    label_times,
    read_images,
    read_spans,
    serve_folder,
    write_camera_film,
)
from utils.core.esm import join_modules
from utils.core.skeleton import MIN_SCORE
from utils.export.model_json import Model, predict_poses
from utils.live.page import build_site, write_page
from utils.pose.crop import frame_square
from utils.pose.estimate import find_pose
from utils.pose.follow import start_following
from utils.pose.networks import load_network, sample_movenet_square
from utils.predict.steady import Steady

pytest.importorskip("playwright.sync_api", reason="needs playwright")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.flaky(reruns=1),  # a loaded machine may answer late
    pytest.mark.skipif(find_chromium() is None, reason="there is no Chromium here"),
]

CLIP = ROOT / "videos/demo/person10_a.mp4"
HOLD_S = 0.6
CLIP_LABELS = list(read_spans(CLIP.stem)["label"])
FPS = 15
_LOG = logging.getLogger(__name__)


def _load() -> float:
    """Return how many processes want a processor, over the last minute."""
    return os.getloadavg()[0]


@pytest.fixture(scope="module")
def model() -> Model:
    return fit_without(CLIP.stem.partition("_")[0])


@pytest.fixture(scope="module")
def images() -> list[np.ndarray]:
    return [image for _, image in read_images(CLIP)]


@pytest.fixture(scope="module")
def camera(
    images: list[np.ndarray], tmp_path_factory: pytest.TempPathFactory
) -> list[str]:
    """Arguments by which Chromium takes the clip of somebody never learnt from.

    A second and a half without anybody parts the rounds of the film.
    """
    path = tmp_path_factory.mktemp("camera") / "clip.y4m"
    nobody = [np.zeros_like(images[0])] * (3 * FPS // 2)
    write_camera_film(path, [*images, *nobody], fps=FPS)
    return [*CAMERA_ARGS, f"--use-file-for-fake-video-capture={path}"]


@pytest.fixture(scope="module")
def pages(model: Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("results")
    write_page(model, folder)
    return folder


@pytest.fixture
def live(camera: list[str], tmp_path: Path) -> Iterator[LivePage]:
    with run_browser(tmp_path / "profile", *camera) as browser:
        yield LivePage(browser.new_page())


# --- the same answers as Python -----------------------------------------------------

_ESTIMATE = """async (n) => {
  const bytes = async (name) => new Uint8Array(await (await fetch(name)).arrayBuffer());
  const estimator = await Estimator.load({
    worker: new TextDecoder().decode(await bytes("worker.js")),
    wasm: await bytes("litert.wasm.gz"),
    weights: await bytes("movenet_lightning.tflite"),
  });
  const found = [];
  for (let i = 0; i < n; i += 1) {
    const image = new Image();
    image.src = `${i}.png`;
    await image.decode();
    const canvas = new OffscreenCanvas(image.width, image.height);
    const context = canvas.getContext("2d");
    context.drawImage(image, 0, 0);
    const picture = context.getImageData(0, 0, image.width, image.height);
    const square = frameSquare(image.width, image.height);
    const sampled = [...sampleSquare(picture, square, 192)];
    estimator.reset();
    const { pose } = await estimator.estimate(picture, 0);
    found.push({ sampled, pose: [...pose] });
  }
  return found;
}"""


def test_the_same_pictures_give_the_same_poses_as_python(
    model: Model, tmp_path: Path
) -> None:
    import cv2

    site, pictures = tmp_path / "site", []
    site.mkdir()
    for name, content in build_site(model).items():
        (site / name).write_bytes(content)
    for clip in sorted((ROOT / "videos/demo").glob("*.mp4")):
        pictures += [image for _, image in read_images(clip, step=150)][:2]
    for number, image in enumerate(pictures):
        cv2.imwrite(str(site / f"{number}.png"), image[:, :, ::-1])
    hook = tmp_path / "hook.js"
    static = (ROOT / "utils/live/static").as_posix()
    hook.write_text(
        f'import {{ Estimator }} from "{static}/pose/estimator.js";\n'
        f'import {{ sampleSquare }} from "{static}/pose/sample.js";\n'
        f'import {{ frameSquare }} from "{static}/pose/squares.js";\n'
        "Object.assign(globalThis, { Estimator, sampleSquare, frameSquare });\n"
    )
    (site / "hook.js").write_text(join_modules(hook))
    (site / "index.html").write_text('<script src="hook.js"></script>')
    with serve_folder(site) as address, run_browser(tmp_path / "profile") as browser:
        page = browser.new_page()
        page.goto(address)
        found = page.evaluate(_ESTIMATE, len(pictures))
    network = load_network("movenet_lightning")
    pixels, xy, scores = [], [], []
    for image, answer in zip(pictures, found, strict=True):
        square = frame_square((image.shape[1], image.shape[0]))
        sampled = sample_movenet_square(image, square, 192)
        pixels.append(np.abs(np.reshape(answer["sampled"], sampled.shape) - sampled))
        pose, expected = np.reshape(answer["pose"], (17, 3)), find_pose(image, network)
        seen = expected[:, 2] >= MIN_SCORE
        xy.append(np.abs(pose - expected)[seen, :2].max())
        scores.append(np.abs(pose - expected)[:, 2].max())
    _LOG.info(
        "%d pictures: pixels %d, keypoints %.3f px, scores %.5f apart at most; "
        "%.2f of them within 0.5 px",
        *(len(pictures), np.max(pixels), max(xy), max(scores)),
        np.mean(np.array(xy) <= 0.5),
    )
    # OpenCV rounds otherwise, by 1 at most, where processors lack multiply-add
    assert np.max(pixels) == 0
    assert max(xy) <= 0.5
    assert max(scores) <= 0.01


def test_the_check_vectors_come_out_in_the_browser(
    model: Model, tmp_path: Path
) -> None:
    static = (ROOT / "utils/live/static").as_posix()
    hook = tmp_path / "hook.js"
    hook.write_text(
        f'import {{ checkModel, predict }} from "{static}/classifier.js";\n'
        "Object.assign(globalThis, { checkModel, predict });\n"
    )
    (tmp_path / "joined.js").write_text(join_modules(hook))
    (tmp_path / "index.html").write_text('<script src="joined.js"></script>')
    with serve_folder(tmp_path) as address, run_browser(tmp_path / "p") as browser:
        page = browser.new_page()
        page.goto(address)
        worst = page.evaluate(
            """async (model) => {
              await checkModel(model);
              return Math.max(...model.checks.map((check) => {
                const pose = model.keypoints.flatMap((name) => check.keypoints[name]);
                const flat = Float64Array.from(pose);
                const shares = predict(model, flat, ...check.size_wh);
                return Math.max(...model.labels.map((label, i) =>
                  Math.abs(shares[i] - check.probabilities[label])));
              }));
            }""",
            model,
        )
    _LOG.info("check vectors differ by %.1e at most", worst)
    assert worst <= 1e-5


# --- a camera -----------------------------------------------------------------------


def _describe_run(
    results: pd.DataFrame, images: list[np.ndarray], model: Model
) -> dict[str, float]:
    """Compare what the page found of the camera with labels and with Python."""
    times = results["frame"] / FPS
    truth = pd.Series(label_times(CLIP.stem, times), index=results.index)
    labelled = truth.notna()
    # a posture is said once it is held: so long after its beginning
    held = truth.to_numpy() == np.array(label_times(CLIP.stem, times - HOLD_S), object)
    follower = start_following("movenet_lightning")
    frames = results[["frame", "time"]].drop_duplicates("frame").to_numpy()
    poses = {int(n): follower(images[int(n)], time_s) for n, time_s in frames}
    shares = predict_poses(
        model, np.stack([*poses.values()]), np.tile((640, 480), (len(poses), 1))
    )
    named = np.array(model["labels"], dtype=object)[shares.argmax(1)]
    named[shares.max(1) < model["none_below"]] = "none of these"
    same = results["raw"] == results["frame"].map(dict(zip(poses, named, strict=True)))
    steady, found = Steady(model["labels"], none_below=model["none_below"]), []
    by_frame = dict(zip(poses, shares, strict=True))
    for number, time_s in zip(results["frame"], results["time"], strict=True):
        found.append(steady.update(time_s, by_frame[number]).label)
    wrong_s, since = 0.0, None
    for time_s, label, true in zip(
        results["time"], results["label"], truth, strict=True
    ):
        is_wrong = pd.notna(label) and pd.notna(true) and label != true
        since = (since if since is not None else time_s) if is_wrong else None
        wrong_s = max(wrong_s, time_s - since) if since is not None else wrong_s
    apart = [
        np.median(np.linalg.norm(np.reshape(p, (17, 3)) - poses[n], axis=1))
        for p, n in zip(results["pose"], results["frame"], strict=True)
    ]
    return {
        "raw_right": float((results["raw"] == truth)[labelled].mean()),
        "steady_right": float((results["label"] == truth)[labelled & held].mean()),
        "steady_python": float((truth == found)[labelled & held].mean()),
        "wrong_s": wrong_s,
        "as_python": float(same.mean()),
        "apart_px": float(np.median(apart)),
        "fps": (len(results) - 1) / (np.ptp(results["now"]) / 1000),
        "looks": float(results["looks"].mean()),
        "said_in_python": {label for label in found if label},
    }


def test_a_person_never_learnt_from_on_the_camera(
    live: LivePage, pages: Path, images: list[np.ndarray], model: Model
) -> None:
    clip_s = len(images) / FPS
    with serve_folder(pages / "live") as address:
        live.open(address)
        first_s = live.start_camera()
        time.sleep(2.2 * (clip_s + 1.5))
        results = live.take_results()
    # once round the film, from its start on: one of its loops that is whole
    starts = results.index[results["frame"].diff() < -len(images) / 2]
    loop = results.loc[starts[0] : starts[1] - 1]
    loop = loop[loop["frame"] < len(images)]
    found = _describe_run(loop, images, model)
    _LOG.info("first result after %.1f s, load %.1f; %s", first_s, _load(), found)
    held = [label for label, _ in groupby(loop["label"]) if pd.notna(label)]
    assert results["count"].max() == 0  # a clip without repetitions shows none
    assert found["raw_right"] >= 0.96
    assert found["steady_right"] >= max(0.7, found["steady_python"] - 0.05)
    assert found["wrong_s"] < 0.5
    # in 3 % of its frames two postures are within 0.1 of each other, and a film that a
    # camera shows has other grey levels (0.5 in the mean)
    assert found["as_python"] >= 0.96
    if (loop["time"].diff() > 0.5).any():  # a stall of the machine ends a hold, by rule
        held = [label for label, _ in groupby(held)]
    way = iter(held)  # between two postures it passes through others, truly
    # of the film's spans of 1.1 to 1.6 s one is never sure enough to be said
    said = [label for label in CLIP_LABELS if label in found["said_in_python"]]
    assert len(said) >= len(CLIP_LABELS) - 1
    assert all(label in way for label in said), (said, held)
    assert first_s <= (5 if _load() < 6 else 15)
    assert found["fps"] >= (12 if _load() < 2 else 5)
    assert not live.errors


# --- three places, and no other origin ------------------------------------------------


def test_the_folder_asks_no_other_origin_and_its_policy_forbids_it(
    live: LivePage, pages: Path, tmp_path: Path
) -> None:
    asked: list[str] = []
    with serve_folder(pages / "live") as address, serve_folder(tmp_path) as other:
        live.open(address)
        live.start_camera()
        live.wait_for_results(20)
        asked += live.requests
        refused = live.page.evaluate(
            "(url) => fetch(url).then(() => false, () => true)", other
        )
        policies = live.page.evaluate("policies")
    assert refused
    assert policies == [other]
    allowed = (address, f"blob:{address.rstrip('/')}", "data:")
    assert [url for url in asked if not url.startswith(allowed)] == []
    assert not live.errors


def test_one_file_from_disk_works_with_the_camera_and_asks_nothing(
    live: LivePage, pages: Path
) -> None:
    file = pages / "live.html"
    live.open(file.as_uri())
    first_s = live.start_camera()
    live.wait_for_results(20)
    _LOG.info("live.html: first result after %.1f s, load %.1f", first_s, _load())
    asked = [url for url in live.requests if not url.startswith(("blob:", "data:"))]
    assert asked == [file.as_uri()]
    assert live.page.evaluate("policies") == []
    assert not live.errors


def test_a_film_from_disk_is_followed_in_its_own_time(
    live: LivePage, pages: Path, images: list[np.ndarray]
) -> None:
    with serve_folder(pages / "live") as address:
        live.open(address)
        live.page.locator("input[type=file]").set_input_files(CLIP)
        live.wait_for_status("The film has ended.", seconds=60)
        results = live.take_results()
    truth = pd.Series(label_times(CLIP.stem, results["time"]), index=results.index)
    labelled = truth.notna()
    right = (results["raw"] == truth)[labelled].mean()
    _LOG.info("film: %d frames judged, raw label right %.3f", len(results), right)
    assert right >= 0.96
    assert results["time"].iloc[-1] > len(images) / FPS - 1
    assert live.page.locator(".live-mirrored").count() == 0


# --- what goes wrong, in one sentence ---------------------------------------------


def _start_and_read(live: LivePage, address: str, part: str) -> None:
    live.open(address)
    live.page.get_by_role("button", name="Start camera").click()
    live.wait_for_status(part)
    assert live.status.count(". ") <= 1
    assert not live.errors


_NO_CAMERA = (
    "navigator.mediaDevices.getUserMedia = async () => { throw new DOMException"
)


@pytest.mark.parametrize(
    ("args", "script", "part"),
    [
        (["--use-fake-device-for-media-stream"], "", "The camera was refused."),
        (["--use-fake-ui-for-media-stream"], "", "No camera was found."),
        # another program has it: only Windows says so of a real one
        ([], f"{_NO_CAMERA}('', 'NotReadableError'); }};", "The camera is busy"),
    ],
)
def test_a_camera_that_does_not_come_is_one_sentence(
    args: list[str], script: str, part: str, pages: Path, tmp_path: Path
) -> None:
    with (
        serve_folder(pages / "live") as address,
        run_browser(tmp_path / "profile", *args) as browser,
    ):
        live = LivePage(browser.new_page())
        if script:
            live.page.add_init_script(script)
        _start_and_read(live, address, part)


def test_a_page_over_plain_http_says_so(pages: Path, tmp_path: Path) -> None:
    args = [*CAMERA_ARGS, "--host-resolver-rules=MAP far.test 127.0.0.1"]
    with (
        serve_folder(pages / "live") as address,
        run_browser(tmp_path / "profile", *args) as browser,
    ):
        live = LivePage(browser.new_page())
        _start_and_read(live, address.replace("127.0.0.1", "far.test"), "plain http")


def test_a_hidden_tab_and_an_unplugged_camera_lose_nothing(
    live: LivePage, pages: Path
) -> None:
    with serve_folder(pages / "live") as address:
        live.open(address)
        live.start_camera()
        live.wait_for_results(5)
        live.page.evaluate(
            """() => {
              Object.defineProperty(document, "visibilityState", {
                value: "hidden", configurable: true });
              document.dispatchEvent(new Event("visibilitychange"));
            }"""
        )
        live.wait_for_status("This tab was hidden")
        live.page.locator(".live-teach summary").click()
        live.page.get_by_role("button", name="Record", exact=True).click()
        live.page.get_by_role("button", name="Stop recording").wait_for()
        live.page.keyboard.down("2")
        time.sleep(1)
        live.page.evaluate(
            """() => {
              const [track] = document.querySelector("video").srcObject.getTracks();
              track.stop();
              track.dispatchEvent(new Event("ended"));
            }"""
        )
        live.wait_for_status("The camera was unplugged.")
        live.page.locator(".live-kept", has_text="bending").wait_for()
        names = live.page.locator(".live-downloads a").all_inner_texts()
        assert [name.rpartition(".")[2] for name in names] == ["mp4", "csv", "csv"]
        with live.page.expect_download() as download:
            live.page.get_by_role("link", name="labels.csv").click()
    text = Path(download.value.path()).read_text(encoding="utf-8")
    assert text.splitlines()[0] == "video,start_s,end_s,label"
    assert text.splitlines()[1].endswith(",bending")
    assert not live.errors


@pytest.mark.parametrize("what", ["labels", "weights", "keypoints"])
def test_a_model_that_contradicts_itself_is_refused_with_a_sentence(
    what: str, live: LivePage, pages: Path, model: Model, tmp_path: Path
) -> None:
    wrong = model | {what: [*model[what][1:], model[what][0]]}
    site = tmp_path / "site"
    shutil.copytree(pages / "live", site)
    (site / "model.json").write_text(json.dumps(wrong), encoding="utf-8")
    with serve_folder(site) as address:
        live.open(address)
        live.wait_for_status("model.json cannot be used")
        assert live.page.get_by_role("button", name="Start camera").is_disabled()
