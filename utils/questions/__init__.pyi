from . import (
    ablation,
    background,
    background_images,
    draws,
    leakage,
    learning_curve,
)
