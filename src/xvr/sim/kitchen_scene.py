"""The kitchen as it is drawn: a copy of the simulated model with textures and light robot meshes.

The robot's visual meshes have 270,000 faces, far more than a 256 pixel picture shows, and drawing
them is most of the cost of an episode. `thin_meshes` merges vertices within a few millimetres
(vertex clustering: Rossignac and Borrel, 1993, "Multi-resolution 3D approximations for rendering
complex scenes") in the compiled model, which keeps its joints and so its qpos.
"""

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from xvr.sim.kitchen_textures import Picture, paint

DRAWN_GROUPS = (1, 2)
"""Geom groups that are visible; group 0 holds collision shapes."""


def drawn_model(model: Any, pictures: Mapping[str, Picture], cell_m: float = 0.007) -> Any:
    """A copy of a compiled kitchen, ready to be rendered; the original stays as it is.

    Args:
        model: `mujoco.MjModel` of the kitchen.
        pictures: texture name to pixels.
        cell_m: detail to keep in the robot's meshes, metres; 0 keeps all.
    """
    drawn = copy.copy(model)
    paint(drawn, pictures)
    if cell_m > 0:
        thin_meshes(drawn, cell_m)
    drawn.vis.quality.numslices, drawn.vis.quality.numstacks = 16, 8
    drawn.stat.extent = 2.0
    drawn.vis.map.znear, drawn.vis.map.zfar = 0.008, 4.0
    drawn.vis.headlight.ambient[:] = 0.34
    drawn.vis.headlight.diffuse[:] = 0.16
    drawn.vis.headlight.specular[:] = 0.05
    # The robot's white paint would otherwise be over-exposed under three lights.
    robot = [i for i in range(drawn.nmat) if not drawn.material(i).name.startswith("kitchen_")]
    drawn.mat_rgba[robot, :3] *= 0.86
    return drawn


def thin_meshes(model: Any, cell_m: float, more_than: int = 400) -> None:
    """Merges close vertices of every mesh with more than so many faces, in place.

    Faces are overwritten inside their own part of the model's arrays, so that nothing else moves.
    """
    for mesh in range(model.nmesh):
        count, start = int(model.mesh_facenum[mesh]), int(model.mesh_faceadr[mesh])
        # The gripper is close to the wrist's camera and keeps its detail.
        if count <= more_than or model.mesh(mesh).name.startswith("gripper"):
            continue
        first = int(model.mesh_vertadr[mesh])
        # The mobile base fills a few pixels of the wrist's picture at most.
        size_m = 5 * cell_m if "omron" in model.mesh(mesh).name else cell_m
        vertices = model.mesh_vert[first : first + int(model.mesh_vertnum[mesh])]
        faces = model.mesh_face[start : start + count]
        merged = clustered(vertices, size_m)[faces]  # (f, 3)
        distinct = (
            (merged[:, 0] != merged[:, 1])
            & (merged[:, 1] != merged[:, 2])
            & (merged[:, 2] != merged[:, 0])
        )
        _, unique = np.unique(np.sort(merged[distinct], axis=1), axis=0, return_index=True)
        kept = np.flatnonzero(distinct)[np.sort(unique)]
        if not kept.size:
            continue
        end = start + kept.size
        normals = model.mesh_facenormal[start : start + count][kept]
        model.mesh_face[start:end] = merged[kept]
        model.mesh_facenormal[start:end] = normals
        model.mesh_facenum[mesh] = kept.size


def clustered(vertices: Float[np.ndarray, "v 3"], cell_m: float) -> Int[np.ndarray, " v"]:
    """For each vertex the one that stands for its cell: the closest to the cell's mean."""
    cells = np.floor(vertices / cell_m).astype(np.int64)
    _, cell = np.unique(cells, axis=0, return_inverse=True)
    cell = np.asarray(cell).reshape(-1)
    count = np.bincount(cell)
    mean = np.stack([np.bincount(cell, vertices[:, axis]) / count for axis in range(3)], axis=1)
    distance = np.linalg.norm(vertices - mean[cell], axis=1)
    order = np.lexsort((distance, cell))
    nearest = order[np.searchsorted(cell[order], np.arange(len(count)))]
    return nearest[cell]
