"""What a user asks of the models: each question takes a study and gives one answer.

An answer (`answer`) shows its chart and its sentence in the cell, holds the table,
and has written both into the study's results. A question that the data cannot
answer says so in one line. To add one, write a function of a study in a module here,
put `@question` above it and its name into `__init__.pyi`.

- answer: what a question gives, and how a cell shows it
- comparison: curves, compare, verdict, cost: which model is better, at what cost
- film: postures of all films in time, one film annotated
- quality: keypoints, mistakes, calibration, doubts: are they any good
- leakage: how much of a score is leak
- learning_curve: people_needed, seconds_needed
- background: whether a model reads the room
- ablation: which of the 34 numbers matter
- rooms: how good models are in a room they have never seen
- other_models: what other models make of the same frames
- summary: exports, the model card, and what is missing
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
