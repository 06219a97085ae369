"""Two points for spatial verification: one for all images, another for the odd image.

By its colour the odd image is the first to last most unlike the others, as its slot says, so that
looks do not tell it. All measures of that put all images in the same order: were it only the odd
one whose rank they agree on, that would tell it.
"""

import math

import numba
import numpy as np

from xvr.tasks.looks import Looks, are_apart, find_crowd
from xvr.tasks.splitmix import draw_below, new_state

CROWDS_TRIED = 200
"""Crowds among which a pair is looked for before the views are given up."""
POINTS_TRIED = 10
"""Points of a crowd whose pairs are looked at together."""
MEASURES = 3
"""Of how unlike an image's patch is to all: in CIE Lab and again in RGB."""


def draw_pair(looks: Looks, rank: int, rng: np.random.Generator) -> tuple[int, int] | None:
    """A point for all images and another for the odd one, from one crowd.

    A pair is drawn from those of many points together: drawing the point first would favour points
    with few others far enough away, which lie elsewhere than those with many.

    Args:
        looks: of the points to choose from; the view of the options is the odd image.
        rank: how many images' patches are more unlike the rest than the odd one's.
        rng: source of randomness.

    Returns:
        Indices of both points, or None when no crowd gave any.
    """
    point, other = _search_pair(*looks, rank, new_state(rng))
    return (int(point), int(other)) if point >= 0 else None


@numba.njit(cache=True)
def _search_pair(  # noqa: PLR0913
    seen, wanted, mean, change, uv, world, min_px, min_m, _, rank, state
):  # pragma: no cover - compiled
    crowd = np.empty(len(change), np.int64)
    patches, unlike = (
        np.empty((wanted.shape[1] + 1, 3)),
        np.empty((2 * MEASURES, wanted.shape[1] + 1)),
    )
    for _ in range(CROWDS_TRIED):
        best, best_other, count = -1, -1, 0
        size = find_crowd(mean[0], change, draw_below(state, len(change)), crowd)
        for n in range(min(size, POINTS_TRIED)):
            swapped = n + draw_below(state, size - n)
            crowd[n], crowd[swapped] = crowd[swapped], crowd[n]
            point = crowd[n]
            for c in range(size):
                other = crowd[c]
                if not are_apart(uv, world, min_px, min_m, point, other):
                    continue
                if not _has_rank(seen, wanted, point, other, rank, patches, unlike):
                    continue
                count += 1
                if draw_below(state, count) == 0:  # every pair is kept equally likely
                    best, best_other = point, other
        if count:
            return best, best_other
    return -1, -1


@numba.njit(cache=True)
def _has_rank(seen, wanted, point, other, rank, patches, unlike):  # pragma: no cover - compiled
    """Whether the odd image has the rank and all measures put all images in the same order."""
    k = len(patches)
    for space in range(2):
        for axis in range(3):
            patches[0, axis] = seen[space, other, axis]
            for n in range(1, k):
                patches[n, axis] = wanted[space, n - 1, point, axis]
        _outliers(patches, unlike[MEASURES * space : MEASURES * (space + 1)])
        above = 0
        for n in range(1, k):
            above += unlike[MEASURES * space, n] > unlike[MEASURES * space, 0]
        if above != rank:
            return False
    for measure in range(1, 2 * MEASURES):
        for i in range(k):
            for j in range(i):
                if (unlike[measure, i] > unlike[measure, j]) != (unlike[0, i] > unlike[0, j]):
                    return False
    return True


@numba.njit(cache=True)
def _outliers(values, out):  # pragma: no cover - compiled
    """Per image, the sum and the median of distances to all, and the distance to the median."""
    k = len(values)
    distances = np.zeros((k, k))
    out[:] = 0.0
    for axis in range(3):
        median = _median(values[:, axis])
        for i in range(k):
            out[2, i] += (values[i, axis] - median) ** 2
            for j in range(i):
                distances[i, j] += (values[i, axis] - values[j, axis]) ** 2
    for i in range(k):
        for j in range(i):
            distances[i, j] = distances[j, i] = math.sqrt(distances[i, j])
    for i in range(k):
        out[0, i], out[1, i] = distances[i].sum(), _median(distances[i])


@numba.njit(cache=True)
def _median(values):  # pragma: no cover - compiled
    """The mean of the one or two values that as many are below as above."""
    k, total = len(values), 0.0
    for i in range(k):
        place = 0
        for j in range(k):
            place += values[j] < values[i] or (j < i and values[j] == values[i])
        total += values[i] * ((place == (k - 1) // 2) + (place == k // 2))
    return 0.5 * total
