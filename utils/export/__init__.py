"""A finished posture classifier, taken elsewhere: every form carries what it needs.

- model_json: the one file that travels: words, weights, check vectors.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
