from . import (
    cache,
    colours,
    files,
    parallel,
    progress,
    remote,
    skeleton,
    tables,
    weights,
)
