"""The packages behind `poseNet.ipynb`; `utils/README.md` is the map.

`import utils` loads nothing: a package or module is loaded when it is first named.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
