"""TRUE, FALSE, ALIKE or CANNOT TELL: what may be claimed of models on these people.

The claims, their words and the thresholds were fixed before any number was seen; the
rule is tested on made data with known truth (`tests/evaluation/test_verdict.py`). Of
200 studies of models that are alike, any verdict was false in 3 % with 4 people, in 4 %
with 6 and in 3 % with 12. Of 200 of models that differ by about twice what matters,
with 12 people 84 % were told so of accuracy against whole pictures, 83 % of that
against crops, 97 % of epochs, 100 % of seconds, 89 % of loss and 88 % of labelled
people; with 6 people 39, 38, 69, 89, 34 and 34 %. Overfitting is
measured on studies of its own: with 6 people a difference of 0.27 nats was found in
66 % of 200.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from utils.evaluation.claims import Evidence, measure_claims
from utils.evaluation.intervals import (
    Interval,
    describe_few,
    find_half_width,
    find_p_value,
    t_interval,
)

TRUE, FALSE, ALIKE, CANNOT_TELL = "TRUE", "FALSE", "ALIKE", "CANNOT TELL"
MOST_PEOPLE = 200  # who could be filmed at all; more are not advised


@dataclass(frozen=True)
class Claim:
    """One claim, in words.

    Attributes:
        holds: What is so if it is TRUE, a sentence without its full stop.
        fails: What is so if it is FALSE.
        alike: What is so if the two models are ALIKE.
        by: How much, after `holds` or `fails`, with `{x}` for the number.
        here: What was seen, as a sentence of its own: `{x}`, and `{who}` is ahead.
        measure: What the difference is, exactly.
        unit: `times` (a ratio), `nats` or `points` (of accuracy).
        ahead: Who is ahead if it is TRUE.
        behind: Who is ahead if it is FALSE.
        family: Claims that share the chance of being wrong: `cover`, the question on
            the cover; `original`, claims of the original project; `rooms`.
    """

    holds: str
    fails: str
    alike: str
    by: str
    here: str
    measure: str
    unit: str
    ahead: str = "pose"
    behind: str = "whole-picture"
    family: str = "original"


def _ask_who_is_right(rival: str, *, where: str, each: str, family: str) -> Claim:
    """Return the claim that pose is right more often than a model of pictures."""
    return Claim(
        f"the pose classifier is right more often than the {rival} classifier {where}",
        f"the {rival} classifier is right more often than the pose classifier {where}",
        f"pose and {rival} classifier are right about equally often {where}",
        "by {x} points",
        "the {who} classifier is ahead by {x} points",
        f"accuracy {where}, pose minus {rival}, each {each} counting the same",
        "points",
        behind=rival,
        family=family,
    )


_PEOPLE = {"where": "on people never seen", "each": "person", "family": "cover"}
_ROOMS = {
    "where": "in rooms and on people never seen",
    "each": "room",
    "family": "rooms",
}
COVER = "better"  # the first question on the cover
CLAIMS: dict[str, Claim] = {
    "better": _ask_who_is_right("whole-picture", **_PEOPLE),
    "better_than_crop": _ask_who_is_right("crop", **_PEOPLE),
    "epochs": Claim(
        "the pose classifier converges in fewer epochs",
        "the whole-picture classifier converges in fewer epochs",
        "both classifiers converge in about as many epochs",
        "the whole-picture classifier takes {x} times as many",
        "the whole-picture classifier takes {x} times as many",
        "epochs until validation loss has gone 95 % of the way from guessing to the "
        "best level that all runs of both classifiers reach in that fold, whole "
        "picture over pose",
        "times",
    ),
    "seconds": Claim(
        "the pose classifier converges sooner, the pose network's seconds included",
        "the whole-picture classifier converges sooner, the pose network's seconds "
        "included",
        "both classifiers converge in about the same time, the pose network's seconds "
        "included",
        "the whole-picture classifier takes {x} times as long",
        "the whole-picture classifier takes {x} times as long",
        "seconds on this machine until validation loss has gone 95 % of the way from "
        "guessing to the best level that all runs of both classifiers reach in that "
        "fold, pose network and image features included, image over pose",
        "times",
    ),
    "loss": Claim(
        "the pose classifier's validation loss is lower",
        "the whole-picture classifier's validation loss is lower",
        "both classifiers' validation losses are about equal",
        "by {x} nats",
        "the {who} classifier's is lower by {x} nats",
        "log loss on people held out, image minus pose, each person counting the same",
        "nats",
    ),
    "overfit": Claim(
        "the whole-picture classifier overfits more",
        "the pose classifier overfits more",
        "both classifiers overfit about equally",
        "by {x} nats",
        "the {who} classifier overfits more, by {x} nats",
        "validation minus training loss at the epoch with the best validation loss, "
        "image minus pose",
        "nats",
        ahead="whole-picture",
        behind="pose",
    ),
    "people": Claim(
        "the pose classifier needs fewer labelled people",
        "the whole-picture classifier needs fewer labelled people",
        "both classifiers need about as many labelled people",
        "being right more often by {x} points with equal numbers of them",
        "with equal numbers of them the {who} classifier is ahead by {x} points",
        "accuracy after learning from equal numbers of people, mean over the numbers "
        "in the learning curve, pose minus image; curves that cross decide nothing",
        "points",
    ),
    "room": _ask_who_is_right("whole-picture", **_ROOMS),
    "room_crop": _ask_who_is_right("crop", **_ROOMS),
}


@dataclass(frozen=True)
class Rules:
    """What decides, fixed before the numbers.

    Attributes:
        false_rate: Chance that any claim of a family gets TRUE or FALSE where the
            models are alike; they share it (Holm's procedure).
        min_units: With fewer people (or folds) nothing is decided: three can agree
            by chance, and their spread says little of others.
        min_ratio: The smallest ratio that matters: half as long again is the least
            that anybody who waits for it would notice.
        min_nats: The smallest difference in loss that matters: exp(0.1) is a tenth more
            probability for the true class.
        min_accuracy: The smallest in accuracy: one frame in 20. About so many lie at
            the ends of postures, where two people label differently.
    """

    false_rate: float = 0.05
    min_units: int = 4
    min_ratio: float = 1.5
    min_nats: float = 0.1
    min_accuracy: float = 0.05

    def find_margin(self, unit: str) -> float:
        """Return the smallest difference that matters; of ratios, its logarithm."""
        if unit == "times":
            return float(np.log(self.min_ratio))
        return self.min_nats if unit == "nats" else self.min_accuracy

    def describe_margin(self, unit: str) -> str:
        """Return the smallest difference that matters, in words."""
        return {
            "times": f"{self.min_ratio:g} times",
            "nats": f"{self.min_nats:g} nats",
            "points": f"{100 * self.min_accuracy:g} points",
        }[unit]


RULES = Rules()


def build_verdicts(
    history: pd.DataFrame,
    predictions: pd.DataFrame,
    *,
    models: tuple[str, ...] = ("pose_softmax", "mobilenet_frozen"),
    curve: pd.DataFrame | None = None,
    upfront_s: Mapping[str, float] | None = None,
    rules: Rules = RULES,
) -> pd.DataFrame:
    """Decide each claim, or say what it would take.

    The evidence is one difference a person or fold, the two models paired and seeds
    averaged. A claim is TRUE if the whole interval of their mean is above 0 and the
    mean is large enough to matter, FALSE if it is so the other way round, ALIKE if the
    whole interval is too near to 0 to matter, and otherwise CANNOT TELL. The intervals
    are t intervals widened for what the folds share (`intervals.t_interval`), at
    Holm's levels within each family of claims. The spread is never taken as less
    than half of what matters.

    Args:
        history: Table `history`, `seconds` counted from the start of training. Most is
            decided where each person is a fold.
        predictions: Table `predictions` with `subject` and `p_<class>`.
        models: Names of the pose model, the model on whole pictures and, if there is
            one, that on crops of the person, chosen before their scores are seen.
        curve: Learning curve with `model`, `n_people`, `draw`, `subject` (left out)
            and `accuracy`; without it the last claim cannot be decided.
        upfront_s: Seconds before the first epoch, by model: the pose network over
            all frames, the image network's features; without it the claim in seconds
            cannot be decided.
        rules: Thresholds.

    Returns:
        One row a claim, the question on the cover first: `claim`, `verdict`,
        `difference`, `low`, `high` (of ratios the ratio itself, of points a share),
        `unit`, `level` (of the interval), `n`, `n_unit` (`people` or `folds`),
        `n_needed` (that would decide it, if they are like these; NaN where it is
        decided or none would), `rule` and `sentence`.

    Raises:
        ValueError: If a model is missing or the two did not see the same frames.
    """
    evidence = measure_claims(
        history, predictions, models=models, curve=curve, upfront_s=upfront_s
    )
    return decide_claims(evidence, rules=rules)


def decide_claims(
    evidence: Mapping[str, Evidence], *, rules: Rules = RULES
) -> pd.DataFrame:
    """Decide each claim by its evidence; the table of `build_verdicts`."""
    levels = _find_levels(evidence, rules=rules)
    rows = [
        _judge(name, own, level=levels[name], rules=rules)
        for name, own in evidence.items()
    ]
    return pd.DataFrame(rows)


def _find_levels(
    evidence: Mapping[str, Evidence], *, rules: Rules = RULES
) -> dict[str, float]:
    """Return the level of each claim's interval, Holm's within its family.

    The claim with the smallest p value is held to `false_rate / n_claims`; if it
    passes, the next to `false_rate / (n_claims - 1)`, and so on; from the first that
    does not pass on, all are held to its level.
    """
    levels = {}
    for family in dict.fromkeys(CLAIMS[name].family for name in evidence):
        # what cannot be decided still takes its share: claims were fixed beforehand
        p_values = {
            name: find_p_value(own.differences, **_find_options(name, own, rules))
            if _find_obstacle(own, rules) == ""
            else 1.0
            for name, own in evidence.items()
            if CLAIMS[name].family == family
        }
        n_passed = 0
        for place, name in enumerate(sorted(p_values, key=p_values.get)):
            share = rules.false_rate / (len(p_values) - n_passed)
            levels[name] = 1 - share
            n_passed += p_values[name] < share and n_passed == place
    return levels


def _find_options(name: str, own: Evidence, rules: Rules) -> dict[str, float]:
    """Return the options of the t interval for one claim."""
    margin = rules.find_margin(CLAIMS[name].unit)
    shared = {"n_train": own.n_train, "shared_sd": own.shared_sd}
    # four people can agree by chance: spread is never taken as less than this
    return {**shared, "sd_floor": margin / 2}


def _find_obstacle(own: Evidence, rules: Rules) -> str:
    """Return why evidence cannot decide, whatever its values; empty if it can."""
    if own.doubt:
        return own.doubt
    n = len(own.differences)
    if n < rules.min_units:
        return f"{n} {own.unit} are too few, {rules.min_units} are needed"
    return ""


def _judge(
    name: str, own: Evidence, *, level: float, rules: Rules
) -> dict[str, object]:
    """Decide one claim at one level and put it in words."""
    claim, obstacle = CLAIMS[name], _find_obstacle(own, rules)
    bound = Interval(np.nan, np.nan, np.nan, len(own.differences))
    options = _find_options(name, own, rules)
    if len(own.differences):
        bound = t_interval(own.differences, level=level, **options)
    margin, needed = rules.find_margin(claim.unit), np.nan
    verdict = _decide(bound, margin=margin, can_tell=not obstacle)
    if verdict == CANNOT_TELL and not obstacle:
        needed = _count_needed(own, level=level, margin=margin, options=options)
    # ratios are decided as logarithms and shown as ratios
    scale = np.exp if claim.unit == "times" else float
    ends = [float(scale(x)) for x in (bound.estimate, bound.low, bound.high)]
    if claim.unit == "points":  # no score is above all
        ends = np.clip(ends, -1.0, 1.0).tolist()
    row = {"claim": claim.holds[0].upper() + claim.holds[1:], "verdict": verdict}
    row |= dict(zip(("difference", "low", "high"), ends, strict=True))
    row |= {"unit": claim.unit, "level": level, "n": bound.n, "n_unit": own.unit}
    row |= {"n_needed": needed, "rule": _describe_rule(name, own, rules)}
    return row | {"sentence": _describe(claim, row, obstacle, rules)}


def _decide(bound: Interval, *, margin: float, can_tell: bool) -> str:
    """Return the verdict."""
    if not can_tell or not np.isfinite(bound.low):
        return CANNOT_TELL
    # shown to be nearer than anybody would notice, whichever is ahead
    if bound.low > -margin and bound.high < margin:
        return ALIKE
    if bound.low <= 0 <= bound.high or abs(bound.estimate) < margin:
        return CANNOT_TELL
    return TRUE if bound.estimate > 0 else FALSE


def _count_needed(
    own: Evidence, *, level: float, margin: float, options: Mapping[str, float]
) -> float:
    """Return how many units would decide, if they are like these; NaN if too many."""
    n, size = len(own.differences), abs(float(own.differences.mean()))
    sd = max(float(own.differences.std(ddof=1)), options["sd_floor"])
    # TRUE or FALSE needs an interval off 0; ALIKE, one that ends before what matters
    room = size if size >= margin else margin - size
    for many in range(n + 1, MOST_PEOPLE + 1):
        # with more people to learn from, it matters less who they are, too
        n_train = options["n_train"] * (many - 1) / (n - 1)
        shared_sd = options["shared_sd"] * np.sqrt(n / many)
        half = find_half_width(
            sd, many, level=level, n_train=n_train, shared_sd=shared_sd
        )
        if half < room:
            return float(many)
    return np.nan


def _describe_rule(name: str, own: Evidence, rules: Rules) -> str:
    """Write down the rule of one claim."""
    claim = CLAIMS[name]
    shared = {
        "cover": "the question on the cover",
        "original": "the original project's claims",
        "rooms": "rooms",
    }[claim.family]
    return (
        f"{claim.measure}; one value for each of the {own.unit}, models paired, seeds "
        f"averaged. TRUE or FALSE if the interval of the mean (t, widened for shared "
        f"training {own.unit}, {rules.false_rate:.0%} for all on {shared} together by "
        f"Holm) lies on one side and "
        f"the mean is at least {rules.describe_margin(claim.unit)}; ALIKE if the "
        f"interval lies within that; {rules.min_units} {own.unit} or more"
    )


def _describe(
    claim: Claim, row: Mapping[str, object], obstacle: str, rules: Rules
) -> str:
    """Write the verdict, its number and its interval as one sentence."""
    verdict, n_unit = row["verdict"], f"{row['n']} {row['n_unit']}"
    if not np.isfinite(row["low"]):
        return f"Cannot tell whether {claim.holds}: {obstacle}."
    ends = [_format(row[key], claim.unit) for key in ("low", "high")]
    interval = f"{row['level']:.1%} interval {ends[0]} to {ends[1]}, {n_unit}"
    nothing = 1.0 if claim.unit == "times" else 0.0
    is_ahead = row["difference"] > nothing
    amount = _format(row["difference"], claim.unit, signed=False)
    who = claim.ahead if is_ahead else claim.behind
    here = claim.here.format(who=who, x=amount)
    few = describe_few(row["n"], noun=row["n_unit"])
    end = f"; {few}." if few else "."
    if verdict in (TRUE, FALSE):
        start = f"Yes: {claim.holds}" if verdict == TRUE else f"No: {claim.fails}"
        return f"{start}, {claim.by.format(x=amount)} ({interval}){end}"
    if verdict == ALIKE:
        least = rules.describe_margin(claim.unit)
        return f"Neither: {claim.alike}, within {least} ({interval}){end}"
    if obstacle:
        return f"Cannot tell whether {claim.holds}: {obstacle} (here {here})."
    is_sure = not row["low"] <= nothing <= row["high"]
    why = f"less than {rules.describe_margin(claim.unit)}, which would not matter"
    text = f"Cannot tell whether {claim.holds}. Here {here}, but that may be "
    text += f"{why if is_sure else 'chance'} ({interval})"
    if np.isnan(row["n_needed"]):
        return f"{text}. More than {MOST_PEOPLE} {row['n_unit']} would be needed."
    return f"{text}. About {row['n_needed']:.0f} {row['n_unit']} would decide it."


def _format(value: float, unit: str, *, signed: bool = True) -> str:
    """Write a difference: points in hundredths, what is no ratio with its sign."""
    if unit == "times":
        return f"{value:.2f}"
    number = f"{100 * value:+.1f}" if unit == "points" else f"{value:+.2f}"
    return number if signed else number.lstrip("+-")
