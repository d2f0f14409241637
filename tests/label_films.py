"""Tables of a few demo clips, made quickly, for the labelling tests."""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from utils.core.files import hash_file
from utils.core.skeleton import KEYPOINTS
from utils.core.tables import check_table, write_table
from utils.pose.features import build_features

EVERY = 3  # the clips have 15 frames a second: 5 pictures a second
CLASSES = ("standing", "sitting", "bending", "squatting", "arms_raised", "t_pose")


def build_tables(folder: Path, source: Path, names: list[str]) -> dict:
    """Write the pictures of some demo clips and return their tables.

    Args:
        folder: Where pictures go.
        source: Folder of the demo clips.
        names: Which clips.

    Returns:
        Tables `videos`, `frames`, `keypoints` and `features`, by name.
    """
    truth = pd.read_csv(source / "true_keypoints.csv")
    videos, frames, keypoints = [], [], []
    for name in names:
        path = source / f"{name}.mp4"
        kept, n_frames = _write_pictures(path, folder)
        videos.append(_describe_video(path, n_frames))
        frames.append(kept)
        keypoints.append(_list_keypoints(truth, kept))
    tables = {
        "videos": check_table(pd.DataFrame(videos), "videos"),
        "frames": check_table(pd.concat(frames), "frames"),
        "keypoints": check_table(pd.concat(keypoints), "keypoints"),
    }
    tables["features"] = build_features(
        tables["keypoints"], tables["frames"], kind="normalised"
    )
    return tables


def write_tables(tables: dict, folder: Path) -> None:
    """Write tables to `<name>.parquet`."""
    for name, table in tables.items():
        write_table(table, folder / f"{name}.parquet", name)


def _write_pictures(path: Path, folder: Path) -> tuple[pd.DataFrame, int]:
    """Write every third frame as a JPEG; return the frames table, and all counted."""
    film = cv2.VideoCapture(str(path))
    fps = film.get(cv2.CAP_PROP_FPS)
    rows: list[dict] = []
    n_frames = 0
    while film.grab():
        if n_frames % EVERY == 0:
            _, image = film.retrieve()
            picture = folder / f"{path.stem}-{n_frames:04d}.jpg"
            cv2.imwrite(str(picture), image)
            height_px, width_px = image.shape[:2]
            rows.append(
                {
                    "video": path.stem,
                    "frame_idx": n_frames,
                    "time_s": n_frames / fps,
                    "path": str(picture),
                    "width_px": width_px,
                    "height_px": height_px,
                    "sharpness": 1.0,
                }
            )
        n_frames += 1
    film.release()
    return pd.DataFrame(rows), n_frames


def _describe_video(path: Path, n_frames: int) -> dict:
    return {
        "video": path.stem,
        "path": str(path),
        "sha256": hash_file(path),
        "duration_s": n_frames / 15,
        "fps": 15.0,
        "n_frames": n_frames,
        "width_px": 640,
        "height_px": 480,
        "rotation_deg": 0,
        "is_vfr": False,
        "subject": path.stem.split("_")[0],
    }


def _list_keypoints(truth: pd.DataFrame, frames: pd.DataFrame) -> pd.DataFrame:
    """Return the true keypoints of the frames, sure where visible."""
    wide = truth.merge(frames[["video", "frame_idx"]], on=["video", "frame_idx"])
    parts = [
        pd.DataFrame(
            {
                "video": wide["video"],
                "frame_idx": wide["frame_idx"],
                "keypoint": name,
                "x_px": wide[f"{name}_x_px"],
                "y_px": wide[f"{name}_y_px"],
                "score": np.where(wide[f"{name}_visible"] == 2, 0.9, 0.4),
            }
        )
        for name in KEYPOINTS
    ]
    return pd.concat(parts).sort_values(["video", "frame_idx"], kind="stable")
