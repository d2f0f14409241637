"""Charts: each takes a table and returns its Axes (a Figure where it draws several).

Nothing is shown or saved here. Colours come from `utils.core.colours`.

style   names and marks of models, font sizes, empty Axes, the floor
curves  training curves, confusion matrices
lines   learning curve, reliability, intervals
bars    split strategies, background test, ablation, labelled seconds, time strips
sheets  pictures with their skeletons
bodies  weights drawn on a skeleton, examples by outcome
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
