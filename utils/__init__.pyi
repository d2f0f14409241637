from . import (
    core,
    evaluation,
    export,
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
