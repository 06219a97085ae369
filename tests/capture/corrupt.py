"""Captures with the mistakes that are made with calibration."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from xvr.geometry.camera import Camera
from xvr.sources.records import Depth, Scene

OPENGL = np.diag([1.0, -1.0, -1.0, 1.0])
BODY_AXES = np.array([[0.0, 0, 1, 0], [-1, 0, 0, 0], [0, -1, 0, 0], [0, 0, 0, 1]])


def cameras(scene: Scene, change: Callable[[Camera], Camera]) -> Scene:
    """Other cameras."""
    return replace(
        scene, views=tuple(replace(view, camera=change(view.camera)) for view in scene.views)
    )


def poses(scene: Scene, change: Callable[[np.ndarray], np.ndarray]) -> Scene:
    """Other poses."""
    return cameras(scene, lambda c: replace(c, world_from_camera=change(c.world_from_camera)))


def order(scene: Scene, number: Callable[[int], int]) -> Scene:
    """Each frame gets the pose of another one."""
    given = [view.camera for view in scene.views]
    views = [
        replace(view, camera=given[number(n) % len(given)]) for n, view in enumerate(scene.views)
    ]
    return replace(scene, views=tuple(views))


def depths(scene: Scene, change: Callable[[Camera, Depth], np.ndarray]) -> Scene:
    """Other depth maps."""
    views = []
    for view in scene.views:
        read = view.read_depth
        assert read is not None
        views.append(
            replace(
                view,
                read_depth=lambda read=read, c=view.camera: change(c, read()).astype(np.float32),
            )
        )
    return replace(scene, views=tuple(views))


def along_rays(camera: Camera, depth: Depth) -> np.ndarray:
    """Distances to the camera's centre."""
    v, u = np.mgrid[: camera.height, : camera.width] + 0.5
    x, y = (u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy
    return depth * np.sqrt(x**2 + y**2 + 1)


def unregistered(camera: Camera) -> Camera:
    """The colour camera's intrinsics for depth of a Kinect's depth camera (525 and 585 pixels)."""
    return replace(
        camera, fx=camera.fx * 1.11, fy=camera.fy * 1.11, cx=camera.cx + 0.03 * camera.width
    )


def noisy(scene: Scene, depth_share: float, move_m: float, turn_deg: float) -> Scene:
    """Depth noise of patches of 8 pixels, and poses that are off, as those of real sensors are."""
    rng = np.random.default_rng(3)

    def shake(pose: np.ndarray) -> np.ndarray:
        x, y, z = rng.normal(0, np.radians(turn_deg), 3)
        turn = np.array([[1, -z, y], [z, 1, -x], [-y, x, 1]])
        u, _, vt = np.linalg.svd(turn)
        moved = pose.copy()
        moved[:3, :3] = pose[:3, :3] @ u @ vt
        moved[:3, 3] += rng.normal(0, move_m, 3)
        return moved

    def blur(_: Camera, depth: Depth) -> np.ndarray:
        coarse = rng.normal(0, depth_share, (depth.shape[0] // 8 + 2, depth.shape[1] // 8 + 2))
        rows, columns = (np.arange(size) / 8 for size in depth.shape)
        noise = np.array([np.interp(columns, np.arange(len(line)), line) for line in coarse])
        places = np.arange(len(noise))
        noise = np.array([np.interp(rows, places, line) for line in noise.T]).T
        return depth * (1 + noise)

    return depths(poses(scene, shake), blur)


MISTAKES: dict[str, tuple[Callable[[Scene], Scene], str]] = {
    "opengl axes": (lambda s: poses(s, lambda p: p @ OPENGL), "opengl_axes"),
    "world to camera": (lambda s: poses(s, np.linalg.inv), "inverted_poses"),
    "world to camera of opengl": (
        lambda s: poses(s, lambda p: np.linalg.inv(p @ OPENGL)),
        "inverted_poses_opengl_axes",
    ),
    "body axes": (lambda s: poses(s, lambda p: p @ np.linalg.inv(BODY_AXES)), "body_axes"),
    "millimetres as metres": (lambda s: depths(s, lambda _, d: d * 1000), "depth_unit"),
    "metres as millimetres": (lambda s: depths(s, lambda _, d: d / 1000), "depth_unit"),
    "4000 per metre": (lambda s: depths(s, lambda _, d: d * 4), "depth_unit"),
    "5000 per metre": (lambda s: depths(s, lambda _, d: d * 5), "depth_unit"),
    "10000 per metre": (lambda s: depths(s, lambda _, d: d * 10), "depth_unit"),
    "ray depth": (lambda s: depths(s, along_rays), "ray_depth"),
    "unregistered": (lambda s: cameras(s, unregistered), "wrong_intrinsics"),
    "reversed": (lambda s: order(s, lambda n: -1 - n), "reversed_poses"),
    "poses late": (lambda s: order(s, lambda n: n - 2), "shifted_poses"),
    "shuffled": (
        lambda s: order(s, np.random.default_rng(1).permutation(len(s.views)).__getitem__),
        "unknown",
    ),
}
"""Corruption of a scene and the name of what it looks like."""
