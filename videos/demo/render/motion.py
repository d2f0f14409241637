"""From a row of postures to a body that moves: one state a frame."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.spatial.transform import Rotation, Slerp

from .body import Person
from .postures import BY_HIPS, ON_THE_FLOOR, VARIANTS

_LEG_S = 0.55  # from one posture to the next, by way of others if need be
_JITTER_DEG = 6.0
_SWAY = {  # bone: degrees
    "upperarm01": 1.6,
    "lowerarm01": 1.8,
    "spine03": 0.9,
    "spine01": 0.8,
    "neck02": 2.0,
    "head": 2.0,
}
_SWAY_HZ = (0.23, 0.51, 0.97)
_CHAIR_XY = (0.82, 0.25)  # beside the person's place, the middle of its seat
_HIGH = ("standing", "arms_raised", "bending")


@dataclass(frozen=True)
class State:
    """A body at one moment, for `Person.skin`; frames stack along the first axis."""

    quaternions: np.ndarray
    turn_deg: float
    place_xy: np.ndarray
    by_feet: float


@dataclass(frozen=True)
class Frame:
    """A state and what is true of it; no label while it moves between postures."""

    state: State
    label: str | None


@dataclass(frozen=True)
class Hold:
    """A posture, the two ways it is taken in, and how long."""

    posture: str
    states: tuple[State, State]
    hold_s: float


def choose_order(rng: np.random.Generator) -> list[str]:
    """Choose an order of the postures that a person could go through."""
    orders = [
        [str(name) for name in rng.permutation(list(VARIANTS))] for _ in range(60)
    ]
    ways = [sum(len(_between(a, b)) for a, b in pairwise(order)) for order in orders]
    return orders[int(np.argmin(ways))]


def choose_states(
    person: Person, posture: str, turn_deg: float, rng: np.random.Generator
) -> tuple[State, State]:
    """Take a posture in two ways, one after the other: nobody holds quite still.

    Args:
        person: Who takes it.
        posture: Its name.
        turn_deg: The side this clip sees the person from.
        rng: Chance.
    """
    turn = _choose_turn(posture, turn_deg, rng)
    place = _choose_place(posture, rng)
    ways = len(VARIANTS[posture])
    first = int(rng.integers(ways))
    second = first if posture == "lying" else int(rng.integers(ways))
    states = []
    for way in (first, second):
        quaternions = person.bend(VARIANTS[posture][way])
        quaternions = _jitter(person, quaternions, rng, _JITTER_DEG)
        states.append(State(quaternions, turn, place, _is_by_feet(posture)))
        if posture != "sitting_chair":
            turn = turn + rng.uniform(-15, 15)
    return states[0], states[1]


def _choose_turn(posture: str, turn_deg: float, rng: np.random.Generator) -> float:
    """Turn the body as people do: a little, rarely a lot; who lies, lies across."""
    if posture == "lying":
        return rng.choice([-90, 90]) + rng.uniform(-35, 35)
    wide = 50 if rng.random() < 0.12 else 20
    return turn_deg + rng.uniform(-wide, wide)


def _choose_place(posture: str, rng: np.random.Generator) -> np.ndarray:
    """Where on the floor: the chair is on one side, who lies or sits on the other."""
    if posture == "sitting_chair":
        return np.array(_CHAIR_XY)
    middle = (-0.32, -0.15) if posture in ON_THE_FLOOR else (-0.05, 0.0)
    return np.array(middle) + rng.uniform(-0.18, 0.18, 2)


def _is_by_feet(posture: str) -> float:
    return 0.0 if posture in BY_HIPS else 1.0


def move(
    person: Person, holds: list[Hold], *, fps: int, rng: np.random.Generator
) -> list[Frame]:
    """Hold each posture and move on to the next: one frame each 1 / `fps` seconds."""
    frames: list[Frame] = []
    last: Hold | None = None
    for hold in holds:
        if last:
            begin, end = last.states[1], hold.states[0]
            names = _between(last.posture, hold.posture)
            way = [_pass_through(person, name, begin, end) for name in names]
            n = round(_LEG_S * (len(way) + 1.6) * fps)
            at = (np.arange(n) + 1) / (n + 1)
            frames += _film([begin, *way, end], _ease(at), None)
        n = round(hold.hold_s * fps)
        at = np.clip(1.6 * np.arange(n) / max(1, n - 1) - 0.3, 0, 1)
        frames += _film(list(hold.states), _ease(at), hold.posture)
        last = hold
    return _sway(person, frames, fps, rng)


def _film(states: list[State], at: np.ndarray, label: str | None) -> list[Frame]:
    return [Frame(state, label) for state in _interpolate(states, at)]


def _between(one: str, other: str) -> list[str]:
    """Postures to pass through so that nobody falls through the floor."""
    low = ("sitting_floor", "lying")
    if one == "lying" or other == "lying":
        rest = other if one == "lying" else one
        way = ["sitting_floor"] * (rest != "sitting_floor")
        way = way + (["squatting"] if rest in (*_HIGH, "sitting_chair") else [])
        return way if one == "lying" else way[::-1]
    if "sitting_chair" in (one, other):
        rest = other if one == "sitting_chair" else one
        return ["standing"] * (rest not in _HIGH)
    if one in low or other in low:
        rest = other if one in low else one
        return ["squatting"] * (rest in _HIGH)
    return []


def _pass_through(person: Person, posture: str, before: State, after: State) -> State:
    return State(
        person.bend(VARIANTS[posture][-1]),
        turn_deg=(before.turn_deg + after.turn_deg) / 2,
        place_xy=(before.place_xy + after.place_xy) / 2,
        by_feet=_is_by_feet(posture),
    )


def _ease(at: np.ndarray) -> np.ndarray:
    return at * at * (3 - 2 * at)


def _interpolate(states: list[State], at: np.ndarray) -> list[State]:
    """States along a way; `at` 0 is the first of them, 1 the last."""
    knots = np.linspace(0, 1, len(states))
    n_bones = len(states[0].quaternions)
    bones = [
        Slerp(knots, Rotation.from_quat([s.quaternions[bone] for s in states]))(at)
        for bone in range(n_bones)
    ]
    quaternions = np.stack([bone.as_quat() for bone in bones], axis=1)
    turn = np.interp(at, knots, [s.turn_deg for s in states])
    feet = np.interp(at, knots, [s.by_feet for s in states])
    x = np.interp(at, knots, [s.place_xy[0] for s in states])
    y = np.interp(at, knots, [s.place_xy[1] for s in states])
    return [
        State(quaternions[i], turn[i], np.array([x[i], y[i]]), feet[i])
        for i in range(len(at))
    ]


def _replace_quaternions(state: State, quaternions: np.ndarray) -> State:
    return State(quaternions, state.turn_deg, state.place_xy, state.by_feet)


def _jitter(
    person: Person, quaternions: np.ndarray, rng: np.random.Generator, degrees: float
) -> np.ndarray:
    """Turn every bone at random: arms most, what stands on the floor not at all."""
    still = ("root", "toe", "foot", "upperleg", "lowerleg", "pelvis")
    loose = ("upperarm01", "lowerarm01", "clavicle")
    share = np.array(
        [
            0.0 if bone.startswith(still) else 1.0 if bone.startswith(loose) else 0.25
            for bone in person.model.bones
        ]
    )
    turns = np.radians(degrees) * share[:, None] * rng.normal(size=(len(share), 3))
    return (Rotation.from_quat(quaternions) * Rotation.from_rotvec(turns)).as_quat()


def _sway(
    person: Person, frames: list[Frame], fps: int, rng: np.random.Generator
) -> list[Frame]:
    """Let arms, back and head sway slowly, so that no two frames are the same."""
    time_s = np.arange(len(frames))[:, None] / fps
    quaternions = np.stack([frame.state.quaternions for frame in frames])
    for bone, name in enumerate(person.model.bones):
        if degrees := _SWAY.get(name.partition(".")[0]):
            waves = sum(
                np.sin(2 * np.pi * (hz * time_s + rng.random(3))) / (k + 1)
                for k, hz in enumerate(_SWAY_HZ)
            )
            turn = Rotation.from_rotvec(waves * np.radians(degrees))
            old = Rotation.from_quat(quaternions[:, bone])
            quaternions[:, bone] = (old * turn).as_quat()
    return [
        Frame(_replace_quaternions(frame.state, quaternion), frame.label)
        for frame, quaternion in zip(frames, quaternions, strict=True)
    ]
