from . import (
    catalogue,
    decode,
    ends,
    facts_cache,
    hdr,
    probe,
    reader,
    source,
    timing,
)
