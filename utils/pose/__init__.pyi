from . import (
    advice,
    crop,
    cutout,
    estimate,
    features,
    metrics,
    movenet,
    pictures,
    posenet,
)
