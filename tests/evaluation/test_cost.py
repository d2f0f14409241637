"""Tests of `utils.evaluation.cost`."""

import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from utils.evaluation.cost import (
    describe_costs,
    measure,
    measure_decoding,
    measure_megabytes,
    measure_steps,
    read_energy_j,
    summarise_costs,
    summarise_training,
)


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


def test_each_step_gets_what_the_one_before_gave() -> None:
    seen = []
    steps = [("double", lambda x: 2 * x), ("see", seen.append)]
    table = measure_steps(steps, [1, 2, 3], n_rounds=2)
    assert seen == [2, 2, 4, 6, 2, 4, 6]  # the first item once more, unmeasured
    assert table["step"].tolist() == ["double", "see"]
    assert (table["ms"] >= 0).all()


def test_of_several_rounds_the_quickest_counts() -> None:
    naps_s = iter([0.0, 0.2, 0.01])  # the unmeasured one, a slow round, a quick one
    steps = [("nap", lambda _: time.sleep(next(naps_s)))]
    table = measure_steps(steps, [1], n_rounds=2)
    assert 10 <= table["ms"][0] < 100


def test_costs_add_up_from_the_film_to_the_answer(tmp_path: Path) -> None:
    training = pd.DataFrame({"model": ["pose", "image"], "train_s": 1.0})
    decode = measure_decoding(iter(range(4)))
    assert decode["step"].tolist() == ["decode"]
    own = pd.DataFrame({"step": ["network"], "ms": [40.0], "cpu_ms": [80.0]})
    own["energy_j"] = 2.0
    decode = decode.assign(ms=10.0, cpu_ms=10.0)
    steps = {"pose": pd.concat([decode, own]), "image": decode}
    (tmp_path / "w").write_bytes(bytes(2_000_000))
    table = summarise_costs(
        training,
        steps,
        upfront_s={"pose": 5.0},
        megabytes={"pose": measure_megabytes([tmp_path / "w"])},
    ).set_index("model")
    assert table.loc["pose", "ms_per_frame"] == 50
    assert table.loc["pose", "frames_per_s"] == 20
    assert table.loc["pose", "megabytes"] == 2
    assert table.loc["pose", "steps"] == "decode 10.0 + network 40.0"
    assert np.isnan(table.loc["image", "upfront_s"])
    text = describe_costs(table.reset_index(), pose="pose", image="image")
    assert "50 ms with the pose model and 10 ms" in text
    assert "5.0 times slower" in text


def test_training_is_what_whole_runs_took_on_average() -> None:
    columns = ["model", "fold", "seed", "epoch", "seconds", "cpu_s"]
    rows = [("pose", 0, 0, 1, 1.0, 1.5), ("pose", 0, 0, 2, 2.0, 3.0)]
    rows += [("pose", 1, 0, 1, 4.0, 5.0), ("image", 0, 0, 1, 7.0, 9.0)]
    table = summarise_training(pd.DataFrame(rows, columns=columns))
    assert table.to_numpy().tolist() == [["pose", 3.0, 4.0], ["image", 7.0, 9.0]]


def test_a_missing_file_has_no_size(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        measure_megabytes([tmp_path / "none"])
