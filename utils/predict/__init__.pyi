from . import (
    annotate,
    bouts,
    steady,
)
