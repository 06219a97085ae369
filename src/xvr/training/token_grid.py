"""Which pixels of an image become which of its tokens."""

import numpy as np
from jaxtyping import Float, Int

from xvr.geometry.camera import Camera
from xvr.training.token_targets import HIDDEN, Grid


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
