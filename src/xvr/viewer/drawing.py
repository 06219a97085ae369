"""What a 3D view draws, as plain data: cameras, lines, arrows, dots, and a cloud of points.

A drawing is filled in the world of the source and leaves it in the coordinates of the page: z up,
seen along y, the centre at 0 and the farthest camera or marked point at distance 1.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from xvr.geometry.camera import Camera

CLOUD_POINTS = 9000
"""The most in one view."""
_CLOUD_REACH = 1.5
"""A cloud ends at this distance from the centre, in the unit of the page."""
_CLOUD_SCALE = 10_000
"""Steps of a cloud coordinate in the unit of the page; 16 bits reach 3.2 units."""
_FRUSTUM_WIDTH = 0.34
"""Of an image plane, in the unit of the page."""
_FRUSTUM_DEPTH = 0.5
"""The most."""
_LEVEL = 0.2
"""Cameras whose x axes spread less than this share in a second direction do not tell what is up."""


@dataclass(kw_only=True, eq=False)
class Drawing:
    """Everything in one 3D view; positions are metres in the world of the source."""

    cameras: list[tuple[int, Camera, str, bool]] = field(default_factory=list)
    """Number of the image, camera, colour, whether it is the answer."""
    lines: list[dict[str, Any]] = field(default_factory=list)
    arrows: list[dict[str, Any]] = field(default_factory=list)
    dots: list[dict[str, Any]] = field(default_factory=list)
    clouds: list[tuple[Float[np.ndarray, "n 3"], UInt8[np.ndarray, "n 3"]]] = field(
        default_factory=list
    )
    up: Float[np.ndarray, "3"] | None = None
    """Where up is in the world, if known; otherwise the cameras tell."""

    def camera(self, image: int, camera: Camera, color: str, right: bool) -> None:
        """A camera with the number of its image."""
        self.cameras.append((image, camera, color, right))

    def line(self, points: Sequence[Any], color: str, *, dash: bool = False) -> None:
        """A line through points, such as a ray or a path."""
        self.lines.append({"points": points, "color": color, "dash": dash})

    def arrow(self, ends: Sequence[Any], color: str, label: str, right: bool) -> None:
        """An arrow between two points."""
        self.arrows.append({"points": ends, "color": color, "label": label, "right": right})

    def dot(self, point: Any, color: str, label: str, right: bool = False) -> None:
        """A point with a label."""
        self.dots.append({"points": [point], "color": color, "label": label, "right": right})

    def to_json(self) -> dict[str, Any] | None:
        """The drawing in the coordinates of the page; None where there is nothing to draw."""
        marked = [p for item in (*self.lines, *self.arrows, *self.dots) for p in item["points"]]
        anchors = np.array([*marked, *(camera.center for _, camera, _, _ in self.cameras)])
        if not len(anchors):
            return None
        center = (anchors.min(axis=0) + anchors.max(axis=0)) / 2
        radius_m = max(float(np.linalg.norm(anchors - center, axis=1).max()), 1e-6)
        rotation = self._page_from_world()

        def page(points: Any) -> Float[np.ndarray, "n 3"]:
            return (np.asarray(points, dtype=np.float64) - center) @ rotation.T / radius_m

        def moved(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
            return [item | {"points": _plain(page(item["points"]))} for item in items]

        frusta = [
            {
                "image": image,
                "points": _plain(page(_frustum(camera, radius_m))),
                "color": color,
                "right": right,
            }
            for image, camera, color, right in self.cameras
        ]
        return {
            "radius_m": float(f"{radius_m:.4g}"),
            "cameras": frusta,
            "lines": moved(self.lines),
            "arrows": moved(self.arrows),
            "dots": moved(self.dots),
            "cloud": _packed([(page(points), rgb) for points, rgb in self.clouds]),
        }

    def _page_from_world(self) -> Float[np.ndarray, "3 3"]:
        """Rows are right, forward and up of the page in the world."""
        poses = [camera.world_from_camera[:3, :3] for _, camera, _, _ in self.cameras]
        up = _up(poses) if self.up is None else self.up
        forward = sum((pose[:, 2] for pose in poses), np.zeros(3))
        forward = forward - up * (forward @ up)
        if np.linalg.norm(forward) < 1e-6:
            forward = np.eye(3)[np.argmin(np.abs(up))]
            forward = forward - up * (forward @ up)
        forward = forward / np.linalg.norm(forward)
        return np.stack([np.cross(forward, up), forward, up])


def _up(poses: Sequence[Float[np.ndarray, "3 3"]]) -> Float[np.ndarray, "3"]:
    """Cameras are seldom rolled: up is what all their x axes are perpendicular to."""
    if not poses:
        return np.array([0.0, 0.0, 1.0])
    mean = -np.mean([pose[:, 1] for pose in poses], axis=0)
    _, spread, axes = np.linalg.svd(np.stack([pose[:, 0] for pose in poses]))
    if len(poses) > 2 and spread[1] > _LEVEL * spread[0]:
        mean = axes[2] * np.sign(axes[2] @ mean)
    norm = np.linalg.norm(mean)
    return mean / norm if norm > 1e-6 else np.array([0.0, 0.0, 1.0])


def _frustum(camera: Camera, radius_m: float) -> Float[np.ndarray, "5 3"]:
    """The centre and the corners of the image plane, clockwise from the top left."""
    depth_m = radius_m * min(_FRUSTUM_WIDTH * camera.fx / camera.width, _FRUSTUM_DEPTH)
    u = np.array([0, camera.width, camera.width, 0])
    v = np.array([0, 0, camera.height, camera.height])
    rays = np.stack([(u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy, np.ones(4)], axis=1)
    corners = camera.center + depth_m * rays @ camera.world_from_camera[:3, :3].T
    return np.vstack([camera.center, corners])


def _packed(
    clouds: Sequence[tuple[Float[np.ndarray, "n 3"], UInt8[np.ndarray, "n 3"]]],
) -> dict[str, str] | None:
    """Coordinates as little-endian int16 and colours as bytes, in base64."""
    if not clouds:
        return None
    points = np.concatenate([points for points, _ in clouds])
    rgb = np.concatenate([rgb for _, rgb in clouds])
    near = np.flatnonzero(np.linalg.norm(points, axis=1) < _CLOUD_REACH)
    if len(near) > CLOUD_POINTS:
        near = near[np.linspace(0, len(near) - 1, CLOUD_POINTS).astype(int)]
    steps = np.round(points[near] * _CLOUD_SCALE).astype("<i2")
    return {
        "xyz": base64.b64encode(steps.tobytes()).decode(),
        "rgb": base64.b64encode(rgb[near].tobytes()).decode(),
    }


def _plain(points: Float[np.ndarray, "n 3"]) -> list[list[float]]:
    # Adding 0 turns -0.0 into 0.0, which another build of numpy may round to.
    return (np.round(points, 4) + 0.0).tolist()
