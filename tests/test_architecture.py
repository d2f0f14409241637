"""Which room may import which, and what an import may not cost."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

UTILS = Path(__file__).parents[1] / "utils"

# room -> the rooms of utils/ it may import; a stage never imports another stage.
ALLOWED: dict[str, set[str]] = {
    "skeleton": set(),
    "files": set(),
    "tables": {"files", "skeleton"},
    "weights": {"files"},
    "keypoint_metrics": {"skeleton"},
    "squares": {"skeleton"},
    "movenet": {"skeleton", "squares", "weights"},
    "posenet": {"skeleton", "squares", "weights"},
    "pose": {"files", "movenet", "posenet", "skeleton", "squares", "tables", "weights"},
    "workspace": set(),
    "progress": set(),
    "workers": {"progress"},
    "frame_store": {"files", "storage", "tables", "workspace"},
    "film_files": set(),
    "film_packets": {"film_files"},
    "film_colours": set(),
    "film_ends": set(),
    "film_facts": {"film_ends", "film_files", "film_packets"},
    "film_decode": {"film_facts", "film_files", "film_packets"},
    "film": {"files", "film_colours", "film_decode", "film_facts", "film_files"},
    "film_cache": {"files", "film_ends", "film_facts", "film_files", "film_packets"},
    "videos": {"film_cache", "tables"},
    "pieces": {"files", "film", "frame_store", "skeleton", "storage", "workspace"},
    "frame_plan": {"files", "frame_store", "pieces", "skeleton", "storage"},
    "frames": {
        "film_jobs",
        "frame_plan",
        "frame_store",
        "pieces",
        "storage",
        "tables",
        "workers",
        "workspace",
    },
    "film_jobs": {"frame_store", "pieces", "storage", "workspace"},
    "storage": set(),
    "spans": set(),
    "locks": set(),
    "csv_file": {"files"},
    "label_files": {"spans", "tables"},
    "labels": {"label_files", "spans", "tables"},
    "label_progress": {"label_files", "labels", "spans"},
    "boris": set(),
    "elan": set(),
    "label_studio": set(),
    "label_formats": {
        *("boris", "elan", "files", "label_files", "label_studio", "spans", "tables"),
    },
    "segments": set(),
    "proposals": {"skeleton"},
    "second_look": {"label_files", "spans"},
    "label_actions": {"spans"},
    "label_tracks": {"label_actions", "spans"},
    "label_fold": {"label_actions", "label_tracks", "spans"},
    "label_films": {"label_fold"},
    "log_file": {"label_actions"},
    "label_log": {
        *("csv_file", "label_actions", "label_files", "label_films", "label_fold"),
        *("label_tracks", "locks", "log_file"),
    },
    "label_colours": set(),
    "label_bars": set(),
    "label_pictures": set(),
    "label_panel": {"label_bars", "label_colours"},
    "label_gestures": {"label_session"},
    "label_messages": {"label_colours", "label_pictures", "label_session", "skeleton"},
    "label_feed": {"label_messages", "label_panel", "label_pictures", "label_session"},
    "labeller": {
        *("label_feed", "label_gestures", "label_messages", "label_panel"),
        *("label_pictures", "label_session"),
    },
    "label_clip": {"segments", "skeleton"},
    "label_view": {
        *("label_clip", "label_log", "label_tracks", "proposals", "segments", "spans"),
    },
    "playhead": {"label_clip"},
    "label_keys": {"spans"},
    "label_desk": {
        *("label_clip", "label_files", "label_log", "label_progress", "label_view"),
        *("playhead", "proposals", "segments", "spans"),
    },
    "label_moves": {"label_desk", "proposals"},
    "label_painting": {
        *("label_actions", "label_files", "label_moves", "label_tracks", "spans"),
    },
    "label_session": {
        *("label_clip", "label_desk", "label_files", "label_keys", "label_log"),
        *("label_painting", "proposals", "second_look", "segments", "spans"),
    },
    "annotate": {"skeleton"},
    "features": {"skeleton", "tables"},
    "splits": {"tables"},
    "time_blocks": {"tables"},
    "learning": set(),
    "training": {"learning"},
    "pose_model": {"compare", "files", "learning", "training"},
    "image_views": set(),
    "image_trunk": {"files", "image_views", "weights", "workers"},
    "image_model": {
        *("compare", "files", "image_trunk", "image_views", "learning", "training"),
    },
    "bouts": set(),
    "compare": {"files", "progress", "tables", "workers"},
    "means": set(),
    "resampling": {"means"},
    "statistics": set(),
    "intervals": {"means", "resampling", "statistics"},
    "calibration": {"statistics"},
    "mistakes": {"statistics"},
    "learning_curve": set(),
    "claims": {"intervals", "statistics"},
    "verdict_rules": set(),
    "verdict": {"claims", "means", "verdict_rules"},
    "duplicates": set(),
    "film_check": {"skeleton"},
    "crops": {"cutout", "files"},
    "cutout": {"skeleton"},
    "picture_poses": {"files", "skeleton", "workers"},
    "comparison": {"compare"},
    "rivals": {"compare", "files"},
    "ladder": {"compare", "statistics"},
    "draws": {"compare", "statistics"},
    "room_pictures": {"crops", "cutout", "files", "skeleton"},
    "room_test": {"compare", "statistics"},
    "ablation": {"compare", "rivals", "skeleton", "statistics"},
    "cost": set(),
    "card": {"files"},
    "plots_questions": {"plots"},
    "plots_evidence": {"plots"},
    "plots_bodies": {"pictures", "skeleton"},
    "pictures": {"skeleton"},
    "plots": set(),
    "run": {"files", "progress"},
}

HEAVY = {"tensorflow", "keras", "cv2", "ipywidgets", "anywidget", "tensorflow_hub"}
# room -> heavy packages it may pull in at import
MAY_LOAD: dict[str, set[str]] = {
    "label_feed": {"ipywidgets"},
    "label_panel": {"ipywidgets"},
    "labeller": {"anywidget", "ipywidgets"},
}

ROOMS = sorted(path.stem for path in UTILS.glob("*.py") if path.stem != "__init__")


def _imported_rooms(room: str) -> set[str]:
    tree = ast.parse((UTILS / f"{room}.py").read_text(encoding="utf-8"))
    rooms: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            if node.module == "utils":
                rooms |= {alias.name for alias in node.names}
            elif node.module.startswith("utils."):
                rooms.add(node.module.split(".")[1])
        elif isinstance(node, ast.Import):
            names = [a.name for a in node.names if a.name.startswith("utils.")]
            rooms |= {name.split(".")[1] for name in names}
    return rooms


@pytest.mark.parametrize("room", ROOMS)
def test_room_imports_only_the_rooms_it_may(room: str) -> None:
    assert room in ALLOWED, f"Add {room} and what it may import to ALLOWED."
    assert _imported_rooms(room) <= ALLOWED[room]


@pytest.mark.parametrize("room", ROOMS)
def test_importing_a_room_loads_no_heavy_package_it_does_not_need(room: str) -> None:
    code = f"import sys, utils.{room}; print(*({HEAVY!r} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=UTILS.parent,
    )
    assert set(done.stdout.split()) <= MAY_LOAD.get(room, set())
