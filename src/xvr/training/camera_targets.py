"""Where the cameras and the hand of an episode are, for every image of a question."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

from xvr.dataset.record import Provenance
from xvr.geometry.camera import Camera, project
from xvr.tasks.grid import rides_on_hand
from xvr.training.token_grid import tokens_at
from xvr.training.token_targets import AFTER, HIDDEN, Grid, Relation

_CLEAR_SHARE = 0.5
"""A camera is to the side of another where so much of the way there leads to the side."""
ONE_PLACE_M = 0.05
"""A robot's cameras that are nearer to each other are at one place: mounts shake."""


def poses_of(cameras: Sequence[Camera | None]) -> Float[np.ndarray, "k 6"]:
    """Centre and viewing direction of each camera; NaN of none."""
    return np.array(
        [[np.nan] * 6 if c is None else [*c.center, *c.world_from_camera[:3, 2]] for c in cameras]
    )


def hands_at(
    proof: Provenance,
    cameras: Sequence[Camera | None],
    hands: Float[np.ndarray, "k 3"],
    grids: Sequence[Grid],
) -> Int[np.ndarray, " k"]:
    """Token of each image onto which the hand is projected, or `HIDDEN`."""
    found = np.full(len(grids), HIDDEN, np.int64)
    for number, (image, camera, hand) in enumerate(zip(proof.images, cameras, hands, strict=True)):
        own = image.role is not None and rides_on_hand(image.role)
        if camera is not None and not own and np.isfinite(hand).all():
            uv_px, depth_m = project(camera, hand[None])
            if depth_m[0] > 0:
                found[number] = tokens_at(uv_px, camera, grids[number])[0]
    return found


def toward(
    cameras: Sequence[Camera | None], one_place: float = ONE_PLACE_M
) -> Float[np.ndarray, "k k 3"]:
    """Direction to each camera as each other one sees it; see `TokenTargets.toward`.

    Args:
        cameras: in one world.
        one_place: cameras that are nearer to each other are at one place; units of the world.
    """
    found = np.full((len(cameras), len(cameras), 3), np.nan)
    for first, camera in enumerate(cameras):
        for second, other in enumerate(cameras):
            if camera is not None and other is not None:
                offset = camera.world_from_camera[:3, :3].T @ (other.center - camera.center)
                away = np.linalg.norm(offset)
                if away > one_place:
                    found[first, second] = offset / away
    return found


def sides_of(directions: Float[np.ndarray, "k k 3"]) -> tuple[Relation, ...]:
    """Which cameras stand clearly to the right, or to the left, of earlier ones."""
    return tuple(
        Relation("to_the_right", image, AFTER, earlier, bool(directions[earlier, image, 0] > 0))
        for image in range(len(directions))
        for earlier in range(image)
        if abs(directions[earlier, image, 0]) > _CLEAR_SHARE
    )
