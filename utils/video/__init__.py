"""Films: found, opened with care, read frame by frame at their own time, written."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
