from . import (
    bars,
    bridge,
    bundle,
    feed,
    gestures,
    images,
    messages,
    panel,
)
