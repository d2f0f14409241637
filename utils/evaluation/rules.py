"""The claims of the original project, in words, and what decides them.

Fixed before any number was seen.
"""

from dataclasses import dataclass

import numpy as np


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
