"""Is a surface point really seen at its projection? Depth lookups that never cross an edge.

A lookup interpolates bilinearly and only where the four neighbours are known and agree; a point is
seen where the looked-up depth equals its own within tolerance and the surface is not grazing.
"""

import math
from typing import NamedTuple

import numba
import numpy as np
from jaxtyping import Bool, Float, Int

from xvr.geometry.camera import Camera, project


class Sight(NamedTuple):
    """How one view sees n points."""

    uv_px: Float[np.ndarray, "n 2"]
    """Projections; NaN behind the camera."""
    depth_m: Float[np.ndarray, " n"]
    """Depth of each point along z."""
    error_m: Float[np.ndarray, " n"]
    """|looked-up depth - depth|; NaN where the map has no reliable value."""
    visible: Bool[np.ndarray, " n"]


class Tolerance(NamedTuple):
    """Largest depth difference that counts as the same surface: max(absolute, share * depth)."""

    absolute_m: float
    share: float


def inside(
    uv_px: Float[np.ndarray, "n 2"], width: int, height: int, margin_px: float
) -> Bool[np.ndarray, " n"]:
    """Which pixels lie in the image by a margin; NaN does not."""
    u, v = uv_px.T
    return (
        (u >= margin_px) & (u <= width - margin_px) & (v >= margin_px) & (v <= height - margin_px)
    )


def see_points(
    camera: Camera,
    depth_map_m: Float[np.ndarray, "h w"],
    points_world: Float[np.ndarray, "n 3"],
    normals_world: Float[np.ndarray, "n 3"],
    *,
    margin_px: float,
    tolerance: Tolerance,
    max_grazing_deg: float,
) -> Sight:
    """Test points with normals against one depth map.

    Args:
        camera: the view.
        depth_map_m: metres along z, 0 or non-finite where unknown.
        points_world: the points.
        normals_world: unit normals of either sign.
        margin_px: how far inside the image a projection must lie.
        tolerance: of the depth test and of the agreement of neighbours.
        max_grazing_deg: largest angle between the ray and the normal.
    """
    uv_px, depth_m = project(camera, points_world)
    error_m, visible = np.empty(len(uv_px)), np.empty(len(uv_px), bool)
    _see(
        depth_map_m,
        (uv_px, depth_m, points_world, normals_world, camera.center),
        (margin_px, *map(float, tolerance), math.cos(math.radians(max_grazing_deg))),
        (error_m, visible),
    )
    return Sight(uv_px, depth_m, error_m, visible)


def lookup_depth(
    depth_map_m: Float[np.ndarray, "h w"], uv_px: Float[np.ndarray, "n 2"], tolerance: Tolerance
) -> Float[np.ndarray, " n"]:
    """Bilinear depth at pixels; NaN outside, on missing depth and across an edge."""
    return _lookup(depth_map_m, np.ascontiguousarray(uv_px, np.float64), *map(float, tolerance))


def carried_errors(
    near: Camera,
    far: Camera,
    far_map_m: Float[np.ndarray, "h w"],
    uv_px: Float[np.ndarray, "n 2"],
    depth_m: Float[np.ndarray, " n"],
    tolerance: Tolerance,
) -> Float[np.ndarray, " m"]:
    """Carry pixels of one pinhole camera into another, and compare with its depth map.

    Returns:
        (depth of the carried pixel - depth map) / depth map, where the map can be read.
    """
    far_from_near = far.camera_from_world @ near.world_from_camera
    lenses = (near.fx, near.fy, near.cx, near.cy), (far.fx, far.fy, far.cx, far.cy)
    return _carried(far_map_m, far_from_near, lenses, uv_px, depth_m, tuple(map(float, tolerance)))


def estimate_normals(
    camera: Camera, depth_map_m: Float[np.ndarray, "h w"], pixels: Int[np.ndarray, "n 2"], step: int
) -> Float[np.ndarray, "n 3"]:
    """Unit surface normals in the world at integer (column, row) pixels, from four neighbours.

    NaN where a neighbour `step` pixels away is missing. Exact for a plane seen by a pinhole; the
    distortion of a lens is ignored over the few pixels of the step.
    """
    normals_camera = _normals(
        depth_map_m,
        np.ascontiguousarray(pixels, np.int64),
        step,
        camera.fx,
        camera.fy,
        camera.cx,
        camera.cy,
    )
    return normals_camera @ camera.world_from_camera[:3, :3].T


@numba.njit(cache=True)
def _see(depth_map, points, limits, out):  # pragma: no cover - compiled
    height, width = depth_map.shape
    uv_px, depth_m, world, normals, center = points
    margin_px, absolute_m, share, min_cosine = limits
    error_m, visible = out
    for i in range(len(uv_px)):
        error_m[i], visible[i] = np.nan, False
        u, v = uv_px[i]
        # written so that NaN fails too
        if not (margin_px <= u <= width - margin_px and margin_px <= v <= height - margin_px):
            continue
        error_m[i] = abs(_interpolate(depth_map, u, v, absolute_m, share) - depth_m[i])
        if not error_m[i] <= max(absolute_m, share * depth_m[i]):
            continue
        along, square = 0.0, 0.0
        for axis in range(3):
            ray = center[axis] - world[i, axis]
            along += ray * normals[i, axis]
            square += ray * ray
        visible[i] = abs(along) >= min_cosine * max(math.sqrt(square), 1e-12)


@numba.njit(cache=True)
def _lookup(depth_map, uv_px, absolute_m, share):  # pragma: no cover - compiled
    out = np.empty(len(uv_px))
    for i in range(len(uv_px)):
        out[i] = _interpolate(depth_map, uv_px[i, 0], uv_px[i, 1], absolute_m, share)
    return out


@numba.njit(cache=True)
def _interpolate(depth_map, u, v, absolute_m, share):  # pragma: no cover - compiled
    height, width = depth_map.shape
    x, y = u - 0.5, v - 0.5
    if not (0.0 <= x <= width - 1 and 0.0 <= y <= height - 1):
        return np.nan
    x0, y0 = min(int(x), width - 2), min(int(y), height - 2)
    a, b = depth_map[y0, x0], depth_map[y0, x0 + 1]
    c, d = depth_map[y0 + 1, x0], depth_map[y0 + 1, x0 + 1]
    low, high = min(min(a, b), min(c, d)), max(max(a, b), max(c, d))
    # written so that NaN fails too
    if not (low > 0.0 and high - low <= max(absolute_m, share * low)):
        return np.nan
    fx, fy = x - x0, y - y0
    return (a * (1 - fx) + b * fx) * (1 - fy) + (c * (1 - fx) + d * fx) * fy


@numba.njit(cache=True)
def _carried(
    far_map, far_from_near, lenses, uv_px, depth_m, tolerance
):  # pragma: no cover - compiled
    (fx, fy, cx, cy), (far_fx, far_fy, far_cx, far_cy) = lenses
    m, out, kept = far_from_near, np.empty(len(uv_px)), 0
    for i in range(len(uv_px)):
        z = depth_m[i]
        x, y = (uv_px[i, 0] - cx) / fx * z, (uv_px[i, 1] - cy) / fy * z
        far_z = m[2, 0] * x + m[2, 1] * y + m[2, 2] * z + m[2, 3]
        if not far_z > 0:
            continue
        far_x = m[0, 0] * x + m[0, 1] * y + m[0, 2] * z + m[0, 3]
        far_y = m[1, 0] * x + m[1, 1] * y + m[1, 2] * z + m[1, 3]
        u, v = far_fx * far_x / far_z + far_cx, far_fy * far_y / far_z + far_cy
        seen = _interpolate(far_map, u, v, tolerance[0], tolerance[1])
        if seen > 0:
            out[kept] = (far_z - seen) / seen
            kept += 1
    return out[:kept]


@numba.njit(cache=True)
def _normals(depth, pixels, step, fx, fy, cx, cy):  # pragma: no cover - compiled
    height, width = depth.shape
    out = np.full((len(pixels), 3), np.nan)
    for i in range(len(pixels)):
        x, y = pixels[i]
        if x < step or y < step or x >= width - step or y >= height - step:
            continue
        left, right = depth[y, x - step], depth[y, x + step]
        up, down = depth[y - step, x], depth[y + step, x]
        if not (left > 0.0 and right > 0.0 and up > 0.0 and down > 0.0):
            continue
        ym, xm = (y + 0.5 - cy) / fy, (x + 0.5 - cx) / fx
        xl, xr = (x - step + 0.5 - cx) / fx, (x + step + 0.5 - cx) / fx
        yu, yd = (y - step + 0.5 - cy) / fy, (y + step + 0.5 - cy) / fy
        ax, ay, az = right * xr - left * xl, (right - left) * ym, right - left
        bx, by, bz = (down - up) * xm, down * yd - up * yu, down - up
        nx, ny, nz = ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx
        norm = math.sqrt(nx * nx + ny * ny + nz * nz)
        if norm > 0.0:
            out[i, 0], out[i, 1], out[i, 2] = nx / norm, ny / norm, nz / norm
    return out
