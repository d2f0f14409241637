"""The user's own classifier on the camera, in the browser, without a network.

- bridge: the notebook cell.
- page: the static folder and the one file.
- server: `make live`, on this machine alone.
- recordings: films recorded in the page, on disk as they come.

`static/` holds the page's own parts: `pose/` is the worker (network, squares,
tracking), `litert/` is LiteRT.js as its makers ship it.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
