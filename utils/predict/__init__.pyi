from . import (
    annotate,
    bouts,
    classify,
    steady,
)
from .classify import annotate_video, predict_postures, predict_video
