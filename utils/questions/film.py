"""What it looks like: one film with skeletons, and its postures in time."""

from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from utils.predict.classify import annotate_video, predict_postures
from utils.questions.answer import Answer, question, write_answer

if TYPE_CHECKING:
    from utils.study import Study


@question
def film(study: "Study", *, length_s: float = 60.0, fps: float = 15.0) -> Answer:
    """Annotate one film, by a classifier that has not learnt from the person in it.

    Args:
        study: The study, with the pose classifier fitted.
        length_s: How much of it is annotated, seconds from its first picture on.
        fps: Its pictures a second.

    Returns:
        The answer; the film is `annotated.mp4`.
    """
    from utils.plots.bars import plot_time_strips

    video = _choose_video(study)
    # With one person there is nobody else to learn from: then it has seen them.
    without = None if study.is_one_person else video["subject"]
    classifier = study.fit_classifier(without=without)
    frames = study.frames[study.frames["video"] == video.name]
    points = study.keypoints[study.keypoints["video"] == video.name]
    postures = predict_postures(classifier, frames, points, every_s=study.every_s)
    strips = {"pose classifier": postures}
    given = study.labels[study.labels["video"] == video.name]
    if len(given):
        strips = {"labelled": given, **strips}
    who = "learnt from" if without is None else "never saw"
    title = f"{video.name}: postures, by a classifier that {who} this person"
    chart = plot_time_strips(strips, classes=study.classes, title=title)
    path = study.results / "annotated.mp4"
    annotate_video(
        classifier, video, frames, points, path=path, fps=fps, length_s=length_s
    )
    answer = write_answer(
        "film",
        study.results,
        sentences=[_describe(postures, video.name)],
        table=postures,
        charts={"film": chart},
    )
    return replace(answer, video=path)


def _choose_video(study: "Study") -> pd.Series:
    """Return the first video without labels, or else the first."""
    labelled = set(study.samples["video"])
    free = [name for name in study.videos["video"] if name not in labelled]
    name = (free or list(study.videos["video"]))[0]
    return study.videos.set_index("video", drop=False).loc[name]


def _describe(postures: pd.DataFrame, name: str) -> str:
    """Say for how long each posture is held."""
    seconds = (postures["end_s"] - postures["start_s"]).groupby(postures["label"]).sum()
    each = ", ".join(
        f"{str(label).replace('_', ' ')} {value:.1f} s"
        for label, value in seconds.sort_values(ascending=False).items()
    )
    return f"In {name}: {each}."
