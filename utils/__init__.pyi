from . import (
    core,
    elsewhere,
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
from .elsewhere import score_elsewhere
from .questions.answer import say
from .study import Study
