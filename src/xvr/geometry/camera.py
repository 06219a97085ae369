"""A calibrated camera, projection and its inverse.

Conventions are those of `xvr.geometry`. Distortion models: `brown` is OpenCV's k1, k2, p1, p2, k3
(https://docs.opencv.org/4.x/d9/d0c/group__calib3d.html), which covers COLMAP's SIMPLE_RADIAL,
RADIAL and OPENCV; `fisheye` is OpenCV's equidistant k1..k4 (COLMAP's OPENCV_FISHEYE).

    camera = Camera(width=640, height=480, fx=500, fy=500, cx=320, cy=240)
    uv_px, depth_m = project(camera, np.array([[0.0, 0.0, 2.0]]))  # [[320, 240]], [2]
"""

from dataclasses import dataclass, field
from math import isfinite
from typing import Literal

import cv2
import numba
import numpy as np
from jaxtyping import Float

RIGID_TOLERANCE = 1e-3
"""Largest entry of |R R^T - I| that still counts as a rotation; SLAM files carry ~1e-6."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Camera:
    """Intrinsics and pose of one image.

    Raises:
        ValueError: a focal length or size is not positive, or the pose is not finite and rigid.
    """

    width: int
    """Pixels."""
    height: int
    """Pixels."""
    fx: float
    """Focal length along x, pixels."""
    fy: float
    """Focal length along y, pixels."""
    cx: float
    """Principal point along x, pixels, pixel centres at +0.5."""
    cy: float
    """Principal point along y, pixels, pixel centres at +0.5."""
    world_from_camera: Float[np.ndarray, "4 4"] = field(default_factory=lambda: np.eye(4))
    """Rigid pose, metres, OpenCV axes."""
    model: Literal["pinhole", "brown", "fisheye"] = "pinhole"
    """Distortion model; `pinhole` has none."""
    distortion: tuple[float, ...] = ()
    """k1, k2, p1, p2, k3 for `brown`, k1..k4 for `fisheye`; missing trailing terms are zero."""

    def __post_init__(self) -> None:
        if min(self.width, self.height) <= 0 or not min(self.fx, self.fy) > 0:
            raise ValueError(
                f"size {self.width}x{self.height} and focal lengths {self.fx}, {self.fy} "
                "must be positive"
            )
        if not all(map(isfinite, (self.fx, self.fy, self.cx, self.cy, *self.distortion))):
            raise ValueError("intrinsics must be finite")
        check_rigid(self.world_from_camera)

    @property
    def center(self) -> Float[np.ndarray, "3"]:
        """The camera's centre in the world, metres."""
        return self.world_from_camera[:3, 3]

    @property
    def forward(self) -> Float[np.ndarray, "3"]:
        """Unit viewing direction in the world."""
        return self.world_from_camera[:3, 2]

    @property
    def camera_from_world(self) -> Float[np.ndarray, "4 4"]:
        """Inverse of the pose."""
        inverse = np.eye(4)
        inverse[:3, :3] = self.world_from_camera[:3, :3].T
        inverse[:3, 3] = -inverse[:3, :3] @ self.world_from_camera[:3, 3]
        return inverse

    @property
    def matrix(self) -> Float[np.ndarray, "3 3"]:
        """K, so that homogeneous pixels are K @ (x/z, y/z, 1) when there is no distortion."""
        return np.array([[self.fx, 0.0, self.cx], [0.0, self.fy, self.cy], [0.0, 0.0, 1.0]])

    @property
    def diagonal_px(self) -> float:
        """Length of the image diagonal, pixels."""
        return float(np.hypot(self.width, self.height))


def check_rigid(matrix: Float[np.ndarray, "4 4"]) -> None:
    """Raise `ValueError` unless the matrix is a finite rigid transform."""
    finite, error, turned, last_row = _rigidity(np.ascontiguousarray(matrix, np.float64))
    if not finite:
        raise ValueError("pose has a non-finite entry")
    if error > RIGID_TOLERANCE or turned < 0:
        raise ValueError(f"pose is not rigid: |R R^T - I| reaches {error:.2g}")
    if last_row > RIGID_TOLERANCE:
        raise ValueError(f"last row of the pose is {matrix[3].tolist()}, not 0 0 0 1")


@numba.njit(cache=True)
def _rigidity(m):  # pragma: no cover - compiled
    """Whether all is finite, largest |R R^T - I|, determinant of R, largest error of row 4."""
    error = 0.0
    for i in range(3):
        for j in range(3):
            product = m[i, 0] * m[j, 0] + m[i, 1] * m[j, 1] + m[i, 2] * m[j, 2]
            error = max(error, abs(product - (1.0 if i == j else 0.0)))
    turned = m[0, 0] * (m[1, 1] * m[2, 2] - m[1, 2] * m[2, 1])
    turned -= m[0, 1] * (m[1, 0] * m[2, 2] - m[1, 2] * m[2, 0])
    turned += m[0, 2] * (m[1, 0] * m[2, 1] - m[1, 1] * m[2, 0])
    last_row = max(max(abs(m[3, 0]), abs(m[3, 1])), max(abs(m[3, 2]), abs(m[3, 3] - 1.0)))
    return np.isfinite(m).all(), error, turned, last_row


def project(
    camera: Camera, points_world: Float[np.ndarray, "n 3"]
) -> tuple[Float[np.ndarray, "n 2"], Float[np.ndarray, " n"]]:
    """Pixels and depths of world points; a point at or behind the camera has NaN pixels."""
    rotation, lens = camera.world_from_camera[:3, :3], (camera.fx, camera.fy, camera.cx, camera.cy)
    if camera.model == "pinhole":
        return _project_pinhole(points_world, camera.center, rotation, lens)
    points_camera = (points_world - camera.center) @ rotation
    depth_m = points_camera[:, 2]
    in_front = depth_m > 0
    safe_z = np.where(in_front, depth_m, 1.0)
    xy = _distort(camera, points_camera[:, :2] / safe_z[:, None])
    uv_px = xy * lens[:2] + lens[2:]
    uv_px[~in_front] = np.nan
    return uv_px, depth_m


@numba.njit(cache=True)
def _project_pinhole(points, center, rotation, lens):  # pragma: no cover - compiled
    uv_px, depth_m = np.full((len(points), 2), np.nan), np.empty(len(points))
    fx, fy, cx, cy = lens
    for i in range(len(points)):
        x, y, z = 0.0, 0.0, 0.0
        for axis in range(3):
            offset = points[i, axis] - center[axis]
            x += offset * rotation[axis, 0]
            y += offset * rotation[axis, 1]
            z += offset * rotation[axis, 2]
        depth_m[i] = z
        if z > 0:
            uv_px[i, 0], uv_px[i, 1] = x / z * fx + cx, y / z * fy + cy
    return uv_px, depth_m


def unproject(
    camera: Camera, uv_px: Float[np.ndarray, "n 2"], depth_m: Float[np.ndarray, " n"]
) -> Float[np.ndarray, "n 3"]:
    """World points at the given pixels and depths along z."""
    xy = _undistort(camera, uv_px)
    points_camera = np.column_stack([xy, np.ones(len(xy))]) * np.asarray(depth_m)[:, None]
    return points_camera @ camera.world_from_camera[:3, :3].T + camera.center


def rays(camera: Camera, uv_px: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "n 3"]:
    """Unit directions in the world from the camera's centre through the given pixels."""
    directions = unproject(camera, uv_px, np.ones(len(uv_px))) - camera.center
    return directions / np.linalg.norm(directions, axis=1, keepdims=True)


def _distort(camera: Camera, xy: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "n 2"]:
    if camera.model == "pinhole":
        return xy
    if camera.model == "fisheye":
        k1, k2, k3, k4 = _padded(camera.distortion, 4)
        radius = np.linalg.norm(xy, axis=1)
        theta = np.arctan(radius)
        t2 = theta * theta
        bent = theta * (1 + t2 * (k1 + t2 * (k2 + t2 * (k3 + t2 * k4))))
        return xy * np.where(radius > 1e-12, bent / np.maximum(radius, 1e-12), 1.0)[:, None]
    k1, k2, p1, p2, k3 = _padded(camera.distortion, 5)
    x, y = xy.T
    r2 = x * x + y * y
    radial = 1 + r2 * (k1 + r2 * (k2 + r2 * k3))
    return np.column_stack(
        [
            x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x),
            y * radial + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y,
        ]
    )


def _undistort(camera: Camera, uv_px: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "n 2"]:
    if camera.model == "pinhole" or len(uv_px) == 0:
        return (uv_px - (camera.cx, camera.cy)) / (camera.fx, camera.fy)
    pixels = np.ascontiguousarray(uv_px, dtype=np.float64)[:, None]  # (n, 1, 2)
    criteria = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 100, 1e-12)
    if camera.model == "fisheye":
        coefficients = np.array(_padded(camera.distortion, 4))
        found = cv2.fisheye.undistortPoints(pixels, camera.matrix, coefficients, criteria=criteria)
    else:
        coefficients = np.array(_padded(camera.distortion, 5))
        found = cv2.undistortPointsIter(
            pixels, camera.matrix, coefficients, np.eye(3), np.eye(3), criteria
        )
    return found[:, 0]


def _padded(values: tuple[float, ...], count: int) -> tuple[float, ...]:
    return (*values, *([0.0] * (count - len(values))))
