"""What is saved: the classifier for elsewhere, its card, and what is missing."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from utils.core.files import ANSWER_FILE, atomic_path
from utils.core.names import show_name
from utils.core.tables import WORDS, write_csv, write_table
from utils.evaluation.calibration import summarise_calibration
from utils.evaluation.card import Card, write_card
from utils.evaluation.intervals import bound_scores
from utils.evaluation.scores import describe_failures, find_recall
from utils.export.forms import write
from utils.export.model_json import Facts, read_model
from utils.export.pack import Recipe, write_pack
from utils.labelling.labels import advise_films, advise_labels, summarise_labels
from utils.live.page import write_page
from utils.pose.networks import name_network
from utils.questions.answer import Answer, question, write_answer
from utils.questions.comparison import BEST, explain_difference
from utils.questions.quality import find_error_kinds

if TYPE_CHECKING:
    from utils.study import Study
    from utils.training.softmax import PoseClassifier

_FEW_PEOPLE = 10  # fewer and an interval over people is a rough guess
_FEWEST = 4  # fewer and nothing is decided: see `verdict.Rules.min_units`
_MOSTLY = 0.9  # of its frames: a posture recognised this often may be relied on
_NO_PICTURES = (
    "Pictures of people are left out (setting PICTURES): skeletons stand on grey. "
    "Names of people and films are still in tables and charts."
)
_TOLD_BY_OTHERS = {  # question -> what it tells, once there is another person
    "verdict": "which classifier is better",
    "calibration": "whether a probability means what it says",
    "people_needed": "how many people to label",
}
_VERDICT = ["claim", "verdict", "difference", "low", "high", "sentence"]


@question
def exports(study: "Study", *, classifier: "PoseClassifier") -> Answer:
    """Write the classifier for use elsewhere, as a live page, and as a share pack.

    Args:
        study: The study, with the pose classifier fitted.
        classifier: The final classifier.

    Returns:
        The answer: a row a file. The files are in `export/`, the page is `live/` and
        `live.html`, the pack `share_pack.zip`.
    """
    facts = _find_facts(study)
    folder = study.results / "export"
    table = write(classifier, folder, facts, page=False)
    write_page(read_model(folder / "model.json"), study.results)
    write_pack(
        study.results / "share_pack.zip",
        classifier,
        study.keypoints,
        study.frames,
        study.samples,
        recipe=Recipe(n_epochs=study.n_epochs, seed=study.seeds[0], facts=facts),
    )
    return write_answer(
        "exports",
        study.results,
        sentences=[facts.tested_on],
        table=table,
        shown=table[["file", "bytes", "use"]].assign(
            bytes=table["bytes"].map("{:,}".format),
            use=table["use"].str.replace("`", ""),
        ),
    )


def _find_facts(study: "Study") -> Facts:
    """Gather what travels with the classifier: how it was tested, its temperature."""
    own = study.predictions[study.predictions["model"] == "pose_softmax"]
    scores = study.scores.set_index("model").loc["pose_softmax"]
    temperature = 1.0
    if not study.is_one_person:
        fitted = summarise_calibration(own)["temperature_mean"].iloc[0]
        # All right on few people asks for certainty, which they cannot vouch for.
        temperature = max(1.0, float(fitted))
    return Facts(
        f"{study.n_text}: right in {scores['accuracy']:.1%} of the frames of "
        f"{study.unseen} (log loss {scores['log_loss']:.3f}).",
        numbers={name: float(scores[name]) for name in ("accuracy", "log_loss")},
        temperature=temperature,
        mirrored=study.mirror,
        colours={str(look["name"]): str(look["colour"]) for look in study.looks},
    )


@question
def summary(study: "Study") -> Answer:
    """Say in words how good it is and what to do next; write the card and tables.

    Returns:
        The answer: the sentences are what a run ends with (`answer.txt`), the sections
        what a coach needs besides. Film and seconds stand in answers of their own.
    """
    _write_card(study)
    write_csv(study.features_table, study.results / "features.csv")
    write_table(study.keypoints, study.results / "keypoints.parquet", "keypoints")
    table = pd.DataFrame(
        [(name, not a.is_missing, a.sentence) for name, a in study.answers.items()],
        columns=["question", "is_answered", "sentence"],
    )
    classes = find_recall(study.predictions, model=study.in_use)
    classes = classes.reindex(study.classes)
    recall = classes["recognised"]
    following = _describe_next(study)
    told = [
        *_describe_scores(study),
        *_describe_better(study),
        *_describe_rooms(study),
        *_describe_extremes(recall),
        f"Next: {following[0]}",
    ]
    sentences = [line for line in told if line]
    with atomic_path(study.results / ANSWER_FILE) as part:
        part.write_text("\n".join(sentences) + "\n", encoding="utf-8")
    asked = study.answers.values()
    missing = [a.sentence for a in asked if a.is_missing and not a.waits]
    sections = {
        f"Posture by posture, by the {WORDS[study.in_use]}": _list_postures(
            study, classes
        ),
        "What to film or label next": following,
        "Trust it for": _describe_trust(study, recall),
        "Do not trust it for": _describe_distrust(study, recall),
        "Not answered": missing,
        "Pictures": () if study.pictures else (_NO_PICTURES,),
    }
    answer = write_answer(
        "answers", study.results, sentences=sentences[:-1], table=table
    )
    given = [(head, part) for head, part in sections.items() if len(part)]
    return replace(answer, sections=tuple(given))


def _describe_scores(study: "Study") -> list[str]:
    """Say how often the classifier in use is right, then those that are compared."""
    bounds = bound_scores(study.predictions)
    bounds = bounds[bounds["metric"] == "accuracy"].set_index("model")
    row = bounds.loc[study.in_use]
    rough = f"other such people: {row['low']:.0%} to {row['high']:.0%}, roughly"
    if study.is_one_person:
        whom = "person" if study.n_people == 1 else "people"
        rough = f"flattering: it knows the {whom} and the room"
    elif study.n_people < _FEWEST:
        rough = "too few people to say how it is for others"
    elif row["low"] == row["high"]:
        rough = "each of them alike, but others may differ"
    labels = ", which labels your films," if study.in_use == BEST else ""
    compared = [
        f"the {name} in {bounds.loc[model, 'estimate']:.0%}"
        for model, name in study.names.items()
        if model != study.in_use
    ]
    return [
        f"The {WORDS[study.in_use]}{labels} is right in {row['estimate']:.0%} of the "
        f"frames of {study.unseen} ({rough}; {study.n_text}).",
        f"Beside it, of the same frames: {', '.join(compared)}; always the same guess "
        f"in {study.floor['accuracy']:.0%}.",
        *describe_failures(study.scores, names=study.names),
    ]


def _describe_better(study: "Study") -> list[str]:
    """Say whether pose is better than pictures; of one person, what is held out."""
    asked = study.answers.get("verdict")
    if study.is_one_person:
        return [study.held_out]
    if asked is None or asked.is_missing:
        return []
    if study.n_people < _FEWEST:
        return [
            f"Which of them is better {study.n_people} people cannot decide: it takes "
            f"{_FEWEST} at least."
        ]
    n_rivals = len(study.names) - 1
    return [*asked.sentences[:n_rivals], explain_difference(study, asked.table)]


def _describe_rooms(study: "Study") -> list[str]:
    """Say how it is in a new room; of one person in one room all is said already."""
    asked = study.answers.get("rooms", Answer("rooms"))
    if study.is_one_person and asked.table.empty:
        return []
    return list(asked.sentences[:1])


def _describe_extremes(recall: pd.Series) -> list[str]:
    """Say which posture is recognised best and which worst."""
    known = recall.dropna().sort_values(ascending=False, kind="stable")
    if known.empty:
        return []
    if _is_mostly(known.iloc[-1]):
        least = f"at least {known.iloc[-1]:.0%}"
        if known.iloc[-1] == 1:
            least = "all"
        return [f"Each posture is recognised in {least} of its frames."]
    if len(known) == 1:
        return []
    best, worst = (show_name(known.index[place]) for place in (0, -1))
    return [
        f"Recognised best: {best} ({known.iloc[0]:.0%} of its frames); worst: {worst} "
        f"({known.iloc[-1]:.0%})."
    ]


def _list_postures(study: "Study", classes: pd.DataFrame) -> pd.DataFrame:
    """List each posture: how often it is recognised, and what it is taken for."""
    labelled = summarise_labels(study.labels, study.videos).groupby("label")
    seconds, people = labelled["seconds"].sum(), labelled["subject"].nunique()
    rows = {}
    for label, row in classes.iterrows():
        is_known = np.isfinite(row["recognised"])
        taken = "–" if is_known else "not known: one person alone shows it"
        if isinstance(row["taken_for"], str):
            taken = f"{show_name(row['taken_for'])} ({row['taken_share']:.0%})"
        rows[show_name(label)] = {
            "recognised": f"{row['recognised']:.0%}" if is_known else "–",
            "else mostly taken for": taken,
            "labelled": f"{seconds.get(label, 0.0):.0f} s",
            "people": int(people.get(label, 0)),
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def _describe_next(study: "Study") -> list[str]:
    """Say what to film or label next: what the one adviser says, then how many people.

    A posture that has enough is not mentioned here.
    """
    asked, n_people = study.answers.get("people_needed"), study.n_people
    n_rivals = len(study.names) - 1  # it says first what each of these needs
    advice = (
        [] if asked is None or asked.is_missing else list(asked.sentences[n_rivals:])
    )
    if not advice:
        labelled = summarise_labels(study.labels, study.videos)
        advice = advise_labels(labelled, n_people=n_people)
    advice = [line for line in advice if " has enough: " not in line]
    rooms = study.videos["camera"].nunique() if "camera" in study.videos else 1
    advice = [*advise_films(find_error_kinds(study), n_rooms=rooms), *advice]
    if study.is_one_person:
        waits = [name for name, a in study.answers.items() if a.waits]
        words = ", ".join(_TOLD_BY_OTHERS.get(n, show_name(n)) for n in waits)
        told = f": only that tells {words}" if waits else ""
        return [f"Film one more person doing all of it{told}.", *advice]
    verdict = study.answers.get("verdict")
    needed = np.nan
    if verdict is not None and not verdict.is_missing:
        needed = verdict.table["n_needed"].iloc[0]
    if np.isfinite(needed):
        advice.append(
            f"Film more people: about {needed:.0f} would decide which classifier is "
            f"better, if they are like these {n_people}."
        )
    elif n_people < _FEW_PEOPLE:
        advice.append(f"Film more people: {n_people} cannot speak for others.")
    return advice or ["Nothing is missing here. Try it on the films of somebody new."]


def _describe_trust(study: "Study", recall: pd.Series) -> list[str]:
    """Say what the classifier may be relied on for."""
    good = [show_name(label) for label, share in recall.items() if _is_mostly(share)]
    if not good:
        return [
            f"Nothing yet: no posture is recognised in {_MOSTLY:.0%} of its frames."
        ]
    who = f"people like these {study.n_people}, filmed like them"
    if study.is_one_person:
        who = f"{', '.join(study.samples['subject'].unique())} again, in the same room"
    lines = [f"One person in the picture, {who}: {', '.join(good)}."]
    if 1 < study.n_people < _FEWEST:
        lines.append(f"With {study.n_people} people this is a first impression.")
    return lines


def _describe_distrust(study: "Study", recall: pd.Series) -> list[str]:
    """Say what the classifier must not be relied on for."""
    known = recall.dropna()
    weak = [show_name(label) for label, share in known.items() if not _is_mostly(share)]
    lines = [f"Postures that it often misses: {', '.join(weak)}."] if weak else []
    lone = [show_name(label) for label in recall.index.difference(known.index)]
    if lone:
        lines.append(f"Postures of which it is not known: {', '.join(lone)}.")
    if study.is_one_person:
        lines.append("Anybody else: nobody was held out.")
    return [
        *lines,
        "Postures that nobody labelled (it may answer with one of its own), and "
        "several people in the picture.",
        "Alarms, diagnoses, and whatever a single wrong answer would harm.",
    ]


def _is_mostly(share: float) -> bool:
    """Return whether a posture is recognised often enough, as its table shows it."""
    return bool(np.round(share, 2) >= _MOSTLY)


def _write_card(study: "Study") -> None:
    """Write the model card."""
    limits = [
        sentence
        for name in ("background", "leakage")
        if name in study.answers
        for sentence in study.answers[name].sentences
    ]
    asked = study.answers.get("verdict")
    verdict = pd.DataFrame() if asked is None else asked.table
    verdict = verdict.reindex(columns=_VERDICT)
    learnt = study.predictions[study.predictions["model"] != "majority"]
    card = Card(
        study.samples,
        study.videos,
        scores=bound_scores(learnt),
        verdict=verdict,
        settings=_list_settings(study),
        held_out=study.held_out,
        limits=limits,
        files=sorted(study.results.glob("*.keras")),
        model=study.in_use,
    )
    write_card(card, study.results / "model_card.md")


def _list_settings(study: "Study") -> dict[str, object]:
    """Return all that decided the result, in words."""
    return {
        "title": "Posture classifier",
        "pose network": name_network(study.network),
        "features": study.features,
        "mirrored": study.mirror,
        "seconds between frames": study.every_s,
        "seeds": list(study.seeds),
        "budget": study.budget,
    }
