"""Two points for spatial verification: one for all images, another for the odd image.

By its colour the odd image is the first to last most unlike the others, as its slot says, so that
looks do not tell it. All measures of that put all images in the same order: were it only the odd
one whose rank they agree on, that would tell it.
"""

import math

import numba
import numpy as np
from jaxtyping import Int, UInt64

from xvr.tasks.looks import Looks, are_apart, find_crowd
from xvr.tasks.splitmix import draw_below

CROWDS_PER_SURVEY = 12
"""Crowds that are looked at in one set of views, at most."""
POINTS_PER_CROWD = 20
"""Points of a crowd whose pairs are looked at, all of them."""
PAIRS_PER_RANK = 8
"""Pairs of the same rank that are kept of one set of views."""
MEASURES = 3
"""Of how unlike an image's patch is to all: in CIE Lab and again in RGB."""


def find_pairs(looks: Looks, state: UInt64[np.ndarray, "1"]) -> Int[np.ndarray, "k c 2"]:
    """A point for all images and another for the odd one, from one crowd, by rank.

    Pairs are drawn from those of many points together: drawing the point first would favour points
    with few others far enough away, which lie elsewhere than those with many.

    Args:
        looks: of the points to choose from; the view of the options is the odd image.
        state: source of randomness (`xvr.tasks.splitmix`).

    Returns:
        For each number of images whose patches are more unlike the rest than the odd one's, some
        pairs of indices; -1 where there is none.
    """
    pairs = np.full((looks.wanted.shape[1] + 1, PAIRS_PER_RANK, 2), -1, np.int64)
    _survey(*looks, state, pairs)
    return pairs


@numba.njit(cache=True)
def _survey(  # noqa: PLR0913
    seen, wanted, mean, change, uv, world, min_px, min_m, _, state, out
):  # pragma: no cover - compiled
    images = len(out)
    crowd, have = np.empty(len(change), np.int64), np.zeros(images, np.int64)
    patches, unlike = np.empty((images, 3)), np.empty((2 * MEASURES, images))
    for _ in range(CROWDS_PER_SURVEY):
        size = find_crowd(mean[0], change, draw_below(state, len(change)), crowd)
        few = min(size, POINTS_PER_CROWD)
        for n in range(few):
            swapped = n + draw_below(state, size - n)
            crowd[n], crowd[swapped] = crowd[swapped], crowd[n]
        for point in crowd[:few]:
            for other in crowd[:few]:
                if not are_apart(uv, world, min_px, min_m, point, other):
                    continue
                rank = _rank(seen, wanted, point, other, patches, unlike)
                if rank < 0 or _is_in(point, other, out[rank]):
                    continue
                have[rank] += 1  # every pair is kept equally likely
                place = have[rank] - 1
                if place >= PAIRS_PER_RANK:
                    place = draw_below(state, have[rank])
                if place < PAIRS_PER_RANK:
                    out[rank, place] = point, other
        if have.min() >= PAIRS_PER_RANK:
            break


@numba.njit(cache=True)
def _is_in(point, other, pairs):  # pragma: no cover - compiled
    """Whether a pair is among others: two crowds can have it."""
    found = False
    for pair in pairs:
        found |= pair[0] == point and pair[1] == other
    return found


@numba.njit(cache=True)
def _rank(seen, wanted, point, other, patches, unlike):  # pragma: no cover - compiled
    """How many images are more unlike the rest than the odd one; -1 where measures disagree.

    All measures must put all images in the same order; two images with the same median of their
    distances, which is often the distance between them, are in any order.
    """
    k = len(patches)
    for space in range(2):
        for axis in range(3):
            patches[0, axis] = seen[space, other, axis]
            for n in range(1, k):
                patches[n, axis] = wanted[space, n - 1, point, axis]
        _outliers(patches, unlike[MEASURES * space : MEASURES * (space + 1)])
    for measure in range(1, 2 * MEASURES):
        for i in range(k):
            for j in range(i):
                if (unlike[measure, i] - unlike[measure, j]) * (unlike[0, i] - unlike[0, j]) < 0:
                    return -1
    return (unlike[0, 1:] > unlike[0, 0]).sum()


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
