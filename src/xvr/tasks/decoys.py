"""Options that look alike where the references show them, so that looks do not give the answer.

Whoever matches colours across images instead of reasoning takes the option whose patch fits the
references best. Options are therefore drawn together: points whose patches look alike in the
references; then the right one is drawn among them, so that by its fit it is the first, second, ...
equally often. Any of the options could have been the right one, so one image alone tells nothing.
"""

import numpy as np
from jaxtyping import Bool, Float, Int

from xvr.tasks.pool import PointPool
from xvr.tasks.rules import Rules

ALIKE_LEVELS = 5.0
"""Largest difference, in levels of 100, of options' mean patches in the references."""


def alike_points(
    pool: PointPool,
    views: Int[np.ndarray, " k"],
    shared: Int[np.ndarray, " n"],
    count: int,
    rng: np.random.Generator,
    rules: Rules,
) -> Int[np.ndarray, " c"] | None:
    """Points, apart from each other in the first view, that look alike in the other views.

    Args:
        pool: of the scene.
        views: the view that shows the options, then the references.
        shared: points that all views see.
        count: how many to draw.
        rng: source of randomness.
        rules: acceptance rules.

    Returns:
        The points in random order, or None when there are too few around a random one.
    """
    first = int(rng.choice(shared))
    free = rng.permutation(looking_like(pool, views[1:], first, shared))
    chosen = [first]
    while len(chosen) < count:
        free = free[apart(pool, int(views[0]), chosen[-1], free, rules)]
        if len(free) == 0:
            return None
        chosen.append(int(free[0]))
    return rng.permutation(chosen)


def looking_like(
    pool: PointPool, views: Int[np.ndarray, " k"], point: int, others: Int[np.ndarray, " n"]
) -> Int[np.ndarray, " m"]:
    """The others whose mean patch in the views is like that of a point."""
    unlike = pool.lab[views][:, others].mean(axis=0) - pool.lab[views, point].mean(axis=0)
    return others[(unlike * unlike).sum(axis=1) <= ALIKE_LEVELS**2]


def choose_ranked(
    misfits: Float[np.ndarray, "m o o"], rank: int, rng: np.random.Generator
) -> int | None:
    """An option that has the rank by its own misfit, in all measures; None when there is none.

    Args:
        misfits: of option j when option i is the right one, per measure.
        rank: how many options must fit better than the right one.
        rng: source of randomness.
    """
    own = np.diagonal(misfits, axis1=1, axis2=2)  # (m, o)
    better = (misfits < own[:, :, None]).sum(axis=2)  # (m, o)
    having = np.flatnonzero((better == rank).all(axis=0))
    return int(rng.choice(having)) if len(having) else None


def color_misfits(
    pool: PointPool, views: Int[np.ndarray, " k"], points: Int[np.ndarray, " o"]
) -> Float[np.ndarray, "6 o o"]:
    """How unlike point j's patch in the first view is to point i's patches in the other views.

    In levels of 100, against the mean of the others, and their mean and smallest distance, in CIE
    Lab and in RGB.
    """
    measures = []
    for colors in (pool.lab, 100 * pool.rgb):
        seen, wanted = colors[views[0], points], colors[views[1:]][:, points, None]
        each = np.linalg.norm(seen - wanted, axis=3)  # (k - 1, i, j)
        to_mean = np.linalg.norm(seen - wanted.mean(axis=0), axis=2)
        measures += [to_mean, each.mean(axis=0), each.min(axis=0)]
    return np.stack(measures)


def apart(
    pool: PointPool, view: int, point: int, others: Int[np.ndarray, " n"], rules: Rules
) -> Bool[np.ndarray, " n"]:
    """Which points are far enough from a point, in the pixels of a view and in 3D."""
    pixels = pool.uv_px[view, others] - pool.uv_px[view, point]
    metres = pool.points_world[others] - pool.points_world[point]
    min_px = rules.min_option_px_share * pool.cameras[view].diagonal_px
    min_m = rules.min_option_scene_share * pool.extent_m
    return ((pixels * pixels).sum(axis=1) >= min_px**2) & (
        (metres * metres).sum(axis=1) >= min_m**2
    )
