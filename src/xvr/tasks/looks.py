"""How the points that views share look, and crowds of points that look alike.

Whoever matches colours across images instead of reasoning takes what fits the references best.
Options are therefore drawn from one crowd: points that look alike in the references and change as
much from there to the view that shows the options.
"""

import math
from typing import NamedTuple

import numba
import numpy as np
from jaxtyping import Float

from xvr.tasks.pool import PointPool
from xvr.tasks.rules import Rules
from xvr.tasks.views import SharedPoints

ALIKE_LEVELS = 8.0
"""Largest Lab difference of a crowd's mean patches in the references."""
ALIKE_CHANGE = 0.7
"""Largest |log| ratio of a crowd's changes to the view of the options, each plus one level."""


class Looks(NamedTuple):
    """How n shared points look: in the view that shows the options, and in r references."""

    seen: Float[np.ndarray, "2 n 3"]
    """Patches in the view of the options, in CIE Lab and in RGB."""
    wanted: Float[np.ndarray, "2 r n 3"]
    """Patches in the references, likewise."""
    mean: Float[np.ndarray, "2 n 3"]
    """Means of the references' patches."""
    change: Float[np.ndarray, " n"]
    """log(1 + difference) of the patch in the view of the options to that mean, in CIE Lab."""
    uv_px: Float[np.ndarray, "n 2"]
    """Projections in the view of the options."""
    world: Float[np.ndarray, "n 3"]
    min_px: float
    """How far apart options are in that view."""
    min_m: float
    """How far apart options are in 3D."""
    max_misfit: float
    """Largest ratio of the misfits of two options, each plus one level."""


def looks_of(pool: PointPool, shared: SharedPoints, shows_options: int, rules: Rules) -> Looks:
    """The looks of shared points; `shows_options` is the place of that view among the views."""
    view = int(shared.views[shows_options])
    references = [other for other in shared.views.tolist() if other != view]
    seen = np.empty((2, len(shared.points), 3))
    wanted = np.empty((2, len(references), len(shared.points), 3))
    mean, change = np.zeros_like(seen), np.empty(len(shared.points))
    _gather(*pool.colors(view, shared.points), shared.points, seen)
    for n, reference in enumerate(references):
        _gather(*pool.colors(reference, shared.points), shared.points, wanted[:, n])
    _compare(seen, wanted, mean, change)
    return Looks(
        seen=seen,
        wanted=wanted,
        mean=mean,
        change=change,
        uv_px=pool.uv_px[view].take(shared.points, axis=0),
        world=pool.points_world.take(shared.points, axis=0),
        min_px=rules.min_option_px_share * pool.camera(view).diagonal_px,
        min_m=rules.min_option_scene_share * pool.extent_m,
        max_misfit=math.exp(rules.max_misfit_log_ratio),
    )


@numba.njit(cache=True)
def _gather(lab, rgb, points, out):  # pragma: no cover - compiled
    for n in range(len(points)):
        for axis in range(3):
            out[0, n, axis] = lab[points[n], axis]
            out[1, n, axis] = rgb[points[n], axis]


@numba.njit(cache=True)
def _compare(seen, wanted, mean, change):  # pragma: no cover - compiled
    """Fill in the means of the references, from zero, and the changes from there."""
    references = wanted.shape[1]
    for space in range(2):
        for r in range(references):
            for n in range(len(change)):
                for axis in range(3):
                    mean[space, n, axis] += wanted[space, r, n, axis] / references
    for n in range(len(change)):
        square = 0.0
        for axis in range(3):
            square += (seen[0, n, axis] - mean[0, n, axis]) ** 2
        change[n] = math.log1p(math.sqrt(square))


@numba.njit(cache=True)
def find_crowd(mean, change, seed, crowd):  # pragma: no cover - compiled
    """Points that look like a seed in the references and change as much; returns their number."""
    size = 0
    for i in range(len(change)):
        if abs(change[i] - change[seed]) > ALIKE_CHANGE:
            continue
        unlike = 0.0
        for axis in range(3):
            unlike += (mean[i, axis] - mean[seed, axis]) ** 2
        if unlike <= ALIKE_LEVELS * ALIKE_LEVELS:
            crowd[size] = i
            size += 1
    return size


@numba.njit(cache=True)
def are_apart(uv_px, world, min_px, min_m, a, b):  # pragma: no cover - compiled
    """Whether two options are far enough from each other, in the image and in 3D."""
    pixels, metres = 0.0, 0.0
    for axis in range(2):
        pixels += (uv_px[a, axis] - uv_px[b, axis]) ** 2
    for axis in range(3):
        metres += (world[a, axis] - world[b, axis]) ** 2
    return pixels >= min_px * min_px and metres >= min_m * min_m
