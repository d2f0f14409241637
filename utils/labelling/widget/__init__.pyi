from . import (
    bars,
    bridge,
    feed,
    gestures,
    images,
    messages,
    panel,
)
