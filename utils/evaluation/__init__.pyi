from . import (
    calibration,
    card,
    claims,
    cost,
    intervals,
    mistakes,
    scores,
    verdict,
)
