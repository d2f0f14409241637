"""What every other package stands on: files, tables, names, cached results, workers."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
