from . import (
    answer,
)
from .ablation import ablation
from .background import background
from .comparison import compare, cost, curves, verdict
from .film import film, postures
from .leakage import leakage
from .learning_curve import people_needed, seconds_needed
from .other_models import other_models
from .quality import calibration, doubts, keypoints, mistakes
from .rooms import rooms
from .summary import exports, summary
