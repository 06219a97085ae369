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

from xvr.geometry.angles import angles_seen_from, unit
from xvr.tasks.draft import Refusal
from xvr.tasks.pool import PointPool
from xvr.tasks.rules import Rules

ANGLE_BINS = 5
SETS_PER_COUNT = 192
TRIES_PER_SET = 20
MIN_SHARED_POINTS = 5


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
    number = int(rng.integers(SETS_PER_COUNT))
    return pool.keep(("views", count, number), lambda: _find_views(pool, count, number, rules))


def _find_views(pool: PointPool, count: int, number: int, rules: Rules) -> SharedPoints | Refusal:
    """The first set of views that works around one of some random points, or the last refusal."""
    rng = np.random.default_rng([pool.seed, count, number])
    found: SharedPoints | Refusal = Refusal(reason="too_few_views_see_the_point")
    for around in rng.integers(len(pool.points_world), size=TRIES_PER_SET):
        found = _views_around(pool, int(around), count, rng, rules)
        if isinstance(found, SharedPoints):
            return found._replace(number=number)
    return found


def _views_around(
    pool: PointPool, around: int, count: int, rng: np.random.Generator, rules: Rules
) -> SharedPoints | Refusal:
    seeing = np.flatnonzero(pool.visible[:, around])
    if len(seeing) < count:
        return Refusal(reason="too_few_views_see_the_point")
    directions = unit(pool.centers_world[seeing] - pool.points_world[around])
    chosen = _spread(directions, count, rng, rules)
    if chosen is None:
        return Refusal(reason="no_views_at_allowed_angles")
    views = seeing[chosen]
    limits = np.radians([rules.min_view_angle_deg, rules.max_view_angle_deg])
    points = _shared_points(pool.visible, pool.centers_world, pool.points_world, views, *limits)
    if len(points) < MIN_SHARED_POINTS:
        return Refusal(reason="too_few_shared_points")
    return SharedPoints(views, points, 0)


def view_angles(
    pool: PointPool, views: Int[np.ndarray, " k"], point: int
) -> Float[np.ndarray, "k k"]:
    """Angles between views seen from a point, degrees."""
    return angles_seen_from(pool.points_world[point], pool.centers_world[views])


def angle_checks(angles_deg: Float[np.ndarray, "k k"]) -> dict[str, float]:
    """The smallest and the largest angle between two different views."""
    pairs = angles_deg[np.triu_indices(len(angles_deg), 1)]
    return {
        "min_view_angle_deg": float(pairs.min()),
        "max_view_angle_deg": float(pairs.max()),
    }


def _spread(
    directions: Float[np.ndarray, "n 3"], count: int, rng: np.random.Generator, rules: Rules
) -> Int[np.ndarray, " k"] | None:
    """A random target, a reference at a random angle from it, and others no nearer than that."""
    target = int(rng.integers(len(directions)))
    low, high = np.radians([rules.min_view_angle_deg, rules.max_view_angle_deg])
    angle = np.arccos(np.clip(directions @ directions[target], -1.0, 1.0))
    allowed = np.flatnonzero((angle >= low) & (angle <= high))
    if len(allowed) < count - 1:
        return None
    edges = np.linspace(low, high, ANGLE_BINS + 1)
    bins = np.digitize(angle[allowed], edges[1:-1])
    wanted = rng.choice(np.unique(bins))
    nearest = int(rng.choice(allowed[bins == wanted]))
    chosen = [target, nearest]
    for candidate in rng.permutation(allowed[bins >= wanted]):
        if len(chosen) == count:
            break
        cosines = directions[chosen] @ directions[candidate]
        if (cosines <= np.cos(low)).all() and (cosines >= np.cos(high)).all():
            chosen.append(int(candidate))
    return np.array(chosen) if len(chosen) == count else None


@numba.njit(cache=True)
def _shared_points(
    visible, centers, points, views, low_rad, high_rad
):  # pragma: no cover - compiled
    """Points that all views see, every two of them at an angle within the limits."""
    found, count = np.empty(len(points), np.int64), 0
    rays = np.empty((len(views), 3))
    most, least = math.cos(low_rad), math.cos(high_rad)
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
