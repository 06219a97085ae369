"""Which views of a point make a question: far enough apart to need reasoning, near enough to see.

The difficulty, the angle from the target view to its nearest reference, is drawn evenly over bins
of those that the scene offers, not left to chance.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from xvr.geometry.angles import angles_between, unit
from xvr.tasks.draft import Refusal
from xvr.tasks.pool import PointPool
from xvr.tasks.rules import Rules

ANGLE_BINS = 5


class MarkedPoint(NamedTuple):
    """A point and the views chosen for it."""

    point: int
    """Index into the pool."""
    views: Int[np.ndarray, " k"]
    """Indices of views; the first is the target, where a task has one."""
    angles_deg: Float[np.ndarray, "k k"]
    """Angles between the chosen views seen from the point."""


def choose_marked_point(
    pool: PointPool, count: int, rng: np.random.Generator, rules: Rules
) -> MarkedPoint | Refusal:
    """A random point and `count` views that see it at angles that the rules allow."""
    point = int(rng.integers(len(pool.points_world)))
    seeing = np.flatnonzero(pool.visible[:, point])
    if len(seeing) < count:
        return Refusal(reason="too_few_views_see_the_point")
    directions = unit(pool.centers_world[seeing] - pool.points_world[point])
    chosen = _spread(directions, count, rng, rules)
    if chosen is None:
        return Refusal(reason="no_views_at_allowed_angles")
    return MarkedPoint(point, seeing[chosen], angles_between(directions[chosen]))


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
    others = allowed[bins >= wanted]
    for candidate in rng.permutation(others):
        if len(chosen) == count:
            break
        cosines = directions[chosen] @ directions[candidate]
        if (cosines <= np.cos(low)).all() and (cosines >= np.cos(high)).all():
            chosen.append(int(candidate))
    return np.array(chosen) if len(chosen) == count else None
