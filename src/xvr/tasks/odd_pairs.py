"""Two points for spatial verification: one for all images, another for the odd image.

By its colour the odd image is the first to last most unlike the others, as its slot says, so that
looks do not tell it. All measures of that put all images in the same order: were it only the odd
one whose rank they agree on, that would tell it.
"""

import numba
import numpy as np

from xvr.tasks.looks import Looks, are_apart, find_crowd
from xvr.tasks.splitmix import draw_below, new_state

CROWDS_TRIED = 200
"""Crowds among which a pair is looked for before the views are given up."""
POINTS_TRIED = 10
"""Points of a crowd whose pairs are looked at together."""


def draw_pair(
    looks: Looks, rank: int, lower: bool, rng: np.random.Generator
) -> tuple[int, int] | None:
    """A point for all images and another for the odd one, from one crowd.

    A pair is drawn from those of many points together: drawing the point first would favour points
    with few others far enough away, which lie elsewhere than those with many.

    Args:
        looks: of the points to choose from; the view of the options is the odd image.
        rank: how many images' patches are more unlike the rest than the odd one's.
        lower: whether the odd image's dot is below the right place, not above it.
        rng: source of randomness.

    Returns:
        Indices of both points, or None when no crowd gave any.
    """
    point, other = _search_pair(*looks, rank, lower, new_state(rng))
    return (int(point), int(other)) if point >= 0 else None


@numba.njit(cache=True)
def _search_pair(  # noqa: PLR0913
    seen, wanted, mean, change, uv, world, min_px, min_m, _, rank, lower, state
):  # pragma: no cover - compiled
    crowd = np.empty(len(change), np.int64)
    patches, unlike = np.empty((wanted.shape[1] + 1, 3)), np.empty((4, wanted.shape[1] + 1))
    for _ in range(CROWDS_TRIED):
        best, best_other, count = -1, -1, 0
        size = find_crowd(mean[0], change, draw_below(state, len(change)), crowd)
        for n in range(min(size, POINTS_TRIED)):
            swapped = n + draw_below(state, size - n)
            crowd[n], crowd[swapped] = crowd[swapped], crowd[n]
            point = crowd[n]
            for c in range(size):
                other = crowd[c]
                if (uv[other, 1] > uv[point, 1]) != lower:
                    continue
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
        patches[0] = seen[space, other]
        patches[1:] = wanted[space, :, point]
        _outliers(patches, unlike[2 * space : 2 * space + 2])
        if (unlike[2 * space] > unlike[2 * space, 0]).sum() != rank:
            return False
    for measure in range(1, 4):
        for i in range(k):
            for j in range(i):
                if (unlike[measure, i] > unlike[measure, j]) != (unlike[0, i] > unlike[0, j]):
                    return False
    return True


@numba.njit(cache=True)
def _outliers(values, out):  # pragma: no cover - compiled
    """Per image, the sum of distances to all images, and the distance to the median of all."""
    k = len(values)
    out[:] = 0.0
    for axis in range(3):
        ordered = np.sort(values[:, axis])
        median = 0.5 * (ordered[(k - 1) // 2] + ordered[k // 2])
        for i in range(k):
            out[1, i] += (values[i, axis] - median) ** 2
    for i in range(k):
        for j in range(k):
            out[0, i] += np.sqrt(((values[i] - values[j]) ** 2).sum())
