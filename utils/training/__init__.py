"""Models, who learns from whom, and the loop in which they learn.

protocol        what a model and its inputs are; every model on the same splits
splits          samples, folds, split strategies, and what leaks between two sides
softmax         the softmax on numbers: built, fitted, saved, loaded
pose_best       the classifier in use: many looks, softmax and network averaged
doubt           which poses are none of those learnt
augment         a picture on a canvas, mirrored, augmented
backbone        the fixed blocks of MobileNetV2: each picture passes them once
mobilenet       the picture classifiers, frozen or fine-tuned
sklearn_models  other models, each with the same effort
keras_loop      the loop in which every Keras model learns
duplicates      pictures that look alike
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
