"""Whether poses, probabilities and labels are any good, and where the models err."""

from typing import TYPE_CHECKING

import pandas as pd

from utils.core.names import show_name
from utils.core.skeleton import stack_poses
from utils.core.tables import WORDS, write_csv
from utils.evaluation.calibration import build_reliability, summarise_calibration
from utils.evaluation.mistakes import (
    KINDS,
    count_kinds,
    count_outcomes,
    pick_examples,
    score_survivors,
    sort_into_kinds,
    sort_into_outcomes,
)
from utils.labelling.review import Doubt, compare_annotators, find_doubts
from utils.questions.answer import Answer, question, write_answer
from utils.training.doubt import REFUSED, score_doubt
from utils.training.protocol import take_rows

if TYPE_CHECKING:
    from utils.study import Study

_N_WORST = 12  # least sure poses shown
_LEARNT = [
    *("pose_softmax", "pose_best"),
    *("mobilenet_frozen", "mobilenet_crop"),
    *("mobilenet_finetuned", "mobilenet_crop_finetuned"),
]


@question
def keypoints(study: "Study") -> Answer:
    """Show the least sure poses, and how often nobody was found."""
    from utils.plots.sheets import plot_pose_and_names, plot_sheet

    people, key = study.people, ["video", "frame_idx"]
    worst = people.nsmallest(_N_WORST, "score_mean").merge(study.frames, on=key)
    best = people.nlargest(1, "score_mean").merge(study.frames, on=key)
    titles = [
        f"{row.video}  {row.time_s:.1f} s  {row.score_mean:.2f}"
        for row in worst.itertuples()
    ]
    charts = {
        "least_sure": plot_sheet(
            study.show_images(worst),
            poses=stack_poses(study.keypoints, worst),
            titles=titles,
            title="Least sure first (mean score of the 17 points)",
        ),
        "example": plot_pose_and_names(
            study.show_images(best)[0], stack_poses(study.keypoints, best)[0]
        ),
    }
    return write_answer(
        "keypoints",
        study.results,
        sentences=[_describe_people(people)],
        table=_count_people(people),
        charts=charts,
    )


def _count_people(people: pd.DataFrame) -> pd.DataFrame:
    """Count by video the frames in which nobody was found."""
    table = people.groupby("video")["has_person"].agg(n_frames="size", n_found="sum")
    return table.assign(n_nobody=table["n_frames"] - table["n_found"]).reset_index()


def _describe_people(people: pd.DataFrame) -> str:
    """Say in how many frames a person was found."""
    n_found = int(people["has_person"].sum())
    return (
        f"A person was found in {n_found:,} of {len(people):,} frames; the mean score "
        f"of the 17 points is {people['score_mean'].mean():.2f} of 1."
    )


@question
def mistakes(study: "Study") -> Answer:
    """Show where pose and the better picture model part, the surest mistakes first."""
    from utils.plots.bodies import plot_outcomes

    outcomes = sort_into_outcomes(study.predictions, image=study.rival)
    examples = pick_examples(outcomes, n_per_outcome=4)
    shown = examples.merge(study.frames, on=["video", "frame_idx"], how="left")
    counts = count_outcomes(outcomes)
    chart = plot_outcomes(
        examples,
        study.show_images(shown),
        stack_poses(study.keypoints, shown),
        counts=counts,
        rival=study.names[study.rival].removesuffix(" classifier"),
    )
    kinds = find_error_kinds(study)
    write_csv(kinds, study.results / "error_kinds.csv")
    survivors = score_survivors(study.predictions, study.samples, study.people)
    return write_answer(
        "mistakes",
        study.results,
        sentences=[
            _describe_outcomes(counts, rival=study.names[study.rival]),
            *_describe_kinds(kinds, model=study.in_use),
        ],
        table=outcomes,
        charts={"mistakes": chart},
        shown=survivors.round(3),
    )


def find_error_kinds(study: "Study") -> pd.DataFrame:
    """Count the errors of the classifier in use by kind of frame, people held out."""
    key = ["video", "frame_idx"]
    own = study.predictions[study.predictions["model"] == study.in_use]
    wrong = (own["predicted"] != own["label"]).groupby([own[k] for k in key]).mean()
    # of one person, what lies between two folds is not predicted
    samples = study.samples.merge(wrong.rename("wrong").reset_index(), on=key)
    sizes = samples[key].merge(study.frames, on=key)[["width_px", "height_px"]]
    poses = stack_poses(study.keypoints, samples)
    kinds = sort_into_kinds(samples, poses, sizes.to_numpy())
    return count_kinds(kinds, samples)


def _describe_kinds(kinds: pd.DataFrame, *, model: str) -> list[str]:
    """Say which kinds of frames are told wrong much more often than the rest."""
    hard = kinds[kinds["is_hard"]].sort_values("share_of_errors", ascending=False)
    each = ", ".join(
        f"{row.share_of_errors:.0%} {KINDS[row.kind]} ({row.wrong:.0%} of these are "
        f"wrong, {row.wrong_elsewhere:.0%} elsewhere)"
        for row in hard.itertuples()
    )
    return [f"Of the {WORDS[model]}'s errors, {each}."] if each else []


def _describe_outcomes(counts: pd.DataFrame, *, rival: str) -> str:
    """Say how many frames each model alone got right."""
    share = counts.set_index("outcome")["share"]
    return (
        f"Both are right on {share['both right']:.1%} of the frames, only the pose "
        f"classifier on {share['only pose right']:.1%}, only the {rival} on "
        f"{share['only image right']:.1%}, neither on {share['both wrong']:.1%}. "
        "Below: scores with and without the frames in which nobody was found."
    )


@question
def calibration(study: "Study") -> Answer:
    """Ask whether a model that says 90 % is right nine times in ten.

    And whether the pose classifier says of a posture that it never saw that it is none
    of its own: `none_of_these.csv`.
    """
    from utils.plots.lines import plot_reliability

    learnt = study.predictions[study.predictions["model"].isin(_LEARNT)]
    title = f"{study.n_text} held out, {len(study.seeds)} seeds"
    table = summarise_calibration(learnt)
    chart = plot_reliability(build_reliability(learnt), title=title)
    rows = table.set_index("model")
    sentences = [
        f"{name[0].upper()}{name[1:]}: its probabilities are "
        f"{100 * rows.loc[model, 'ece']:.1f} points off on average; "
        f"{100 * rows.loc[model, 'ece_mended']:.1f} once they are tempered by one "
        "number, fitted on the other people."
        for model, name in {study.in_use: WORDS[study.in_use], **study.names}.items()
    ]
    seen = take_rows(study.pose_inputs, study.has_person)
    refused = score_doubt(seen, study.classes)
    if len(refused):
        write_csv(refused, study.results / "none_of_these.csv")
    return write_answer(
        "calibration",
        study.results,
        sentences=[*sentences, *_describe_refused(refused)],
        table=table,
        charts={"calibration": chart},
        shown=table.round(3),
    )


def _describe_refused(table: pd.DataFrame) -> list[str]:
    """Say how much of a posture that was not learnt is called none of these."""
    if table.empty:
        return []
    each = ", ".join(
        f"{show_name(row.label)} {row.refused:.0%}"
        for row in table.sort_values("refused", ascending=False).itertuples()
    )
    return [
        "None of these: a posture that was left out of the labels is seen to be none "
        f"of them in so many of its frames, where {REFUSED:.0%} of the frames of the "
        f"others are wrongly refused: {each}."
    ]


@question
def doubts(study: "Study") -> Answer:
    """List labels that pose and the better picture model contradict; compare people."""
    found = find_doubts(
        study.predictions,
        study.frames,
        models=("pose_softmax", study.rival),
        min_s=2 * study.every_s,
    )
    table = pd.DataFrame(found, columns=Doubt._fields)
    text = (
        f"{len(table)} {'span deserves' if len(table) == 1 else 'spans deserve'} a "
        "second look: in the labelling cell J goes to the next, F puts it right."
        if len(table)
        else "Both models contradict no label for longer than two frames."
    )
    return write_answer(
        "doubts",
        study.results,
        sentences=[text, *_compare_annotators(study)],
        table=table,
        shown=table.head(12).round(2) if len(table) else None,
    )


def _compare_annotators(study: "Study") -> list[str]:
    """Say how far two annotators agree, where two labelled the same moments."""
    signed = study.labels.get("annotator", pd.Series(dtype=object)).dropna()
    if signed.nunique() < 2:  # the usual case: there is nothing to compare
        return []
    table = compare_annotators(study.labels)
    write_csv(table, study.results / "annotators.csv")
    overall = table.iloc[-1]
    return [
        f"The annotators agree on {overall['seconds_agreed']:.1f} s and differ on "
        f"{overall['seconds_disputed']:.1f} s (Cohen's kappa {overall['kappa']:.2f}; "
        "by posture: annotators.csv)."
    ]
