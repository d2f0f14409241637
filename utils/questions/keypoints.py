"""Are the keypoints any good: the frames the pose network was least sure of, first."""

from typing import TYPE_CHECKING

import pandas as pd

from utils.core.skeleton import stack_poses
from utils.frames.images import read_images
from utils.questions.answer import Answer, question, write_answer

if TYPE_CHECKING:
    from utils.study import Study

_N_WORST = 12


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
            read_images(worst["path"]),
            poses=stack_poses(study.keypoints, worst),
            titles=titles,
            title="Least sure first (mean score of the 17 points)",
        ),
        "example": plot_pose_and_names(
            read_images(best["path"])[0], stack_poses(study.keypoints, best)[0]
        ),
    }
    return write_answer(
        "keypoints",
        study.results,
        sentences=[_describe(people)],
        table=_count(people),
        charts=charts,
    )


def _count(people: pd.DataFrame) -> pd.DataFrame:
    """Count by video the frames in which nobody was found."""
    table = people.groupby("video")["has_person"].agg(n_frames="size", n_found="sum")
    return table.assign(n_nobody=table["n_frames"] - table["n_found"]).reset_index()


def _describe(people: pd.DataFrame) -> str:
    """Say in how many frames a person was found."""
    n_found = int(people["has_person"].sum())
    return (
        f"A person was found in {n_found:,} of {len(people):,} frames; the mean score "
        f"of the 17 points is {people['score_mean'].mean():.2f} of 1."
    )
