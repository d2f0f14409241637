"""The rooms: walls, furniture, light and where the camera stands. Data and boxes.

Metres; the person's place is about the origin, the back wall at +y.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial.transform import Rotation

from .body import HIPS, Person
from .camera import Camera
from .motion import State
from .postures import VARIANTS

# What the shader paints; below 10 are parts of the body.
FLOOR, WALL, WOOD, FRAME, PAINTING, WINDOW, PLANT, FABRIC = range(10, 18)
Colour = tuple[float, float, float]
Box = tuple[Colour, Colour, int]  # centre, size, material


@dataclass(frozen=True)
class Room:
    """A place with its light and its camera."""

    camera: Camera
    boxes: tuple[Box, ...]
    sun: Colour  # where the light comes from
    suncol: Colour
    skycol: Colour
    walls: tuple[Colour, Colour]
    floors: tuple[Colour, Colour]
    wood: Colour
    fabric: Colour
    walltype: int  # 0 plain, 1 striped, 2 bricks, 3 hedge and sky
    floortype: int  # 0 planks, 1 tiles, 2 grass
    half_m: float = 3.6
    backrest: bool = True
    noise: float = 2.5  # of the sensor, in grey values
    crf: int = 26  # of the film; higher where grass or noise would fill megabytes


ROOMS: dict[str, Room] = {
    "living": Room(  # on a low shelf, looking up a little
        Camera((-0.75, -3.3, 0.50), (0.02, 0, 0.84), 44, roll_deg=1.5),
        (
            ((-2.0, 3.1, 0.40), (2.0, 0.8, 0.35), FABRIC),
            ((-2.0, 3.4, 0.70), (2.0, 0.25, 0.8), FABRIC),
            ((1.7, 3.52, 1.6), (1.0, 0.06, 0.7), FRAME),
            ((1.7, 3.50, 1.6), (0.9, 0.06, 0.6), PAINTING),
            ((2.7, 2.9, 0.35), (0.35, 0.35, 0.7), WOOD),
            ((2.7, 2.9, 0.95), (0.6, 0.6, 0.6), PLANT),
            ((0.4, 3.35, 0.45), (1.1, 0.4, 0.9), WOOD),
        ),
        sun=(-0.5, -0.8, 1.1),
        suncol=(1.25, 1.18, 1.05),
        skycol=(0.75, 0.78, 0.82),
        walls=((0.70, 0.68, 0.60), (0.62, 0.60, 0.54)),
        floors=((0.45, 0.29, 0.17), (0.58, 0.40, 0.25)),
        wood=(0.40, 0.25, 0.14),
        fabric=(0.25, 0.36, 0.42),
        walltype=0,
        floortype=0,
    ),
    "gym": Room(  # a tripod at the height of the chest
        Camera((0.15, -3.4, 1.25), (0.05, 0, 0.82), 42),
        (
            ((-2.6, 3.3, 0.5), (0.9, 0.4, 1.0), WOOD),
            ((-1.2, 3.52, 1.8), (1.4, 0.06, 1.5), FRAME),
            ((-1.2, 3.50, 1.8), (1.3, 0.06, 1.4), WINDOW),
            ((2.3, 3.2, 0.25), (1.6, 0.6, 0.1), FABRIC),
            ((2.3, 3.2, 0.55), (1.6, 0.6, 0.1), WOOD),
            ((2.3, 3.2, 0.85), (1.6, 0.6, 0.1), FABRIC),
        ),
        sun=(0.6, -0.9, 1.6),
        suncol=(0.85, 0.88, 0.95),
        skycol=(0.80, 0.84, 0.90),
        walls=((0.55, 0.66, 0.74), (0.50, 0.60, 0.69)),
        floors=((0.34, 0.36, 0.40), (0.40, 0.42, 0.46)),
        wood=(0.12, 0.13, 0.15),
        fabric=(0.65, 0.20, 0.16),
        walltype=1,
        floortype=1,
        backrest=False,
    ),
    "loft": Room(  # under the ceiling, in a corner
        Camera((1.75, -2.9, 2.55), (0.02, 0.05, 0.70), 43, roll_deg=-2),
        (
            ((-2.1, 3.2, 0.45), (1.2, 0.5, 0.9), WOOD),
            ((-2.9, 1.2, 1.0), (0.5, 1.6, 2.0), WOOD),
            ((0.8, 3.52, 1.7), (1.2, 0.06, 0.9), FRAME),
            ((0.8, 3.50, 1.7), (1.1, 0.06, 0.8), PAINTING),
            ((2.4, 2.6, 0.4), (0.6, 0.6, 0.8), PLANT),
        ),
        sun=(0.9, -0.5, 0.8),
        suncol=(1.45, 1.15, 0.85),
        skycol=(0.55, 0.50, 0.48),
        walls=((0.50, 0.22, 0.15), (0.60, 0.32, 0.22)),
        floors=((0.30, 0.28, 0.27), (0.36, 0.34, 0.33)),
        wood=(0.25, 0.22, 0.20),
        fabric=(0.60, 0.50, 0.30),
        walltype=2,
        floortype=1,
        noise=3.5,
    ),
    "garden": Room(  # in a hand, following
        Camera(
            (0.3, -3.5, 1.55), (0, 0, 0.80), 43, sway_m=0.05, follow=0.45, glide_m=0.9
        ),
        (
            ((-3.2, 4.5, 1.0), (0.3, 0.3, 2.0), WOOD),
            ((-3.2, 4.5, 2.7), (1.8, 1.8, 1.7), PLANT),
            ((2.6, 3.4, 0.45), (1.5, 0.45, 0.08), WOOD),
            ((2.0, 3.4, 0.2), (0.1, 0.4, 0.4), WOOD),
            ((3.2, 3.4, 0.2), (0.1, 0.4, 0.4), WOOD),
        ),
        sun=(-0.7, -0.6, 1.2),
        suncol=(1.7, 1.6, 1.4),
        skycol=(0.70, 0.82, 1.0),
        walls=((0.07, 0.17, 0.05), (0.16, 0.28, 0.08)),
        floors=((0.10, 0.22, 0.05), (0.20, 0.33, 0.09)),
        wood=(0.45, 0.32, 0.18),
        fabric=(0.5, 0.5, 0.5),
        walltype=3,
        floortype=2,
        half_m=8.0,
        crf=31,
        backrest=False,
    ),
    "office": Room(  # on a desk, near: the legs are often outside the picture
        Camera((-0.35, -2.35, 1.08), (0.02, 0, 0.97), 45, roll_deg=-1),
        (
            ((-1.9, 3.3, 0.9), (1.0, 0.4, 1.8), WOOD),
            ((0.5, 3.52, 1.6), (1.9, 0.06, 1.1), FRAME),
            ((2.7, 2.4, 0.72), (1.4, 0.8, 0.06), WOOD),
            ((2.7, 2.4, 1.0), (0.7, 0.06, 0.45), FABRIC),
            ((3.5, 0.5, 1.7), (0.06, 2.4, 1.4), WINDOW),
        ),
        sun=(1.4, -0.15, 0.9),
        suncol=(1.05, 1.05, 1.10),
        skycol=(0.42, 0.44, 0.48),
        walls=((0.62, 0.63, 0.62), (0.55, 0.56, 0.55)),
        floors=((0.20, 0.22, 0.27), (0.23, 0.25, 0.30)),
        wood=(0.55, 0.45, 0.33),
        fabric=(0.06, 0.06, 0.07),
        walltype=0,
        floortype=1,
        noise=5.0,
        crf=30,
    ),
    "kitchen": Room(  # on a cupboard, over a table that hides what is behind it
        Camera((-1.55, -2.95, 1.85), (0.10, 0.05, 0.74), 42, roll_deg=1),
        (
            ((0.0, 3.3, 0.45), (5.0, 0.6, 0.9), FRAME),
            ((0.0, 3.28, 0.92), (5.0, 0.66, 0.05), WOOD),
            ((-1.6, 3.4, 1.9), (1.6, 0.4, 0.8), FRAME),
            ((1.0, 3.52, 1.7), (1.1, 0.06, 0.9), WINDOW),
            ((2.6, 3.2, 1.0), (0.7, 0.7, 2.0), FABRIC),
            ((0.0, -1.2, 0.70), (0.9, 0.55, 0.04), WOOD),
            ((-0.4, -1.4, 0.34), (0.05, 0.05, 0.68), WOOD),
            ((0.4, -1.4, 0.34), (0.05, 0.05, 0.68), WOOD),
            ((-0.4, -1.0, 0.34), (0.05, 0.05, 0.68), WOOD),
            ((0.4, -1.0, 0.34), (0.05, 0.05, 0.68), WOOD),
        ),
        sun=(0.3, 0.55, 1.0),  # from behind
        suncol=(1.30, 1.20, 1.0),
        skycol=(0.72, 0.70, 0.66),
        walls=((0.78, 0.72, 0.50), (0.70, 0.66, 0.46)),
        floors=((0.55, 0.50, 0.45), (0.28, 0.25, 0.24)),
        wood=(0.48, 0.33, 0.20),
        fabric=(0.72, 0.74, 0.76),
        walltype=0,
        floortype=1,
        noise=3.0,
    ),
}


def vary(room: Room, rng: np.random.Generator) -> Room:
    """Set the room up once more: light and camera are never twice the same."""
    turn = Rotation.from_euler("z", rng.uniform(-25, 25), degrees=True)
    gain = rng.uniform(0.70, 1.12) * rng.uniform(0.93, 1.07, 3)
    camera = room.camera
    eye = np.array(camera.eye) + rng.uniform(-0.16, 0.16, 3) * (1, 0.5, 0.6)
    return replace(
        room,
        sun=tuple(turn.apply(room.sun)),
        suncol=tuple(np.array(room.suncol) * gain),
        skycol=tuple(np.array(room.skycol) * gain),
        camera=replace(
            camera,
            eye=tuple(eye),
            fov_deg=camera.fov_deg * rng.uniform(0.95, 1.05),
            roll_deg=camera.roll_deg + rng.uniform(-1.5, 1.5),
        ),
    )


def build_room(room: Room, seat: Sequence[np.ndarray]) -> np.ndarray:
    """Triangles of a room and what stands in it, `(n, 11)`, as `_build_box` says."""
    half = room.half_m
    shell = [((0, 0, -0.05), (2 * half, 2 * half, 0.1), FLOOR)]
    for x, y in ((0, half), (0, -half), (half, 0), (-half, 0)):
        size = (0.1 if x else 2 * half, 0.1 if y else 2 * half, 8)
        shell.append(((x, y, 4), size, WALL))
    boxes = [_build_box(*box) for box in (*shell, *room.boxes)]
    return np.concatenate([*boxes, *seat])


def build_seat(person: Person, sitter: State, *, backrest: bool) -> list[np.ndarray]:
    """A chair whose seat is as high as the person needs, under the hips."""
    body = person.skin(person.bend(VARIANTS["sitting_chair"][0]), by_feet=0)
    x, y, z = body.vertices.T
    below = (
        (np.abs(y) < 0.12) & (np.abs(x) < 0.2) & (z < body.keypoints[HIPS, 2].mean())
    )
    top = z[below & person.model.touches_ground].min() + 0.015
    middle = 0.04  # behind the hips
    boxes = [((0, middle, top - 0.03), (0.42, 0.40, 0.06))]
    for x_leg in (-0.17, 0.17):
        for y_leg in (-0.16, 0.16):
            centre = (x_leg, middle + y_leg, (top - 0.06) / 2)
            boxes.append((centre, (0.05, 0.05, top - 0.06)))
    if backrest:
        boxes.append(((0, middle + 0.22, top + 0.25), (0.42, 0.04, 0.40)))
    turn = Rotation.from_euler("z", sitter.turn_deg, degrees=True).as_matrix().T
    seat = []
    for centre, size in boxes:
        box = _build_box(centre, size, WOOD)
        box[:, :3] = box[:, :3] @ turn + np.array([*sitter.place_xy, 0])
        box[:, 3:6] = box[:, 3:6] @ turn
        seat.append(box)
    return seat


def _build_box(centre: Colour, size: Colour, material: int) -> np.ndarray:
    """Triangles of a box: place, normal, place again (for textures), material, 0."""
    rows = []
    for axis in range(3):
        for sign in (-1, 1):
            normal = sign * np.eye(3)[axis]
            u, v = np.eye(3)[(axis + 1) % 3], np.eye(3)[(axis + 2) % 3]
            square = [normal + a * u + b * v for a in (-1, 1) for b in (-1, 1)]
            for corner in (0, 2, 3, 0, 3, 1):
                place = np.array(centre) + square[corner] * np.array(size) / 2
                rows.append(np.r_[place, normal, place, material, 0])
    return np.array(rows, np.float32)
