"""`make test-on`: a saved classifier on labelled films it has nothing to do with."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from utils.core.files import find_data
from utils.core.markup import escape_terminal
from utils.core.names import name_file, show_name
from utils.core.tables import write_csv
from utils.evaluation.intervals import bound_scores
from utils.evaluation.scores import count_confusions, score_classes
from utils.frames.extraction import extract
from utils.labelling.labels import label_frames, read_labels
from utils.predict.classify import load_usable, predict_frames, take_looks
from utils.questions.answer import Answer, write_answer
from utils.screen import follow_bars
from utils.training.protocol import build_predictions
from utils.training.softmax import PoseClassifier, find_classifier
from utils.training.splits import build_samples
from utils.video.catalogue import list_videos

_KEY = ["video", "frame_idx"]
_WORST = 0.9  # a posture recognised less often than this is said to fail


def score_elsewhere(
    model: PoseClassifier | Path | str,
    videos: Path | str,
    labels: Path | str = "",
    *,
    results: Path | str = "data/results",
    every_s: float = 0.2,
    n_jobs: int = -1,
) -> Answer:
    """Score a finished classifier on films of other people, rooms and cameras.

    Args:
        model: The classifier, or the file that `save_classifier` wrote.
        videos: Folder of the films; its `videos.csv` says who is in which.
        labels: Their labels; `labels.csv` in that folder if empty.
        results: Folder for `test_on_<folder>.csv`, with a row a posture: `label`,
            `n_people`, `n_frames`, `precision`, `recall`, `f1`, `taken_for` (what its
            other frames are mostly taken for) and `taken_share`; and for
            `test_on_<folder>_scores.csv`: accuracy and log loss, with their intervals
            over people.
        every_s: Seconds between two frames looked at.
        n_jobs: Processes; -1 is one a core.

    Returns:
        The answer, in a few sentences.

    Raises:
        FileNotFoundError: If there is no such model, film or labels file.
        ValueError: If there is nothing to score: no posture in common, or every film
            was learnt from.
    """
    classifier = model if isinstance(model, PoseClassifier) else load_usable(model)
    folder = Path(videos)
    table, problems = list_videos(folder, also=folder)
    labels = Path(labels or folder / "labels.csv")
    if not labels.is_file():
        raise FileNotFoundError(
            f"There are no labels at {labels}. Label the films first, or set LABELS."
        )
    spans = _read_known(labels, table, classifier.classes)
    table = table[table["video"].isin(spans["video"])]
    table, origin = _leave_out_learnt(table, classifier)
    frames, keypoints, unread = extract(
        table, every_s=every_s, network=classifier.network, n_jobs=n_jobs
    )
    samples = build_samples(frames, label_frames(frames, spans), table)
    predictions = _predict(classifier, samples, frames, keypoints, n_jobs=n_jobs)
    is_known = predictions["label"].isin(classifier.classes)
    known, unknown = predictions[is_known], predictions[~is_known]
    bounds, classes = bound_scores(known), _score_classes(known)
    name = f"test_on_{name_file(folder.resolve().name)}"
    write_csv(bounds, Path(results) / f"{name}_scores.csv")
    sentences = [
        _describe_scores(bounds, known),
        _describe_classes(classes),
        _describe_names(classifier.classes, known, unknown),
        origin,
        *problems["problem"],
        *unread["problem"],
    ]
    return write_answer(
        name,
        Path(results),
        sentences=[text for text in sentences if text],
        table=classes,
        shown=classes.round(3),
    )


def _read_known(
    path: Path, videos: pd.DataFrame, classes: Sequence[str]
) -> pd.DataFrame:
    """Read the labels of these films; `Lying Down` is the classifier's `lying_down`."""
    spans = read_labels(path, videos, skip_unknown=True)
    if spans.empty:
        named = ", ".join(spans.attrs["skipped"][:3])
        raise ValueError(
            f"No label in {path} is of a film here"
            + (f": it names {named}, the films are " if named else "; the films are ")
            + f"{', '.join(videos['video'][:3])}. The column `video` holds the film's "
            "file name without its ending."
        )
    own = {show_name(name).casefold(): name for name in classes}
    alike = spans["label"].map(
        lambda label: own.get(show_name(label).casefold(), label)
    )
    if not alike.isin(classes).any():
        raise ValueError(
            f"Expected labels out of {', '.join(classes)}, found "
            f"{', '.join(sorted(alike.unique()))}: there is nothing to score. Name the "
            "postures alike."
        )
    return spans.assign(label=alike)


def _predict(
    classifier: PoseClassifier,
    samples: pd.DataFrame,
    frames: pd.DataFrame,
    keypoints: pd.DataFrame,
    *,
    n_jobs: int,
) -> pd.DataFrame:
    """Predict each sample: table `predictions`, and whether nobody or none is said."""
    rows = frames.merge(samples[_KEY])
    further = take_looks(classifier, rows, keypoints, n_jobs=n_jobs)
    shares = predict_frames(classifier, rows, keypoints, further, everywhere=True)
    answers = predict_frames(classifier, rows, keypoints, further)
    predictions = build_predictions(
        rows[_KEY].merge(samples), shares, classes=classifier.classes
    )
    return predictions.assign(
        model="classifier",
        fold=0,
        seed=0,
        is_nobody=np.isnan(answers).any(axis=1),
        is_none=(answers == 0).all(axis=1),
    )


def _leave_out_learnt(
    videos: pd.DataFrame, classifier: PoseClassifier
) -> tuple[pd.DataFrame, str]:
    """Return the films that were not learnt from, and what is known of that."""
    learnt = videos["sha256"].isin(classifier.films)
    if len(videos) and learnt.all():
        raise ValueError(
            "The classifier learnt from each of these films: a score on them would say "
            "nothing. Name a folder of others."
        )
    if not classifier.films:
        return videos, "What the classifier learnt from is not known: see to that."
    text, others = "", videos[~learnt]
    if learnt.any():
        text = (
            f"Left out, for it learnt from them: {', '.join(videos['video'][learnt])}. "
        )
    same = sorted(set(others["subject"]) & {*classifier.people})
    if same:
        names = ", ".join(same)
        return others, (
            f"{text}It learnt from people called {names}: if they are the same, the "
            "score flatters."
        )
    return others, f"{text}It learnt from none of these films and people."


def _score_classes(predictions: pd.DataFrame) -> pd.DataFrame:
    """Score each posture, and find what it is mostly taken for."""
    counts = count_confusions(predictions, model="classifier")
    table = score_classes(predictions).drop(columns="model")
    wrong = counts.where(~np.eye(len(counts), dtype=bool), 0.0).loc[table["label"]]
    is_wrong = wrong.max(axis=1).to_numpy() > 0
    table["taken_for"] = wrong.idxmax(axis=1).where(is_wrong).to_numpy()
    table["taken_share"] = wrong.max(axis=1).to_numpy() / table["n_frames"].to_numpy()
    return table


def _describe_scores(bounds: pd.DataFrame, samples: pd.DataFrame) -> str:
    """Say how often it is right, and how sure that is."""
    rows = bounds.set_index("metric")
    n_people, n_films = samples["subject"].nunique(), samples["video"].nunique()
    right, loss = rows.loc["accuracy"], rows.loc["log_loss"]
    rough = "one person cannot say how it is for others"
    if np.isfinite(right["low"]):
        rough = f"95 % interval over people: {right['low']:.1%} to {right['high']:.1%}"
    most = samples["label"].value_counts(normalize=True).iloc[0]
    return (
        f"Right in {right['estimate']:.1%} of {len(samples):,} labelled frames of "
        f"{n_people} {'person' if n_people == 1 else 'people'} in "
        f"{n_films} {'film' if n_films == 1 else 'films'} ({rough}); log loss "
        f"{loss['estimate']:.2f}; always the commonest posture: {most:.1%}. In use it "
        f"says nobody in {samples['is_nobody'].sum():,} and none of these in "
        f"{samples['is_none'].sum():,}."
    )


def _describe_classes(table: pd.DataFrame) -> str:
    """Say of each posture how often it is recognised, the worst first."""
    parts = []
    for row in table.sort_values("recall").itertuples():
        text = f"{show_name(row.label)} {row.recall:.0%}"
        if row.recall < _WORST and isinstance(row.taken_for, str):
            text += f" ({row.taken_share:.0%} taken for {show_name(row.taken_for)})"
        parts.append(text)
    fails = ", ".join(
        show_name(x) for x in table.loc[table["recall"] < _WORST, "label"]
    )
    ending = f" It fails on {fails}." if fails else " No posture fails."
    return f"Recognised: {', '.join(parts)}.{ending}"


def _describe_names(
    classes: Sequence[str], known: pd.DataFrame, unknown: pd.DataFrame
) -> str:
    """Say which postures the labels or the classifier alone know."""
    text = ""
    if len(unknown):
        parts = []
        for label, rows in unknown.groupby("label"):
            most, none = rows["predicted"].mode()[0], rows["is_none"].mean()
            parts.append(
                f"{show_name(label)} ({len(rows):,} frames, {none:.0%} called none of "
                f"these, most taken for {show_name(most)})"
            )
        text = f"Not scored, for it does not know them: {', '.join(parts)}. "
    absent = [show_name(name) for name in classes if name not in set(known["label"])]
    if absent:
        text += f"It knows, but nobody shows here: {', '.join(absent)}."
    return text.strip()


def main(arguments: Sequence[str] | None = None) -> int:
    """Score a classifier on the films of a folder.

    Args:
        arguments: Command line, without the program's name; the process's own if None.

    Returns:
        0 if it was scored; 1 with one sentence on stderr if not.
    """
    parser = argparse.ArgumentParser(prog="make test-on", description=__doc__)
    parser.add_argument("--VIDEOS", required=True, help="folder of the films")
    parser.add_argument("--LABELS", default="", help="their labels")
    parser.add_argument("--MODEL", default="", help="else that in RESULTS")
    parser.add_argument("--RESULTS", default=str(find_data() / "results"))
    parser.add_argument("--EVERY_S", type=float, default=0.2)
    given = parser.parse_args(arguments)
    try:
        with follow_bars():
            answer = score_elsewhere(
                given.MODEL or find_classifier(given.RESULTS),
                given.VIDEOS,
                given.LABELS,
                results=given.RESULTS,
                every_s=given.EVERY_S,
            )
    except (ValueError, OSError) as error:
        print(escape_terminal(f"make test-on stopped. {error}"), file=sys.stderr)
        return 1
    print(escape_terminal("\n".join(answer.sentences)))
    print(f"By posture: {Path(given.RESULTS) / answer.name}.csv")
    return 0


if __name__ == "__main__":
    sys.exit(main())
