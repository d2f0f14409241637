"""A picture in, 17 body keypoints out; keypoints in, 34 numbers out."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
