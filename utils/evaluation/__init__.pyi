from . import (
    bouts,
    calibration,
    card,
    claims,
    cost,
    fusion,
    intervals,
    mistakes,
    scores,
    verdict,
)
