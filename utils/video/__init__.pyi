from . import (
    catalogue,
    decode,
    hdr,
    probe,
    reader,
    source,
    structure,
    timing,
)
from .catalogue import choose_films, list_remote_videos, list_videos
from .reader import read_video, write_video
