from . import (
    augment,
    backbone,
    doubt,
    duplicates,
    keras_loop,
    mobilenet,
    pose_best,
    protocol,
    sklearn_models,
    softmax,
    splits,
)
from .softmax import find_classifier, load_classifier, save_classifier
