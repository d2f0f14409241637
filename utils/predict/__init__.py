"""A finished classifier at work: postures over time, an annotated film."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
