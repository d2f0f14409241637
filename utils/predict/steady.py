"""The one steady rule: label, holds and repetitions out of probabilities over time.

Everything is counted in seconds, never in frames, so that any frame rate gives the same
answer. The live page has the same rule in JavaScript; `tests/predict/steady_cases.json`
is the table of cases that both pass. Constants: chosen on 72 holds in the 12 demo clips
at 15, 5 and 3 frames a second (none extra, none missed) and on made repetitions of 6
people with periods of 0.8 to 4 s (exact); not yet on other films.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

HALF_LIFE_S = 0.15  # after this time without support half of a share is left
ENTER = 0.7  # a posture is held once its share has been this much
DWELL_S = 0.25  # for so long; the hold starts where that began
LEAVE = 0.3  # and ends where its share falls below this
# A posture is named where it is likelier than all others together.
NONE_BELOW = 0.5
GAP_S = 0.5  # after a longer pause (hidden tab, stall) nothing is carried over
# Repetitions follow a faster share, without dwelling. Shares sum to at most 1, so that
# entering one posture is leaving the other.
REPETITION_HALF_LIFE_S = 0.1
REPETITION_ENTER = 0.6
REPETITIONS_APART_S = 0.5
SHOWN_FROM = 2  # one return may be chance
# A step from 0 to 1 reaches ENTER, and one from 1 to 0 LEAVE, after the same time.
LAG_S = HALF_LIFE_S * float(np.log2(1 / LEAVE))

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
        none_below: float = 0.0,
        pair: tuple[str, str] | None = None,
        gap_s: float = GAP_S,
    ) -> None:
        """Begin with nothing seen.

        Args:
            labels: Posture of each probability.
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
        self.gap_s = gap_s
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
        keep = 0.0 if is_new else 2 ** (-step_s / HALF_LIFE_S)
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
        if self._held is not None and self._slow[self._held[0]] < LEAVE:
            self._end_hold(self._time_s)
        best = int(self._slow.argmax())
        is_held = self._held is not None and self._held[0] == best
        if self._slow[best] < ENTER or is_held:
            self._near = None
            return
        if self._near is None or self._near[0] != best:
            self._near = (best, self._time_s)
        if self._time_s - self._near[1] >= DWELL_S - _EPSILON_S:
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


def find_holds(
    time_s: np.ndarray,
    probabilities: np.ndarray,
    *,
    labels: Sequence[str],
    every_s: float,
    none_below: float = NONE_BELOW,
) -> list[Hold]:
    """Find the holds of a film: the steady rule, with its lag taken back.

    The rule knows of a change `LAG_S` after it; a film is known whole, so that starts
    and ends go back to the first frame of the change, exactly so where it is sudden.

    Args:
        time_s: Time stamps in order, `(n_frames,)`.
        probabilities: `(n_frames, n_labels)`; a row with NaN is a frame with nobody.
        labels: Posture of each column.
        every_s: Sampling step in seconds: a frame stands for the step that follows it,
            and two steps without a frame are a pause.
        none_below: As for `Steady`.

    Returns:
        The holds in order of time; none overlaps another.
    """
    steady = Steady(labels, none_below=none_below, gap_s=max(GAP_S, 2 * every_s))
    nobody = np.isnan(probabilities).any(axis=1)
    for now_s, shares, is_nobody in zip(time_s, probabilities, nobody, strict=True):
        steady.update(float(now_s), None if is_nobody else shares)
    # After a pause the shares begin anew, without a lag.
    is_new = np.diff(time_s, prepend=-np.inf) > steady.gap_s + _EPSILON_S
    run = np.maximum.accumulate(np.where(is_new, np.arange(len(time_s)), 0))

    def go_back(edge_s: float) -> float:
        frame = int(np.searchsorted(time_s, edge_s - _EPSILON_S))
        change = int(np.searchsorted(time_s, edge_s - LAG_S - _EPSILON_S))
        return float(time_s[max(change, run[frame])])

    return [
        Hold(
            hold.label,
            go_back(hold.start_s),
            hold.end_s + every_s if hold.is_cut else go_back(hold.end_s),
            hold.is_cut,
        )
        for hold in steady.finish()
    ]
