"""Scores, how sure they are, and what may be claimed.

scores       scores of models, classes and people; the table of the comparison
bouts        postures over time: bouts found, missed, extra; borders
intervals    how sure a score, or a difference, is
calibration  whether probabilities mean what they say
claims       what each claim is measured by
verdict      what may be claimed, and what it would take to tell
mistakes     which frames are wrong, and what was lost
cost         seconds, processor time, megabytes, from the film on
card         the model card
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
