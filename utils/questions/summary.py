"""What is saved: the classifier for elsewhere, its card, and what is missing."""

from typing import TYPE_CHECKING

import pandas as pd

from utils.core.tables import write_csv
from utils.evaluation.calibration import summarise_calibration
from utils.evaluation.card import Card, write_card
from utils.evaluation.intervals import bound_scores
from utils.export.forms import write
from utils.export.model_json import Facts, read_model
from utils.export.pack import Recipe, write_pack
from utils.live.page import write_page
from utils.questions.answer import Answer, question, write_answer

if TYPE_CHECKING:
    from utils.study import Study
    from utils.training.softmax import PoseClassifier

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
    write_csv(study.features_table, study.results / "features.csv")
    study.keypoints.to_parquet(study.results / "keypoints.parquet", index=False)
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
