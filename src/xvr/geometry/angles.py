"""Angles between directions, image arrows and planes, in degrees, safe at the ends of arccos."""

import math
from functools import lru_cache

import numba
import numpy as np
from jaxtyping import Float, Int


def unit(vectors: Float[np.ndarray, "*b d"]) -> Float[np.ndarray, "*b d"]:
    """Vectors divided by their length; a zero vector stays zero."""
    norm = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.where(norm > 0, norm, 1.0)


def angles_between(directions: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n n"]:
    """Angle of every pair of unit directions, 0..180."""
    return np.degrees(np.arccos(np.clip(directions @ directions.T, -1.0, 1.0)))


def angles_seen_from(
    point_world: Float[np.ndarray, "3"], centers_world: Float[np.ndarray, "n 3"]
) -> Float[np.ndarray, "n n"]:
    """Angle between every pair of camera centres as seen from a point, 0..180."""
    return _angles_seen_from(point_world, centers_world)


@lru_cache
def upper_pairs(count: int) -> tuple[Int[np.ndarray, " p"], Int[np.ndarray, " p"]]:
    """Both indices of every pair of different ones of `count` things, the smaller one first."""
    first, second = np.triu_indices(count, 1)
    first.flags.writeable = second.flags.writeable = False
    return first, second


@numba.njit(cache=True)
def _angles_seen_from(point, centers):  # pragma: no cover - compiled
    rays, angles = np.empty((len(centers), 3)), np.empty((len(centers), len(centers)))
    for i in range(len(centers)):
        square = 0.0
        for axis in range(3):
            rays[i, axis] = centers[i, axis] - point[axis]
            square += rays[i, axis] * rays[i, axis]
        length = math.sqrt(square) if square > 0 else 1.0
        for axis in range(3):
            rays[i, axis] /= length
        for j in range(i + 1):
            cosine = 0.0
            for axis in range(3):
                cosine += rays[i, axis] * rays[j, axis]
            angle = math.degrees(math.acos(min(max(cosine, -1.0), 1.0)))
            angles[i, j] = angles[j, i] = angle
    return angles


def plane_angles(normals: Float[np.ndarray, "*b n 3"]) -> Float[np.ndarray, "*b n n"]:
    """Angle at which every pair of planes with unit normals meets, 0..90."""
    cosines = np.abs(normals @ np.swapaxes(normals, -1, -2))
    return np.degrees(np.arccos(np.clip(cosines, 0.0, 1.0)))


def wrapped_difference_deg(
    a: Float[np.ndarray, "*#b"], b: Float[np.ndarray, "*#b"] | float
) -> Float[np.ndarray, "*b"]:
    """Absolute difference of two angles on the circle, 0..180."""
    return np.abs((np.asarray(a) - b + 180.0) % 360.0 - 180.0)


def circular_mean_deg(angles: Float[np.ndarray, "... n"]) -> Float[np.ndarray, "..."]:
    """Mean direction of angles over the last axis."""
    radians = np.radians(angles)
    return np.degrees(np.arctan2(np.sin(radians).mean(-1), np.cos(radians).mean(-1)))


def pose_distance(a: Float[np.ndarray, "4 4"], b: Float[np.ndarray, "4 4"]) -> tuple[float, float]:
    """Distance in metres and angle in degrees between two poses."""
    cosine = (np.trace(a[:3, :3].T @ b[:3, :3]) - 1) / 2
    angle = float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))
    return float(np.linalg.norm(a[:3, 3] - b[:3, 3])), angle
