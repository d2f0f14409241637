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
    report,
    screen,
    settings,
    training,
    video,
)
from .questions.answer import say
from .study import Study
