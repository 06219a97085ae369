"""A small builder of MJCF: textured boxes, turned (lathe) shapes, cylinders and their collisions.

Everything visible is in geom group 1 and everything solid in group 0, as in robosuite. Boxes and
turned shapes are meshes with texture coordinates in metres, so that a tile or a grain has its
real size on every face. Lengths are metres; sizes of boxes are full sizes, not half sizes.
MJCF reference: https://mujoco.readthedocs.io/en/stable/XMLreference.html
"""

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from jaxtyping import Float, Int

from xvr.sim.kitchen_textures import Picture, Rgb

Vec3 = tuple[float, float, float]

VISIBLE, SOLID = "1", "0"
"""Geom groups."""

_FACES = ((0, 1, 2), (1, 2, 0), (2, 0, 1))
"""Axis of the normal, then of u and v, for the faces of a box."""


@dataclass(kw_only=True)
class Mjcf:
    """Assets and bodies of one world while it is put together."""

    asset: ET.Element = field(default_factory=lambda: ET.Element("asset"))
    """Textures, materials and meshes."""
    world: ET.Element = field(default_factory=lambda: ET.Element("worldbody"))
    """Bodies, lights and cameras."""
    pictures: dict[str, Picture] = field(default_factory=dict)
    """Texture name to its pixels, for `kitchen_textures.paint`."""
    _count: int = 0

    def material(
        self, look: Rgb | Picture, *, gloss: float = 0.2, mirror: float = 0.0, glow: float = 0.0
    ) -> str:
        """Adds a plain or textured material and returns its name."""
        name = self._name("mat")
        attributes = {
            "name": name,
            "specular": f"{gloss:g}",
            "shininess": f"{min(1.0, 0.2 + gloss):g}",
            "reflectance": f"{mirror:g}",
            "emission": f"{glow:g}",
        }
        if isinstance(look, np.ndarray):
            texture = self._name("tex")
            self.pictures[texture] = look
            height, width = look.shape[:2]
            ET.SubElement(
                self.asset,
                "texture",
                name=texture,
                type="2d",
                builtin="flat",
                width=str(width),
                height=str(height),
                nchannel="3",
            )
            attributes["texture"] = texture
        else:
            attributes["rgba"] = _text((*look, 1.0))
        ET.SubElement(self.asset, "material", attributes)
        return name

    def body(self, parent: ET.Element, name: str, pos: Vec3, yaw_rad: float = 0.0) -> ET.Element:
        """Adds a body turned about z."""
        quat_wxyz = (np.cos(yaw_rad / 2), 0.0, 0.0, np.sin(yaw_rad / 2))
        return ET.SubElement(parent, "body", name=name, pos=_text(pos), quat=_text(quat_wxyz))

    def box(
        self,
        body: ET.Element,
        size: Vec3,
        pos: Vec3,
        material: str,
        *,
        tile_m: float = 0.5,
        solid: bool = True,
        fit: bool = False,
    ) -> None:
        """Adds a box; `fit` shows the picture once per face, else once per `tile_m`."""
        mesh = self._mesh(*_box_mesh(np.asarray(size), tile_m, fit))
        _visible(body, mesh, pos, material)
        if solid:
            self.solid(body, "box", [side / 2 for side in size], pos)

    def turned(
        self, body: ET.Element, profile: Sequence[tuple[float, float]], pos: Vec3, material: str
    ) -> None:
        """Adds the visible shape that the (radius, height) profile sweeps about z."""
        mesh = self._mesh(*_turned_mesh(np.asarray(profile, np.float64)))
        _visible(body, mesh, pos, material)

    def rod(
        self,
        body: ET.Element,
        start: Vec3,
        end: Vec3,
        radius: float,
        material: str,
        *,
        round_ends: bool = True,
    ) -> None:
        """Adds a visible capsule or cylinder between two points."""
        ET.SubElement(
            body,
            "geom",
            type="capsule" if round_ends else "cylinder",
            fromto=_text((*start, *end)),
            size=_text((radius,)),
            material=material,
            group=VISIBLE,
            contype="0",
            conaffinity="0",
            mass="0",
        )

    def ball(self, body: ET.Element, pos: Vec3, radii: Vec3, material: str) -> None:
        """Adds a visible ellipsoid."""
        ET.SubElement(
            body,
            "geom",
            type="ellipsoid",
            size=_text(radii),
            pos=_text(pos),
            material=material,
            group=VISIBLE,
            contype="0",
            conaffinity="0",
            mass="0",
        )

    def shadow(self, body: ET.Element, half_x: float, half_y: float, pos: Vec3) -> None:
        """Darkens the surface under something that stays: soft rings, below a millimetre."""
        for step, grow in enumerate((0.92, 1.02, 1.12, 1.24)):
            flat = 0.0003
            size = (
                (half_x * grow, flat) if half_x == half_y else (half_x * grow, half_y * grow, flat)
            )
            ET.SubElement(
                body,
                "geom",
                type="cylinder" if half_x == half_y else "box",
                size=_text(size),
                pos=_text((pos[0], pos[1], pos[2] + 0.0006 - 0.0001 * step)),
                rgba="0 0 0 0.08",
                group=VISIBLE,
                contype="0",
                conaffinity="0",
                mass="0",
            )

    def solid(
        self,
        body: ET.Element,
        kind: str,
        half_size: Sequence[float],
        pos: Vec3,
        **attributes: str,
    ) -> None:
        """Adds an invisible collision shape (`box`, `cylinder`, `sphere`)."""
        values = {"mass": "0.001", "condim": "4", "friction": "1.2 0.01 0.001", **attributes}
        ET.SubElement(
            body,
            "geom",
            {
                "type": kind,
                "size": _text(half_size),
                "pos": _text(pos),
                "group": SOLID,
                "rgba": "0.5 0 0 0.3",
                **values,
            },
        )

    def _mesh(
        self,
        vertices: Float[np.ndarray, "v 3"],
        normals: Float[np.ndarray, "v 3"],
        uv: Float[np.ndarray, "v 2"],
        faces: Int[np.ndarray, "f 3"],
    ) -> str:
        name = self._name("mesh")
        ET.SubElement(
            self.asset,
            "mesh",
            name=name,
            vertex=_text(vertices.ravel()),
            normal=_text(normals.ravel()),
            texcoord=_text(uv.ravel()),
            face=" ".join(str(int(index)) for index in faces.ravel()),
        )
        return name

    def _name(self, kind: str) -> str:
        self._count += 1
        return f"kitchen_{kind}{self._count}"


def _visible(body: ET.Element, mesh: str, pos: Vec3, material: str) -> None:
    ET.SubElement(
        body,
        "geom",
        type="mesh",
        mesh=mesh,
        pos=_text(pos),
        material=material,
        group=VISIBLE,
        contype="0",
        conaffinity="0",
        mass="0",
    )


def _box_mesh(
    size: Float[np.ndarray, " 3"], tile_m: float, fit: bool
) -> tuple[
    Float[np.ndarray, "v 3"],
    Float[np.ndarray, "v 3"],
    Float[np.ndarray, "v 2"],
    Int[np.ndarray, "f 3"],
]:
    """Vertices, normals, texture coordinates and faces of a box, four vertices per face."""
    vertices, normals, uvs, faces = [], [], [], []
    for axis, across, up in _FACES:
        if axis == 1:  # keep v vertical on the side walls
            across, up = up, across
        for sign in (-1.0, 1.0):
            first = len(vertices)
            for u, v in ((0, 0), (1, 0), (1, 1), (0, 1)):
                corner = np.empty(3)
                corner[axis] = sign * size[axis] / 2
                corner[across], corner[up] = (u - 0.5) * size[across], (v - 0.5) * size[up]
                vertices.append(corner)
                normals.append(sign * np.eye(3)[axis])
                scale = np.ones(2) if fit else np.array([size[across], size[up]]) / tile_m
                # Seen from outside, u must run to the right or writing would be mirrored.
                handed = np.linalg.det(np.stack([np.eye(3)[across], np.eye(3)[up], normals[-1]]))
                uvs.append(np.array([u if handed > 0 else 1 - u, v]) * scale)
            quad = [0, 1, 2, 0, 2, 3]
            flip = np.linalg.det(np.stack([np.eye(3)[across], np.eye(3)[up], normals[-1]])) < 0
            order = [quad[i] for i in ((0, 2, 1, 3, 5, 4) if flip else range(6))]
            faces.extend(first + index for index in order)
    return np.array(vertices), np.array(normals), np.array(uvs), np.array(faces).reshape(-1, 3)


def _turned_mesh(
    profile: Float[np.ndarray, "p 2"], sides: int = 28
) -> tuple[
    Float[np.ndarray, "v 3"],
    Float[np.ndarray, "v 3"],
    Float[np.ndarray, "v 2"],
    Int[np.ndarray, "f 3"],
]:
    """A surface of revolution; each band of the profile keeps its own normals (sharp rims)."""
    angle = np.linspace(0, 2 * np.pi, sides + 1)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)  # (s + 1, 2)
    low, high = profile[:, 1].min(), profile[:, 1].max()
    vertices, normals, uvs, faces = [], [], [], []
    for (r0, z0), (r1, z1) in pairwise(profile):
        length = np.hypot(r1 - r0, z1 - z0)
        outward, upward = (z1 - z0) / length, -(r1 - r0) / length
        first = sum(len(ring) for ring in vertices)
        for radius, height in ((r0, z0), (r1, z1)):
            ring = np.column_stack([circle * max(radius, 1e-5), np.full(sides + 1, height)])
            vertices.append(ring)
            normals.append(np.column_stack([circle * outward, np.full(sides + 1, upward)]))
            v = (height - low) / (high - low)
            uvs.append(np.column_stack([angle / (2 * np.pi), np.full(sides + 1, v)]))
        for i in range(sides):
            a, b, c, d = (first + i, first + i + 1, first + sides + 2 + i, first + sides + 1 + i)
            faces.extend([[a, b, c], [a, c, d]])
    return np.concatenate(vertices), np.concatenate(normals), np.concatenate(uvs), np.array(faces)


def _text(values: Sequence[float] | Float[np.ndarray, " n"]) -> str:
    return " ".join(f"{float(value):.6g}" for value in values)
