"""The postures and their variants: data, to be read and changed.

A pose gives turns of `pelvis`, `spine` and `head` (degrees about x, y, z of the body's
frame: x to its left, y to its back, z up) and, for each limb, two directions (upper,
lower) as (outward, backward, up). `footL` and `footR` pitch a foot: 60 lifts the heel,
160 lays the instep on the floor, -75 points the toes up.
"""

Pose = dict[str, tuple | float]

_HANG = ((0.16, -0.02, -1), (0.10, -0.22, -1))
_STRAIGHT = ((0.07, 0, -1), (0.05, 0.03, -1))
_WIDE = ((0.16, 0, -1), (0.13, 0.03, -1))


def _both(limb: str, directions: tuple) -> Pose:
    return {f"{limb}L": directions, f"{limb}R": directions}


_STAND = _both("arm", _HANG) | _both("leg", _STRAIGHT)
_HIP = ((0.78, 0.12, -1), (-0.62, -0.42, -0.42))
_THIGH = ((0.22, -0.20, -1), (-0.08, -0.92, -0.25))
_PROP = ((0.30, 0.55, -1), (0.10, 0.25, -1))
_UP = ((0.30, -0.05, 1), (0.05, -0.1, 1))
_CHAIR = _both("arm", _THIGH) | _both("leg", ((0.16, -1, -0.02), (0.05, 0.03, -1)))
_SQUAT = ((0.42, -0.95, -0.06), (0.02, 0.52, -1))
_KNEEL = ((0.10, 0.02, -1), (0.04, 1, -0.06))
_HEELS = ((0.22, -1, -0.32), (-0.03, 1, -0.02))
_INSTEP = {"footL": 160, "footR": 160}
_TOES_UP = {"footL": -65, "footR": -65}
_STOOP = _both("leg", ((0.08, -0.10, -1), (0.06, 0.12, -1)))

VARIANTS: dict[str, tuple[Pose, ...]] = {
    "standing": (
        {"spine": (2, 0, 0)} | _STAND,
        _both("arm", _HIP) | _both("leg", _WIDE),
        _STAND
        | {"armR": ((0.10, -0.35, -1), (-0.35, -0.9, 0.75)), "head": (14, 0, -8)},
        _both("leg", _STRAIGHT)
        | _both("arm", ((0.22, -0.30, -1), (-0.95, -0.45, 0.25)))
        | {"legL": ((0.12, -0.10, -1), (0.10, 0.05, -1))},
    ),
    "arms_raised": (
        _both("arm", _UP) | _both("leg", _WIDE) | {"head": (-8, 0, 0)},
        _both("arm", ((0.75, -0.05, 1), (0.60, -0.1, 1))) | _both("leg", _STRAIGHT),
        _STAND | {"armR": _UP, "head": (-18, 0, 0), "spine": (-4, 5, 0)},
        _both("arm", ((0.20, -0.75, 1), (0.02, -0.75, 1)))
        | _both("leg", _STRAIGHT)
        | {"head": (-14, 0, 0)},
    ),
    "bending": (
        {"pelvis": (48, 0, 0), "spine": (32, 0, 0)}
        | _both("arm", ((0.10, -0.25, -1), (0.03, -0.22, -1)))
        | _STOOP,
        {"pelvis": (55, 0, 0), "spine": (38, 0, 10), "head": (-10, 0, 0)}
        | {"armR": ((0.05, -0.45, -1), (0.02, -0.35, -1))}
        | {"armL": ((0.25, 0.35, -1), (-0.10, -0.5, -1))}
        | _both("leg", ((0.12, -0.35, -1), (0.06, 0.28, -1))),
        {"pelvis": (40, 0, 0), "spine": (22, 0, 0), "head": (-22, 0, 0)}
        | _both("arm", ((0.18, -0.18, -1), (0.02, 0.02, -1)))
        | _both("leg", ((0.18, -0.30, -1), (0.08, 0.22, -1))),
    ),
    "squatting": (
        {"pelvis": (38, 0, 0), "spine": (-8, 0, 0), "head": (-26, 0, 0)}
        | _both("arm", ((0.12, -1, 0.12), (0.0, -1, 0.15)))
        | _both("leg", _SQUAT)
        | {"toe_out": 20},
        {"pelvis": (30, 0, 0), "spine": (24, 0, 0), "head": (-20, 0, 0)}
        | _both("arm", ((0.20, -0.75, -0.55), (-0.35, -0.9, 0.1)))
        | _both("leg", ((0.38, -0.95, 0.02), (0.0, 0.60, -1)))
        | {"toe_out": 14, "footL": 24, "footR": 24},
        {"pelvis": (34, 0, 0), "spine": (10, 0, 0), "head": (-15, 0, 0)}
        | _both("arm", ((0.15, -0.5, -1), (0.0, -0.6, -1)))
        | _both("leg", ((0.46, -0.95, -0.02), (0.02, 0.55, -1)))
        | {"toe_out": 24},
    ),
    "kneeling": (
        {"spine": (2, 0, 0)} | _both("arm", _HANG) | _both("leg", _KNEEL) | _INSTEP,
        {"pelvis": (4, 0, 0), "spine": (8, 0, 0)}
        | _both("arm", ((0.18, -0.25, -1), (-0.12, -0.9, -0.45)))
        | _both("leg", _HEELS)
        | _INSTEP,
        {"pelvis": (6, 0, 0), "spine": (6, 0, 0)}
        | {"armL": ((0.2, -0.75, -0.75), (-0.1, -0.9, -0.1)), "armR": _HANG}
        | {"legL": ((0.12, -1, -0.05), (0.05, 0.03, -1)), "legR": _KNEEL, "footR": 70},
    ),
    "sitting_chair": (
        {"pelvis": (-4, 0, 0), "spine": (6, 0, 0)} | _CHAIR,
        _CHAIR
        | {"pelvis": (-16, 0, 0), "spine": (12, 0, 0)}
        | _both("leg", ((0.20, -1, -0.06), (0.08, -0.30, -1))),
        _CHAIR
        | {"pelvis": (16, 0, 0), "spine": (30, 0, 0), "head": (-18, 0, 0)}
        | _both("arm", ((0.22, -0.8, -0.9), (-0.35, -0.85, 0.1))),
        _CHAIR
        | {"legL": ((0.03, -1, 0.16), (-0.40, -0.28, -1))}
        | _both("arm", ((0.22, -0.35, -1), (-0.75, -0.7, 0.0))),
    ),
    "sitting_floor": (
        {"pelvis": (-6, 0, 0), "spine": (16, 0, 0)}
        | _both("arm", ((0.25, -0.35, -1), (0.10, -1, -0.35)))
        | _both("leg", ((0.80, -0.80, 0.06), (-1, -0.12, -0.10)))
        | {"toe_out": 50},
        {"pelvis": (-14, 0, 0), "spine": (4, 0, 0)}
        | _both("arm", _PROP)
        | _both("leg", ((0.16, -1, 0.14), (0.04, -1, -0.26)))
        | _TOES_UP,
        {"pelvis": (-16, 0, 0), "spine": (18, 0, 0)}
        | _both("arm", ((0.22, -1, -0.50), (-0.50, -0.9, 0.0)))
        | _both("leg", ((0.14, -0.85, 0.50), (0.03, -0.72, -1))),
    ),
    "lying": (
        {"pelvis": (-90, 0, 0), "head": (8, 0, 0)}
        | _both("arm", ((0.28, -1, -0.06), (0.08, -1, -0.02)))
        | _both("leg", ((0.12, -1, -0.02), (0.08, -1, -0.03)))
        | _TOES_UP,
        {"pelvis": (-90, 0, 0), "head": (10, 0, 12)}
        | {"armL": ((0.35, -0.9, 0.05), (-0.75, -0.35, 0.22))}
        | {"armR": ((0.75, 0.55, -0.1), (0.15, 1, -0.05))}
        | {"legL": ((0.14, -0.75, 0.65), (0.05, -0.50, -1))}
        | {"legR": ((0.12, -1, -0.02), (0.08, -1, -0.03)), "footR": -65},
        {"pelvis": (-90, 88, 0), "spine": (14, 0, 0), "head": (6, 0, 0)}
        | {"armL": ((0.8, -0.45, -0.15), (0.85, 0.55, -0.05))}
        | {"armR": ((-0.9, -0.55, -0.35), (-0.8, 0.35, -0.55))}
        | {"legL": ((0.55, -0.95, 0.02), (-0.35, -1, -0.02))}
        | {"legR": ((-0.75, -0.8, -0.05), (0.45, -1, -0.12))}
        | {"footL": -60, "footR": -60},
        {"pelvis": (90, 0, 0), "head": (-16, 0, 0)}
        | _both("arm", ((0.75, -0.75, -0.06), (-0.30, -1, -0.05)))
        | _both("leg", ((0.12, 1, -0.03), (0.08, 1, -0.02)))
        | {"footL": 170, "footR": 170},
    ),
}
# Anchored by the hips, not by the feet.
ON_THE_FLOOR = ("kneeling", "sitting_floor", "lying")
BY_HIPS = ("sitting_chair", *ON_THE_FLOOR)
