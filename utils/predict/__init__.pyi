from . import (
    annotate,
    bouts,
)
