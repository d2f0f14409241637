"""What is saved: the classifier for elsewhere, its card, and what is missing."""

from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from utils.core.tables import write_csv
from utils.evaluation.calibration import summarise_calibration
from utils.evaluation.card import Card, write_card
from utils.evaluation.intervals import bound_scores
from utils.evaluation.scores import count_confusions
from utils.export.forms import write
from utils.export.model_json import Facts, read_model
from utils.export.pack import Recipe, write_pack
from utils.live.page import write_page
from utils.questions.answer import Answer, question, write_answer

if TYPE_CHECKING:
    from utils.study import Study
    from utils.training.softmax import PoseClassifier

_FEW_PEOPLE = 10  # fewer and an interval over people is a rough guess
_NO_PICTURES = (
    "Pictures of people are left out (setting PICTURES): skeletons stand on grey. "
    "Names of people and films are still in tables and charts."
)
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
        shown=table[["file", "bytes", "use"]],
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
    )


@question
def summary(study: "Study") -> Answer:
    """Say in words how good it is and what to do next; write the card and tables."""
    _write_card(study)
    write_csv(study.features_table, study.results / "features.csv")
    study.keypoints.to_parquet(study.results / "keypoints.parquet", index=False)
    table = pd.DataFrame(
        [(name, not a.is_missing, a.sentence) for name, a in study.answers.items()],
        columns=["question", "is_answered", "sentence"],
    )
    answer = write_answer(
        "answers",
        study.results,
        sentences=[
            *_describe_scores(study),
            *_describe_postures(study),
            *_describe_next(study),
            *(a.sentence for a in study.answers.values() if a.is_missing),
            *([] if study.pictures else [_NO_PICTURES]),
        ],
        table=table,
    )
    seen = study.answers.get("film", Answer("film"))
    held = study.answers.get("postures", Answer("postures"))
    return replace(
        answer,
        charts=seen.charts,
        video=seen.video,
        shown=held.shown,
        is_words_first=True,
    )


def _describe_scores(study: "Study") -> list[str]:
    """Say how often both classifiers are right, and how rough that is."""
    bounds = bound_scores(study.predictions)
    bounds = bounds[bounds["metric"] == "accuracy"].set_index("model")
    lines = []
    for model, name in study.names.items():
        row = bounds.loc[model]
        rough = f"between {row['low']:.0%} and {row['high']:.0%} for other such people"
        if study.is_one_person:
            rough = "how rough that is, one person cannot say"
        elif row["low"] == row["high"]:
            rough = "for each of them alike; others may still differ"
        lines.append(
            f"On {study.unseen} the {name} is right in {row['estimate']:.0%} of the "
            f"frames ({rough}; {study.n_text})."
        )
    return [*lines, study.held_out] if study.is_one_person else lines


def _describe_postures(study: "Study") -> list[str]:
    """Say of each posture how often it is recognised, and what it is taken for."""
    counts = count_confusions(study.predictions, model="pose_softmax")
    parts = []
    for label, row in counts.iterrows():
        share, wrong = row / row.sum(), row.drop(label)
        text = f"{str(label).replace('_', ' ')} {share[label]:.0%}"
        if wrong.max() > 0:
            text += f" (else mostly {str(wrong.idxmax()).replace('_', ' ')})"
        parts.append(text)
    return [f"Recognised by the pose classifier: {', '.join(parts)}."]


def _describe_next(study: "Study") -> list[str]:
    """Say what to film or label next, and what the classifier is for."""
    asked = study.answers.get("people_needed")
    wanted = [] if asked is None else [s for s in asked.sentences if "label " in s]
    lines = [f"Next: {wanted[0]}"] if wanted else []
    if study.samples["subject"].nunique() < _FEW_PEOPLE:
        lines.append("Next: film more people; a handful cannot speak for others.")
    return [
        *lines,
        "It is for one person in the picture, in postures and rooms like those "
        "labelled; it always answers with one of its postures.",
    ]


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
    )
    write_card(card, study.results / "model_card.md")


def _list_settings(study: "Study") -> dict[str, object]:
    """Return all that decided the result, in words."""
    return {
        "title": "Posture classifier",
        "pose network": study.network,
        "features": study.features,
        "mirrored": study.mirror,
        "seconds between frames": study.every_s,
        "seeds": list(study.seeds),
        "budget": study.budget,
    }
