"""Which clip shows whom, where and from which side; and what happens in it."""

from dataclasses import dataclass

import numpy as np

from .body import BodyModel, Person, Skinned
from .motion import Frame, Hold, State, choose_order, choose_states, move
from .people import PEOPLE
from .picture import Renderer
from .rooms import ROOMS, Room, build_room, build_seat, vary

FPS = 15
_HOLD_S = (1.0, 1.65)
_SEED = 20261127


@dataclass(frozen=True)
class Clip:
    """One clip: at 0 degrees the person faces the camera, at 180 the wall."""

    name: str
    room: str
    turn_deg: float

    @property
    def subject(self) -> str:
        """Who is in it."""
        return self.name.partition("_")[0]

    @property
    def rng(self) -> np.random.Generator:
        """Chance of this clip's own, so that each can be rendered alone."""
        return np.random.default_rng([_SEED, *self.name.encode()])


CLIPS = tuple(
    Clip(*row)
    for row in (
        ("person01_a", "living", 25),
        ("person01_b", "loft", -70),
        ("person02_a", "gym", -35),
        ("person02_b", "kitchen", 40),
        ("person03_a", "office", 15),
        ("person04_a", "garden", 60),
        ("person05_a", "living", -50),
        ("person06_a", "gym", 80),
        ("person07_a", "loft", 35),
        ("person08_a", "garden", -20),
        ("person09_a", "kitchen", -25),
        ("person10_a", "gym", 5),
        ("person11_a", "office", -40),
        ("person12_a", "living", 140),
        ("person13_a", "loft", -10),
        ("person14_a", "garden", -125),
    )
)


@dataclass(frozen=True)
class Shoot:
    """All that happens in one clip, decided before anything is drawn."""

    clip: Clip
    person: Person
    room: Room
    chair: State
    frames: list[Frame]
    phases: np.ndarray  # of the hand that holds the camera
    rng: np.random.Generator  # what is left to chance: the sensor's noise

    def skin(self, index: int) -> Skinned:
        """Bend the body as it is in one frame."""
        state = self.frames[index].state
        return self.person.skin(
            state.quaternions,
            turn_deg=state.turn_deg,
            place_xy=state.place_xy,
            by_feet=state.by_feet,
        )

    def aim(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Eye and map of the camera in one frame; it follows within a second."""
        near = self.frames[max(0, index - FPS // 2) : index + FPS // 2]
        place = np.mean([frame.state.place_xy for frame in near], axis=0)
        part = index / max(1, len(self.frames) - 1)
        return self.room.camera.aim(part, index / FPS, place, self.phases)


def plan(clip: Clip, model: BodyModel) -> Shoot:
    """Grow the person, choose the light, decide every movement."""
    rng = clip.rng
    look = PEOPLE[clip.subject]
    person = Person(model, look.body, short_hair=look.style == 0)
    room = vary(ROOMS[clip.room], rng)
    holds = [
        Hold(
            posture,
            choose_states(person, posture, clip.turn_deg, rng),
            float(rng.uniform(*_HOLD_S)),
        )
        for posture in choose_order(rng)
    ]
    frames = move(person, holds, fps=FPS, rng=rng)
    chair = next(hold.states[0] for hold in holds if hold.posture == "sitting_chair")
    return Shoot(clip, person, room, chair, frames, rng.random((3, 3)), rng)


class Set:
    """The renderer with one clip's person and room in it."""

    def __init__(self, shoot: Shoot, renderer: Renderer) -> None:
        """Dress the person, furnish the room; draw it alone if the camera stands."""
        self._shoot, self._renderer = shoot, renderer
        room = shoot.room
        renderer.set_person(shoot.person.model, _mix_person(shoot.clip))
        seat = build_seat(shoot.person, shoot.chair, backrest=room.backrest)
        renderer.set_room(build_room(room, seat), _mix_room(room), half_m=room.half_m)
        self._empty = None
        if not room.camera.moves:
            eye, view = shoot.aim(0)
            self._empty = renderer.draw(None, eye=eye, view=view, sun=room.sun)

    def draw(self, index: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Draw one frame: picture, keypoints `(17, 2)` in pixels, whether they show."""
        shoot, draw = self._shoot, self._renderer.draw
        eye, view = shoot.aim(index)
        body = shoot.skin(index)
        image = draw(body, eye=eye, view=view, sun=shoot.room.sun, empty=self._empty)
        noise = shoot.rng.normal(0, shoot.room.noise, (*image.shape[:2], 1))
        image = np.clip(image + noise, 0, 255).astype(np.uint8)
        return image, *self._renderer.locate(body.keypoints, view)


def _mix_person(clip: Clip) -> dict[str, object]:
    look = PEOPLE[clip.subject]
    outfit = look.outfits["ab".index(clip.name[-1])]
    dyes = ("top", "top2", "bottom", "shoe")
    return {
        "skin": _to_linear(look.skin),
        "hair": look.hair,
        "style": float(look.style),
        "beard": float(look.beard),
        "sleeve": outfit.sleeve,
        "legs": outfit.legs,
        "pattern": float(outfit.pattern),
    } | {dye: _to_linear(getattr(outfit, dye)) for dye in dyes}


def _mix_room(room: Room) -> dict[str, object]:
    names = ("suncol", "skycol", "wood", "fabric")
    return {
        "wallA": room.walls[0],
        "wallB": room.walls[1],
        "floorA": room.floors[0],
        "floorB": room.floors[1],
        "walltype": float(room.walltype),
        "floortype": float(room.floortype),
    } | {name: getattr(room, name) for name in names}


def _to_linear(colour: tuple) -> tuple:
    return tuple(np.array(colour) ** 1.6)
