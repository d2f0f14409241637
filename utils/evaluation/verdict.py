"""TRUE, FALSE or CANNOT TELL: the claims of the original project, on these people.

The claims, their words and the thresholds were fixed before any number was seen; the
rule is tested on made data with known truth (`tests/evaluation/test_verdict.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from utils.evaluation.claims import Evidence, measure_claims
from utils.evaluation.intervals import Interval, describe_few, find_p_value, t_interval

TRUE, FALSE, CANNOT_TELL = "TRUE", "FALSE", "CANNOT TELL"


@dataclass(frozen=True)
class Claim:
    """One claim, in words.

    Attributes:
        text: The claim, as a sentence without its full stop.
        opposite: What is so if it is FALSE.
        measure: What the difference is, exactly.
        number: The difference in a sentence, with `{}` for the number.
        unit: `times` (a ratio), `nats` or `accuracy`.
    """

    text: str
    opposite: str
    measure: str
    number: str
    unit: str


CLAIMS: dict[str, Claim] = {
    "epochs": Claim(
        "The pose model converges faster, in epochs",
        "the image model converges faster, in epochs",
        "epochs until validation loss has gone 95 % of the way from guessing to the "
        "best level that all runs of both models reach in that fold, image over pose",
        "the image model takes {} times the epochs",
        "times",
    ),
    "seconds": Claim(
        "The pose model converges faster, in seconds, the pose network's included",
        "the image model converges faster, in seconds",
        "seconds on this machine until validation loss has gone 95 % of the way from "
        "guessing to the best level that all runs of both models reach in that fold, "
        "pose network and image features included, image over pose",
        "the image model takes {} times the seconds",
        "times",
    ),
    "loss": Claim(
        "The pose model's validation loss is lower",
        "the image model's validation loss is lower",
        "held-out log loss, image minus pose",
        "held-out log loss, image minus pose, is {} nats",
        "nats",
    ),
    "overfit": Claim(
        "The image model overfits more",
        "the pose model overfits more",
        "validation minus training loss at the epoch with the best validation loss, "
        "image minus pose",
        "validation minus training loss, image minus pose, is {} nats",
        "nats",
    ),
    "people": Claim(
        "The pose model needs fewer labelled people",
        "the image model needs fewer labelled people",
        "accuracy after learning from equal numbers of people, mean over the numbers "
        "in the learning curve, pose minus image; curves that cross decide nothing",
        "accuracy with equal numbers of people, pose minus image, is {}",
        "accuracy",
    ),
}


@dataclass(frozen=True)
class Rules:
    """What decides, fixed before the numbers.

    Attributes:
        false_rate: Chance that any claim at all gets TRUE or FALSE where the models
            are alike; the claims share it (Holm's procedure).
        min_units: With fewer people (or folds) nothing is decided: three can agree
            by chance, and their spread says little of others.
        min_ratio: A ratio nearer to 1 makes no difference in practice.
        min_nats: Nor does a smaller difference in loss: exp(0.05) is 5 % more
            probability for the true class.
        min_accuracy: Nor a smaller one in accuracy: one frame in 50.
    """

    false_rate: float = 0.05
    min_units: int = 4
    min_ratio: float = 1.25
    min_nats: float = 0.05
    min_accuracy: float = 0.02

    def find_margin(self, unit: str) -> float:
        """Return the smallest difference that matters; of ratios, its logarithm."""
        if unit == "times":
            return float(np.log(self.min_ratio))
        return self.min_nats if unit == "nats" else self.min_accuracy


RULES = Rules()


def build_verdicts(
    history: pd.DataFrame,
    predictions: pd.DataFrame,
    *,
    models: tuple[str, str] = ("pose_softmax", "mobilenet_frozen"),
    curve: pd.DataFrame | None = None,
    upfront_s: Mapping[str, float] | None = None,
    rules: Rules = RULES,
) -> pd.DataFrame:
    """Decide each claim, or say that it cannot be decided.

    The evidence is one difference a person or fold, seeds averaged. A claim is TRUE
    if the whole interval of their mean is above 0 and the mean is large enough to
    matter, FALSE if it is so the other way round, and otherwise CANNOT TELL, also if
    the two models are shown to be alike. The intervals are t intervals widened for
    what the folds share (`intervals.t_interval`), at Holm's levels: where the
    models are alike, the chance of any wrong verdict is `rules.false_rate` for all
    claims together. The spread is never taken as less than half of what matters.

    Args:
        history: Table `history`, `seconds` counted from the start of training.
        predictions: Table `predictions` with `subject` and `p_<class>`.
        models: Names of the pose model and the image model, chosen before their
            scores are seen.
        curve: Learning curve with `model`, `n_people`, `draw`, `subject` (left out)
            and `accuracy`; without it the last claim cannot be told.
        upfront_s: Seconds before the first epoch, by model: the pose network over
            all frames, the image network's features; without it the claim in seconds
            cannot be told.
        rules: Thresholds.

    Returns:
        One row a claim: `claim`, `verdict`, `difference`, `low`, `high` (of ratios
        the ratio itself), `unit`, `level` (of the interval), `n`, `n_unit` (`people`
        or `folds`), `rule` and `sentence`.

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
    """Share the false rate among the claims by Holm's procedure: level by claim.

    The claim with the smallest p value is held to `false_rate / n_claims`; if it
    passes, the next to `false_rate / (n_claims - 1)`, and so on; from the first that
    does not pass on, all are held to its level.
    """
    # what cannot be decided still takes its share: the claims were fixed beforehand
    p_values = {
        name: find_p_value(own.differences, **_find_options(name, own, rules))
        if _find_obstacle(own, rules) == ""
        else 1.0
        for name, own in evidence.items()
    }
    levels, n_passed = {}, 0
    for name in sorted(p_values, key=p_values.get):
        share = rules.false_rate / (len(p_values) - n_passed)
        levels[name] = 1 - share
        n_passed += p_values[name] < share and n_passed == len(levels) - 1
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
    if len(own.differences):
        options = _find_options(name, own, rules)
        bound = t_interval(own.differences, level=level, **options)
    margin = rules.find_margin(claim.unit)
    verdict, why = _decide(bound, margin=margin, obstacle=obstacle)
    # ratios are decided as logarithms and shown as ratios
    scale = np.exp if claim.unit == "times" else float
    ends = [float(scale(x)) for x in (bound.estimate, bound.low, bound.high)]
    row = {"claim": claim.text, "verdict": verdict}
    row |= dict(zip(("difference", "low", "high"), ends, strict=True))
    row |= {"unit": claim.unit, "level": level, "n": bound.n, "n_unit": own.unit}
    row["rule"] = _describe_rule(claim, own, rules)
    return row | {"sentence": _describe(claim, row, why)}


def _decide(bound: Interval, *, margin: float, obstacle: str) -> tuple[str, str]:
    """Return the verdict, and why it cannot be told if it cannot."""
    if obstacle or not np.isfinite(bound.low):
        return CANNOT_TELL, obstacle or "there is no interval"
    if bound.low > -margin and bound.high < margin:
        return CANNOT_TELL, "the two are alike: any difference is too small to matter"
    if bound.low <= 0 <= bound.high:
        return CANNOT_TELL, "the interval holds both sides"
    # shown to differ, but by less than anybody would notice
    if abs(bound.estimate) < margin:
        return CANNOT_TELL, "the difference is too small to matter"
    return (TRUE if bound.estimate > 0 else FALSE), ""


def _describe_rule(claim: Claim, own: Evidence, rules: Rules) -> str:
    """Write down the rule of one claim."""
    least = {
        "times": f"at least {rules.min_ratio:g} times",
        "nats": f"at least {rules.min_nats:g} nats",
        "accuracy": f"at least {rules.min_accuracy:g}",
    }[claim.unit]
    return (
        f"{claim.measure}; one value for each of the {own.unit}, seeds averaged. TRUE "
        f"or FALSE if the interval of the mean (t, widened for shared training "
        f"{own.unit}, {rules.false_rate:.0%} for all claims together by Holm) lies on "
        f"one side and the mean is {least}; {rules.min_units} {own.unit} or more"
    )


def _describe(claim: Claim, row: Mapping[str, object], why: str) -> str:
    """Write the verdict, its number and its interval as one sentence."""
    text = f"{row['verdict']}: {claim.text[0].lower()}{claim.text[1:]}?"
    if row["verdict"] != CANNOT_TELL:
        said = claim.text if row["verdict"] == TRUE else claim.opposite
        text = f"{row['verdict']}: {said[0].lower()}{said[1:]};"
    if not np.isfinite(row["low"]):
        return f"{text} {why[0].upper()}{why[1:]}."
    number = claim.number.format(f"{row['difference']:.2f}")
    if row["verdict"] == CANNOT_TELL:
        number = number[0].upper() + number[1:]
    few = describe_few(row["n"], noun=row["n_unit"])
    notes = "; ".join(note for note in (why, few) if note)
    return (
        f"{text} {number} ({row['level']:.1%} interval {row['low']:.2f} to "
        f"{row['high']:.2f}, {row['n']} {row['n_unit']}){': ' * bool(notes)}{notes}."
    )
