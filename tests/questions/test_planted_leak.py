"""A class that a square in the room gives away: strict splits and background tell."""

from functools import partial

import cv2
import numpy as np
import pandas as pd
import pytest

from utils.core.skeleton import EDGES, KEYPOINT_IDX, KEYPOINTS
from utils.frames.background_images import make_variants, pick_frames
from utils.questions.background import (
    describe_background,
    score_variants,
    stack_variants,
)
from utils.questions.leakage import score_strategies
from utils.training.protocol import Inputs, RunModels, run_models
from utils.training.sklearn_models import build_recipe_model
from utils.training.splits import build_splits, build_strategies

CLASSES = ("arms down", "arms out", "arms up")
WIDTH, HEIGHT, N_FRAMES = 96, 72, 5
COLOURS = np.array([[230, 30, 30], [30, 230, 30], [30, 30, 230]])


def _build_pose(label: str, centre_x: float) -> np.ndarray:
    """Return an upright stick figure whose arms say the class."""
    xy = np.zeros((len(KEYPOINTS), 2))
    heights = {"nose": 14, "eye": 12, "ear": 13, "shoulder": 22, "hip": 40}
    heights |= {"knee": 50, "ankle": 60, "elbow": 22, "wrist": 22}
    reach = {"eye": 1, "ear": 2, "shoulder": 5, "hip": 4, "knee": 4, "ankle": 4}
    reach |= {"elbow": 9, "wrist": 13, "nose": 0}
    for name, place in KEYPOINT_IDX.items():
        side, _, kind = name.rpartition("_")
        xy[place, 0] = {"left": 1, "right": -1, "": 0}[side] * reach[kind]
        xy[place, 1] = heights[kind]
    step = {"arms down": 7, "arms out": 0, "arms up": -7}[label]
    for side in ("left", "right"):
        xy[KEYPOINT_IDX[f"{side}_elbow"], 1] += step
        xy[KEYPOINT_IDX[f"{side}_wrist"], 1] += 2 * step
    return np.column_stack([xy + [centre_x, 0], np.ones(len(xy))])


def _draw_frame(pose: np.ndarray, square: np.ndarray, camera: int) -> np.ndarray:
    """Draw a thin grey figure in a grey room, with a square on the wall."""
    image = np.full((HEIGHT, WIDTH, 3), 120 if camera else 150, dtype=np.uint8)
    for first, second in EDGES:
        ends = pose[[KEYPOINT_IDX[first], KEYPOINT_IDX[second]], :2].round().astype(int)
        cv2.line(image, ends[0].tolist(), ends[1].tolist(), (135, 135, 135), 1)
    left = 4 if camera else 80
    image[4:16, left : left + 12] = square
    return image


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """4 people, each in both rooms; which colour says which class goes by the room."""
    folder, rows, poses = tmp_path_factory.mktemp("leak"), [], {}
    for person, camera in np.ndindex(4, 2):
        video = f"person{person}_room{camera}"
        for label, i in np.ndindex(len(CLASSES), N_FRAMES):
            idx = label * N_FRAMES + i
            pose = _build_pose(CLASSES[label], 48 + person + 0.5 * i)
            square = COLOURS[(label + camera) % 3]
            path = folder / f"{video}_{idx}.png"
            cv2.imwrite(str(path), _draw_frame(pose, square, camera)[..., ::-1])
            poses[video, idx] = pose
            row = (video, idx, idx * 2.0, f"person{person}", CLASSES[label])
            rows.append((*row, f"room{camera}", str(path), person))
    columns = ["video", "frame_idx", "time_s", "subject", "label"]
    columns += ["camera", "path", "fold"]
    samples = pd.DataFrame(rows, columns=columns)
    run: RunModels = partial(run_models, seeds=[0], folder=folder / "fits")
    return {"samples": samples, "poses": poses, "run": run, "folder": folder}


def _read_image(path: str) -> np.ndarray:
    return cv2.imread(str(path))[..., ::-1]


def _look(table: pd.DataFrame) -> Inputs:
    """Feed the picture, small."""
    small = [cv2.resize(_read_image(p), (24, 18)).ravel() for p in table["path"]]
    return _feed(table, np.array(small) / 255)


def _feed(table: pd.DataFrame, x: np.ndarray) -> Inputs:
    y = pd.Index(CLASSES).get_indexer(table["label"])
    return Inputs(x, y, table["subject"].to_numpy(object), len(CLASSES))


def _point(table: pd.DataFrame, poses: dict) -> Inputs:
    """Feed the keypoints; a variant's frame has those of the frame as filmed."""
    videos = table["video"].str.split(" in ").str[0]
    keys = zip(videos, table["frame_idx"], strict=True)
    x = [(poses[k][:, :2] - poses[k][:, :2].mean(axis=0)).ravel() for k in keys]
    return _feed(table, np.array(x))


def test_strict_splits_expose_a_room_that_tells_the_class(made: dict) -> None:
    samples, run = made["samples"], made["run"]
    models = [
        build_recipe_model(
            "pose", _point(samples, made["poses"]), recipe="logistic", tune=False
        ),
        build_recipe_model("image", _look(samples), recipe="logistic", tune=False),
    ]
    strategies = build_strategies(samples, n_folds=4)
    table = score_strategies(samples, models, strategies, run=run)
    accuracy = table.set_index(["model", "strategy"])["accuracy"]
    assert accuracy["pose"].min() > 0.95
    assert accuracy["image", "random"] > 0.95
    assert accuracy["image", "people"] > 0.95  # other people, but the same rooms
    assert accuracy["image", "cameras"] < 0.5


def test_background_exposes_a_room_that_tells_the_class(made: dict) -> None:
    samples, run = made["samples"], made["run"]
    picked = pick_frames(samples, budget="quick")
    room = make_variants(
        picked,
        samples.assign(width_px=WIDTH, height_px=HEIGHT),
        made["poses"],
        read_image=_read_image,
        folder=made["folder"] / "room",
    )
    stacked = stack_variants(samples, room)
    models = [
        build_recipe_model("image", _look(stacked), recipe="logistic", tune=False)
    ]
    table = score_variants(samples, room, models, run=run)
    accuracy = table.set_index("variant")["accuracy"]
    assert accuracy["filmed"] > 0.95
    assert accuracy["blanked"] > 0.95
    assert accuracy["grey"] < 0.6
    assert accuracy["other room"] < 0.6
    assert table["floor"].iloc[0] == pytest.approx(1 / 3)
    text = describe_background(table, models={"image": "image classifier"})
    assert "it reads the room" in text[0]


def test_background_clears_a_model_that_reads_the_pose(made: dict) -> None:
    samples, run = made["samples"], made["run"]
    room = make_variants(
        samples,
        samples.assign(width_px=WIDTH, height_px=HEIGHT),
        made["poses"],
        read_image=_read_image,
        folder=made["folder"] / "room",
    )
    stacked = stack_variants(samples, room)
    inputs = _point(stacked, made["poses"])
    gone = stacked["video"].str.endswith("blanked").to_numpy()
    inputs.x[gone] = 0  # a pose network finds nobody there
    models = [build_recipe_model("pose", inputs, recipe="logistic", tune=False)]
    table = score_variants(samples, room, models, run=run)
    accuracy = table.set_index("variant")["accuracy"]
    assert accuracy["other room"] > 0.95
    assert accuracy["blanked"] < 0.4
    text = describe_background(table, models={"pose": "pose classifier"})
    assert "not live on the room" in text[0]


def test_folds_of_the_planted_data_hold_people_out(made: dict) -> None:
    for split in build_splits(made["samples"]):
        people = made["samples"]["subject"]
        assert not set(people.iloc[split.train]) & set(people.iloc[split.val])
