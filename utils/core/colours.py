"""A colour and a key for each class, told apart with any kind of colour vision."""

from collections.abc import Sequence

# Okabe and Ito (https://jfly.uni-koeln.de/color/) without black, then Paul Tol's muted
# (https://personal.sros.nl/~tol/): told apart with any kind of colour vision.
_PALETTE = (
    "#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7",
    "#882255", "#999933", "#332288", "#44aa99", "#aa4499", "#117733", "#ddcc77",
)  # fmt: skip
_SPECIAL_COLOURS = ("#6b6b6b", "#a3a3a3")


def colour_classes(
    classes: Sequence[str], special: Sequence[str] = ()
) -> list[dict[str, str]]:
    """Give each class its key and its colour.

    Args:
        classes: Classes in order; the first nine have the keys 1 to 9.
        special: The two answers "none of these" and "unsure": keys 0 and u, greys.

    Returns:
        A dict `name`, `key` ("" for none), `colour` ("#rrggbb") for each.

    Example:
        >>> colour_classes(["sitting"], ["none of these"])[1]["key"]
        '0'
    """
    coloured = [
        {
            "name": name,
            "key": str(idx + 1) if idx < 9 else "",
            "colour": _PALETTE[idx % len(_PALETTE)],
        }
        for idx, name in enumerate(classes)
    ]
    keys = ("0", "u")
    coloured += [
        {"name": name, "key": keys[idx], "colour": _SPECIAL_COLOURS[idx]}
        for idx, name in enumerate(special)
    ]
    return coloured


def ink_on(colour: str) -> str:
    """Return black or white, whichever reads better on a colour `#rrggbb`."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return "#000000" if 0.299 * red + 0.587 * green + 0.114 * blue > 140 else "#ffffff"
