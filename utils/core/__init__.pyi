from . import (
    cache,
    colours,
    esm,
    files,
    markup,
    parallel,
    progress,
    remote,
    skeleton,
    tables,
    weights,
)
