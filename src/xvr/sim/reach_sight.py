"""How far each camera of reach-button tells where the button is, by letting the expert act on it.

A camera tells what a picture does without any knowledge of the placement: the direction in which
the button is seen, or, where it is hidden, that of the screens. Two directions meet in a point; one
meets the plane at the mean height of buttons. Without any the expert goes to the middle of the
table. What was seen of the button is remembered as long as nothing is seen.

    succeeded(world, layout, ("left_view", "wrist_view"))
"""

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from xvr.sim.reach_expert import reach_action
from xvr.sim.reach_layout import BUTTON_RANGE_M, ReachLayout
from xvr.sim.reach_world import CAMERAS, ReachWorld
from xvr.sim.renderer import intrinsics, world_from_camera

MIN_PX = 3
"""Fewer pixels of a thing are not seen."""

_MEAN_Z_M = sum(BUTTON_RANGE_M[2]) / 2


class Ray(NamedTuple):
    """A direction in the world."""

    origin_m: Float[np.ndarray, " 3"]
    direction: Float[np.ndarray, " 3"]
    """Of length 1."""


def camera_sets() -> list[tuple[str, ...]]:
    """All sets of cameras, small ones first."""
    return [chosen for size in range(1, 4) for chosen in combinations(CAMERAS, size)]


def succeeded(
    world: ReachWorld, layout: ReachLayout, cameras: Sequence[str], max_steps: int
) -> bool:
    """Whether the expert presses the button when it knows only what these cameras tell."""
    world.reset(layout)
    thought = np.array([0.0, 0.0, _MEAN_Z_M])
    known = False
    for _ in range(max_steps):
        found, of_button = estimate(world, cameras)
        if found is not None and (of_button or not known):
            thought, known = found, known or of_button
        world.step(reach_action(world.tip_m, thought))
        if world.pressed:
            return True
    return False


def estimate(
    world: ReachWorld, cameras: Sequence[str]
) -> tuple[Float[np.ndarray, " 3"] | None, bool]:
    """Where the button is by what the cameras see now, and whether it was the button they saw."""
    seen = {camera: world.renderer.surfaces(world.data, camera)[1] for camera in cameras}
    for names in (("button",), ("screen_left", "screen_right")):
        numbers = [world.model.geom(name).id for name in names]
        rays = [
            ray
            for camera, geoms in seen.items()
            if (ray := _ray(world, camera, geoms, numbers)) is not None
        ]
        if rays:
            return _meet(rays), names == ("button",)
    return None, False


def _ray(
    world: ReachWorld, camera: str, geoms: Int[np.ndarray, "h w"], numbers: Sequence[int]
) -> Ray | None:
    """Through the middle of the pixels that show any of these geoms."""
    rows, columns = np.nonzero(np.isin(geoms, numbers))
    if len(rows) < MIN_PX:
        return None
    fx, fy, cx, cy = intrinsics(world.model, camera, world.size_px, world.size_px)
    pose = world_from_camera(world.data, camera)
    middle = np.array([(columns.mean() + 0.5 - cx) / fx, (rows.mean() + 0.5 - cy) / fy, 1.0])
    direction = pose[:3, :3] @ middle
    return Ray(pose[:3, 3], direction / np.linalg.norm(direction))


def _meet(rays: Sequence[Ray]) -> Float[np.ndarray, " 3"]:
    """The point nearest to all rays, or where the only one meets the plane of mean height."""
    if len(rays) == 1:
        origin, direction = rays[0]
        return origin + direction * (_MEAN_Z_M - origin[2]) / direction[2]
    across = [np.eye(3) - np.outer(ray.direction, ray.direction) for ray in rays]
    pulls = [matrix @ ray.origin_m for matrix, ray in zip(across, rays, strict=True)]
    return np.linalg.solve(np.sum(across, axis=0), np.sum(pulls, axis=0))
