from . import (
    augment,
    backbone,
    duplicates,
    keras_loop,
    mobilenet,
    protocol,
    sklearn_models,
    softmax,
    splits,
)
