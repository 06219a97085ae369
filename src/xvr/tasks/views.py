"""Which views make a question: far enough apart to need reasoning, near enough to see.

Views are chosen first, around a random point; the points of the question are then drawn alike from
all that these views see at allowed angles, so that nothing tells the marked one from the others.
The difficulty, the angle from the target view to its nearest reference, is drawn evenly over bins
of those that the scene offers, not left to chance.
"""

import math
from typing import NamedTuple

import numba
import numpy as np
from jaxtyping import Float, Int

from xvr.geometry.angles import angles_seen_from, upper_pairs
from xvr.tasks.draft import Refusal
from xvr.tasks.pool import PointPool
from xvr.tasks.rules import Rules
from xvr.tasks.splitmix import draw_below, state_of

ANGLE_BINS = 5
SETS_PER_COUNT = 192
TRIES_PER_SET = 20
MIN_SHARED_POINTS = 5
REFUSALS = "too_few_views_see_the_point", "no_views_at_allowed_angles", "too_few_shared_points"


class SharedPoints(NamedTuple):
    """Views, and all points of the pool that they see at allowed angles."""

    views: Int[np.ndarray, " k"]
    """Indices of views; the first is the target, where a task has one."""
    points: Int[np.ndarray, " n"]
    number: int
    """Tells it from other sets of as many views."""


class Marked(NamedTuple):
    """A point, or the anchor of arrows, and the views that show it; the first is the target."""

    point: int
    views: Int[np.ndarray, " k"]


def choose_views(
    pool: PointPool, count: int, rng: np.random.Generator, rules: Rules
) -> SharedPoints | Refusal:
    """`count` views at angles that the rules allow, with the points that they share.

    A pool has `SETS_PER_COUNT` sets of each size, made when first drawn and then used again: many
    questions about different points share their views.
    """
    return view_set(pool, count, int(rng.integers(SETS_PER_COUNT)), rules)


def view_set(pool: PointPool, count: int, number: int, rules: Rules) -> SharedPoints | Refusal:
    """The set of `count` views with a number below `SETS_PER_COUNT`."""
    return pool.keep(("views", count, number), lambda: _find_views(pool, count, number, rules))


def _find_views(pool: PointPool, count: int, number: int, rules: Rules) -> SharedPoints | Refusal:
    """The first set of views that works around one of some random points, or the last refusal."""
    state = state_of(pool.seed, count, number)
    limits = math.radians(rules.max_view_angle_deg), math.radians(rules.min_view_angle_deg)
    cosines = math.cos(limits[0]), math.cos(limits[1])
    seen = pool.visible, pool.centers_world, pool.points_world
    views, reason = np.empty(count, np.int64), 0
    for _ in range(TRIES_PER_SET):
        reason = _draw_views(*seen, cosines, state, views)
        if reason == len(REFUSALS):
            points = _shared_points(*seen, views, cosines)
            if len(points) >= MIN_SHARED_POINTS:
                return SharedPoints(views, points, number)
            reason = REFUSALS.index("too_few_shared_points")
    return Refusal(reason=REFUSALS[reason])


def view_angles(
    pool: PointPool, views: Int[np.ndarray, " k"], point: int
) -> Float[np.ndarray, "k k"]:
    """Angles between views seen from a point, degrees."""
    return angles_seen_from(pool.points_world[point], pool.centers_world[views])


def angle_checks(angles_deg: Float[np.ndarray, "k k"]) -> dict[str, float]:
    """The smallest and the largest angle between two different views."""
    pairs = angles_deg[upper_pairs(len(angles_deg))]
    return {
        "min_view_angle_deg": float(pairs.min()),
        "max_view_angle_deg": float(pairs.max()),
    }


@numba.njit(cache=True)
def _draw_views(visible, centers, points, cosines, state, views):  # pragma: no cover - compiled
    """Views of a random point: a target, a reference at a random angle, others no nearer to it.

    Returns the place of the refusal in `REFUSALS`, or their number when `views` are filled in.
    """
    point = draw_below(state, len(points))
    seeing = np.flatnonzero(visible[:, point])
    if len(seeing) < len(views):
        return 0
    rays = np.empty((len(seeing), 3))
    for n in range(len(seeing)):
        rays[n] = centers[seeing[n]] - points[point]
        rays[n] /= math.sqrt((rays[n] ** 2).sum())
    target = draw_below(state, len(seeing))
    least, most = cosines
    width = (math.acos(least) - math.acos(most)) / ANGLE_BINS
    bins, offered = np.full(len(seeing), -1), np.zeros(ANGLE_BINS, np.bool_)
    for n in range(len(seeing)):
        cosine = (rays[n] * rays[target]).sum()
        if n != target and least <= cosine <= most:
            angle = math.acos(min(max(cosine, -1.0), 1.0)) - math.acos(most)
            bins[n] = min(int(angle / width), ANGLE_BINS - 1) if width > 0 else 0
            offered[bins[n]] = True
    if (bins >= 0).sum() < len(views) - 1:
        return 1
    bin_choices = np.flatnonzero(offered)
    wanted = bin_choices[draw_below(state, len(bin_choices))]
    nearest = np.flatnonzero(bins == wanted)
    chosen = np.empty(len(views), np.int64)
    chosen[0], chosen[1], found = target, nearest[draw_below(state, len(nearest))], 2
    others = np.flatnonzero(bins >= wanted)
    for n in range(len(others)):
        if found == len(views):
            break
        swapped = n + draw_below(state, len(others) - n)
        others[n], others[swapped] = others[swapped], others[n]
        allowed = True
        for m in range(found):
            allowed &= least <= (rays[chosen[m]] * rays[others[n]]).sum() <= most
        if allowed:
            chosen[found] = others[n]
            found += 1
    if found < len(views):
        return 1
    views[:] = seeing[chosen]
    return 3


@numba.njit(cache=True)
def _shared_points(visible, centers, points, views, cosines):  # pragma: no cover - compiled
    """Points that all views see, every two of them at an angle within the limits."""
    found, count = np.empty(len(points), np.int64), 0
    rays = np.empty((len(views), 3))
    least, most = cosines
    for i in range(len(points)):
        allowed = True
        for view in views:
            allowed &= visible[view, i]
        for n in range(len(views) if allowed else 0):
            square = 0.0
            for axis in range(3):
                rays[n, axis] = centers[views[n], axis] - points[i, axis]
                square += rays[n, axis] ** 2
            for axis in range(3):
                rays[n, axis] /= math.sqrt(square)
            for m in range(n):
                cosine = 0.0
                for axis in range(3):
                    cosine += rays[n, axis] * rays[m, axis]
                allowed &= least <= cosine <= most
        if allowed:
            found[count] = i
            count += 1
    return found[:count]
