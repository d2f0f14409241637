"""Pictures for the background test: frames without person, persons without room."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import joblib
import numpy as np
import pandas as pd

from utils.core.cache import build_key, read_kept, write_kept
from utils.core.names import name_file
from utils.core.skeleton import KEYPOINTS
from utils.frames.images import is_whole, write_jpeg
from utils.pose.crop import find_box
from utils.pose.cutout import (
    blank_person,
    build_background,
    draw_body_mask,
    join_boxes,
    paste_person,
)
from utils.pose.pictures import ReadImage

# What decides the pictures.
CODE = (
    "utils.frames.background_images",
    "utils.pose.crop",
    "utils.pose.cutout",
    "utils.frames.images",
)
VARIANTS: dict[str, str] = {
    "filmed": "as filmed",
    "blanked": "person blanked out",
    "grey": "person on grey",
    "other room": "person in another room",
}
N_FRAMES: dict[str, int] = {"quick": 96, "full": 720}
_N_BACKGROUND = 15  # frames of a video that its background is made of
_MARK = " in "  # joins video and variant: a variant of a video is a video of its own

Pose = Mapping[tuple[str, int], np.ndarray]


def pick_frames(
    samples: pd.DataFrame, *, budget: str = "quick", seed: int = 0
) -> pd.DataFrame:
    """Pick about as many frames of each person and class, spread over time.

    Args:
        samples: Table `samples`.
        budget: `quick` or `full`: how many frames at most.
        seed: Decides which.

    Returns:
        The picked rows, in order.

    Raises:
        ValueError: If there is no such budget.
    """
    if budget not in N_FRAMES:
        raise ValueError(f"Expected BUDGET of {' or '.join(N_FRAMES)}, got {budget!r}.")
    mixed = samples.sample(frac=1, random_state=seed)
    turn = mixed.groupby(["subject", "label"]).cumcount()
    first = turn.sort_values(kind="stable").index[: N_FRAMES[budget]]
    return samples.loc[np.sort(first)]


def make_variants(
    picked: pd.DataFrame,
    frames: pd.DataFrame,
    poses: Pose,
    *,
    read_image: ReadImage,
    folder: Path,
) -> pd.DataFrame:
    """Make every variant of the picked frames, as JPEG files.

    What is blanked is the box round all of a video's poses, the same in all its
    frames: the outline of what is missing then tells nothing of the posture.

    Args:
        picked: Rows of table `samples`, with `path` and `fold`.
        frames: Table `frames`: the other frames of the same videos, for the background.
        poses: Pose of each frame (`skeleton.index_poses`).
        read_image: Gives the RGB picture of a file.
        folder: Where the pictures go; what is there already is not made again.

    Returns:
        Table `samples` with a row a frame and variant, `variant`, `width_px`,
        `height_px` and `share_filled`, the share of the background that no frame
        showed. `video` names the variant too.
    """
    key = build_key(
        code=CODE,
        picked=joblib.hash(picked[["path", "label", "fold"]].to_dict("list")),
        frames=joblib.hash(frames["path"].tolist()),
        poses=joblib.hash(list(poses.items())),
    )
    done = Path(folder) / key / "variants"
    table = _read_variants(done)
    if table is None:
        backgrounds = _build_backgrounds(
            picked["video"].unique(), frames, poses, read_image
        )
        rows = [
            row
            for sample in picked.to_dict("records")
            for row in _vary_frame(sample, backgrounds, poses, read_image, done.parent)
        ]
        table = pd.DataFrame(rows)
        write_kept(done, table)
    return table


def _read_variants(done: Path) -> pd.DataFrame | None:
    """Return the table of variants, or None where it or a picture must be made."""
    table = read_kept(done)
    if table is None:
        return None
    made = table.loc[table["variant"] != "filmed", "path"]
    return table if all(map(is_whole, made)) else None


def _build_backgrounds(
    videos: Sequence[str], frames: pd.DataFrame, poses: Pose, read_image: ReadImage
) -> dict[str, tuple[np.ndarray, float, tuple[int, int, int, int] | None]]:
    """Return each video's background, how much of it was filled, and its box."""
    backgrounds = {}
    for video in videos:
        own = frames[frames["video"] == video]
        sizes = own[["width_px", "height_px"]].to_numpy()
        boxes = [
            find_box(poses[video, idx], tuple(size))
            for idx, size in zip(own["frame_idx"], sizes, strict=True)
            if (video, idx) in poses
        ]
        some = np.unique(np.linspace(0, len(own) - 1, _N_BACKGROUND).astype(int))
        shown = own.iloc[some]
        covers = [
            find_box(poses[video, idx], tuple(size)) if (video, idx) in poses else None
            for idx, size in zip(shown["frame_idx"], sizes[some], strict=True)
        ]
        images = [read_image(path) for path in shown["path"]]
        backgrounds[video] = (*build_background(images, covers), join_boxes(boxes))
    return backgrounds


def _vary_frame(
    sample: dict, backgrounds: Mapping, poses: Pose, read_image: ReadImage, folder: Path
) -> list[dict]:
    """Make and write the variants of one frame; return their rows."""
    video, frame_idx = sample["video"], sample["frame_idx"]
    image = read_image(sample["path"])
    height, width = image.shape[:2]
    background, filled, box = backgrounds[video]
    pose = poses.get((video, frame_idx), np.zeros((len(KEYPOINTS), 3)))
    mask = draw_body_mask(pose, (width, height))
    other = backgrounds[_choose_other(video, list(backgrounds))][0]
    made = {
        "blanked": blank_person(image, box, background),
        "grey": paste_person(image, mask),
        "other room": paste_person(image, mask, other),
    }
    rows = []
    for variant in VARIANTS:
        path = Path(sample["path"])
        if variant in made:
            name = f"{name_file(video)}_{frame_idx:06d}.jpg"
            path = folder / variant.replace(" ", "_") / name
            write_jpeg(path, made[variant])
        row = {**sample, "video": f"{video}{_MARK}{variant}", "path": str(path)}
        facts = {"variant": variant, "width_px": width, "height_px": height}
        rows.append({**row, **facts, "share_filled": filled})
    return rows


def _choose_other(video: str, videos: Sequence[str]) -> str:
    """Return the video half way round the list: most likely of another person."""
    return videos[(videos.index(video) + max(1, len(videos) // 2)) % len(videos)]
