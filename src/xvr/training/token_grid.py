"""Which pixels of an image become which of its tokens."""

import numpy as np
from jaxtyping import Float, Int

from xvr.geometry.camera import Camera, project
from xvr.sources.records import Depth
from xvr.training.token_targets import GONE, HIDDEN, UNKNOWN, Grid

_SEEN_SHARE, _SEEN_M = 0.02, 0.02
"""A point is seen where the depth map has its depth within a share of it, or within metres."""
_GONE_M = 0.1
"""A point is gone where a pixel and all its neighbours see so much farther."""


def token_middles_px(camera: Camera, grid: Grid) -> Float[np.ndarray, "t 2"]:
    """Pixels at the middle of each token, row by row."""
    rows, columns = grid
    u = (np.arange(columns) + 0.5) * camera.width / columns
    v = (np.arange(rows) + 0.5) * camera.height / rows
    return np.stack(np.meshgrid(u, v), axis=-1).reshape(-1, 2)


def tokens_at(uv_px: Float[np.ndarray, "n 2"], camera: Camera, grid: Grid) -> Int[np.ndarray, " n"]:
    """Token of each pixel, `HIDDEN` outside of the image and behind the camera."""
    rows, columns = grid
    shares = uv_px / (camera.width, camera.height)
    inside = ((shares >= 0) & (shares < 1)).all(axis=1)  # NaN is not
    at = np.where(inside[:, None], shares, 0) * (columns, rows)
    column, row = at.astype(np.int64).T
    return np.where(inside, row * columns + column, HIDDEN)


def tokens_seeing(
    points: Float[np.ndarray, "n 3"], camera: Camera, depth: Depth, grid: Grid, *, moved: bool
) -> Int[np.ndarray, " n"]:
    """Token of an image that sees each point of a surface.

    Args:
        points: world, metres; NaN where there is none.
        camera: of the image.
        depth: of the image.
        grid: of its tokens.
        moved: whether surfaces may have been elsewhere when the image was taken.

    Returns:
        The token; `UNKNOWN` for NaN; `GONE` where things may have moved and the image clearly sees
        what is behind the point; `HIDDEN` for everything else that it does not see.
    """
    found = np.full(len(points), UNKNOWN, np.int64)
    known = np.isfinite(points).all(axis=1)
    if not known.any():
        return found
    uv_px, depth_m = project(camera, points[known])
    tokens = tokens_at(uv_px, camera, grid)
    inside = np.flatnonzero(tokens >= 0)
    (columns, rows), depth_m = uv_px[inside].astype(int).T, depth_m[inside]
    seen = np.abs(depth[rows, columns] - depth_m) <= np.maximum(_SEEN_M, _SEEN_SHARE * depth_m)
    tokens[inside[~seen]] = HIDDEN  # NaN is not seen
    if moved:
        padded = np.pad(depth, 1, mode="edge")
        around = [padded[rows + i, columns + j] for i in range(3) for j in range(3)]
        nearest_m = np.min(around, axis=0)  # 0 where one is unknown
        tokens[inside[~seen & (nearest_m > depth_m + _GONE_M)]] = GONE
    found[known] = tokens
    return found
