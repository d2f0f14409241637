"""Made numbers that a linear model can tell apart, a few people, each a little off."""

import numpy as np

from utils.training.protocol import Inputs


def make_inputs(
    *, n_people: int = 4, n_each: int = 20, n_classes: int = 3, noise: float = 0.6
) -> tuple[Inputs, np.ndarray]:
    """Return inputs with 34 columns, and the number of each row's person."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(n_classes, 34))
    habits = rng.normal(scale=0.3, size=(n_people, 34))
    people = np.repeat(np.arange(n_people), n_each * n_classes)
    y = np.tile(np.repeat(np.arange(n_classes), n_each), n_people)
    x = centres[y] + habits[people] + rng.normal(scale=noise, size=(len(y), 34))
    mirrored = x + rng.normal(scale=0.05, size=x.shape)
    mirrored = mirrored.astype(np.float32)
    inputs = Inputs(x.astype(np.float32), y, people, n_classes=3, mirrored=mirrored)
    return inputs, people
