"""The table `comparison.csv`: scores of every model, with sizes and times."""

from collections.abc import Mapping, Sequence

import pandas as pd

from utils.training.protocol import Rival

COMPARISON_COLUMNS = [
    "model",
    "n_people",
    "n_frames",
    "n_parameters",
    "accuracy",
    "accuracy_sd",
    "macro_f1",
    "macro_f1_sd",
    "log_loss",
    "log_loss_sd",
    "seconds_to_best",
    "ms_per_frame",
]


def summarise_rivals(
    scores: pd.DataFrame,
    history: pd.DataFrame,
    *,
    rivals: Sequence[Rival],
    upfront_s: Mapping[str, float],
    ms_per_frame: Mapping[str, float],
) -> pd.DataFrame:
    """Join scores with sizes and times: the table `comparison.csv`.

    Args:
        scores: One row a model with the scores and their spread.
        history: Table `history`.
        rivals: The models, in the order of the rows.
        upfront_s: Seconds each model needs before its first epoch.
        ms_per_frame: Milliseconds from picture to posture, by model.

    Returns:
        Table with one row a rival.
    """
    best = history.sort_values("val_loss", kind="stable")
    best = best.drop_duplicates(["model", "fold", "seed"])
    seconds = best.groupby("model")["seconds"].mean()
    table = scores.set_index("model").reindex([r.name for r in rivals])
    table["n_parameters"] = [r.n_parameters for r in rivals]
    table["seconds_to_best"] = [
        seconds.get(r.name, 0.0) + upfront_s.get(r.name, 0.0) for r in rivals
    ]
    table["ms_per_frame"] = [ms_per_frame.get(r.name, 0.0) for r in rivals]
    return table.reset_index()[COMPARISON_COLUMNS]
