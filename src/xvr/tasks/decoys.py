"""Options that look alike where the references show them, so that looks do not give the answer.

Whoever matches colours across images instead of reasoning takes the option whose patch fits the
references best. All options are therefore drawn from one crowd of points that look alike in the
references; the wrong ones are chosen so that by its fit the right one is the first, second, ...
equally often, in every measure of the fit, and so that by its brightness it is too: what fits badly
although it is right is mostly a highlight.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from xvr.tasks.pool import PointPool
from xvr.tasks.rules import Rules

ALIKE_LEVELS = 8.0
"""Largest Lab difference of a crowd's mean patches in the references."""
ALIKE_CHANGE = 0.7
"""Largest |log| ratio of a crowd's changes to the view of the options, each plus one level."""
ALIKE_MISFIT = 0.9
"""Largest |log| ratio of a wrong option's misfit to the right one's, each plus one level."""


class RankedChoice(NamedTuple):
    """What the wrong options must be, in number."""

    wrong: int
    """How many wrong options."""
    fit: int
    """How many of them fit the references better than the right one."""
    brightness: int
    """How many of them are brighter than the right one."""


def choose_decoys(
    pool: PointPool,
    views: Int[np.ndarray, " k"],
    crowd: Int[np.ndarray, " n"],
    ranked: RankedChoice,
    rng: np.random.Generator,
    rules: Rules,
) -> tuple[int, Int[np.ndarray, " c"]] | None:
    """A right option and wrong ones, as many of them better fitting and brighter as asked.

    Args:
        pool: of the scene.
        views: the view that shows the options, then the references.
        crowd: points that look alike, see `alike_crowd`.
        ranked: how many wrong options, and of which kinds.
        rng: source of randomness.
        rules: acceptance rules.

    Returns:
        Points apart from each other, or None when there are too few.
    """
    point = int(rng.choice(crowd))
    free = crowd[apart(pool, int(views[0]), point, crowd, rules)]
    misfits = _color_misfits(pool, views, point, np.array([point, *free]))
    better = misfits[:, 1:] < misfits[:, :1]
    near = np.abs(np.log1p(misfits[0, 1:]) - np.log1p(misfits[0, 0])) <= ALIKE_MISFIT
    fits = np.where(better.all(axis=0), 1, np.where(better.any(axis=0), 0, -1)) * near
    brightness = pool.lab[views[0], :, 0]
    brighter = np.where(brightness[free] > brightness[point], 1, -1)
    kinds = [
        np.where(rng.permutation(ranked.wrong) < rank, 1, -1)
        for rank in (ranked.fit, ranked.brightness)
    ]
    chosen: list[int] = []
    for fit, light in zip(*kinds, strict=True):
        fitting = free[(fits == fit) & (brighter == light)]
        if len(fitting) == 0:
            return None
        chosen.append(int(rng.choice(fitting)))
        kept = apart(pool, int(views[0]), chosen[-1], free, rules)
        free, fits, brighter = free[kept], fits[kept], brighter[kept]
    return point, np.array(chosen)


def alike_crowd(
    pool: PointPool,
    views: Int[np.ndarray, " k"],
    shared: Int[np.ndarray, " n"],
    rng: np.random.Generator,
) -> Int[np.ndarray, " m"]:
    """The shared points that look like a random one in the views after the first.

    How much they change from there to the first view must be alike too: change depends on place,
    and an option that changes unlike the others would be given away by where it lies.
    """
    look = pool.lab[views][:, shared]
    mean = look[1:].mean(axis=0)
    change = np.log1p(np.sqrt(((look[0] - mean) ** 2).sum(axis=1)))
    seed = rng.integers(len(shared))
    alike = ((mean - mean[seed]) ** 2).sum(axis=1) <= ALIKE_LEVELS**2
    return shared[alike & (np.abs(change - change[seed]) <= ALIKE_CHANGE)]


def _color_misfits(
    pool: PointPool, views: Int[np.ndarray, " k"], owner: int, points: Int[np.ndarray, " n"]
) -> Float[np.ndarray, "m n"]:
    """How unlike points' patches in the first view are to the owner's in the other views.

    Two measures in CIE Lab and in RGB: against the mean of the others, and against the nearest.
    """
    measures = []
    for look in (pool.lab, pool.rgb):
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
