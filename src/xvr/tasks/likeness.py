"""How alike whole views of a pool look, in several measures: what must not give an answer away.

None of the measures looks at geometry: a coarse grey layout, a coarse colour layout, and the
colours that two images have in common wherever they are.
"""

import cv2
import numpy as np
from jaxtyping import Float

from xvr.sources.records import Image
from xvr.tasks.pool import PointPool

SMALL_PX = (160, 120)
LAYOUT_PX = (8, 8)
LEVELS = 4
"""Levels of each colour channel that are told apart in counting colours."""

LAYOUT_SLACK = 3.0
"""Likeness of layouts may differ by so many times more than that of colours, which goes more with
how much of a scene two images share."""


def allowed_gaps(max_sd: float) -> Float[np.ndarray, " m"]:
    """How much options may differ in each measure when colours may differ by `max_sd`."""
    return max_sd * np.array([LAYOUT_SLACK, LAYOUT_SLACK, 1.0])


def view_likeness(pool: PointPool) -> Float[np.ndarray, "m v v"]:
    """Likeness of every two views in each of m measures, larger when they are more alike."""
    return pool.keep("likeness", lambda: _view_likeness(pool))


def _view_likeness(pool: PointPool) -> Float[np.ndarray, "m v v"]:
    small = [cv2.resize(view.image, SMALL_PX, interpolation=cv2.INTER_AREA) for view in pool.views]
    layouts = np.stack([_layout(image) for image in small])
    colors = np.stack([_colors(image) for image in small])
    in_common = [np.minimum(own, colors).sum(axis=1) for own in colors]
    differ = [np.abs(own - layouts).mean(axis=1) for own in layouts]
    return np.stack([pool.similarity, -np.stack(differ), np.stack(in_common)])


def _layout(image: Image) -> Float[np.ndarray, " k"]:
    return cv2.resize(image, LAYOUT_PX, interpolation=cv2.INTER_AREA).astype(float).ravel()


def _colors(image: Image) -> Float[np.ndarray, " k"]:
    """Shares of coarse colours."""
    bins = (image.reshape(-1, 3) // (256 // LEVELS)).astype(int) @ (LEVELS**2, LEVELS, 1)
    return np.bincount(bins, minlength=LEVELS**3) / len(bins)
