from . import (
    augment,
    backbone,
    duplicates,
    keras_loop,
    mobilenet,
    posture_model,
    protocol,
    sklearn_models,
    softmax,
    splits,
    time_blocks,
)
