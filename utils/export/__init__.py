"""A finished posture classifier, taken elsewhere: every form carries what it needs.

- model_json: the one file that travels: words, weights, check vectors.
- forms: one call (`make export`): every form, each read back; a card.
- tflite: 51 numbers in; or a picture in, joined with the pose network.
- onnx_file: 51 numbers in, node by node.
- source: a Python file that needs numpy alone, a C header; from `templates/`.
- pack: what was learnt from, without a pixel, in one file; and learning anew from it.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
