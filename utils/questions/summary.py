"""What is saved: the model card, and which questions the data could not answer."""

from typing import TYPE_CHECKING

import pandas as pd

from utils.evaluation.card import Card, write_card
from utils.evaluation.intervals import bound_scores
from utils.questions.answer import Answer, question, write_answer

if TYPE_CHECKING:
    from utils.study import Study

_VERDICT = ["claim", "verdict", "difference", "low", "high", "sentence"]


@question
def summary(study: "Study") -> Answer:
    """Write the model card, list the files, and say what is missing."""
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
    missing = [a.sentence for a in study.answers.values() if a.is_missing]
    files = ", ".join(sorted(p.name for p in study.results.iterdir() if p.is_file()))
    table = pd.DataFrame(
        [(name, not a.is_missing, a.sentence) for name, a in study.answers.items()],
        columns=["question", "is_answered", "sentence"],
    )
    return write_answer(
        "answers",
        study.results,
        sentences=[*missing, f"In {study.results}: {files}."],
        table=table,
    )


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
