from . import (
    crop,
    cutout,
    estimate,
    features,
    follow,
    looks,
    metrics,
    networks,
    people,
    pictures,
)
from .estimate import estimate_pose
from .features import build_features, stack_poses
from .networks import choose_network
from .people import advise_videos, find_people
