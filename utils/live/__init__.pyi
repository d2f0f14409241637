from . import (
    bridge,
    page,
    recordings,
    server,
)
from .bridge import show
from .page import write_page
