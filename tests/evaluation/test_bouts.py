"""Predicted bouts against labelled ones."""

import numpy as np
import pandas as pd
import pytest

from utils.evaluation.bouts import look_up, score_bouts

COLUMNS = ["video", "start_s", "end_s", "label"]


def _table(*rows: tuple[float, float, str], video: str = "a") -> pd.DataFrame:
    return pd.DataFrame([(video, *row) for row in rows], columns=COLUMNS)


LABELLED = _table((0, 4, "sit"), (4, 6, "lie"), (7, 9, "sit"), (20, 22, "lie"))


def test_bouts_are_found_missed_and_extra_and_borders_are_measured() -> None:
    found = _table(
        *((0, 1.5, "sit"), (1.5, 2, "lie"), (2, 4.2, "sit"), (4.2, 6.5, "lie")),
        *((6.5, 9.5, "sit"), (12, 13, "lie"), (20, 22, "sit")),
    )
    scores = score_bouts(found, LABELLED)
    # lying at 1.5 s, a second piece of sitting, and sitting at 20 s; at 12 s none knows
    assert scores["n_extra"] == 3
    assert (scores["n_bouts"], scores["n_found"], scores["n_missed"]) == (4, 3, 1)
    # 4.2 s is 0.2 s late, twice; 6.5 s lies between what is labelled; 20 s is far away
    assert scores["n_borders"] == 2
    assert scores["border_error_s"] == pytest.approx((0.2 + 0.2 + 0 + 0) / 4)


def test_what_covers_less_than_half_of_a_bout_has_not_found_it() -> None:
    for end_s, n_found in ((1.9, 0), (2.0, 1)):
        scores = score_bouts(_table((0, end_s, "sit")), LABELLED.head(1))
        assert scores["n_found"] == n_found
        assert scores["n_extra"] == 1 - n_found


def test_films_are_told_apart_and_nothing_predicted_is_all_missed() -> None:
    scores = score_bouts(LABELLED.assign(video="b"), LABELLED)
    assert (scores["n_found"], scores["n_extra"]) == (0, 0)
    scores = score_bouts(LABELLED.head(0), LABELLED)
    assert scores["n_missed"] == 4
    assert np.isnan(scores["border_error_s"])


def test_a_frame_takes_the_bout_that_its_time_falls_in() -> None:
    frames = pd.DataFrame({"video": list("aaba"), "time_s": [6.0, 4.0, 1.0, 3.999]})
    assert look_up(LABELLED, frames).tolist() == [None, "lie", None, "sit"]
