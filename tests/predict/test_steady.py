"""The steady rule: the table of cases shared with JavaScript, and what it promises."""

import json
from pathlib import Path

import numpy as np
import pytest

from utils.predict.steady import (
    FILM,
    Steady,
    average_over,
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
    means = average_over(time_s, shares, every_s=1 / fps, mean_s=0.6)
    holds = find_holds(time_s, means, labels=LABELS, every_s=1 / fps)
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
    means = average_over(time_s, shares, every_s=1 / 15, mean_s=0.6)
    holds = find_holds(time_s, means, labels=LABELS, every_s=1 / 15)
    assert [hold.label for hold in holds] == ["sit", "stand"]


def test_a_pair_must_be_two_of_the_labels() -> None:
    for pair in (("sit", "sit"), ("sit", "run")):
        with pytest.raises(ValueError, match="two of sit, stand, lie as the pair"):
            Steady(LABELS, pair=pair)


@pytest.mark.parametrize("fps", [3, 5, 7.5, 29.97, 100])
def test_a_mean_is_one_over_time_at_any_frame_rate(fps: float) -> None:
    time_s = np.arange(round(8 * fps)) / fps
    # a share that grows steadily is its own mean, away from both ends
    inside = (time_s > FILM.mean_s) & (time_s < time_s[-1] - FILM.mean_s)
    slope = np.column_stack([time_s, 8 - time_s]) / 8
    means = average_over(time_s, slope, every_s=1 / fps, mean_s=0.6)
    assert means[inside] == pytest.approx(slope[inside])
    # one second of a posture is a second of shares, however it was sampled
    burst = ((time_s >= 4) & (time_s < 5)).astype(float)
    means = average_over(time_s, burst[:, None], every_s=1 / fps, mean_s=0.6)
    assert means.sum() / fps == pytest.approx(1.0, abs=1 / fps)


def test_a_pause_is_not_averaged_over_and_begins_a_hold_anew() -> None:
    time_s = np.r_[np.arange(10), np.arange(20, 30)] * 0.2
    shares = np.repeat(np.eye(2), 10, axis=0)
    means = average_over(time_s, shares, every_s=0.2, mean_s=0.6)
    np.testing.assert_allclose(means, shares, atol=1e-9)
    holds = find_holds(time_s, means, labels=LABELS[:2], every_s=0.2)
    assert [(h.start_s, h.is_cut) for h in holds] == [(0.0, True), (4.0, True)]
    assert [h.end_s for h in holds] == pytest.approx([2.0, 6.0])


def test_a_moment_away_does_not_cut_a_hold_in_two() -> None:
    time_s, shares = make_film(10, [("sit", 2.0), ("lie", 0.4), ("sit", 2.0)])
    holds = find_holds(time_s, shares, labels=LABELS, every_s=0.1)
    assert [(h.label, h.start_s) for h in holds] == [("sit", 0.0)]
    assert holds[0].end_s == pytest.approx(4.4)
