"""How much of an image a polygon covers: what a point at random gets."""

from collections.abc import Sequence

import numpy as np

GRID = 256
"""Points tested along each side of the image."""


def polygon_share(polygon: Sequence[Sequence[float]]) -> float:
    """Share of the image inside a polygon, by the even-odd rule on a grid of points.

    Corners are taken in the order given, as an official scorer does, also where edges cross.
    Source: W. R. Franklin, "PNPOLY", https://wrf.ecse.rpi.edu/Research/Short_Notes/pnpoly.html.

    Args:
        polygon: corners in fractions of width and height.
    """
    corners = np.asarray(polygon, dtype=np.float64).reshape(-1, 2)
    ticks = (np.arange(GRID) + 0.5) / GRID
    x, y = ticks[None, :], ticks[:, None]
    inside = np.zeros((GRID, GRID), dtype=bool)
    for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if y0 != y1:
            crossing = ((y0 > y) != (y1 > y)) & (x < (x1 - x0) * (y - y0) / (y1 - y0) + x0)
            inside ^= crossing
    return float(inside.mean())
