"""The camera: from metres in the room to pixels of the picture."""

from dataclasses import dataclass

import numpy as np

Vector = tuple[float, float, float]
NEAR_M, FAR_M = 0.1, 60.0
_SWAY_HZ = (0.19, 0.43, 0.9)  # of a hand


@dataclass(frozen=True)
class Camera:
    """Where a camera stands and looks.

    Args:
        eye: Metres in the room; the wall behind the person is at +y.
        target: The point in the middle of the picture.
        fov_deg: Angle from the top of the picture to its bottom.
        roll_deg: How far it is held askew.
        sway_m: How far a hand moves it; 0 is a tripod.
        follow: How much it pans after the person, 0 (not) to 1 (wholly).
        glide_m: How far it travels to the side from first to last frame.
    """

    eye: Vector
    target: Vector
    fov_deg: float
    roll_deg: float = 0.0
    sway_m: float = 0.0
    follow: float = 0.0
    glide_m: float = 0.0

    @property
    def moves(self) -> bool:
        """Whether two frames may see the room from two places."""
        return bool(self.sway_m or self.follow or self.glide_m)

    def aim(
        self, part: float, time_s: float, place_xy: np.ndarray, phases: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Point it at one moment.

        Args:
            part: 0 at the first frame, 1 at the last.
            time_s: Seconds from the start.
            place_xy: Where the person is, smoothed.
            phases: `(3, 3)` phases of the sway, of this clip.

        Returns:
            The eye `(3,)` and the map `(4, 4)` from the room to clip space.
        """
        waves = np.sin(2 * np.pi * (np.array(_SWAY_HZ)[:, None] * time_s + phases))
        sway = (waves / (1 + np.arange(3))[:, None]).sum(0) * self.sway_m
        glide = np.array([(part - 0.5) * self.glide_m, 0, 0])
        eye = np.array(self.eye) + sway + glide
        look = np.array(self.target) + 0.6 * sway[::-1]
        look[:2] += self.follow * place_xy
        roll = np.radians(self.roll_deg + 20 * sway[0])
        return eye, perspective(self.fov_deg) @ look_at(eye, look, roll)


def look_at(eye: np.ndarray, target: np.ndarray, roll_rad: float = 0.0) -> np.ndarray:
    """Map the room to a camera's frame: x right, y up, z backward."""
    forward = (target - eye) / np.linalg.norm(target - eye)
    side = np.cross(forward, (np.sin(roll_rad), 0, np.cos(roll_rad)))
    side /= np.linalg.norm(side)
    view = np.eye(4)
    view[:3, :3] = side, np.cross(side, forward), -forward
    view[:3, 3] = -view[:3, :3] @ eye
    return view


def perspective(fov_deg: float, aspect: float = 4 / 3) -> np.ndarray:
    """Map a camera's frame to clip space, far things smaller."""
    scale = 1 / np.tan(np.radians(fov_deg) / 2)
    depth = NEAR_M - FAR_M
    return np.array(
        [
            [scale / aspect, 0, 0, 0],
            [0, scale, 0, 0],
            [0, 0, (FAR_M + NEAR_M) / depth, 2 * FAR_M * NEAR_M / depth],
            [0, 0, -1, 0],
        ]
    )


def orthographic(reach_m: float, far_m: float) -> np.ndarray:
    """Map a lamp's frame to clip space, `reach_m` to each side."""
    near = NEAR_M
    return np.array(
        [
            [1 / reach_m, 0, 0, 0],
            [0, 1 / reach_m, 0, 0],
            [0, 0, -2 / (far_m - near), -(far_m + near) / (far_m - near)],
            [0, 0, 0, 1],
        ]
    )


def project(
    view: np.ndarray, points: np.ndarray, size_wh: tuple[int, int]
) -> np.ndarray:
    """Pixels and depth: `(n, 3)` of x right, y down, metres from the camera."""
    clip = np.c_[points, np.ones(len(points))] @ view.T
    x, y = (clip[:, :2] / clip[:, 3:]).T
    width, height = size_wh
    return np.c_[(x + 1) / 2 * width, (1 - y) / 2 * height, clip[:, 3]]
