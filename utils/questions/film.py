"""Which posture when, in every film, and how steadily; one film with skeletons."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import joblib
import numpy as np
import pandas as pd

from utils.core.cache import build_key, read_kept, write_kept
from utils.core.files import atomic_path
from utils.core.names import show_name
from utils.core.tables import write_csv
from utils.evaluation.bouts import look_up, score_bouts
from utils.frames.images import encode_jpeg
from utils.labelling.csv_store import split_labels
from utils.labelling.labels import resolve_spans
from utils.predict.bouts import build_bouts
from utils.predict.classify import annotate_video, predict_frames, predict_postures
from utils.predict.steady import ALONE, FILM
from utils.questions.answer import Answer, question, write_answer
from utils.video.reader import read_video

if TYPE_CHECKING:
    from utils.study import Study
    from utils.training.softmax import PoseClassifier

_POSTER_PX = 960
_CODE = ("utils.predict", "utils.video", "utils.frames.shown")
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
            classifier,
            study.unlabelled,
            study.keypoints,
            study.look_again(study.unlabelled, looks=classifier.looks),
            every_s=study.every_s,
        )
    labelled = _list_labelled(study)
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
        sentences=[
            _describe(table, f"all {n_videos} films, as labelled or else predicted")
        ],
        table=table,
        shown=seconds.pivot_table(
            "seconds", ["video", "subject"], "label", fill_value=0.0
        )
        .round(1)
        .reset_index()
        .rename_axis(columns=None)
        .rename(columns=show_name),
    )


def _list_labelled(study: "Study") -> pd.DataFrame:
    """List what is labelled, as bouts: `video`, `start_s`, `end_s`, `label`."""
    rows = [
        (video, span.start_s, span.end_s, span.label)
        for video, spans in split_labels(study.labels).items()
        for span in resolve_spans(spans)
    ]
    return pd.DataFrame(rows, columns=["video", "start_s", "end_s", "label"])


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
    without = () if study.is_one_person else [video["subject"]]
    classifier = study.fit_classifier(without=without)
    frames = study.frames[study.frames["video"] == video.name]
    points = study.keypoints[study.keypoints["video"] == video.name]
    further = study.look_again(frames, looks=classifier.looks)
    found = predict_postures(classifier, frames, points, further, every_s=study.every_s)
    strips = {"predicted": found}
    given = study.labels[study.labels["video"] == video.name]
    if len(given):
        strips = {"labelled": given, **strips}
    who = "never saw" if without else "learnt from"
    by_whom = f"by a classifier that {who} this person"
    title = f"{video.name}: postures, {by_whom}"
    chart = plot_time_strips(strips, looks=study.looks, title=title)
    path = study.results / "annotated.mp4"
    shown = {"fps": fps, "length_s": length_s, "pictures": study.pictures}
    shown["colours"] = {look["name"]: look["colour"] for look in study.looks}
    _annotate(classifier, video, (frames, points, further), path, study.cache, shown)
    steady = score_steadiness(study)
    if len(steady):
        write_csv(steady, study.results / "steady.csv")
    answer = write_answer(
        "film",
        study.results,
        sentences=[
            _describe(found, f"{video.name}, {by_whom}"),
            *_describe_steadiness(steady),
        ],
        table=found.round({"start_s": 3, "end_s": 3}),
        charts={"film": chart},
        shown=steady.round(3) if len(steady) else None,
    )
    poster = _take_poster(path) if study.pictures else b""
    return replace(answer, video=path, poster=poster)


def _annotate(
    classifier: "PoseClassifier",
    video: pd.Series,
    tables: tuple[pd.DataFrame, pd.DataFrame, list[pd.DataFrame]],
    path: Path,
    cache: Path,
    shown: dict[str, object],
) -> None:
    """Annotate a film as `annotate_video`, or take what was made of the same before."""
    frames, points, further = tables
    shares = predict_frames(classifier, frames, points, further)
    drawn = (shares, points, frames["time_s"], video.drop("path").to_dict())
    kept = cache / "films" / build_key(code=_CODE, drawn=joblib.hash(drawn), **shown)
    film = read_kept(kept)
    if film is None:
        annotate_video(
            classifier, video, frames, points, path, further=further, **shown
        )
        write_kept(kept, path.read_bytes())
        return
    with atomic_path(path) as part:
        part.write_bytes(film)


def _take_poster(path: Path) -> bytes:
    """Return a film's first picture as JPEG, twice as wide as the film is shown."""
    import cv2

    image = next(iter(read_video(path, length_s=1.0))).image
    height, width = image.shape[:2]
    scale = min(1.0, _POSTER_PX / width)
    size_wh = (round(width * scale), max(1, round(height * scale)))
    return encode_jpeg(cv2.resize(image, size_wh, interpolation=cv2.INTER_AREA))


def score_steadiness(study: "Study") -> pd.DataFrame:
    """Score films of people held out by frames and by bouts, as they are and steady.

    Args:
        study: The study, with the pose classifier fitted.

    Returns:
        A row a way: `way` (`each frame alone`: its likeliest posture; `steady`: as in
        `postures.csv`), `frames_right` (share of the labelled frames; one in which
        nobody was found is wrong), and what `score_bouts` gives. Empty where one person
        alone is labelled: there is no film of another.
    """
    if study.is_one_person:
        return pd.DataFrame()
    frames, shares = _predict_unseen(study)
    likeliest = np.eye(shares.shape[1])[np.nan_to_num(shares).argmax(axis=1)]
    likeliest[np.isnan(shares).any(axis=1)] = np.nan
    ways = {
        "each frame alone": (likeliest, ALONE),
        "steady": (shares, FILM),
    }
    labelled, rows = _list_labelled(study), []
    labelled = labelled[labelled["label"].isin(study.classes)]
    for way, (given, rule) in ways.items():
        bouts = build_bouts(
            frames, given, classes=study.classes, every_s=study.every_s, rule=rule
        )
        held = look_up(bouts, study.samples)
        right = float((held == study.samples["label"].to_numpy()).mean())
        scores = score_bouts(bouts[bouts["label"].isin(study.classes)], labelled)
        rows.append({"way": way, "frames_right": right, **scores})
    return pd.DataFrame(rows)


def _predict_unseen(study: "Study") -> tuple[pd.DataFrame, np.ndarray]:
    """Predict every frame of the labelled videos, each person's by the other folds."""
    who = study.videos.set_index("video")["subject"]
    folds = study.samples.groupby("fold")["subject"].unique()
    parts, shares = [], []
    classifiers = study.fit_classifiers(list(folds))
    for people, classifier in zip(folds, classifiers, strict=True):
        films = set(who.index[who.isin(people)]) & {*study.samples["video"]}
        parts.append(study.frames[study.frames["video"].isin(films)])
        own = study.keypoints[study.keypoints["video"].isin(films)]
        further = study.look_again(parts[-1], looks=classifier.looks)
        shares.append(predict_frames(classifier, parts[-1], own, further))
    return pd.concat(parts, ignore_index=True), np.concatenate(shares)


def _describe_steadiness(table: pd.DataFrame) -> list[str]:
    """Say how many labelled frames and bouts are found, steady and frame by frame."""
    if table.empty:
        return []
    alone, steady = table.iloc[0], table.iloc[-1]
    text = (
        f"In films of people never seen, answers of nobody and none of these counted "
        f"as wrong, the postures held are right in {steady['frames_right']:.0%} of the "
        f"labelled frames; {steady['n_found']} of {steady['n_bouts']} labelled "
        f"stretches are found; said, but not there: {steady['n_extra']}. Each frame "
        f"taken alone: {alone['frames_right']:.0%}, {alone['n_found']} and "
        f"{alone['n_extra']}."
    )
    if steady["n_borders"]:
        text += f" Borders are {steady['border_error_s']:.2f} s off on average."
    return [text]


def _choose_video(study: "Study") -> pd.Series:
    """Return the first video without labels, or else the one of most postures."""
    n_shown = study.samples.groupby("video")["label"].nunique()
    names = study.videos["video"]
    free = [name for name in names if name not in n_shown]
    name = free[0] if free else max(names, key=n_shown.get)  # the first of equals
    return study.videos.set_index("video", drop=False).loc[name]


def _describe(postures: pd.DataFrame, name: str) -> str:
    """Say for how long each posture is held."""
    seconds = (postures["end_s"] - postures["start_s"]).groupby(postures["label"]).sum()
    each = ", ".join(
        f"{show_name(label)} {value:.1f} s"
        for label, value in seconds.sort_values(ascending=False).items()
    )
    return f"In {name}: {each or 'no posture is held for long enough'}."
