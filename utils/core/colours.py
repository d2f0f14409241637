"""The colour of each class, model and side of the body: decided here, used everywhere.

Colours are `#rrggbb`. Charts, annotated videos and the labelling widget take them from
here, so that a class, a model and a left arm look the same wherever they are met.
"""

from collections.abc import Mapping, Sequence

from utils.core.skeleton import EDGES, KEYPOINTS

# Okabe and Ito (https://jfly.uni-koeln.de/color/) without black, then Paul Tol's muted
# (https://personal.sros.nl/~tol/): told apart with any kind of colour vision.
_PALETTE = (
    "#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7",
    "#882255", "#999933", "#332288", "#44aa99", "#aa4499", "#117733", "#ddcc77",
)  # fmt: skip
_SPECIAL_COLOURS = ("#6b6b6b", "#a3a3a3")
# The letters are those that no command of the labelling widget has.
CLASS_KEYS = "123456789abcdehklmqrwxyz"

# Blue for pose, orange for whole pictures, green for the crop of the person;
# blue and orange as in the original project's charts.
MODEL_COLOURS: dict[str, str] = {
    "pose_softmax": "#0072b2",
    "pose_best": "#56b4e9",
    "mobilenet_frozen": "#e69f00",
    "mobilenet_crop": "#009e73",
    "mobilenet_finetuned": "#d55e00",
    "mobilenet_crop_finetuned": "#332288",
    "pose_and_crop": "#cc79a7",
    "majority": "#777777",
}
_OTHER_MODEL = "#555555"

# The subject's sides, not the viewer's.
SIDE_COLOURS: dict[str, str] = {
    "left": "#56b4e9",
    "right": "#e69f00",
    "middle": "#f0e442",
}


# What a person chose of a class: `colour`, `key`, or both.
Looks = Mapping[str, Mapping[str, str]]
# How one class looks: `name`, `key`, `colour`, `pattern`.
ClassLook = dict[str, str | int]


def colour_classes(
    classes: Sequence[str], special: Sequence[str] = (), *, looks: Looks | None = None
) -> list[ClassLook]:
    """Give each class its key, its colour, and a pattern where colours repeat.

    Args:
        classes: Classes in order; they have the keys 1 to 9, then free letters.
        special: The two answers "none of these" and "unsure": keys 0 and u, greys.
        looks: What was chosen instead, by class.

    Returns:
        A dict for each: `name`, `key` ("" for none), `colour` ("#rrggbb") and
        `pattern`: how many classes before it have its colour, 0 for plain.

    Example:
        >>> colour_classes(["sitting"], ["none of these"])[1]["key"]
        '0'
    """
    looks = looks or {}
    keys = _share_keys([looks.get(name, {}).get("key", "") for name in classes])
    coloured: list[ClassLook] = []
    for idx, (name, key) in enumerate(zip(classes, keys, strict=True)):
        own = looks.get(name, {}).get("colour", "")
        colour = own or _PALETTE[idx % len(_PALETTE)]
        pattern = sum(other["colour"] == colour for other in coloured)
        coloured.append(
            {"name": name, "key": key, "colour": colour, "pattern": pattern}
        )
    coloured += [
        {"name": name, "key": key, "colour": colour, "pattern": 0}
        for name, key, colour in zip(special, "0u", _SPECIAL_COLOURS, strict=False)
    ]
    return coloured


def _share_keys(chosen: Sequence[str]) -> list[str]:
    """Return the key of each class: the chosen one, its place's, or else a free one."""
    places = [CLASS_KEYS[idx : idx + 1] for idx in range(len(chosen))]
    keys = [
        own or ("" if place in chosen else place)
        for own, place in zip(chosen, places, strict=True)
    ]
    free = iter([key for key in CLASS_KEYS if key not in keys])
    return [key or next(free, "") for key in keys]


def colour_model(model: str) -> str:
    """Return a model's colour; grey for one that has none of its own."""
    return MODEL_COLOURS.get(model, _OTHER_MODEL)


def colour_side(*keypoints: str) -> str:
    """Return the colour of a keypoint, or of the bone between two.

    Args:
        *keypoints: One name, or two.

    Returns:
        The colour of the side that all of them are on; else that of the middle.

    Example:
        >>> colour_side("left_hip", "right_hip") == SIDE_COLOURS["middle"]
        True
    """
    sides = {name.split("_")[0] for name in keypoints}
    side = sides.pop() if len(sides) == 1 else "middle"
    return SIDE_COLOURS.get(side, SIDE_COLOURS["middle"])  # the nose has no side


# One colour a keypoint and one a bone, in the order of KEYPOINTS and EDGES.
KEYPOINT_COLOURS: tuple[str, ...] = tuple(colour_side(name) for name in KEYPOINTS)
EDGE_COLOURS: tuple[str, ...] = tuple(colour_side(*edge) for edge in EDGES)


def split_rgb(colour: str) -> tuple[int, int, int]:
    """Return red, green and blue of a colour `#rrggbb`, 0 to 255."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return red, green, blue


def ink_on(colour: str) -> str:
    """Return black or white, whichever stands out more from a colour `#rrggbb`.

    By WCAG 2's contrast of relative luminances, which is 4.58 : 1 at the least.
    """
    shares = [value / 255 for value in split_rgb(colour)]
    red, green, blue = (
        share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4
        for share in shares
    )
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    # From here on (1.05 / (L + 0.05) = (L + 0.05) / 0.05) black stands out more.
    return "#000000" if luminance > 0.179 else "#ffffff"
