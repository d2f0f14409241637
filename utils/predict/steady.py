"""The one steady rule: label, holds and repetitions out of probabilities over time.

Everything is counted in seconds, never in frames, so that any frame rate gives the same
answer. The live page has the same rule in JavaScript; `tests/predict/steady_cases.json`
is the table of cases that both pass.

`LIVE` knows the past alone: shares fade. Chosen on 72 holds in the 12 demo clips at 15,
5 and 3 frames a second (none extra, none missed) and on made repetitions of 6 people
with periods of 0.8 to 4 s (exact).

`FILM` knows what follows as well: each frame takes the mean over the 0.6 s round it.
Chosen on those clips and on two sets of real film (4 people, 38 labelled bouts, looked
at every 0.2 and 0.4 s; 12 people, 115 bouts of 1 s and less, every 0.3 and 0.6 s), with
people held out, by the F1 of bouts found: the likeliest posture of each frame alone
.82, `LIVE` with its lag taken back .84, means alone .85, means and this rule .87. To
enter at 0.6 or 0.7, to dwell 0.3 to 0.6 s or to leave at 0.3 gave .85 to .87.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class Rule:
    """When a posture is held.

    Attributes:
        half_life_s: After this time without support half of a share is left; 0: the
            share of each frame counts alone.
        enter: A posture is held once its share has been this much,
        dwell_s: for so long; the hold starts where that began,
        leave: and ends where its share falls below this.
        mean_s: Before all that, a film's probabilities are averaged over this time;
            0: they are not.
    """

    half_life_s: float
    enter: float
    dwell_s: float
    leave: float
    mean_s: float = 0.0


# A posture is named where it is likelier than all others together.
NONE_BELOW = 0.5
LIVE = Rule(half_life_s=0.15, enter=0.7, dwell_s=0.25, leave=0.3)
FILM = Rule(0.0, enter=NONE_BELOW, dwell_s=0.5, leave=NONE_BELOW, mean_s=0.6)
ALONE = Rule(0.0, enter=NONE_BELOW, dwell_s=0.0, leave=NONE_BELOW)  # frame by frame
GAP_S = 0.5  # after a longer pause (hidden tab, stall) nothing is carried over
# Repetitions follow a faster share, without dwelling. Shares sum to at most 1, so that
# entering one posture is leaving the other.
REPETITION_HALF_LIFE_S = 0.1
REPETITION_ENTER = 0.6
REPETITIONS_APART_S = 0.5
SHOWN_FROM = 2  # one return may be chance


_EPSILON_S = 1e-9  # 0.1 + 0.2 is no longer than 0.3


@dataclass(frozen=True)
class Hold:
    """A stretch of time in which one posture was held.

    Attributes:
        label: The posture.
        start_s: Where its share began to be enough.
        end_s: Where its share fell; or the last frame before a pause or the end.
        is_cut: Whether a pause or the end cut it short.
    """

    label: str
    start_s: float
    end_s: float
    is_cut: bool = False


@dataclass(frozen=True)
class Reading:
    """What is known at one moment.

    Attributes:
        label: The posture held; None if there is none.
        held_s: For how long, in seconds; 0 if there is none.
        n_repetitions: Returns to the first posture of the pair so far.
        n_shown: The same, 0 below `SHOWN_FROM`.
    """

    label: str | None
    held_s: float
    n_repetitions: int
    n_shown: int


class Steady:
    """Follows one person through time; see the module.

    Attributes:
        holds: The holds that have ended, in order.
        gap_s: Longest time between two frames over which anything is carried.
    """

    def __init__(
        self,
        labels: Sequence[str],
        *,
        rule: Rule = LIVE,
        none_below: float = 0.0,
        pair: tuple[str, str] | None = None,
        gap_s: float = GAP_S,
    ) -> None:
        """Begin with nothing seen.

        Args:
            labels: Posture of each probability.
            rule: When a posture is held.
            none_below: A frame in which no probability reaches this is none of these:
                it supports no posture, as one in which nobody was seen.
            pair: Home and away: a repetition is home, away, and home again.
            gap_s: As the attribute.

        Raises:
            ValueError: If the pair is not two of the labels.
        """
        if pair is not None and len({*pair} & {*labels}) != 2:
            raise ValueError(
                f"Expected two of {', '.join(labels)} as the pair to count, got "
                f"{' and '.join(pair)}."
            )
        self.holds: list[Hold] = []
        self._labels, self._none_below = tuple(labels), none_below
        self.gap_s, self._rule = gap_s, rule
        self._pair = pair and tuple(map(self._labels.index, pair))
        self._time_s = -np.inf
        self._n_repetitions, self._counted_s = 0, -np.inf
        self._forget()

    def _forget(self) -> None:
        """Carry nothing over: no shares, no hold, no half repetition."""
        self._slow = self._fast = np.zeros(len(self._labels))
        self._held: tuple[int, float] | None = None  # label, since when
        self._near: tuple[int, float] | None = None  # enough, but not yet for long
        self._was_home = self._was_away = False

    def update(self, time_s: float, probabilities: Sequence[float] | None) -> Reading:
        """Take in one frame.

        Args:
            time_s: Its time; a pause or a step back begins anew.
            probabilities: One a label; None if nobody was seen.

        Returns:
            What is known now.
        """
        step_s = time_s - self._time_s
        is_new = not 0 <= step_s <= self.gap_s + _EPSILON_S
        if is_new:
            self.finish()
        self._time_s = time_s
        seen = np.zeros(len(self._labels))
        if probabilities is not None and max(probabilities) >= self._none_below:
            seen = np.asarray(probabilities, dtype=float)
        half_life_s = self._rule.half_life_s
        keep = 0.0 if is_new or not half_life_s else 2 ** (-step_s / half_life_s)
        self._slow = keep * self._slow + (1 - keep) * seen
        keep = 0.0 if is_new else 2 ** (-step_s / REPETITION_HALF_LIFE_S)
        self._fast = keep * self._fast + (1 - keep) * seen
        self._follow_hold()
        if self._pair is not None:
            self._count(*self._pair)
        label, start_s = self._held or (None, time_s)
        n = self._n_repetitions
        name = None if label is None else self._labels[label]
        return Reading(name, time_s - start_s, n, n if n >= SHOWN_FROM else 0)

    def finish(self) -> list[Hold]:
        """End the hold that runs, at the last frame seen; a pause does so too.

        Returns:
            All holds.
        """
        self._end_hold(self._time_s, is_cut=True)
        self._forget()
        return self.holds

    def _end_hold(self, end_s: float, *, is_cut: bool = False) -> None:
        """Note the hold that runs, if one does."""
        if self._held is not None:
            label, start_s = self._held
            self.holds.append(Hold(self._labels[label], start_s, end_s, is_cut))
            self._held = None

    def _follow_hold(self) -> None:
        """Leave the posture held if its share fell; enter one that has had enough."""
        if self._held is not None and self._slow[self._held[0]] < self._rule.leave:
            self._end_hold(self._time_s)
        best = int(self._slow.argmax())
        is_held = self._held is not None and self._held[0] == best
        if self._slow[best] < self._rule.enter or is_held:
            self._near = None
            return
        if self._near is None or self._near[0] != best:
            self._near = (best, self._time_s)
        if self._time_s - self._near[1] >= self._rule.dwell_s - _EPSILON_S:
            self._end_hold(self._near[1])
            self._held, self._near = self._near, None

    def _count(self, home: int, away: int) -> None:
        """Count a return home from away."""
        if self._fast[away] >= REPETITION_ENTER:
            self._was_away = self._was_home
        if self._fast[home] >= REPETITION_ENTER:
            apart_s = self._time_s - self._counted_s
            if self._was_away and apart_s >= REPETITIONS_APART_S - _EPSILON_S:
                self._n_repetitions += 1
                self._counted_s = self._time_s
            self._was_home, self._was_away = True, False


def average_over(
    time_s: np.ndarray, probabilities: np.ndarray, *, every_s: float, mean_s: float
) -> np.ndarray:
    """Average the probabilities of a film over some time round each frame.

    A frame stands for half a step before and after it, so that the mean is one over
    time, at any sampling rate; where steps are as long it is the frame's own.

    Args:
        time_s: Rising time stamps, `(n_frames,)`.
        probabilities: `(n_frames, n_columns)`, none missing.
        every_s: Sampling step in seconds.
        mean_s: Over how long; 0 changes nothing.

    Returns:
        The means, of the same shape.
    """
    if not len(time_s) or not mean_s:
        return probabilities
    half_s = np.minimum(np.diff(time_s), every_s) / 2
    before_s, after_s = np.r_[every_s / 2, half_s], np.r_[half_s, every_s / 2]
    edges_s = np.column_stack([time_s - before_s, time_s + after_s])
    # the integral up to each edge, of the probabilities and of 1; where no frame is,
    # between two edges, it does not grow
    columns = np.column_stack([probabilities, np.ones(len(time_s))])
    parts = columns * np.diff(edges_s, axis=1)
    upto = np.cumsum(parts, axis=0)
    sums = np.stack([upto - parts, upto], axis=1).reshape(-1, columns.shape[1])
    first, last = (
        np.stack([np.interp(ends, edges_s.ravel(), column) for column in sums.T], -1)
        for ends in (time_s - mean_s / 2, time_s + mean_s / 2)
    )
    means = last - first
    return means[:, :-1] / means[:, -1:]


def find_holds(
    time_s: np.ndarray,
    means: np.ndarray,
    *,
    labels: Sequence[str],
    every_s: float,
    rule: Rule = FILM,
) -> list[Hold]:
    """Find the holds of a film, which start and end without a lag.

    Args:
        time_s: Rising time stamps, `(n_frames,)`.
        means: `(n_frames, n_labels)`, as `average_over` gives them.
        labels: Posture of each column.
        every_s: Sampling step in seconds: a frame stands for the step that follows it,
            and two steps without a frame are a pause.
        rule: When a posture is held.

    Returns:
        The holds in order of time; none overlaps another.
    """
    gap_s = max(GAP_S, 2 * every_s)
    # the step that the last frame stands for is held too
    shorter = replace(rule, dwell_s=max(0.0, rule.dwell_s - every_s))
    steady = Steady(labels, rule=shorter, gap_s=gap_s)
    for now_s, shares in zip(time_s, means, strict=True):
        steady.update(float(now_s), shares)
    holds: list[Hold] = []
    for hold in steady.finish():
        end_s = hold.end_s + every_s if hold.is_cut else hold.end_s
        start_s = hold.start_s
        if holds and _is_dip(holds[-1], hold, rule):
            start_s = holds.pop().start_s
        holds.append(replace(hold, start_s=start_s, end_s=end_s))
    return holds


def _is_dip(before: Hold, after: Hold, rule: Rule) -> bool:
    """Return whether a posture was left for too short a time to count."""
    away_s = after.start_s - before.end_s
    is_short = away_s < rule.dwell_s - _EPSILON_S
    return before.label == after.label and is_short and not before.is_cut
