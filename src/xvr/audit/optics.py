"""Rays, sightings and depth look-ups, written for the audit alone.

Only the `Camera` record is shared with the code that made the dataset: every formula here is the
audit's own, so that a mistake made there is not repeated. Conventions are those of `Camera`:
OpenCV axes, metres, pixel centres at +0.5, depth along z.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from xvr.geometry.camera import Camera

UNDISTORT_STEPS = 25
JACOBIAN_STEP = 1e-6


class Depths(NamedTuple):
    """Depth at some pixels, from the four pixel centres around each."""

    depth_m: Float[np.ndarray, " n"]
    """Bilinear; NaN outside the image or where one of the four is unknown."""
    spread_m: Float[np.ndarray, " n"]
    """Largest minus smallest of the four; NaN where the depth is."""


def pixel_rays(camera: Camera, uv_px: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "n 3"]:
    """Unit directions in the world, from the camera's centre through pixels."""
    bent = np.column_stack(
        [(uv_px[:, 0] - camera.cx) / camera.fx, (uv_px[:, 1] - camera.cy) / camera.fy]
    )
    straight = bent if camera.model == "pinhole" else _straighten(camera, bent)
    x_axis, y_axis, z_axis = camera.world_from_camera[:3, :3].T
    rays = straight[:, :1] * x_axis + straight[:, 1:] * y_axis + z_axis
    return rays / np.sqrt(np.einsum("nk,nk->n", rays, rays))[:, None]


def pixels_of(
    camera: Camera, points_world: Float[np.ndarray, "n 3"]
) -> tuple[Float[np.ndarray, "n 2"], Float[np.ndarray, " n"]]:
    """Pixels (NaN behind the camera) and depths along z of world points."""
    pose = camera.world_from_camera
    in_camera = np.linalg.solve(pose[:3, :3], (points_world - pose[:3, 3]).T).T
    with np.errstate(divide="ignore", invalid="ignore"):
        straight = in_camera[:, :2] / np.where(in_camera[:, 2:] > 0, in_camera[:, 2:], np.nan)
        bent = _bend(camera, straight)
    return np.column_stack(
        [bent[:, 0] * camera.fx + camera.cx, bent[:, 1] * camera.fy + camera.cy]
    ), in_camera[:, 2]


def depths_at(depth_m: Float[np.ndarray, "h w"], uv_px: Float[np.ndarray, "n 2"]) -> Depths:
    """Bilinear depth at pixels; unknown as soon as one of the four neighbours is unknown."""
    height, width = depth_m.shape
    left_top = np.floor(np.nan_to_num(uv_px, nan=-9.0) - 0.5).astype(int)  # (n, 2)
    inside = (left_top >= 0).all(axis=1) & (left_top + 1 < (width, height)).all(axis=1)
    column, row = np.where(inside[:, None], left_top, 0).T
    corners = np.stack(
        [
            depth_m[row, column],
            depth_m[row, column + 1],
            depth_m[row + 1, column],
            depth_m[row + 1, column + 1],
        ],
        axis=1,
    ).astype(np.float64)  # (n, 4)
    known = inside & (corners > 0).all(axis=1) & np.isfinite(corners).all(axis=1)
    a, b = (uv_px - 0.5 - left_top).T
    weights = np.stack([(1 - a) * (1 - b), a * (1 - b), (1 - a) * b, a * b], axis=1)
    found = (weights * corners).sum(axis=1)
    spread = corners.max(axis=1) - corners.min(axis=1)
    return Depths(np.where(known, found, np.nan), np.where(known, spread, np.nan))


def meeting_point(
    centers: Float[np.ndarray, "n 3"], rays: Float[np.ndarray, "n 3"]
) -> Float[np.ndarray, "3"]:
    """The point with the smallest sum of squared distances to the rays' lines.

    Normal equations of `sum_i |(I - r_i r_i^T)(X - c_i)|^2`; parallel rays give a point far away.
    """
    across = np.eye(3) - rays[:, :, None] * rays[:, None, :]  # (n, 3, 3)
    right = np.einsum("nij,nj->i", across, centers)
    return np.linalg.lstsq(across.sum(axis=0), right, rcond=None)[0]


def miss_angles(
    centers: Float[np.ndarray, "n 3"], rays: Float[np.ndarray, "n 3"], points: np.ndarray
) -> Float[np.ndarray, " n"]:
    """Angles in radians between each ray and the direction to its point (`3` or `n 3`)."""
    towards = np.asarray(points) - centers
    across = np.linalg.norm(np.cross(rays, towards), axis=1)
    return np.arctan2(across, np.einsum("nk,nk->n", rays, towards))


def pair_angles_deg(
    point: Float[np.ndarray, "3"], centers: Float[np.ndarray, "n 3"]
) -> Float[np.ndarray, " pairs"]:
    """Angles between the directions from a point to every two centres, degrees."""
    arms = centers - point
    first, second = np.triu_indices(len(arms), 1)
    across = np.linalg.norm(np.cross(arms[first], arms[second]), axis=1)
    along = np.einsum("nk,nk->n", arms[first], arms[second])
    return np.degrees(np.arctan2(across, along))


def pair_distances(positions: Float[np.ndarray, "n k"]) -> Float[np.ndarray, " pairs"]:
    """Distances between every two positions."""
    first, second = np.triu_indices(len(positions), 1)
    return np.linalg.norm(positions[first] - positions[second], axis=1)


def _bend(camera: Camera, straight: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "n 2"]:
    """Distorted image-plane coordinates (OpenCV's Brown-Conrady and equidistant fisheye)."""
    if camera.model == "pinhole":
        return straight
    x, y = straight[:, 0], straight[:, 1]
    if camera.model == "fisheye":
        k = [*camera.distortion, 0.0, 0.0, 0.0, 0.0][:4]
        radius = np.hypot(x, y)
        theta = np.arctan2(radius, 1.0)
        powers = theta[:, None] ** (2, 4, 6, 8)
        scale = np.ones_like(radius)
        np.divide(theta * (1 + powers @ k), radius, out=scale, where=radius > 1e-12)
        return straight * scale[:, None]
    k1, k2, p1, p2, k3 = [*camera.distortion, 0.0, 0.0, 0.0, 0.0, 0.0][:5]
    r2 = x**2 + y**2
    radial = 1 + k1 * r2 + k2 * r2**2 + k3 * r2**3
    tangential_x = 2 * p1 * x * y + p2 * (3 * x**2 + y**2)
    tangential_y = p1 * (x**2 + 3 * y**2) + 2 * p2 * x * y
    return np.stack([x * radial + tangential_x, y * radial + tangential_y], axis=1)


def _straighten(camera: Camera, bent: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "n 2"]:
    """Inverse of `_bend` by Newton's method with a numeric Jacobian."""
    straight = bent.copy()
    if camera.model == "fisheye":
        radius = np.maximum(np.linalg.norm(bent, axis=1, keepdims=True), 1e-12)
        straight = bent / radius * np.tan(np.minimum(radius, 1.5))
    for _ in range(UNDISTORT_STEPS):
        error = _bend(camera, straight) - bent
        if np.nanmax(np.abs(error), initial=0.0) < 1e-12:
            break
        jacobian = np.stack(
            [
                (_bend(camera, straight + step) - error - bent) / JACOBIAN_STEP
                for step in JACOBIAN_STEP * np.eye(2)
            ],
            axis=2,
        )  # (n, 2, 2)
        straight = straight - np.linalg.solve(jacobian, error[:, :, None])[:, :, 0]
    return straight
