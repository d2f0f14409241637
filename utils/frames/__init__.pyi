from . import (
    chunk,
    extract,
    images,
    jobs,
    plan,
    store,
    workspace,
)
