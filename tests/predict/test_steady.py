"""The steady rule: the table of cases shared with JavaScript, and what it promises."""

import json
from pathlib import Path

import numpy as np
import pytest

from utils.predict.steady import (
    LAG_S,
    Hold,
    Steady,
    find_holds,
)

TABLE = json.loads(Path(__file__).with_name("steady_cases.json").read_text("utf-8"))
CASES = {case["name"]: case for case in TABLE["cases"]}
LABELS = ("sit", "stand", "lie")


@pytest.mark.parametrize("name", CASES)
def test_every_case_of_the_table(name: str) -> None:
    case = CASES[name]
    pair = case["pair"] and tuple(case["pair"])
    options = {"none_below": case["none_below"], "gap_s": case["gap_s"]}
    steady = Steady(TABLE["labels"], pair=pair, **options)
    frames = zip(case["time_s"], case["probabilities"], strict=True)
    readings = [steady.update(time_s, shares) for time_s, shares in frames]
    assert [r.label for r in readings] == case["label"]
    assert [r.held_s for r in readings] == pytest.approx(case["held_s"], abs=1e-6)
    assert [r.n_repetitions for r in readings] == case["n_repetitions"]
    assert [r.n_shown for r in readings] == case["n_shown"]
    found = [(h.label, h.start_s, h.end_s) for h in steady.finish()]
    assert [h[0] for h in found] == [h[0] for h in case["holds"]]
    for mine, theirs in zip(found, case["holds"], strict=True):
        assert mine[1:] == pytest.approx(theirs[1:], abs=1e-6)


def _hold(label: str, n_frames: int) -> np.ndarray:
    return np.tile([float(label == own) for own in LABELS], (n_frames, 1))


def make_film(
    fps: float, spans: list[tuple[str, float]]
) -> tuple[np.ndarray, np.ndarray]:
    """Return times and shares of a film that is sure of each span's posture."""
    ends = np.cumsum([seconds for _, seconds in spans])
    time_s = np.arange(int(np.ceil(ends[-1] * fps - 1e-6))) / fps
    which = np.searchsorted(ends, time_s + 1e-6)
    rows = [_hold(label, 1)[0] for label, _ in spans]
    return time_s, np.array(rows)[which]


@pytest.mark.parametrize("fps", [3, 5, 7.5, 15, 29.97, 60])
def test_holds_of_a_film_start_and_end_at_the_frame_of_the_change(fps: float) -> None:
    spans = [("sit", 2.0), ("lie", 1.0), ("sit", 3.0), ("stand", 1.5)]
    time_s, shares = make_film(fps, spans)
    holds = find_holds(time_s, shares, labels=LABELS, every_s=1 / fps)
    assert [hold.label for hold in holds] == [label for label, _ in spans]
    edges = [0.0, 2.0, 3.0, 6.0, 7.5]
    first = time_s[np.searchsorted(time_s, np.array(edges[:-1]) - 1e-6)]
    assert [hold.start_s for hold in holds] == pytest.approx(first.tolist())
    assert [hold.end_s for hold in holds[:-1]] == pytest.approx(first[1:].tolist())
    assert holds[-1].end_s == pytest.approx(time_s[-1] + 1 / fps)


@pytest.mark.parametrize("fps", [5, 10, 30])
@pytest.mark.parametrize("period_s", [0.8, 1.3, 4.0])
def test_repetitions_are_exact_at_any_frame_rate(fps: int, period_s: float) -> None:
    time_s = np.arange(0, 1 + 10 * period_s + 1, 1 / fps)
    turns = np.clip(time_s - 1, 0, 10 * period_s) / period_s
    away = 1 / (1 + np.exp(-12 * ((1 - np.cos(2 * np.pi * turns)) / 2 - 0.5)))
    steady = Steady(LABELS, pair=("sit", "stand"))
    for now_s, share in zip(time_s, away, strict=True):
        reading = steady.update(now_s, [1 - share, share, 0.0])
    assert reading.n_repetitions == reading.n_shown == 10


def test_noise_that_flips_the_likeliest_label_makes_no_hold_of_its_own() -> None:
    rng = np.random.default_rng(0)
    time_s, shares = make_film(15, [("sit", 20.0), ("stand", 20.0)])
    odd = rng.random(len(shares)) < 0.15
    shares[odd] = _hold("lie", int(odd.sum()))
    holds = find_holds(time_s, shares, labels=LABELS, every_s=1 / 15)
    assert [hold.label for hold in holds] == ["sit", "stand"]


def test_a_pair_must_be_two_of_the_labels() -> None:
    for pair in (("sit", "sit"), ("sit", "run")):
        with pytest.raises(ValueError, match="two of sit, stand, lie as the pair"):
            Steady(LABELS, pair=pair)


def test_lag_is_the_time_in_which_a_sudden_change_is_noticed() -> None:
    time_s, shares = make_film(1000, [("sit", 1.0), ("lie", 1.0)])
    steady = Steady(LABELS)
    for now_s, row in zip(time_s, shares, strict=True):
        steady.update(now_s, row)
    sit, lie = steady.finish()
    assert sit == Hold("sit", 0.0, pytest.approx(1 + LAG_S, abs=2e-3))
    assert lie.start_s == pytest.approx(1 + LAG_S, abs=2e-3)
