from . import (
    cache,
    colours,
    files,
    markup,
    parallel,
    progress,
    remote,
    skeleton,
    tables,
    weights,
)
