"""The people: bodies, hair and two outfits each. Data, to be read and changed.

`body` holds MakeHuman's macros in 0..1 (gender 0 male, 1 female; age 0.33 child, 0.67
young, 1 old). `style` of hair: 0 short, 1 long, 2 to the chin. An outfit's `sleeve` and
`legs` say where cloth ends (metres on the average body); `pattern` 0 plain, 1 hoops,
2 stripes, 3 checks, 4 a print on the chest. Colours are (red, green, blue) in 0..1.
"""

from dataclasses import dataclass

Colour = tuple[float, float, float]
LONG, ELBOW, SHORT, BARE = 0.43, 0.33, 0.27, 0.20  # sleeves
TROUSERS, CROPPED, SHORTS = -0.77, -0.62, -0.37  # legs


@dataclass(frozen=True)
class Outfit:
    """What a person wears."""

    top: Colour
    top2: Colour
    bottom: Colour
    shoe: Colour
    sleeve: float = SHORT
    legs: float = TROUSERS
    pattern: int = 0


@dataclass(frozen=True)
class Look:
    """A person: a body, a skin, hair, clothes."""

    body: dict[str, float]
    skin: Colour
    hair: Colour
    style: int
    outfits: tuple[Outfit, ...]
    beard: bool = False


_BLACK, _WHITE, _GREY = (0.07, 0.07, 0.08), (0.90, 0.90, 0.88), (0.45, 0.46, 0.48)
_JEANS, _NAVY, _SAND = (0.22, 0.30, 0.48), (0.10, 0.13, 0.25), (0.62, 0.53, 0.40)
_OLIVE, _WINE = (0.33, 0.35, 0.20), (0.42, 0.10, 0.15)


def _body(
    gender: float, age: float, weight: float, height: float, **rest: float
) -> dict:
    return {"gender": gender, "age": age, "weight": weight, "height": height} | rest


PEOPLE: dict[str, Look] = {
    "person01": Look(
        _body(0, 0.66, 0.50, 0.40, muscle=0.65, caucasian=1),
        (0.80, 0.60, 0.48),
        (0.16, 0.10, 0.06),
        0,
        (
            Outfit((0.16, 0.33, 0.62), _WHITE, (0.12, 0.13, 0.17), _WHITE),
            Outfit(_GREY, _BLACK, _SAND, _BLACK, LONG, SHORTS, 4),
        ),
    ),
    "person02": Look(
        _body(1, 0.62, 0.45, 0.45, muscle=0.5, african=1),
        (0.36, 0.22, 0.15),
        (0.04, 0.03, 0.03),
        2,
        (
            Outfit((0.86, 0.55, 0.12), (0.95, 0.85, 0.55), _JEANS, _BLACK),
            Outfit(_WHITE, _WINE, _BLACK, (0.7, 0.2, 0.2), BARE, CROPPED, 2),
        ),
    ),
    "person03": Look(
        _body(0, 0.92, 0.74, 0.35, muscle=0.42, caucasian=0.7, asian=0.3),
        (0.78, 0.56, 0.46),
        (0.62, 0.61, 0.60),
        0,
        (
            Outfit(
                (0.45, 0.10, 0.12), _SAND, (0.42, 0.38, 0.30), _BLACK, LONG, pattern=1
            ),
        ),
        beard=True,
    ),
    "person04": Look(
        _body(1, 0.66, 0.72, 0.40, muscle=0.5, asian=1),
        (0.82, 0.64, 0.50),
        (0.05, 0.04, 0.04),
        1,
        (Outfit((0.18, 0.50, 0.36), _WHITE, _BLACK, (0.80, 0.25, 0.30), LONG),),
    ),
    "person05": Look(
        _body(0.2, 0.40, 0.5, 0.5, muscle=0.5, african=0.4, asian=0.3, caucasian=0.3),
        (0.60, 0.41, 0.29),
        (0.07, 0.05, 0.04),
        0,
        (
            Outfit(
                (0.85, 0.82, 0.78),
                (0.75, 0.15, 0.15),
                (0.25, 0.33, 0.50),
                (0.15, 0.35, 0.65),
                legs=SHORTS,
                pattern=1,
            ),
        ),
    ),
    "person06": Look(
        _body(1, 0.95, 0.55, 0.40, muscle=0.45, caucasian=0.6, african=0.4),
        (0.66, 0.47, 0.36),
        (0.75, 0.74, 0.72),
        2,
        (Outfit((0.42, 0.28, 0.50), _WHITE, (0.25, 0.22, 0.22), _BLACK, LONG),),
    ),
    "person07": Look(
        _body(0, 0.70, 0.45, 0.75, muscle=0.8, african=1),
        (0.27, 0.17, 0.12),
        (0.25, 0.16, 0.11),  # shaven
        0,
        (Outfit(_WHITE, _BLACK, (0.35, 0.36, 0.40), _WHITE, BARE, SHORTS, 4),),
    ),
    "person08": Look(
        _body(1, 0.68, 0.38, 0.70, muscle=0.55, caucasian=1),
        (0.84, 0.64, 0.53),
        (0.72, 0.52, 0.26),
        2,
        (Outfit(_BLACK, _GREY, _BLACK, (0.85, 0.85, 0.3), BARE, CROPPED),),
    ),
    "person09": Look(
        _body(0, 0.80, 0.92, 0.45, muscle=0.35, asian=0.6, caucasian=0.4),
        (0.74, 0.55, 0.42),
        (0.06, 0.05, 0.05),
        0,
        (
            Outfit(
                (0.55, 0.62, 0.72), _WHITE, _NAVY, (0.25, 0.15, 0.1), LONG, pattern=3
            ),
        ),
        beard=True,
    ),
    "person10": Look(
        _body(1, 0.50, 0.42, 0.30, muscle=0.5, asian=0.5, african=0.5),
        (0.55, 0.36, 0.24),
        (0.10, 0.06, 0.04),
        1,
        (
            Outfit(
                (0.90, 0.45, 0.50), _WHITE, _WHITE, (0.9, 0.5, 0.6), ELBOW, SHORTS, 3
            ),
        ),
    ),
    "person11": Look(
        _body(0, 0.64, 0.32, 0.62, muscle=0.35, asian=1),
        (0.84, 0.68, 0.54),
        (0.03, 0.03, 0.04),
        0,
        (Outfit(_OLIVE, (0.6, 0.6, 0.4), _JEANS, _WHITE, ELBOW, pattern=2),),
    ),
    "person12": Look(
        _body(1, 0.78, 0.90, 0.50, muscle=0.45, african=1),
        (0.42, 0.27, 0.19),
        (0.08, 0.05, 0.04),
        1,
        (
            Outfit(
                (0.10, 0.45, 0.55), (0.9, 0.75, 0.3), _WINE, _BLACK, ELBOW, pattern=1
            ),
        ),
    ),
    "person13": Look(
        _body(0, 1.0, 0.40, 0.50, muscle=0.3, caucasian=0.5, asian=0.5),
        (0.76, 0.57, 0.47),
        (0.86, 0.85, 0.83),
        0,
        (Outfit(_SAND, _WHITE, _GREY, _BLACK, LONG, pattern=2),),
    ),
    "person14": Look(
        _body(1, 0.60, 0.55, 0.55, muscle=0.75, caucasian=0.8, asian=0.2),
        (0.80, 0.58, 0.44),
        (0.32, 0.14, 0.07),
        1,
        (Outfit((0.75, 0.12, 0.14), _WHITE, _NAVY, _WHITE, SHORT, SHORTS, 4),),
    ),
}
