from . import (
    calibration,
    card,
    claims,
    comparison,
    cost,
    intervals,
    means,
    mistakes,
    resampling,
    rules,
    scores,
    verdict,
)
