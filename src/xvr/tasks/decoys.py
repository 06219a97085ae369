"""Wrong options that relate to the references as a right one would.

Whoever matches colours, places or image angles across images instead of reasoning measures a
misfit of each option to the references. The right option's misfit is what a true match has after a
change of view. Each wrong option gets the misfit of some other true match of the same views, drawn
at random: then misfits of right and wrong options come from one distribution, and picking by them
is picking by chance.
"""

import numpy as np
from jaxtyping import Bool, Float, Int

from xvr.tasks.pool import PointPool
from xvr.tasks.rules import Rules

COLOR_TOLERANCE = 0.4
"""Largest |log| ratio of a wrong option's colour misfit to the drawn one, both plus 1 level."""
PLACE_FLOOR = 0.02
"""Share of the image under which differences of place do not matter."""


def choose_decoys(
    pool: PointPool,
    views: Int[np.ndarray, " k"],
    point: int,
    shared: Int[np.ndarray, " n"],
    count: int,
    rng: np.random.Generator,
    rules: Rules,
) -> Int[np.ndarray, " c"] | None:
    """Points that fit the references of a point as other points fit theirs.

    Args:
        pool: of the scene.
        views: the view that shows the options, then the references.
        point: the right option.
        shared: points that all views see.
        count: how many to choose.
        rng: source of randomness.
        rules: acceptance rules.

    Returns:
        Points apart from each other and from the right one, or None when there are too few.
    """
    own_colors = color_misfits(pool, views, shared, shared)
    own_places = _place_misfits(pool, views, shared, shared)
    owner = np.array([point])
    colors = np.log1p(color_misfits(pool, views, owner, shared))
    places = np.log(_place_misfits(pool, views, owner, shared) + PLACE_FLOOR)
    free = apart(pool, int(views[0]), point, shared, rules)
    chosen: list[int] = []
    for model in rng.integers(len(shared), size=count):
        wanted_colors = np.log1p(own_colors[:, model, None])
        fitting = free & (np.abs(colors - wanted_colors) <= COLOR_TOLERANCE).all(axis=0)
        if not fitting.any():
            return None
        gap = np.abs(places - np.log(own_places[model] + PLACE_FLOOR))
        best = int(np.argmin(np.where(fitting, gap, np.inf)))
        chosen.append(int(shared[best]))
        free &= apart(pool, int(views[0]), chosen[-1], shared, rules)
    return np.array(chosen)


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


def color_misfits(
    pool: PointPool,
    views: Int[np.ndarray, " k"],
    owners: Int[np.ndarray, " m"],
    points: Int[np.ndarray, " n"],
) -> Float[np.ndarray, "6 n"]:
    """How unlike the patches of points in the first view are to those of owners in the others.

    In levels of 100, against the mean of the others, and their mean and smallest distance, in CIE
    Lab and in RGB. Owners are as many as points, or one for all.
    """
    measures = []
    for colors in (pool.lab, 100 * pool.rgb):
        seen = colors[views[0], points]
        wanted = colors[views[1:]][:, owners]  # (k - 1, m, 3)
        each = np.sqrt(((seen - wanted) ** 2).sum(axis=2))  # (k - 1, n)
        to_mean = np.sqrt(((seen - wanted.mean(axis=0)) ** 2).sum(axis=1))
        measures += [to_mean, each.mean(axis=0), each.min(axis=0)]
    return np.stack(measures)


def _place_misfits(
    pool: PointPool,
    views: Int[np.ndarray, " k"],
    owners: Int[np.ndarray, " m"],
    points: Int[np.ndarray, " n"],
) -> Float[np.ndarray, " n"]:
    """Distance of points in the first view to the mean place of owners in the others, of the image.

    Owners are as many as points, or one for all.
    """
    wanted = pool.place[views[1:]][:, owners].mean(axis=0)
    return np.sqrt(((pool.place[views[0], points] - wanted) ** 2).sum(axis=1))
