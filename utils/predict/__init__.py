"""A finished classifier at work: postures over time, an annotated film.

- classify: predict_video (one call for a new film), predict_postures, annotate_video
- bouts: from a probability a frame to bouts, by the steady rule
- steady: one rule for labels that do not flicker, holds and repetitions
- annotate: skeleton, posture and probability drawn onto pictures
- __main__: `make predict`
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
