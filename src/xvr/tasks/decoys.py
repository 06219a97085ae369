"""Wrong options that look like the right one, so that looks do not give the answer.

All options are drawn from one crowd (see `xvr.tasks.looks`). The wrong ones are chosen so that the
right one has a given rank among all by its fit to the references; slots ask for every rank equally
often.

A rank is not enough. What is asked of the right one alone tells it from the others; so every two
options, not just every pair with the right one, must be apart, fit alike, and be put in the same
order by every measure of the fit.

The search runs compiled: random crowds, random right points, wrong ones for all ranks there are.
"""

import math

import numba
import numpy as np
from jaxtyping import Int, UInt64

from xvr.tasks.looks import Looks, are_apart, find_crowd
from xvr.tasks.splitmix import draw_below

CLEAR_LEVELS = 0.05
"""By how much one misfit must be smaller or larger than another to count."""
CROWDS_PER_SURVEY = 40
"""Crowds that are looked at in one set of views, at most; fewer where that would make more right
points than there are points."""
POINTS_PER_CROWD = 160
"""Points of a crowd that options are drawn from, at most."""
RIGHTS_PER_CROWD = 8
"""Right points of a crowd, at most, of which one is drawn, as likely as the sets of wrong options
it has: so sets of options are about equally likely, whichever of them is right."""
TAKES = 10
"""Sets of wrong options that are drawn for each rank in a crowd."""
CHOICES_PER_RANK = 24
"""Choices of the same rank in one set of views, at most; more would only repeat its pictures."""
MEASURES = 6
WORSE, BETTER = 0, 1
"""Wrong options that fit the references worse than the right one, and better."""


def find_decoys(
    looks: Looks, wrong: int, state: UInt64[np.ndarray, "1"]
) -> Int[np.ndarray, "f c o"]:
    """Options by how many wrong ones fit better.

    Args:
        looks: of the points to choose from.
        wrong: how many wrong options.
        state: source of randomness (`xvr.tasks.splitmix`).

    Returns:
        For each rank 0..wrong some choices of points, the right one first; -1 where there is none.
    """
    options = np.full((wrong + 1, CHOICES_PER_RANK, wrong + 1), -1, np.int32)
    _survey(*looks, state, options)
    return options


@numba.njit(cache=True)
def _survey(  # noqa: PLR0913
    seen, wanted, mean, change, uv, world, min_px, min_m, max_misfit, state, out
):  # pragma: no cover - compiled
    wrong = out.shape[2] - 1
    crowd, rights = np.empty(len(change), np.int64), np.empty(RIGHTS_PER_CROWD, np.int64)
    others = np.empty((RIGHTS_PER_CROWD, len(change)), np.int64)
    misfits = np.empty((RIGHTS_PER_CROWD, len(change), MEASURES))
    kinds = np.empty((RIGHTS_PER_CROWD, len(change)), np.int8)
    sizes, ways = np.empty(RIGHTS_PER_CROWD, np.int64), np.empty(RIGHTS_PER_CROWD)
    have, options = np.zeros(wrong + 1, np.int64), np.empty(wrong + 1, np.int64)
    for _ in range(min(CROWDS_PER_SURVEY, 1 + len(change) // RIGHTS_PER_CROWD)):
        found = find_crowd(mean[0], change, draw_below(state, len(change)), crowd)
        if found <= wrong:
            continue
        size, few = min(found, POINTS_PER_CROWD), min(found, RIGHTS_PER_CROWD)
        for n in range(size if size < found else few):
            swapped = n + draw_below(state, found - n)
            crowd[n], crowd[swapped] = crowd[swapped], crowd[n]
        for n in range(few):
            rights[n] = crowd[n]
            sizes[n] = _keep_apart(uv, world, min_px, min_m, rights[n], crowd[:size], others[n])
            these = others[n, : sizes[n]]
            sizes[n] = _sort_out(
                seen, wanted, mean, max_misfit, rights[n], these, kinds[n], misfits[n]
            )
        for fit in range(wrong + 1):
            ways[:] = 0.0
            for n in range(few):
                ways[n] = _ways(kinds[n, : sizes[n]], fit, wrong - fit)
            for _ in range(TAKES if ways.sum() > 0 else 0):
                if have[fit] == out.shape[1]:
                    break
                n = _draw_weighted(ways, state)
                options[0] = rights[n]
                free = kinds[n, : sizes[n]].copy()
                if _take(
                    fit,
                    others[n],
                    free,
                    misfits[n],
                    max_misfit,
                    uv,
                    world,
                    min_px,
                    min_m,
                    state,
                    options,
                ):
                    out[fit, have[fit]] = options
                    have[fit] += 1
        if have.min() == out.shape[1]:
            break


@numba.njit(cache=True)
def _take(  # noqa: PLR0913
    fit, others, kinds, misfits, max_misfit, uv, world, min_px, min_m, state, options
):  # pragma: no cover - compiled
    """Fill in the wrong options, each in agreement with all; False when there are not enough."""
    for found in range(1, len(options)):
        place = _pick(kinds, BETTER if found <= fit else WORSE, state)
        if place < 0:
            return False
        options[found] = others[place]
        for c in range(len(kinds)):
            if kinds[c] >= 0 and (
                not are_apart(uv, world, min_px, min_m, others[place], others[c])
                or _kind(misfits[c], misfits[place], max_misfit) < 0
            ):
                kinds[c] = -1
    return True


@numba.njit(cache=True)
def _keep_apart(uv, world, min_px, min_m, right, crowd, others):  # pragma: no cover - compiled
    """Write the points of a crowd that are apart from the right one; their number."""
    kept = 0
    for point in crowd:
        if are_apart(uv, world, min_px, min_m, right, point):
            others[kept] = point
            kept += 1
    return kept


@numba.njit(cache=True)
def _sort_out(  # noqa: PLR0913
    seen, wanted, mean, max_misfit, right, others, kinds, misfits
):  # pragma: no cover - compiled
    """Keep the others that can be wrong options, with their kinds and misfits; their number."""
    own, misfit = np.empty(MEASURES), np.empty(MEASURES)
    _misfits(seen, wanted, mean, right, right, own)
    kept = 0
    for other in others:
        # by far the most are too unlike by the first measure alone
        first = _to_mean(seen, mean, 0, right, other) + 1
        if max(first, own[0] + 1) > max_misfit * min(first, own[0] + 1):
            continue
        _misfits(seen, wanted, mean, right, other, misfit)
        kind = _kind(misfit, own, max_misfit)
        if kind >= 0:
            others[kept], kinds[kept], misfits[kept] = other, kind, misfit
            kept += 1
    return kept


@numba.njit(cache=True)
def _misfits(seen, wanted, mean, owner, point, out):  # pragma: no cover - compiled
    """How unlike a point's patch is to the owner's in the references, in six measures.

    In CIE Lab and in RGB: against the mean of the references, on average, against the nearest.
    """
    references = wanted.shape[1]
    for space in range(2):
        total, nearest = 0.0, np.inf
        for r in range(references):
            distance = 0.0
            for axis in range(3):
                distance += (seen[space, point, axis] - wanted[space, r, owner, axis]) ** 2
            total += math.sqrt(distance)
            nearest = min(nearest, distance)
        out[3 * space] = _to_mean(seen, mean, space, owner, point)
        out[3 * space + 1], out[3 * space + 2] = total / references, math.sqrt(nearest)


@numba.njit(cache=True)
def _to_mean(seen, mean, space, owner, point):  # pragma: no cover - compiled
    square = 0.0
    for axis in range(3):
        square += (seen[space, point, axis] - mean[space, owner, axis]) ** 2
    return math.sqrt(square)


@numba.njit(cache=True)
def _kind(misfits, others, max_misfit):  # pragma: no cover - compiled
    """How an option compares with another; -1 where not all measures say so, or too clearly."""
    better, worse = True, True
    for m in range(MEASURES):
        low, high = min(others[m], misfits[m]), max(others[m], misfits[m])
        if high + 1 > max_misfit * (low + 1):
            return -1
        better &= misfits[m] < others[m] - CLEAR_LEVELS
        worse &= misfits[m] > others[m] + CLEAR_LEVELS
    if better == worse:
        return -1
    return BETTER if better else WORSE


@numba.njit(cache=True)
def _ways(kinds, better, worse):  # pragma: no cover - compiled
    """How many sets of so many better and so many worse options there are, by kind alone."""
    betters = (kinds == BETTER).sum()
    ways = 1.0
    for n in range(better):
        ways *= max(betters - n, 0) / (n + 1)
    for n in range(worse):
        ways *= max(len(kinds) - betters - n, 0) / (n + 1)
    return ways


@numba.njit(cache=True)
def _draw_weighted(weights, state):  # pragma: no cover - compiled
    """An index, as likely as its weight; one of the weights must be positive."""
    left = draw_below(state, 1 << 30) / (1 << 30) * weights.sum()
    for n in range(len(weights)):
        if left < weights[n]:
            return n
        left -= weights[n]
    return weights.argmax()


@numba.njit(cache=True)
def _pick(kinds, kind, state):  # pragma: no cover - compiled
    """The place of one of a kind, each equally likely; -1 when there is none."""
    place, count = -1, 0
    for c in range(len(kinds)):
        if kinds[c] == kind:
            count += 1
            if draw_below(state, count) == 0:
                place = c
    return place
