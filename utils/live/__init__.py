"""The user's own classifier on the camera, in the browser, without a network.

static: the page's parts: network and tracking (`pose/`), LiteRT.js (`litert/`).
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
