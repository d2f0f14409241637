"""Render the demo clips and their tables anew, from nothing but code and a seed.

Run it from the project's folder, in an environment of its own (it needs PyTorch, the
project does not):

    python -m venv render
    render/bin/pip install -r videos/demo/render/requirements.txt
    apt-get install libegl1 libgl1 libegl-mesa0 libgl1-mesa-dri  # OpenGL
    render/bin/python -m videos.demo.render videos/demo

The first time, `anny` unpacks about 1 GB of its data. A frame takes 0.3 s of processor
time: all sixteen clips about 20 minutes on a machine with nothing else to do. `--only
person03_a` renders some of them, so that two processes can share the work; whichever
finds every clip there writes the tables.
"""

import argparse
import json
import logging
from collections.abc import Iterable
from pathlib import Path

from .body import BodyModel
from .clips import CLIPS, FPS, Clip, Set, plan
from .film import FilmWriter, list_spans, name_columns, write_table
from .picture import Renderer

_LOG = logging.getLogger("render")


def render_clip(clip: Clip, folder: Path, model: BodyModel, renderer: Renderer) -> None:
    """Render one clip: its mp4, and beside it what is true of it (json)."""
    shoot = plan(clip, model)
    stage = Set(shoot, renderer)
    rows = []
    path, crf = folder / f"{clip.name}.mp4", shoot.room.crf
    with FilmWriter(path, renderer.size_wh, FPS, crf) as film:
        for index in range(len(shoot.frames)):
            image, xy, state = stage.draw(index)
            film.write(image)
            numbers = [
                number
                for (x, y), seen in zip(xy, state, strict=True)
                for number in (f"{x:.1f}", f"{y:.1f}", int(seen))
            ]
            rows.append([clip.name, index, *numbers])
    spans = list_spans((frame.label for frame in shoot.frames), FPS)
    truth = {"keypoints": rows, "labels": [[clip.name, *span] for span in spans]}
    (folder / f"{clip.name}.json").write_text(json.dumps(truth))
    _LOG.info("%s: %d frames", clip.name, len(rows))


def write_tables(folder: Path) -> None:
    """Join what is true of the clips into the three tables beside them."""
    truths = [json.loads((folder / f"{clip.name}.json").read_text()) for clip in CLIPS]
    tables = {
        "true_keypoints.csv": (name_columns(), _join(truths, "keypoints")),
        "labels.csv": (["video", "start_s", "end_s", "label"], _join(truths, "labels")),
        "videos.csv": (
            ["video", "subject", "camera"],
            [(clip.name, clip.subject, clip.room) for clip in CLIPS],
        ),
    }
    for name, (columns, rows) in tables.items():
        write_table(folder / name, columns, rows)
    for clip in CLIPS:
        (folder / f"{clip.name}.json").unlink()


def _join(truths: list[dict], key: str) -> Iterable[list]:
    return (row for truth in truths for row in truth[key])


def main() -> None:
    """Read the command line and render."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(prog="python -m videos.demo.render")
    parser.add_argument("folder", type=Path, help="where the clips and tables go")
    parser.add_argument("--only", nargs="*", default=[], metavar="CLIP")
    wanted = parser.parse_args()
    wanted.folder.mkdir(parents=True, exist_ok=True)
    model, renderer = BodyModel(), Renderer()
    for clip in CLIPS:
        if not wanted.only or clip.name in wanted.only:
            render_clip(clip, wanted.folder, model, renderer)
    if all((wanted.folder / f"{clip.name}.json").exists() for clip in CLIPS):
        write_tables(wanted.folder)


if __name__ == "__main__":
    main()
