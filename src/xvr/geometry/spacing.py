"""How far things lie from each other."""

import math

import numba
import numpy as np
from jaxtyping import Float


def closest_pair(points: Float[np.ndarray, "n d"]) -> float:
    """Distance of the two points that are nearest to each other; infinite for fewer than two."""
    return _closest_pair(points)


@numba.njit(cache=True)
def _closest_pair(points):  # pragma: no cover - compiled
    least = np.inf
    for i in range(len(points)):
        for j in range(i):
            square = 0.0
            for axis in range(points.shape[1]):
                square += (points[i, axis] - points[j, axis]) ** 2
            least = min(least, square)
    return math.sqrt(least)
