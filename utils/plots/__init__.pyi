from . import (
    bars,
    bodies,
    curves,
    lines,
    sheets,
    style,
)
from .bars import (
    plot_ablation,
    plot_background,
    plot_label_seconds,
    plot_leakage,
    plot_time_strips,
)
from .bodies import plot_outcomes, plot_weights
from .curves import plot_confusions, plot_curve_pair
from .lines import plot_intervals, plot_learning_curve, plot_reliability
from .sheets import plot_pose, plot_pose_and_names, plot_sheet
