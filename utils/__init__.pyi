from . import (
    core,
    evaluation,
    frames,
    labelling,
    plots,
    pose,
    predict,
    questions,
    training,
    video,
)
