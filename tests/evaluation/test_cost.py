"""Tests of `utils.evaluation.cost`."""

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from utils.evaluation.cost import (
    Step,
    describe_costs,
    measure,
    measure_costs,
    read_energy_j,
)

COLUMNS = ["model", "fold", "seed", "epoch", "seconds", "cpu_s"]


def test_waiting_takes_seconds_but_no_processor() -> None:
    with measure() as spent:
        time.sleep(0.3)
    assert spent.seconds >= 0.3
    assert spent.cpu_s < 0.2


def test_work_takes_processor_seconds() -> None:
    with measure() as spent:
        end_s = time.process_time() + 0.3
        while time.process_time() < end_s:
            pass
    assert spent.cpu_s >= 0.25


def test_energy_is_missing_where_it_cannot_be_read(tmp_path: Path) -> None:
    assert np.isnan(read_energy_j(tmp_path / "none"))
    (tmp_path / "uj").write_text("2500000\n")
    assert read_energy_j(tmp_path / "uj") == 2.5


@pytest.fixture
def history() -> pd.DataFrame:
    """Whole runs of the pose model took 2 and 4 s, of the image model 7 s."""
    rows = [("pose", 0, 0, 1, 1.0, 1.5), ("pose", 0, 0, 2, 2.0, 3.0)]
    rows += [("pose", 1, 0, 1, 4.0, 5.0), ("image", 0, 0, 1, 7.0, 9.0)]
    return pd.DataFrame(rows, columns=COLUMNS)


def test_costs_add_up_from_the_film_to_the_answer(
    history: pd.DataFrame, tmp_path: Path
) -> None:
    (tmp_path / "w").write_bytes(bytes(2_000_000))
    slow = Step("network", lambda _: time.sleep(0.02), files=[tmp_path / "w"])
    quick = Step("backbone", lambda _: None, n_passes=3)
    images = [np.zeros((2, 2, 3))] * 2
    costs = measure_costs(
        history,
        {"pose": [slow], "image": [quick]},
        decoded=iter(range(4)),
        images=images,
        n_frames=100,
        kept=tmp_path / "kept",
    )
    table = costs.table.set_index("model")
    assert table["train_s"].tolist() == [3.0, 7.0]
    assert table["train_cpu_s"].tolist() == [4.0, 9.0]
    pose = table.loc["pose"]
    assert pose["ms_per_frame"] >= 20
    assert pose["frames_per_s"] == pytest.approx(1000 / pose["ms_per_frame"])
    assert pose["megabytes"] == 2 and table.loc["image", "megabytes"] == 0
    assert pose["steps"].startswith("decode ") and " + network " in pose["steps"]
    assert (
        2.0 <= costs.upfront_s["pose"] <= pose["ms_per_frame"] / 10
    )  # 100 frames once
    assert costs.ms_per_frame["pose"] == pose["ms_per_frame"]
    text = describe_costs(costs.table, pose="pose", image="image")
    assert "ms with the pose classifier and" in text
    assert "the whole-picture classifier is " in text and "times as fast" in text


def test_a_shared_step_is_measured_once_and_its_quickest_round_counts(
    history: pd.DataFrame, tmp_path: Path
) -> None:
    naps_s = iter([0.0, 0.5, 0.01, 0.5])  # unmeasured, slow, quick, slow
    shared = Step("nap", lambda _: time.sleep(next(naps_s)))
    steps = {"pose": [shared], "image": [replace(shared, n_passes=2)]}
    given = {"images": [np.zeros((2, 2, 3))], "n_frames": 100, "kept": tmp_path / "k"}
    costs = measure_costs(history, steps, decoded=iter([0]), **given)
    assert 1.0 <= costs.upfront_s["pose"] < 50.0  # of 100 frames
    assert costs.upfront_s["image"] == pytest.approx(2 * costs.upfront_s["pose"])
    # once for all runs: no nap is left, and no film
    again = measure_costs(history, steps, decoded=iter([]), **given)
    pd.testing.assert_frame_equal(again.table, costs.table)
    with pytest.raises(StopIteration):  # a step that is new: all are timed together
        measure_costs(
            history,
            steps | {"crop": [shared, Step("another", lambda _: None)]},
            decoded=iter([]),
            **given,
        )


def test_a_missing_file_has_no_size(history: pd.DataFrame, tmp_path: Path) -> None:
    step = Step("network", lambda _: None, files=[tmp_path / "none"])
    given = {"images": [np.zeros((2, 2, 3))], "n_frames": 1, "kept": tmp_path / "kept"}
    with pytest.raises(FileNotFoundError):
        measure_costs(history, {"pose": [step]}, decoded=[], **given)
