from . import (
    bouts,
    calibration,
    card,
    claims,
    cost,
    intervals,
    mistakes,
    scores,
    verdict,
)
