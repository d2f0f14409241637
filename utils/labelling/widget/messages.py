"""What the labelling front end is sent: a session as messages and binary buffers."""

from pathlib import Path

import numpy as np
import pandas as pd

from utils.core.colours import CLASS_KEYS, EDGE_COLOURS, KEYPOINT_COLOURS
from utils.core.skeleton import EDGES, KEYPOINT_IDX, MIN_SCORE
from utils.labelling.formats.convert import PROGRAMS
from utils.labelling.session import Session
from utils.labelling.widget.images import Reel, scale_poses, shrink_jpeg

FRAMES_A_GRID = 24
# Long, and not touched by labelling: sent only when they have changed.
SELDOM = ("classes", "other_spans", "segments", "no_person")

_SKELETON = {
    "edges": [[KEYPOINT_IDX[a], KEYPOINT_IDX[b]] for a, b in EDGES],
    "colours": list(KEYPOINT_COLOURS),
    "edge_colours": list(EDGE_COLOURS),
    "min_score": MIN_SCORE,  # below it a keypoint is drawn hollow
}


def describe_video(session: Session, reel: Reel) -> tuple[dict, list[bytes]]:
    """Return the message that opens the session's current video.

    Args:
        session: The session.
        reel: Its current video's pictures.

    Returns:
        The message, without `labels`; and its buffers: time stamps and `frame_idx` as
        float64, the JPEG under the playhead, and its keypoints.
    """
    clip, position = session.clip, session.position
    message = {
        "type": "video",
        "video": clip.video,
        "nth": session.videos.index(clip.video) + 1,
        "videos": session.videos,
        "store": str(session.labels_path),  # what the browser keeps aside is for this
        "annotator": session.annotator,
        "n": len(clip.times_s),
        "position": position,
        "end_s": clip.duration_s,
        "width_px": reel.size_wh[0],
        "height_px": reel.size_wh[1],
        "skeleton": _SKELETON,
        "class_keys": CLASS_KEYS,
        "programs": sorted(PROGRAMS, key=lambda name: name != session.program),
    }
    buffers = [
        clip.times_s.astype(np.float64).tobytes(),
        clip.frame_idx.astype(np.float64).tobytes(),
        shrink_jpeg(Path(reel.paths[position])),
        scale_poses(reel, [position]),
    ]
    return message, buffers


def describe_labels(state: dict) -> dict:
    """Return what the time line shows.

    Args:
        state: As from `Session.describe`.

    Returns:
        The message; `SELDOM` names what of it need not be sent each time.
    """
    n_until = state["n_until_proposals"]
    more = f"Label {n_until} more spans, then classes are proposed."
    panels_own = ("notices", "n_until_proposals", "looks")
    return {
        "type": "labels",
        **{name: value for name, value in state.items() if name not in panels_own},
        "classes": state["looks"],
        "why_no_proposal": more if n_until > 0 else "Nothing is proposed here.",
    }


def describe_grid(found: pd.DataFrame, group: int) -> tuple[dict, list[bytes]]:
    """Return a group of look-alike frames with small pictures.

    Args:
        found: Table of look-alikes, as in the answer of `Session.grid`; not empty.
        group: Which group, counted from 0 over and over.

    Returns:
        The message and a JPEG for each of its items.
    """
    groups = list(found["group"].unique())
    nth = group % len(groups)
    members = found[found["group"] == groups[nth]]
    unlabelled_first = members["label"].notna().to_numpy().argsort(kind="stable")
    frames = members.iloc[unlabelled_first[:FRAMES_A_GRID]]
    items = [
        {
            "video": row.video,
            "frame_idx": int(row.frame_idx),
            "time_s": float(row.time_s),
            "label": None if pd.isna(row.label) else row.label,
        }
        for row in frames.itertuples()
    ]
    pictures = [shrink_jpeg(Path(path), width_px=160) for path in frames["path"]]
    return {
        "type": "grid",
        "group": nth,
        "n_groups": len(groups),
        "items": items,
    }, pictures


def count_labels(summary: pd.DataFrame, n_videos: int) -> str:
    """Return one sentence: how much is labelled, in all and of each class.

    Args:
        summary: Table `label`, `subject`, `seconds`.
        n_videos: Number of videos there are.

    Returns:
        The sentence.
    """
    if summary.empty:
        return f"Nothing is labelled yet in {n_videos} videos."
    seconds = summary.groupby("label")["seconds"].sum().sort_values(ascending=False)
    each = ", ".join(f"{label} {value:.1f} s" for label, value in seconds.items())
    return f"{seconds.sum():.1f} s in {n_videos} videos are labelled: {each}."
