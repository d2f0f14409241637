"""Where `PICTURES` is off, no pixel of a film reaches what is kept or given away."""

import ast
import sys
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from tests.test_study import make_tables
from utils import questions
from utils.frames.images import write_jpeg
from utils.labelling.clips import Footage
from utils.labelling.session import Session
from utils.labelling.widget.bridge import Labeller
from utils.study import Study
from utils.video.reader import read_video, write_video

# Nothing that is drawn, no skeleton and no chart, has this colour.
FILMED = np.full((120, 120, 3), (255, 0, 255), np.uint8)
ROOT = Path(__file__).parents[2]


def _make_study(folder: Path, *, pictures: bool) -> Study:
    """Three people filmed in one colour; their results are of an earlier run."""
    tables = make_tables(("anna", "ben", "cleo"))
    write_jpeg(folder / "frame.jpg", FILMED)
    write_video(folder / "film.mp4", [FILMED] * 24, fps=5)
    tables["frames"]["path"] = str(folder / "frame.jpg")
    film = {"path": str(folder / "film.mp4"), "rotation_deg": 0, "duration_s": 4.8}
    film["fps"] = 5.0
    tables["videos"] = tables["videos"].assign(**film)
    return Study(
        *tables.values(),
        seeds=[0],
        n_folds=3,
        results=folder / "results",
        cache=folder / "cache",
        n_jobs=1,
        classifier="softmax",  # the best one looks at pictures again
        pictures=pictures,
    )


def _is_filmed(image: np.ndarray) -> bool:
    """Return whether a picture shows the film: its colour, through any compression."""
    red, green, blue = np.moveaxis(image.astype(int), -1, 0)
    return bool(((red > 200) & (blue > 200) & (green < 60)).sum() > 50)


def test_charts_and_the_annotated_film_show_people_only_where_they_may(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for pictures in (True, False):
        study = _make_study(tmp_path, pictures=pictures)
        # a question that fails must not leave what an earlier run has drawn
        assert not (study.results / "annotated.mp4").exists()
        study.fit("majority", "pose_softmax")
        pose = study.predictions[study.predictions["model"] == "pose_softmax"]
        image = pose.assign(model="mobilenet_frozen")
        study.predictions = pd.concat([study.predictions, image], ignore_index=True)
        study.models["mobilenet_frozen"] = study.models["pose_softmax"]
        asked = [questions.keypoints(study), questions.mistakes(study)]
        film = questions.film(study, length_s=2.0, fps=5)
        assert not [a.sentence for a in [*asked, film] if a.is_missing]
        charts = [chart for answer in asked for chart in answer.charts]
        shown = [cv2.imread(str(chart))[..., ::-1] for chart in charts]
        shown += [frame.image for frame in read_video(film.video, every_s=1.0)]
        assert {_is_filmed(picture) for picture in shown} == {pictures}
        assert bool(film.poster) == pictures
    content = film.video.read_bytes()
    module = sys.modules["utils.questions.film"]
    monkeypatch.delattr(module, "annotate_video")  # to draw it once is enough
    assert questions.film(study, length_s=2.0, fps=5).video.read_bytes() == content
    assert questions.film(study, length_s=3.0, fps=5).is_missing
    drawn = shown[-1][:80].astype(int)  # above the caption: the skeleton, on grey
    assert np.ptp(drawn, axis=(0, 1)).max() > 60


@pytest.mark.parametrize("pictures", [True, False])
def test_what_the_notebook_keeps_of_the_labeller_has_no_picture(
    pictures: bool, tmp_path: Path
) -> None:
    study = _make_study(tmp_path, pictures=pictures)
    footage = Footage(study.videos, study.frames, study.keypoints)
    session = Session(tmp_path / "labels.csv", footage)
    labeller = Labeller(session, pictures=pictures)
    assert bool(labeller.front_end.opening) == pictures
    assert ("<img" in labeller.describe_still()) == pictures


def test_no_question_reads_pictures_for_a_chart_past_the_study() -> None:
    readers = [
        path.name
        for path in (ROOT / "utils/questions").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom)
        and {"read_images", "show_images"} & {alias.name for alias in node.names}
    ]
    assert readers == ["comparison.py"]  # times the networks on them
