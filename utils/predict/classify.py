"""A finished classifier on videos: posture of each frame, bouts, an annotated film."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from utils.core.files import find_data
from utils.core.names import name_file
from utils.core.tables import write_csv
from utils.frames.extraction import extract
from utils.frames.images import read_image
from utils.frames.shown import cover
from utils.pose.features import build_features, build_inputs
from utils.pose.looks import look_again
from utils.pose.networks import FOREIGN
from utils.pose.people import find_people
from utils.predict.annotate import annotate_frames
from utils.predict.bouts import build_bouts, predict_each_frame
from utils.training.softmax import find_classifier, load_classifier
from utils.video.catalogue import build_videos
from utils.video.reader import read_video, write_shown

if TYPE_CHECKING:
    from utils.training.softmax import PoseClassifier

# Of a film with hardly more pictures than wanted all are taken: each third would be
# left out where its clock is a little off.
_FEW_MORE = 1.25


class Prediction(NamedTuple):
    """What a classifier says of one video.

    Attributes:
        postures: A row a bout: `video`, `start_s`, `end_s`, `label`, `probability`.
        annotated: The film with skeleton, posture and probability; None if not made.
    """

    postures: pd.DataFrame
    annotated: Path | None


def predict_video(
    video: Path | str,
    model: Path | str = "",
    *,
    results: Path | str = "data/results",
    every_s: float = 0.2,
    fps: float = 15.0,
    n_jobs: int = -1,
) -> Prediction:
    """Label a new film with a saved classifier.

    Args:
        video: The film.
        model: File that `save_classifier` wrote; it knows its pose network. The
            classifier of the run in `results` if empty.
        results: Folder for `<video>_postures.csv` and `<video>_annotated.mp4`.
        every_s: Seconds between two frames looked at.
        fps: Pictures a second of the annotated film; 0 makes none.
        n_jobs: Processes; -1 is one a core.

    Returns:
        The postures, and where the annotated film is.

    Raises:
        FileNotFoundError: If there is no such film or model.
        ValueError: If either cannot be read; one sentence.
    """
    video, results = Path(video), Path(results)
    classifier = load_usable(model or find_classifier(results))
    if not video.is_file():
        raise FileNotFoundError(f"There is no film at {video}. Name a film that is.")
    videos, problems = build_videos([video])
    if videos.empty:
        raise ValueError(" ".join(problems["problem"]) or f"{video} is no film.")
    frames, keypoints, unread = extract(
        videos, every_s=every_s, network=classifier.network, n_jobs=n_jobs
    )
    if frames.empty:
        raise ValueError(" ".join(unread["problem"]) or f"{video} has no frames.")
    further = take_looks(classifier, frames, keypoints, n_jobs=n_jobs)
    postures = predict_postures(classifier, frames, keypoints, further, every_s=every_s)
    results.mkdir(parents=True, exist_ok=True)
    film = videos.iloc[0]
    stem = name_file(film["video"])
    rounded = postures.round({"start_s": 3, "end_s": 3})  # to the millisecond
    write_csv(rounded, results / f"{stem}_postures.csv")
    annotated = None
    if fps > 0:
        annotated = results / f"{stem}_annotated.mp4"
        annotate_video(
            classifier, film, frames, keypoints, annotated, further=further, fps=fps
        )
    return Prediction(postures, annotated)


def load_usable(model: Path | str) -> "PoseClassifier":
    """Read a saved classifier whose pose network is at hand.

    Args:
        model: File that `save_classifier` wrote.

    Returns:
        The classifier.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is no such file, or needs a program of others.
    """
    classifier = load_classifier(Path(model))
    if classifier.network.startswith(FOREIGN):
        raise ValueError(
            f"{Path(model).name} needs a SavedModel as its pose network, which is a "
            "program of others. Use it in the notebook, with the setting SAVED_MODEL."
        )
    return classifier


def take_looks(
    classifier: "PoseClassifier",
    frames: pd.DataFrame,
    keypoints: pd.DataFrame,
    *,
    n_jobs: int = -1,
) -> list[pd.DataFrame]:
    """Take the further looks that a classifier was made for.

    Args:
        classifier: The classifier.
        frames: Table `frames`, with pictures.
        keypoints: Table `keypoints` of these frames, by the classifier's network.
        n_jobs: Processes; -1 is one a core.

    Returns:
        What `predict_frames` takes as `further`.
    """
    return look_again(
        frames,
        keypoints,
        looks=classifier.looks,
        read_image=read_image,
        folder=find_data() / "cache/poses",
        n_jobs=n_jobs,
    )


def predict_frames(
    classifier: "PoseClassifier",
    frames: pd.DataFrame,
    keypoints: pd.DataFrame,
    further: Sequence[pd.DataFrame] = (),
    *,
    everywhere: bool = False,
) -> np.ndarray:
    """Give the probability of every posture in every frame that shows a person.

    Args:
        classifier: The classifier.
        frames: Table `frames`.
        keypoints: Table `keypoints` of these frames, by the classifier's network.
        further: Tables `keypoints` of further looks at these frames, as the
            classifier's `looks` has them (`pose.looks.look_again`); it answers with
            fewer too, less surely right.
        everywhere: Whether to name a posture in every frame, also where nobody is seen
            or the pose is none of these, as scores of models do.

    Returns:
        `(n_frames, n_classes)`, columns in the order of `classifier.classes`; 0
        throughout where a pose is none of these by `classifier.doubt`, NaN where
        nobody is seen: on two sets of real film half of the answers would be wrong
        there, and a tenth elsewhere.
    """
    people = find_people(keypoints)
    found = frames[["video", "frame_idx"]].merge(people, how="left")
    seen = found["has_person"].eq(True).to_numpy() | everywhere
    shares = np.full((len(frames), len(classifier.classes)), np.nan)
    looks = [
        build_inputs(build_features(k, frames, kind=classifier.features), frames[seen])
        for k in (keypoints, *further)
    ]
    shares[seen] = classifier(np.stack(looks, axis=1))
    if classifier.doubt is not None and not everywhere:
        shares[np.flatnonzero(seen)[classifier.doubt(looks[0])]] = 0.0
    return shares


def predict_postures(
    classifier: "PoseClassifier",
    frames: pd.DataFrame,
    keypoints: pd.DataFrame,
    further: Sequence[pd.DataFrame] = (),
    *,
    every_s: float,
) -> pd.DataFrame:
    """Say from when to when each posture is held.

    Args:
        classifier: The classifier.
        frames: Table `frames`: all of a video, or the frames without label.
        keypoints: Table `keypoints` of these frames.
        further: As for `predict_frames`.
        every_s: Seconds between two frames.

    Returns:
        A row a bout: `video`, `start_s`, `end_s`, `label`, `probability`.
    """
    keypoints = keypoints.merge(frames[["video", "frame_idx"]])
    return build_bouts(
        frames,
        predict_frames(classifier, frames, keypoints, further),
        classes=classifier.classes,
        every_s=every_s,
    )


def annotate_video(  # noqa: PLR0913 - three tables, and where and how much to write
    classifier: "PoseClassifier",
    video: pd.Series,
    frames: pd.DataFrame,
    keypoints: pd.DataFrame,
    path: Path,
    *,
    further: Sequence[pd.DataFrame] = (),
    fps: float = 15.0,
    length_s: float = math.inf,
    pictures: bool = True,
    colours: Mapping[str, str] | None = None,
) -> Path:
    """Write a film with skeleton, posture and probability drawn into it.

    Args:
        classifier: The classifier.
        video: Row of table `videos`.
        frames: Table `frames`; other videos' rows are left out.
        keypoints: Table `keypoints`.
        path: Where the film goes, an mp4.
        further: As for `predict_frames`.
        fps: Pictures a second, at most about as many as the film has.
        length_s: How much of it, seconds from its first picture on.
        pictures: Setting `PICTURES`: False draws on grey instead of on the film.
        colours: Colour `#rrggbb` of each posture; blue if None.

    Returns:
        The path.
    """
    own = frames[frames["video"] == video["video"]].sort_values("time_s")
    points = keypoints[keypoints["video"] == video["video"]]
    postures = predict_each_frame(
        own,
        predict_frames(classifier, own, points, further),
        classes=classifier.classes,
        every_s=float(own["time_s"].diff().median()),
    )
    film = read_video(
        Path(video["path"]),
        every_s=1 / fps if video["fps"] > _FEW_MORE * fps else 0.0,
        length_s=length_s,
        rotation_deg=int(video["rotation_deg"]),
        skip_damage=True,
    )
    images = (
        (frame.time_s, frame.image if pictures else cover(frame.image))
        for frame in film
    )
    drawn = annotate_frames(images, points, own, postures, colours=colours)
    write_shown(path, drawn, fps=fps)
    return path
