"""Options that look alike where the references show them, so that looks do not give the answer.

Whoever matches colours across images instead of reasoning takes the option whose patch fits the
references best. All options are therefore drawn from one crowd of points that look alike in the
references and nearly so in the view that shows the options; the wrong ones are chosen so that by
its fit the right one is the first, second, ... equally often. Patches of several sizes must agree
on that, so that it holds whatever patch is compared.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from xvr.tasks.pool import PointPool
from xvr.tasks.rules import Rules

ALIKE_LEVELS = 5.0
"""Largest Lab difference of options' mean patches in the references."""
STEADY_LEVELS = 3.0
"""Largest Lab difference of a point's patch in the first view to its mean in the references ..."""
ALIKE_CHANGE = 0.5
"""... and largest |log| ratio of two points' differences, each plus one level."""
MAIN_LOOK = 1
"""Which of a pool's looks must be alike: the patch of middle size."""


class RankedChoice(NamedTuple):
    """What the fits of the wrong options must be."""

    wrong: int
    rank: int
    """How many fit better than the right option."""


def choose_decoys(
    pool: PointPool,
    views: Int[np.ndarray, " k"],
    crowd: Int[np.ndarray, " n"],
    ranked: RankedChoice,
    rng: np.random.Generator,
    rules: Rules,
) -> tuple[int, Int[np.ndarray, " c"]] | None:
    """A right option and wrong ones, of which `rank` fit its references better than itself.

    Args:
        pool: of the scene.
        views: the view that shows the options, then the references.
        crowd: points that look alike, see `alike_crowd`.
        ranked: how many wrong options, and how many of them fit better than the right one.
        rng: source of randomness.
        rules: acceptance rules.

    Returns:
        Points apart from each other, or None when there are too few.
    """
    if len(crowd) == 0:
        return None
    point = int(rng.choice(crowd))
    free = crowd[apart(pool, int(views[0]), point, crowd, rules)]
    misfits = _color_misfits(pool, views, point, np.array([point, *free]))
    better = misfits[:, 1:] < misfits[:, :1]
    fits = np.where(better.all(axis=0), 1, np.where(better.any(axis=0), 0, -1))
    chosen: list[int] = []
    for wanted in np.where(rng.permutation(ranked.wrong) < ranked.rank, 1, -1):
        fitting = free[fits == wanted]
        if len(fitting) == 0:
            return None
        chosen.append(int(rng.choice(fitting)))
        kept = apart(pool, int(views[0]), chosen[-1], free, rules)
        free, fits = free[kept], fits[kept]
    return point, np.array(chosen)


def alike_crowd(
    pool: PointPool,
    views: Int[np.ndarray, " k"],
    shared: Int[np.ndarray, " n"],
    rng: np.random.Generator,
) -> Int[np.ndarray, " m"]:
    """The shared points that look like a random one in the views after the first.

    Points that look different in the first view, such as highlights there, are left out, and the
    others must differ about as much: how much a point differs depends on its place and brightness,
    and an option that differs unlike the rest would be given away by those.
    """
    look = pool.looks[MAIN_LOOK][views][:, shared]
    mean = look[1:].mean(axis=0)
    change = np.sqrt(((look[0] - mean) ** 2).sum(axis=1))
    steady = change <= STEADY_LEVELS
    if not steady.any():
        return shared[:0]
    seed = rng.choice(np.flatnonzero(steady))
    alike = ((mean - mean[seed]) ** 2).sum(axis=1) <= ALIKE_LEVELS**2
    as_much = np.abs(np.log((change + 1) / (change[seed] + 1))) <= ALIKE_CHANGE
    return shared[steady & alike & as_much]


def _color_misfits(
    pool: PointPool, views: Int[np.ndarray, " k"], owner: int, points: Int[np.ndarray, " n"]
) -> Float[np.ndarray, "m n"]:
    """How unlike points' patches in the first view are to the owner's in the other views.

    Two measures for each of the pool's looks: against the mean of the others, and the nearest.
    """
    measures = []
    for look in pool.looks:
        seen, wanted = look[views[0], points], look[views[1:], owner]
        each = np.sqrt(((seen - wanted[:, None]) ** 2).sum(axis=2))  # (k - 1, n)
        to_mean = np.sqrt(((seen - wanted.mean(axis=0)) ** 2).sum(axis=1))
        measures += [to_mean, each.min(axis=0)]
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
