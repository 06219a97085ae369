"""A furnished room, ray-cast exactly, as captures in the WildRGB-D layout.

Cameras go once around a table with boxes and balls on it and look at it, so that those on the far
side are in view. Depth is known in closed form at any real pixel: a test finds what a pixel shows
with `hit`, without the code under test.

    room = furnish(seed=0)
    camera = orbit(seed=0)[3]
    point = hit(room, camera, (80.5, 60.5))
"""

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from xvr.geometry.camera import Camera

WIDTH, HEIGHT, FOCAL = 160, 120, 90.0
VIEWS = 24
WALLS = np.array([[-2.4, -2.3, 0.0], [2.3, 2.4, 2.4]])
TABLE_M = 0.7
"""Height of the table's top."""
PALETTE = np.array([(200, 120, 90), (90, 150, 80), (80, 100, 170), (190, 190, 160)])


class Room(NamedTuple):
    """Solids in a room, metres, z up."""

    boxes: np.ndarray
    """(n, 2, 3): lowest and highest corner."""
    balls: np.ndarray
    """(m, 4): centre and radius."""
    waves: np.ndarray
    """(k, 4): wave vectors and phases of the texture, a third of them for each colour."""


@cache
def furnish(seed: int) -> Room:
    """A room with a table, a cupboard, three boxes and two balls at places of their own."""
    rng = np.random.default_rng((17, seed))
    boxes = [
        [(-0.9, -0.8, TABLE_M - 0.06), (0.9, 0.8, TABLE_M)],
        [(-0.15, -0.15, 0.0), (0.15, 0.15, TABLE_M - 0.06)],
        [(1.9, -0.8, 0.0), (2.3, 0.2, 1.2)],
    ]
    balls = []
    for number, (x, y) in enumerate(
        [(-0.5, -0.4), (0.5, -0.4), (0.0, 0.05), (-0.5, 0.45), (0.5, 0.45)]
    ):
        x, y = np.array((x, y)) + rng.uniform(-0.06, 0.06, 2)
        if number < 3:
            half, height = rng.uniform(0.05, 0.11, 2), rng.uniform(0.08, 0.22)
            boxes.append(
                [(x - half[0], y - half[1], TABLE_M), (x + half[0], y + half[1], TABLE_M + height)]
            )
        else:
            radius = rng.uniform(0.05, 0.1)
            balls.append((x, y, TABLE_M + radius, radius))
    directions = rng.normal(size=(18, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    lengths_m = np.geomspace(0.5, 2.0, 18)[:, None]
    phases = rng.uniform(0, 2 * np.pi, (18, 1))
    waves = np.hstack([2 * np.pi * directions / lengths_m, phases])
    return Room(np.array(boxes), np.array(balls), waves)


@cache
def orbit(seed: int) -> tuple[Camera, ...]:
    """Cameras that look at the table: low ones from two sides, each facing those of the other
    side, and between them in order high ones from all around."""
    rng = np.random.default_rng((18, seed))
    cameras = []
    for number in range(VIEWS):
        low, turn = number % 2 == 0, number // 2
        angle_deg = 180 * (turn % 2) - 40 + 16 * (turn // 2) if low else 30 * turn
        radius, height = np.array((1.5, 1.35) if low else (1.0, 2.0)) + rng.uniform(-0.1, 0.1, 2)
        angle = np.radians(angle_deg)
        center = (radius * np.cos(angle), radius * np.sin(angle), height)
        target = (*rng.uniform(-0.05, 0.05, 2), TABLE_M + 0.1)
        cameras.append(
            Camera(
                width=WIDTH,
                height=HEIGHT,
                fx=FOCAL,
                fy=FOCAL,
                cx=WIDTH / 2,
                cy=HEIGHT / 2,
                world_from_camera=look_at(center, target),
            )
        )
    return tuple(cameras)


def look_at(center: Sequence[float], target: Sequence[float]) -> np.ndarray:
    """world_from_camera of a camera that stands upright."""
    forward = np.subtract(target, center)
    forward = forward / np.linalg.norm(forward)
    right = np.cross(forward, (0.0, 0.0, 1.0))
    right /= np.linalg.norm(right)
    pose = np.eye(4)
    pose[:3] = np.column_stack([right, np.cross(forward, right), forward, center])
    return pose


def pixel_rays(camera: Camera, uv_px: np.ndarray) -> np.ndarray:
    """Directions in the world whose parameter is depth along z, of pixels of a pinhole."""
    u, v = np.asarray(uv_px, float).T
    rays = np.stack([(u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy, np.ones_like(u)])
    return (camera.world_from_camera[:3, :3] @ rays).T


def pixel_of(camera: Camera, point: Sequence[float] | np.ndarray) -> tuple[float, float, float]:
    """(u, v, depth) of a point in a pinhole, from the homogeneous projection matrix."""
    matrix = camera.matrix @ np.linalg.inv(camera.world_from_camera)[:3]
    u, v, w = matrix @ (*point, 1.0)
    return u / w, v / w, w


def cast(room: Room, origin: np.ndarray, rays: np.ndarray) -> np.ndarray:
    """Parameter of the first hit of each ray: the walls from inside, everything else outside."""
    rays = np.where(np.abs(rays) < 1e-12, 1e-12, rays)
    first = np.maximum(*((WALLS - origin)[:, None] / rays)).min(axis=1)
    for box in room.boxes:
        low, high = (box - origin)[:, None] / rays
        enter, leave = np.minimum(low, high).max(axis=1), np.maximum(low, high).min(axis=1)
        first = np.where((enter < leave) & (enter > 0), np.minimum(first, enter), first)
    for x, y, z, radius in room.balls:
        offset = origin - (x, y, z)
        a, b = (rays**2).sum(axis=1), rays @ offset
        root = b**2 - a * (offset @ offset - radius**2)
        near = (-b - np.sqrt(np.maximum(root, 0))) / a
        first = np.where((root > 0) & (near > 0), np.minimum(first, near), first)
    return first


def hit(room: Room, camera: Camera, uv_px: Sequence[float] | np.ndarray) -> np.ndarray:
    """The surface point that a pixel shows."""
    ray = pixel_rays(camera, np.array([uv_px]))
    return camera.center + (cast(room, camera.center, ray)[:, None] * ray)[0]


def render(room: Room, camera: Camera) -> tuple[np.ndarray, np.ndarray]:
    """uint8 image and depth along z in metres, at pixel centres.

    Everything has patches of four colours, so that many points look alike, with a fine grain.
    Brightness and tint fall off across the image, another way for every camera, as exposure and
    gloss make it with real ones: the same point has not quite the same colour everywhere.
    """
    u, v = np.meshgrid(np.arange(camera.width) + 0.5, np.arange(camera.height) + 0.5)
    rays = pixel_rays(camera, np.column_stack([u.ravel(), v.ravel()]))
    depth_m = cast(room, camera.center, rays)
    points = camera.center + depth_m[:, None] * rays
    waves = np.sin(points @ room.waves[:, :3].T + room.waves[:, 3])  # (pixels, k)
    kinds = (waves.reshape(len(points), -1, 3).sum(axis=1) > 0) @ (1, 2, 0)
    texture = PALETTE[kinds] + 5 * np.sin(points * 90)
    rng = np.random.default_rng(np.abs(camera.center * 1e6).astype(np.int64))
    place = np.column_stack([np.ones(u.size), u.ravel() / camera.width, v.ravel() / camera.height])
    light = 1 + (place - (0.0, 0.5, 0.5)) @ rng.uniform(-0.05, 0.05, (3, 3))
    image = np.clip(texture * light, 0, 255).astype(np.uint8)
    shape = (camera.height, camera.width)
    return image.reshape(*shape, 3), depth_m.reshape(shape)


def write_scene(folder: Path, seed: int) -> None:
    """One capture in the WildRGB-D layout."""
    for name in ("rgb", "depth"):
        (folder / name).mkdir(parents=True)
    lines = []
    for number, camera in enumerate(orbit(seed)):
        image, depth_m = render(furnish(seed), camera)
        file = f"{number:05d}.png"
        cv2.imwrite(str(folder / "rgb" / file), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        cv2.imwrite(str(folder / "depth" / file), np.round(depth_m * 1000).astype(np.uint16))
        numbers = camera.world_from_camera.ravel().tolist()
        lines.append(" ".join(map(repr, [number, *numbers])))
    (folder / "cam_poses.txt").write_text("\n".join(lines) + "\n")
    matrix = orbit(seed)[0].matrix.T.ravel().tolist()
    (folder / "metadata").write_text(json.dumps({"w": WIDTH, "h": HEIGHT, "K": matrix}))


def write_captures(root: Path, scenes: int) -> None:
    """Captures `toy/scenes/scene_000` and on; the seed of each is its number."""
    for seed in range(scenes):
        write_scene(root / "toy" / "scenes" / f"scene_{seed:03d}", seed)


def seed_of(scene_id: str) -> int:
    """The seed of a capture, from its id."""
    return int(scene_id.rpartition("_")[2])
