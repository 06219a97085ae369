"""A static MuJoCo model from parts, lamps and one camera that can be put anywhere.

model, data = stage(items, lamps, fovy_deg=50)
aim(model, data, world_from_camera)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from xvr.sim.parts import Part
from xvr.sim.renderer import import_mujoco
from xvr.sim.textures import Texture

CAMERA = "eye"
"""Name of the camera of every stage."""


@dataclass(frozen=True, kw_only=True)
class Lamp:
    """A light at a place that shines down a wide cone; `shadows.ShadowMap` makes its shadows."""

    place: tuple[float, float, float]
    """World, metres."""
    target: tuple[float, float, float]
    """Where the middle of the cone points, world, metres."""
    colour: tuple[float, float, float]
    """Red, green and blue strength, 0..1."""


def stage(
    items: Sequence[tuple[Part, Float[np.ndarray, "4 4"]]],
    lamps: Sequence[Lamp],
    ambient: tuple[float, float, float],
    fovy_deg: float,
) -> tuple[Any, Any]:
    """Compiles a model: one geom per item, in order, so that geom i is item i.

    Args:
        items: parts with their pose in the world.
        lamps: at most eight.
        ambient: light that comes from everywhere, red, green and blue, 0..1.
        fovy_deg: vertical field of view of the camera.

    Returns:
        The `mujoco.MjModel` and its `mujoco.MjData`.
    """
    mujoco = import_mujoco()
    spec = mujoco.MjSpec()
    spec.visual.headlight.ambient = ambient
    spec.visual.headlight.diffuse = (0, 0, 0)
    spec.visual.headlight.specular = (0, 0, 0)
    spec.stat.extent, spec.stat.center = 4.0, (0, 0, 0.8)
    spec.visual.map.znear, spec.visual.map.zfar = 0.02, 3.0
    materials: dict[tuple[int, float, float], str] = {}
    keep: list[Texture] = []
    for number, (part, pose) in enumerate(items):
        key = (id(part.texture), part.specular, part.shininess)
        if key not in materials:
            materials[key] = f"m{len(materials)}"
            keep.append(part.texture)
            _add_material(mujoco, spec, materials[key], part)
        _add_geom(mujoco, spec, number, part, pose, materials[key])
    for lamp in lamps:
        spec.worldbody.add_light(
            pos=lamp.place,
            dir=np.subtract(lamp.target, lamp.place),
            diffuse=lamp.colour,
            specular=tuple(0.5 * strength for strength in lamp.colour),
            ambient=(0, 0, 0),
            attenuation=(1, 0, 0),
            castshadow=False,
            cutoff=75,
            exponent=0.5,
        )
    spec.worldbody.add_camera(name=CAMERA, fovy=fovy_deg)
    model = spec.compile()
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    return model, data


def aim(model: Any, data: Any, world_from_camera: Float[np.ndarray, "4 4"]) -> None:
    """Puts the camera at a pose in OpenCV axes."""
    mujoco = import_mujoco()
    quat = np.empty(4)
    mujoco.mju_mat2Quat(quat, (world_from_camera[:3, :3] * (1, -1, -1)).reshape(-1))
    number = model.camera(CAMERA).id
    model.cam_pos[number] = world_from_camera[:3, 3]
    model.cam_quat[number] = quat
    mujoco.mj_kinematics(model, data)
    mujoco.mj_camlight(model, data)


def light(model: Any, only: int | None) -> None:
    """Switches on one lamp alone, by its number, or with None everything."""
    model.light_active[:] = only is None
    model.vis.headlight.active = only is None
    if only is not None:
        model.light_active[only] = 1


def _add_material(mujoco: Any, spec: Any, name: str, part: Part) -> None:
    height, width = part.texture.shape[:2]
    texture = spec.add_texture(
        name=name,
        type=mujoco.mjtTexture.mjTEXTURE_2D,
        width=width,
        height=height,
        nchannel=3,
    )
    texture.data = np.ascontiguousarray(part.texture).tobytes()
    material = spec.add_material(name=name, specular=part.specular, shininess=part.shininess)
    material.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = name


def _add_geom(
    mujoco: Any,
    spec: Any,
    number: int,
    part: Part,
    pose: Float[np.ndarray, "4 4"],
    material: str,
) -> None:
    mesh = part.mesh
    name = f"g{number}"
    spec.add_mesh(
        name=name,
        uservert=mesh.vertices.astype(np.float32).reshape(-1),
        usernormal=mesh.normals.astype(np.float32).reshape(-1),
        usertexcoord=mesh.uv.astype(np.float32).reshape(-1),
        userface=mesh.faces.astype(np.int32).reshape(-1),
        userfacenormal=mesh.faces.astype(np.int32).reshape(-1),
        userfacetexcoord=mesh.faces.astype(np.int32).reshape(-1),
        inertia=mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL,
    )
    quat = np.empty(4)
    mujoco.mju_mat2Quat(quat, pose[:3, :3].reshape(-1))
    spec.worldbody.add_geom(
        name=name,
        type=mujoco.mjtGeom.mjGEOM_MESH,
        meshname=name,
        material=material,
        pos=pose[:3, 3],
        quat=quat,
        contype=0,
        conaffinity=0,
    )
