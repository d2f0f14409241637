"""Doubt: is a pose like those that a classifier learnt from, or none of these?

Each class's poses are described by a Gaussian; a pose is refused where every class
finds it less likely than all but 5 % of the poses of people held out.

Measured by leaving each class out of training in turn, people held out as well, at 5 %
refusals of known frames: share refused of the frames of the class left out, mean over
classes, on real film of 4 people (3 classes), of 12 people (4), and the demo (8):

    Gaussian a class (this)                                 .34  .43  .35
    Gaussians of one common covariance                      .34  .39  .27
    Gaussian a class, against one of all (relative)         .10  .28  .36
    mean distance to the 5 nearest training poses           .32  .43  .25
    local outlier factor, 20 neighbours                     .07  .37  .40
    the highest probability of a softmax                    .08  .14  .10
    the same of a small network                             .20  .22  .24
    this and the network's probability, the mean rank       .23  .17  .35

It is a posture with a pose of its own that stands out: lying, or being down (.73 to
1.00), bending (.74), sitting on the floor (.62); upright and sitting on a chair, which
look like others, do not to any of them that finds the rest (0 to .07). With the shape
of the box as a 35th number arms raised go from .19 to .79, and all else stays.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd
from sklearn.covariance import LedoitWolf
from sklearn.model_selection import GroupKFold

from utils.training.protocol import Inputs

REFUSED = 0.05  # share of the known frames of people held out
_N_FOLDS = 5  # of people, for the threshold
_LEAST_VARIANCE = 1e-6  # a thousandth of the body's box, squared


@dataclass(frozen=True)
class Doubt:
    """What a pose must be like, for a classifier to name it.

    Attributes:
        means: `(n_classes, n_columns)`.
        roots: `(n_classes, n_columns, n_columns)`: what a pose's way from the mean is
            multiplied by, for its length to be the Mahalanobis distance.
        log_dets: Logarithm of the determinant of each class's covariance.
        threshold: What `measure` gives at most, where a pose is named.
    """

    means: np.ndarray
    roots: np.ndarray
    log_dets: np.ndarray
    threshold: float = np.inf

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Return which of the numbers `(n, n_columns)` are none of these, bool."""
        return self.measure(x) > self.threshold

    def measure(self, x: np.ndarray) -> np.ndarray:
        """Return how unlike the likeliest class each pose is, `(n,)`.

        It is twice the negative logarithm of the density, but for a constant.
        """
        classes = zip(self.means, self.roots, self.log_dets, strict=True)
        unlike = [
            (((x - mean) @ root) ** 2).sum(axis=1) + log_det
            for mean, root, log_det in classes
        ]
        return np.min(unlike, axis=0)


def fit_doubt(inputs: Inputs) -> Doubt | None:
    """Learn what poses are like, and the threshold from people held out.

    Args:
        inputs: The numbers of every sample, and of its mirrored pose.

    Returns:
        The doubt; None where one person alone is there, who cannot say how far other
        people's poses may lie.
    """
    folds = min(_N_FOLDS, len(np.unique(inputs.people)))
    if folds < 2:
        return None
    unlike = []
    rows = np.arange(len(inputs.y))
    for train, val in GroupKFold(folds).split(rows, groups=inputs.people):
        # a class that nobody else shows is new to them
        known = val[np.isin(inputs.y[val], inputs.y[train])]
        if len(known):
            unlike.append(_describe(inputs, train).measure(inputs.x[known]))
    if not unlike:
        return None
    threshold = float(np.quantile(np.concatenate(unlike), 1 - REFUSED))
    whole = _describe(inputs, rows)
    return Doubt(whole.means, whole.roots, whole.log_dets, threshold)


def score_doubt(inputs: Inputs, classes: Sequence[str]) -> pd.DataFrame:
    """Leave each class out of training, and see how much of it is refused.

    Args:
        inputs: The numbers of every sample, and of its mirrored pose.
        classes: Class names in order of their numbers.

    Returns:
        A row a class: `label`, `n_frames`, `refused` (share of its frames, people held
        out, where 5 % of the known ones are); none where one person alone is there.
    """
    folds, rows = min(_N_FOLDS, len(np.unique(inputs.people))), []
    for number, label in enumerate(classes if folds > 1 else ()):
        unlike = np.full(len(inputs.y), np.nan)
        for train, val in GroupKFold(folds).split(inputs.x, groups=inputs.people):
            learnt = train[inputs.y[train] != number]
            is_scored = np.isin(inputs.y[val], [number, *inputs.y[learnt]])
            if len(learnt) and is_scored.any():
                scored = val[is_scored]
                unlike[scored] = _describe(inputs, learnt).measure(inputs.x[scored])
        own = unlike[inputs.y == number]
        known = unlike[(inputs.y != number) & np.isfinite(unlike)]
        if np.isfinite(own).any() and len(known):
            threshold = np.quantile(known, 1 - REFUSED)
            refused = float((own[np.isfinite(own)] > threshold).mean())
            rows.append((label, len(own), refused))
    return pd.DataFrame(rows, columns=["label", "n_frames", "refused"])


def _describe(inputs: Inputs, rows: np.ndarray) -> Doubt:
    """Fit a Gaussian a class, covariances shrunk as Ledoit and Wolf (2004) do."""
    x, y = inputs.stack_learnt(rows)
    means, roots, log_dets = [], [], []
    for number in np.unique(y):
        own = x[y == number].astype(float)
        variances, axes = np.linalg.eigh(LedoitWolf().fit(own).covariance_)
        variances = np.maximum(variances, _LEAST_VARIANCE)
        means.append(own.mean(axis=0))
        roots.append(axes / np.sqrt(variances))
        log_dets.append(np.log(variances).sum())
    return Doubt(np.stack(means), np.stack(roots), np.array(log_dets))


def pack_doubt(doubt: Doubt) -> bytes:
    """Return a doubt as the bytes of an `.npz` file."""
    kept = io.BytesIO()
    np.savez(kept, **{f.name: getattr(doubt, f.name) for f in fields(doubt)})
    return kept.getvalue()


def unpack_doubt(data: bytes) -> Doubt:
    """Read a doubt back; nothing in the file is run."""
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        kept = {f.name: arrays[f.name] for f in fields(Doubt)}
    return Doubt(**{**kept, "threshold": float(kept["threshold"])})
