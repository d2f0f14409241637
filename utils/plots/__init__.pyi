from . import (
    bars,
    bodies,
    curves,
    lines,
    sheets,
)
