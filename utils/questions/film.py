"""Which posture when, in every film; and one film with skeletons."""

from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from utils.core.tables import write_csv
from utils.labelling.csv_store import split_labels
from utils.labelling.labels import resolve_spans
from utils.predict.classify import annotate_video, predict_postures
from utils.questions.answer import Answer, question, write_answer

if TYPE_CHECKING:
    from utils.study import Study
    from utils.training.softmax import PoseClassifier

_POSTURES = [
    *("video", "subject", "start_s", "end_s", "label", "probability", "source"),
]


@question
def postures(study: "Study", *, classifier: "PoseClassifier") -> Answer:
    """Say which posture is held when in every film: as labelled, else as predicted.

    Args:
        study: The study.
        classifier: Predicts the frames that nobody labelled.

    Returns:
        The answer. `postures.csv` has a row a span: `video`, `subject`, `start_s`,
        `end_s`, `label`, `probability` (NaN where it is labelled) and `source`,
        `labelled` or `predicted`; `seconds.csv` sums it by posture, film and person.
    """
    found = pd.DataFrame()
    if len(study.unlabelled):
        found = predict_postures(
            classifier, study.unlabelled, study.keypoints, every_s=study.every_s
        )
    labelled = pd.DataFrame(
        [
            (video, span.start_s, span.end_s, span.label)
            for video, spans in split_labels(study.labels).items()
            for span in resolve_spans(spans)
        ],
        columns=["video", "start_s", "end_s", "label"],
    )
    parts = {"labelled": labelled, "predicted": found}
    parts = {source: part for source, part in parts.items() if len(part)}
    table = pd.concat([p.assign(source=s) for s, p in parts.items()])
    who = study.videos.set_index("video")["subject"]
    table.insert(1, "subject", table["video"].map(who))
    table = table.reindex(columns=_POSTURES).round({"start_s": 3, "end_s": 3})
    table = table.sort_values(["video", "start_s"], ignore_index=True)
    key = ["label", "video", "subject"]
    seconds = table.assign(seconds=table["end_s"] - table["start_s"])
    seconds = seconds.groupby(key)["seconds"].sum().round(3).reset_index()
    write_csv(seconds, study.results / "seconds.csv")
    n_videos = table["video"].nunique()
    return write_answer(
        "postures",
        study.results,
        sentences=[_describe(table, f"all {n_videos} videos")],
        table=table,
        shown=seconds.pivot_table(
            "seconds", ["video", "subject"], "label", fill_value=0.0
        ).round(1),
    )


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
    found = predict_postures(classifier, frames, points, every_s=study.every_s)
    strips = {"pose classifier": found}
    given = study.labels[study.labels["video"] == video.name]
    if len(given):
        strips = {"labelled": given, **strips}
    who = "learnt from" if without is None else "never saw"
    title = f"{video.name}: postures, by a classifier that {who} this person"
    chart = plot_time_strips(strips, looks=study.looks, title=title)
    path = study.results / "annotated.mp4"
    annotate_video(
        classifier,
        video,
        frames,
        points,
        path=path,
        fps=fps,
        length_s=length_s,
        pictures=study.pictures,
        colours={look["name"]: look["colour"] for look in study.looks},
    )
    answer = write_answer(
        "film",
        study.results,
        sentences=[_describe(found, video.name)],
        table=found,
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
