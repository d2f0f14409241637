"""Pictures to 17 keypoints: against references, the demo and hand-marked people."""

import json
import os
import pickle
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from utils.core.skeleton import KEYPOINTS
from utils.pose.crop import Square
from utils.pose.estimate import (
    describe_network,
    estimate_pose,
    find_pose,
)
from utils.pose.metrics import compute_oks, find_correct_keypoints
from utils.pose.networks import FOREIGN

POSENET_BAR = {"median": 0.05, "worst": 0.05, "score": 1e-3}
FAST = "movenet_lightning"
MOVENET_BAR = {"median": 1.0, "worst": 4.0, "score": 1.0}


def _read_image(path: Path) -> np.ndarray:
    import cv2

    return cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)


@pytest.mark.parametrize(
    ("recipe", "model", "n_passes", "bar"),
    [
        ("posenet_257/tfjs", "posenet", 1, POSENET_BAR),
        ("posenet_257/tfjs", "posenet_257", 1, POSENET_BAR),
        ("posenet_385/tfjs", "posenet_385", 1, POSENET_BAR),
        ("posenet_513/tfjs", "posenet_513", 1, POSENET_BAR),
        ("movenet_lightning/one_pass", "movenet_lightning", 1, MOVENET_BAR),
        ("movenet_lightning/two_pass", "movenet_lightning", 2, MOVENET_BAR),
        ("movenet_thunder/one_pass", "movenet_thunder", 1, MOVENET_BAR),
        ("movenet_thunder/two_pass", "movenet_thunder", 2, MOVENET_BAR),
    ],
)
def test_estimate_pose_agrees_with_the_published_implementation(
    shared: Path, recipe: str, model: str, n_passes: int, bar: dict[str, float]
) -> None:
    text = (shared / "reference" / "pose_keypoints.json").read_text(encoding="utf-8")
    expected = np.array(json.loads(text)["expected"][recipe])
    image = _read_image(shared / "reference" / "pose.jpg")
    pose = estimate_pose(image, network=model, n_passes=n_passes)
    off_px = np.linalg.norm(pose[:, :2] - expected[:, :2], axis=1)
    assert np.median(off_px) <= bar["median"]
    assert off_px.max() <= bar["worst"]
    assert np.abs(pose[:, 2] - expected[:, 2]).max() <= bar["score"]


@pytest.fixture(scope="module")
def demo_frames(demo_videos: Path) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
    """Every 40th picture of the demo, true xy `(n, 17, 2)` and visible `(n, 17)`."""
    import cv2

    truth = pd.read_csv(demo_videos / "true_keypoints.csv")
    truth = truth[truth["frame_idx"] % 40 == 0].set_index(["video", "frame_idx"])
    images, rows = [], []
    for path in sorted(demo_videos.glob("*.mp4")):
        capture, frame_idx = cv2.VideoCapture(str(path)), 0
        while capture.grab():
            if (path.stem, frame_idx) in truth.index:
                images.append(cv2.cvtColor(capture.retrieve()[1], cv2.COLOR_BGR2RGB))
                rows.append(truth.loc[(path.stem, frame_idx)])
            frame_idx += 1
    table = pd.DataFrame(rows)
    axes = [table[[f"{name}_{axis}_px" for name in KEYPOINTS]] for axis in "xy"]
    visible = table[[f"{name}_visible" for name in KEYPOINTS]].to_numpy()
    return images, np.stack([axis.to_numpy(float) for axis in axes], -1), visible


@pytest.mark.slow
def test_thunder_finds_the_demo_people_where_they_are(
    demo_frames: tuple[list[np.ndarray], np.ndarray, np.ndarray],
) -> None:
    """Hold two looks to what they reach on the demo of fourteen people.

    PCK at 0.2 torso, five frames a second, all points and visible ones: Thunder with
    two looks at each frame alone 0.924 and 0.962, followed 0.924 and 0.963; Lightning
    0.900 and 0.943, followed 0.894 and 0.938. On the twelve easier clips before (six
    people, nobody lying, nothing in the way) the same two looks had 0.972 and 0.960.
    """
    images, true_xy, visible = demo_frames
    assert len(images) > 80
    xy = np.array([estimate_pose(image)[:, :2] for image in images])
    correct = find_correct_keypoints(xy, true_xy)
    assert np.nanmean(correct) >= 0.91  # occluded keypoints count too
    assert np.nanmean(correct[visible == 2]) >= 0.95


def test_second_pass_brings_keypoints_nearer(
    demo_frames: tuple[list[np.ndarray], np.ndarray, np.ndarray],
) -> None:
    images, true_xy, _ = demo_frames
    pcks = []
    for n_passes in (1, 2):
        estimate = partial(
            estimate_pose, network="movenet_lightning", n_passes=n_passes
        )
        xy = np.array([estimate(image)[:, :2] for image in images[::3]])
        pcks.append(np.nanmean(find_correct_keypoints(xy, true_xy[::3])))
    assert pcks[1] > pcks[0] + 0.05


@pytest.mark.slow
def test_thunder_beats_lightning_beats_posenet_on_hand_marked_people(
    shared: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    crops, true_xy, area_px2 = _cut_out_people(shared / "real" / "coco")
    oks, lines = {}, [f"{len(crops)} people with at least 10 keypoints marked"]
    for model in ("movenet_thunder", "movenet_lightning", "posenet"):
        xy = np.array([estimate_pose(crop, network=model)[:, :2] for crop in crops])
        oks[model] = np.nanmean(compute_oks(xy, true_xy, area_px2=area_px2))
        pck = np.nanmean(find_correct_keypoints(xy, true_xy))
        lines.append(f"{model}: OKS {oks[model]:.3f}, PCK at 0.2 torso {pck:.3f}")
    with capsys.disabled():
        sys.stdout.write("\n" + "\n".join(lines) + "\n")
    assert oks["movenet_thunder"] >= oks["movenet_lightning"] >= oks["posenet"]
    assert oks["movenet_thunder"] > 0.75


def _cut_out_people(
    folder: Path, *, n_people: int | None = None
) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
    """Cut out each person with >= 10 marked keypoints, a quarter of the box around."""
    text = (folder / "person_keypoints.json").read_text(encoding="utf-8")
    coco = json.loads(text)
    names = {entry["id"]: entry["file_name"] for entry in coco["images"]}
    crops, true_xy, area_px2 = [], [], []
    for person in coco["annotations"]:
        if person["num_keypoints"] < 10 or person["iscrowd"]:
            continue
        image = _read_image(folder / "images" / names[person["image_id"]])
        left, top, width, height = person["bbox"]
        margin = 0.25 * max(width, height)
        x0, y0 = int(max(0, left - margin)), int(max(0, top - margin))
        x1, y1 = int(left + width + margin), int(top + height + margin)
        crops.append(image[y0:y1, x0:x1])
        points = np.array(person["keypoints"], dtype=float).reshape(17, 3)
        points[points[:, 2] == 0] = np.nan
        true_xy.append(points[:, :2] - (x0, y0))
        area_px2.append(person["area"])
    return crops[:n_people], np.array(true_xy)[:n_people], np.array(area_px2)[:n_people]


def test_padding_and_shift_are_undone(
    demo_frames: tuple[list[np.ndarray], np.ndarray, np.ndarray],
) -> None:
    image = demo_frames[0][0]
    pose = estimate_pose(image, network="movenet_lightning")
    wide = np.pad(image, ((0, 0), (100, 60), (0, 0)))
    moved = estimate_pose(wide, network="movenet_lightning") - (100, 0, 0)
    seen = pose[:, 2] > 0.5
    assert seen.sum() > 8
    assert np.abs(moved - pose)[seen, :2].max() < 8


def _find_spot(image: np.ndarray, square: Square) -> np.ndarray:
    """Stand in for a network that is sure of red spots near the top edge only."""
    y_px, x_px = np.unravel_index(image[..., 0].argmax(), image.shape[:2])
    score = 0.9 if y_px < image.shape[0] / 4 else 0.3
    return np.tile([x_px + 0.5, y_px + 0.5, score], (17, 1))


@pytest.mark.parametrize("spot_xy", [(1, 10), (27, 11), (14, 2), (15, 19)])
@pytest.mark.parametrize("look_turned", [True, False])
def test_what_is_found_in_a_turned_picture_lies_in_pixels_of_the_picture_itself(
    spot_xy: tuple[int, int], look_turned: bool
) -> None:
    image = np.zeros((20, 30, 3), np.uint8)
    image[spot_xy[1], spot_xy[0], 0] = 255
    pose = find_pose(image, _find_spot, n_passes=2, look_turned=look_turned)
    assert (pose[:, :2] == np.array(spot_xy) + 0.5).all()
    on_top = spot_xy == (14, 2)
    to_the_side = spot_xy in ((1, 10), (27, 11))
    assert (pose[0, 2] == 0.9) == (on_top or (to_the_side and look_turned))


@pytest.mark.slow
def test_hand_marked_people_who_lie_are_found_by_turning_the_picture(
    shared: Path,
) -> None:
    crops, true_xy, area_px2 = _cut_out_people(shared / "real" / "coco", n_people=24)
    oks = {True: [], False: []}
    for crop, xy, area in zip(crops, true_xy, area_px2, strict=True):
        lying = np.rot90(crop)
        lying_xy = np.stack([xy[:, 1], crop.shape[1] - xy[:, 0]], axis=1)
        for look_turned, values in oks.items():
            found = estimate_pose(lying, network=FAST, look_turned=look_turned)[:, :2]
            values += list(compute_oks(found[None], lying_xy[None], area_px2=[area]))
    assert np.mean(oks[True]) > np.mean(oks[False]) + 0.1


def test_turning_changes_nothing_for_people_who_stand(
    demo_frames: tuple[list[np.ndarray], np.ndarray, np.ndarray],
) -> None:
    for image in demo_frames[0][::25]:
        plain = estimate_pose(image, look_turned=False)
        assert (estimate_pose(image) == plain).all()


def test_each_picture_is_treated_alone(
    demo_frames: tuple[list[np.ndarray], np.ndarray, np.ndarray],
) -> None:
    first, other = demo_frames[0][0], demo_frames[0][30]
    before = estimate_pose(first, network="movenet_lightning")
    estimate_pose(other, network="movenet_lightning")
    assert (estimate_pose(first, network="movenet_lightning") == before).all()
    assert before.shape == (17, 3)
    assert before.dtype == np.float64


def test_estimate_pose_leaves_the_picture_alone(
    demo_frames: tuple[list[np.ndarray], np.ndarray, np.ndarray],
) -> None:
    image = demo_frames[0][0].copy()
    image.flags.writeable = False
    estimate_pose(image, network="posenet")
    assert (image == demo_frames[0][0]).all()


def test_estimator_can_be_sent_to_another_process() -> None:
    estimate = partial(estimate_pose, network="movenet_lightning", n_passes=1)
    image = np.zeros((48, 64, 3), np.uint8)
    again = pickle.loads(pickle.dumps(estimate))
    assert (again(image) == estimate(image)).all()


@pytest.mark.parametrize(
    "image",
    [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((4, 4, 4), np.uint8)],
)
def test_estimate_pose_refuses_what_is_no_rgb_picture(image: np.ndarray) -> None:
    with pytest.raises(ValueError, match="RGB uint8 of shape"):
        estimate_pose(image)


def test_estimate_pose_refuses_a_third_pass() -> None:
    with pytest.raises(ValueError, match="`n_passes` to be 1 or 2, got 3"):
        estimate_pose(np.zeros((4, 4, 3), np.uint8), n_passes=3)


def test_describe_network_tells_networks_and_passes_apart(tmp_path: Path) -> None:
    (tmp_path / "saved_model.pb").write_bytes(b"one")
    keys = [
        describe_network("movenet_thunder"),
        describe_network("movenet_thunder", n_passes=1),
        describe_network("movenet_thunder", look_turned=False),
        describe_network("movenet_lightning"),
        describe_network("posenet"),
        describe_network("posenet_513"),
        describe_network(str(tmp_path)),
    ]
    (tmp_path / "saved_model.pb").write_bytes(b"two")
    keys.append(describe_network(str(tmp_path)))
    assert len(set(keys)) == len(keys)
    assert describe_network("posenet") == describe_network("posenet_257")


@pytest.mark.slow
def test_converted_saved_model_agrees_with_the_tflite_weights(
    tmp_path: Path, demo_frames: tuple[list[np.ndarray], np.ndarray, np.ndarray]
) -> None:
    source = os.environ.get("MOVENET_TFJS", "")
    if not source:
        pytest.skip(
            "MOVENET_TFJS names no folder of TF.js models; see models/README.md"
        )
    script = Path(__file__).parents[2] / "models" / "convert_tfjs.py"
    command = [sys.executable, str(script), source, "--out", str(tmp_path)]
    subprocess.run([*command, "--saved-models"], check=True, capture_output=True)
    for name in ("movenet_lightning", "movenet_thunder"):
        folder = str(tmp_path / f"{name}_savedmodel")
        for image in demo_frames[0][:3]:
            found = estimate_pose(image, network=FOREIGN + folder)
            assert np.abs(found - estimate_pose(image, network=name))[:, :2].max() < 0.1
