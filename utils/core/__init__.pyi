from . import (
    cache,
    colours,
    esm,
    files,
    markup,
    names,
    parallel,
    remote,
    skeleton,
    tables,
    weights,
)
