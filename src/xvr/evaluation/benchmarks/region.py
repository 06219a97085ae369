"""Whether a point is in a region of an image: a polygon, the hull of its points, or a mask.

Points are (x, y) in fractions of the image's width and height. Polygons are closed and taken in the
order given; with fewer than three points nothing is inside.
"""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float

Polygon = Float[np.ndarray, "n 2"]


class Point(NamedTuple):
    """A place in an image, in fractions of its size."""

    x: float
    y: float


def in_polygon(point: Point, polygon: Polygon) -> bool:
    """Even-odd rule by casting a ray to the right.

    Same rule and order of operations as repo chanhee-luke/RoboSpatial-Eval, evaluation.py
    `point_in_polygon` at commit 3af8ceb, so that points on an edge are judged alike.
    """
    if len(polygon) < 3:
        return False
    here, there = polygon, np.roll(polygon, 1, axis=0)
    crossed = (here[:, 1] > point.y) != (there[:, 1] > point.y)
    (ax, ay), (bx, by) = here[crossed].T, there[crossed].T
    return bool(np.sum(point.x < (bx - ax) * (point.y - ay) / (by - ay) + ax) % 2)


def in_polygon_before_fix(point: Point, polygon: Polygon) -> bool:
    """As the official evaluation decided before commit 3af8ceb (2025-12-17).

    A vertical edge counted as crossed wherever the point was, so the middle of an upright rectangle
    was outside.
    """
    if len(polygon) < 3:
        return False
    start, end = polygon, np.roll(polygon, -1, axis=0)
    low = np.minimum(start[:, 1], end[:, 1])
    crossed = (low < point.y) & (point.y <= np.maximum(start[:, 1], end[:, 1]))
    (ax, ay), (bx, by) = start[crossed].T, end[crossed].T
    at = (point.y - ay) * (bx - ax) / (by - ay) + ax
    return bool(np.sum((ax == bx) | (point.x <= at)) % 2)


def convex_hull(points: Polygon) -> Float[np.ndarray, "m 2"]:
    """Corners of the smallest convex polygon around points, anticlockwise with y up.

    Andrew's monotone chain. Points on an edge are left out; points on one line give their two ends.
    """
    ordered = [Point(*map(float, point)) for point in np.unique(points, axis=0)]
    if len(ordered) < 3:
        return np.array(ordered, dtype=float).reshape(-1, 2)
    lower, upper = _chain(ordered), _chain(ordered[::-1])
    return np.array(lower[:-1] + upper[:-1])


def _chain(points: list[Point]) -> list[Point]:
    chain: list[Point] = []
    for point in points:
        while len(chain) > 1 and _turn(chain[-2], chain[-1], point) <= 0:
            chain.pop()
        chain.append(point)
    return chain


def _turn(a: Point, b: Point, c: Point) -> float:
    """Twice the area of a triangle, positive when it turns left."""
    return (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x)


def mask_runs(mask: Bool[np.ndarray, "h w"]) -> dict[str, Any]:
    """A mask as JSON: its height and width, and where it begins and ends row after row."""
    flat = np.concatenate([[False], mask.ravel(), [False]])
    return {"size": list(mask.shape), "edges": np.flatnonzero(flat[1:] != flat[:-1]).tolist()}


def on_mask(point: Point, runs: dict[str, Any]) -> bool:
    """Whether the pixel that a point falls on is set in a mask of `mask_runs`."""
    height, width = runs["size"]
    if not (0 <= point.x < 1 and 0 <= point.y < 1):
        return False
    pixel = int(point.y * height) * width + int(point.x * width)
    return bool(np.searchsorted(runs["edges"], pixel, side="right") % 2)
