"""Draw a person in a room, and say which keypoints the picture shows.

OpenGL by moderngl on EGL: no screen is needed, and no graphics card (Mesa draws too).
"""

from collections.abc import Mapping
from pathlib import Path

import moderngl
import numpy as np

from .body import HIPS, BodyModel, Skinned
from .camera import FAR_M, NEAR_M, Vector, look_at, orthographic, project

_SHADERS = Path(__file__).parent / "shaders"
_SHADOW_PX = 1024
_LAMP_REACH_M, _LAMP_M, _LAMP_FAR_M = 2.4, 7.0, 14.0
_UNDER_SKIN_M = 0.13  # a keypoint lies inside the body: this deep, and it still shows
_MARGIN_PX = 14  # a shadow's edge is soft
OUTSIDE, HIDDEN, VISIBLE = range(3)


class Renderer:
    """Draws pictures of one size; a person and a room stay until they are changed."""

    def __init__(self, size_wh: tuple[int, int] = (640, 480), samples: int = 4) -> None:
        """Open an OpenGL context without a window."""
        width, height = self.size_wh = size_wh
        self._gl = gl = moderngl.create_standalone_context(backend="egl")
        self._scene = gl.program(_read("scene.vert"), _read("scene.frag"))
        self._depth = gl.program(_read("depth.vert"), _read("depth.frag"))
        self._smooth = gl.framebuffer(
            [gl.renderbuffer(size_wh, 4, samples=samples)],
            gl.depth_renderbuffer(size_wh, samples=samples),
        )
        self._flat = gl.framebuffer([gl.renderbuffer(size_wh, 4)])
        self._shadows = self._depth_texture((_SHADOW_PX, _SHADOW_PX))
        self._lamp = gl.framebuffer(depth_attachment=self._shadows)
        self._near = self._depth_texture((width // 2, height // 2))
        self._looking = gl.framebuffer(depth_attachment=self._near)
        gl.enable(moderngl.DEPTH_TEST)

    def _depth_texture(self, size_wh: tuple[int, int]) -> moderngl.Texture:
        texture = self._gl.depth_texture(size_wh)
        texture.compare_func = ""
        texture.repeat_x = texture.repeat_y = False
        return texture

    def set_person(self, model: BodyModel, paint: Mapping[str, object]) -> None:
        """Take the mesh and a person's colours (uniforms of `scene.frag`)."""
        gl = self._gl
        index = gl.buffer(model.triangles.astype("i4").tobytes())
        still = np.column_stack([model.template, model.part, model.lips])
        rest = gl.buffer(still.astype("f4").tobytes())
        self._moving = gl.buffer(reserve=len(still) * 24, dynamic=True)
        self._body = gl.vertex_array(
            self._scene,
            [
                (self._moving, "3f 3f", "position", "normal"),
                (rest, "3f 2f", "rest", "material"),
            ],
            index,
        )
        self._body_depth = gl.vertex_array(
            self._depth,
            [
                (self._moving, "3f 12x", "position"),
                (rest, "3f 2f", "rest", "material"),
            ],
            index,
        )
        self.set(paint)

    def set_room(
        self, triangles: np.ndarray, paint: Mapping[str, object], *, half_m: float
    ) -> None:
        """Take triangles (`rooms.build_room`), colours and half the room's side."""
        self._half_m = half_m
        buffer = self._gl.buffer(triangles.astype("f4").tobytes())
        names = ("position", "normal", "rest", "material")
        self._room = self._gl.vertex_array(
            self._scene, [(buffer, "3f 3f 3f 2f", *names)]
        )
        self._room_depth = self._gl.vertex_array(
            self._depth, [(buffer, "3f 12x 3f 2f", "position", "rest", "material")]
        )
        self.set(paint)

    def set(self, values: Mapping[str, object]) -> None:
        """Set uniforms, wherever a shader has them."""
        for name, value in values.items():
            for program in (self._scene, self._depth):
                if name not in program:
                    continue
                if np.ndim(value) == 2:
                    program[name].write(np.asarray(value, "f4").T.tobytes())
                else:
                    program[name].value = (
                        tuple(map(float, value)) if np.ndim(value) else value
                    )

    def draw(
        self,
        body: Skinned | None,
        *,
        eye: np.ndarray,
        view: np.ndarray,
        sun: Vector,
        empty: np.ndarray | None = None,
    ) -> np.ndarray:
        """Draw a picture: uint8 `(height, width, 3)`, RGB.

        Args:
            body: Who is in the room; None draws the room alone.
            eye: Where the camera is.
            view: The camera's map from the room to clip space.
            sun: Where the light comes from.
            empty: The room alone, as the same camera sees it: then only what the person
                changes is drawn anew, which is the same and takes a third of the time.
        """
        toward = np.asarray(sun, float) / np.linalg.norm(sun)
        spot = np.array([99.0, 99.0])
        if body:
            self._moving.write(np.hstack([body.vertices, body.normals]).tobytes())
            spot = body.keypoints[HIPS, :2].mean(0)
        middle = np.array([0, 0, 0.9])
        lamp = orthographic(_LAMP_REACH_M, _LAMP_FAR_M)
        lamp = lamp @ look_at(middle + toward * _LAMP_M, middle)
        self._draw_depth(self._lamp, lamp, self._shadows.size, with_body=bool(body))
        self._draw_depth(self._looking, view, self._near.size, with_body=bool(body))
        self.set({"view": view, "lamp": lamp, "sun": toward, "eye": eye})
        self.set({"shadows": 0, "person_xy": spot})
        if empty is None or body is None:
            return self._draw_colours(with_body=bool(body))
        left, top, right, bottom = self._find_touched(body, spot, toward, view)
        scissor = (left, self.size_wh[1] - bottom, right - left, bottom - top)
        drawn = self._draw_colours(with_body=True, scissor=scissor)
        image = empty.copy()
        image[top:bottom, left:right] = drawn[top:bottom, left:right]
        return image

    def _draw_colours(
        self, *, with_body: bool, scissor: tuple[int, ...] | None = None
    ) -> np.ndarray:
        self._smooth.use()
        self._gl.viewport = (0, 0, *self.size_wh)
        self._smooth.scissor = scissor
        self._smooth.clear(0, 0, 0, 1, depth=1.0)
        self._shadows.use(0)
        if with_body:
            self._body.render()
        self._room.render()
        self._smooth.scissor = None
        self._gl.copy_framebuffer(self._flat, self._smooth)
        pixels = np.frombuffer(self._flat.read(components=3, alignment=1), np.uint8)
        return pixels.reshape(self.size_wh[1], self.size_wh[0], 3)[::-1]

    def _draw_depth(
        self,
        target: moderngl.Framebuffer,
        view: np.ndarray,
        size_wh: tuple[int, int],
        *,
        with_body: bool,
    ) -> None:
        target.use()
        self._gl.viewport = (0, 0, *size_wh)
        target.clear(depth=1.0)
        self._depth["view"].write(view.T.astype("f4").tobytes())
        if with_body:
            self._body_depth.render()
        self._room_depth.render()

    def _find_touched(
        self, body: Skinned, spot: np.ndarray, toward: np.ndarray, view: np.ndarray
    ) -> tuple[int, int, int, int]:
        """Box (left, top, right, bottom) around the person, shadow and darker floor.

        A shadow that falls on furniture lies between the body and the floor behind it,
        so that a box around both holds it.
        """
        from_m = body.vertices[::7].astype(float)
        reach_m = from_m[:, 2] / toward[2]
        for axis in (0, 1):  # it ends at a wall, if it gets there before the floor
            wall = self._half_m + 0.1
            far = (from_m[:, axis] + np.sign(toward[axis]) * wall) / toward[axis]
            reach_m = np.minimum(reach_m, far)
        shadow = from_m - reach_m[:, None] * toward
        corners = np.array([(x, y, 0) for x in (-1, 1) for y in (-1, 1)])
        around = np.array([*spot, 0]) + corners
        points = np.vstack([body.vertices, shadow, around])
        at = project(view, points, self.size_wh)[:, :2]
        low, high = at.min(0) - _MARGIN_PX, at.max(0) + _MARGIN_PX
        width, height = self.size_wh
        left, top = np.clip(low.astype(int), 0, (width - 1, height - 1)).tolist()
        right, bottom = np.clip(high.astype(int), 1, (width, height)).tolist()
        return left, top, right, bottom

    def locate(
        self, keypoints: np.ndarray, view: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Say where keypoints are in the picture drawn last, and whether they show.

        Args:
            keypoints: Metres in the room, `(17, 3)`.
            view: The camera's map, as given to `draw`.

        Returns:
            Pixels `(17, 2)`, and OUTSIDE, HIDDEN or VISIBLE for each.
        """
        at = project(view, keypoints, self.size_wh)
        width, height = self._near.size
        depth = np.frombuffer(self._near.read(alignment=1), "f4")
        depth = 2 * depth.reshape(height, width)[::-1].astype(float) - 1
        surface_m = 2 * NEAR_M * FAR_M / (FAR_M + NEAR_M - depth * (FAR_M - NEAR_M))
        column, row = np.floor(at[:, :2] / 2).astype(int).T
        inside = (column >= 0) & (row >= 0) & (column < width) & (row < height)
        state = np.full(len(at), OUTSIDE)
        shows = surface_m[row[inside], column[inside]] > at[inside, 2] - _UNDER_SKIN_M
        state[inside] = np.where(shows, VISIBLE, HIDDEN)
        return at[:, :2], state


def _read(name: str) -> str:
    text = (_SHADERS / name).read_text()
    return text.replace("//--cloth", (_SHADERS / "cloth.glsl").read_text())
