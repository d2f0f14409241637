from . import (
    core,
    evaluation,
    frames,
    labelling,
    live,
    plots,
    pose,
    predict,
    questions,
    training,
    video,
)
