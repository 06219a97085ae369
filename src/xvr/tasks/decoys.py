"""Wrong options that look like the right one, so that looks do not give the answer.

All options are drawn from one crowd (see `xvr.tasks.looks`). The wrong ones are chosen so that the
right one has given ranks among all: by its fit to the references, by its brightness, and by its
distance from the middle of the image. Slots ask for every rank equally often.

Ranks are not enough. What is asked of the right one alone tells it from the others; so every two
options, not just every pair with the right one, must be apart, fit alike, and be put in the same
order by every measure of the fit.

The search runs compiled: random crowds, random right points, wrong ones of all ranks there are.
"""

import math

import numba
import numpy as np
from jaxtyping import Float, Int

from xvr.tasks.looks import Looks, are_apart, find_crowd
from xvr.tasks.splitmix import draw_below, new_state

CLEAR_LEVELS = 0.05
"""By how much one misfit must be smaller or larger than another to count."""
CROWDS_PER_SURVEY = 40
"""Crowds that are looked at in one set of views, at most."""
RIGHTS_PER_CROWD = 8
"""Right points of a crowd of which one is drawn, as likely as the sets of wrong options it has: so
sets of options are about equally likely, whichever of them is right."""
TAKES = 4
"""Sets of wrong options that are drawn for each pair of ranks in a crowd."""
CHOICES_PER_SURVEY = 120
"""Choices of one set of views, at most; more would only repeat its pictures."""
CHOICES_PER_RANKS = 2
"""Choices of the same ranks among them, at most."""
KINDS, MEASURES = 4, 6
WORSE_DARKER, WORSE_BRIGHTER, BETTER_DARKER, BETTER_BRIGHTER = range(KINDS)
"""Kinds of wrong options: their fit and brightness, compared with the right one's."""


def find_decoys(
    looks: Looks, away: Float[np.ndarray, " n"], wrong: int, rng: np.random.Generator
) -> Int[np.ndarray, "f b d c o"]:
    """Options by how many wrong ones fit better, are brighter, and are nearer to the middle.

    Args:
        looks: of the points to choose from.
        away: distance of each point from the middle of the view that shows the options.
        wrong: how many wrong options.
        rng: source of randomness.

    Returns:
        For each rank 0..wrong of the three, some choices of points, the right one first; the last
        point is -1 where there is no choice.
    """
    seeds = rng.integers(len(looks.change), size=CROWDS_PER_SURVEY)
    options = np.full([wrong + 1] * 3 + [CHOICES_PER_RANKS, wrong + 1], -1, np.int32)
    _survey(*looks, away, seeds, new_state(rng), options)
    return options


@numba.njit(cache=True)
def _survey(  # noqa: PLR0913
    seen, wanted, mean, change, uv, world, min_px, min_m, max_misfit, away, seeds, state, out
):  # pragma: no cover - compiled
    wrong = out.shape[4] - 1
    crowd, rights = np.empty(len(change), np.int64), np.empty(RIGHTS_PER_CROWD, np.int64)
    others = np.empty((RIGHTS_PER_CROWD, len(change)), np.int64)
    misfits = np.empty((RIGHTS_PER_CROWD, len(change), MEASURES))
    kinds = np.empty((RIGHTS_PER_CROWD, len(change)), np.int8)
    sizes = np.empty(RIGHTS_PER_CROWD, np.int64)
    counts = np.empty((RIGHTS_PER_CROWD, KINDS), np.int64)
    ways, shares = np.empty(RIGHTS_PER_CROWD), np.empty(KINDS, np.int64)
    have, options = np.zeros(out.shape[:3], np.int64), np.empty(wrong + 1, np.int64)
    for seed in seeds:
        size = find_crowd(mean[0], change, seed, crowd)
        for n in range(RIGHTS_PER_CROWD):
            rights[n] = crowd[draw_below(state, size)]
            sizes[n] = _keep_apart(uv, world, min_px, min_m, rights[n], crowd[:size], others[n])
            sizes[n] = _sort_out(
                seen,
                wanted,
                mean,
                max_misfit,
                rights[n],
                others[n, : sizes[n]],
                kinds[n],
                misfits[n],
                counts[n],
            )
        if sizes.max() < wrong:
            continue
        for fit in range(wrong + 1):
            for brightness in range(wrong + 1):
                for n in range(RIGHTS_PER_CROWD):
                    ways[n] = _all_ways(counts[n], wrong, fit, brightness, shares)
                for _ in range(TAKES if ways.sum() > 0 else 0):
                    n = _draw_weighted(ways, state)
                    options[0] = rights[n]
                    _share_out(counts[n], wrong, fit, brightness, state, shares)
                    if not _take(
                        shares,
                        others[n, : sizes[n]],
                        kinds[n, : sizes[n]].copy(),
                        misfits[n],
                        max_misfit,
                        uv,
                        world,
                        min_px,
                        min_m,
                        state,
                        options,
                    ):
                        continue
                    nearer = 0
                    for option in options[1:]:
                        nearer += away[option] < away[options[0]]
                    row = have[fit, brightness, nearer]
                    if row < CHOICES_PER_RANKS:
                        out[fit, brightness, nearer, row] = options
                        have[fit, brightness, nearer] += 1
        if have.sum() >= CHOICES_PER_SURVEY:
            break


@numba.njit(cache=True)
def _take(  # noqa: PLR0913
    shares, others, kinds, misfits, max_misfit, uv, world, min_px, min_m, state, options
):  # pragma: no cover - compiled
    """Fill in the wrong options, each in agreement with all; False when there are not enough."""
    found = 1
    for kind in range(KINDS):
        for _ in range(shares[kind]):
            place = _pick(kinds, kind, state)
            if place < 0:
                return False
            options[found] = others[place]
            found += 1
            for c in range(len(others)):
                if kinds[c] >= 0 and (
                    not are_apart(uv, world, min_px, min_m, others[place], others[c])
                    or _kind(misfits[c], misfits[place], max_misfit, False) < 0
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
    seen, wanted, mean, max_misfit, right, others, kinds, misfits, counts
):  # pragma: no cover - compiled
    """Keep the others that can be wrong options, with their kinds and misfits; their number."""
    own, misfit = np.empty(MEASURES), np.empty(MEASURES)
    _misfits(seen, wanted, mean, right, right, own)
    kept, counts[:] = 0, 0
    for other in others:
        # by far the most are too unlike by the first measure alone
        first = _to_mean(seen, mean, 0, right, other) + 1
        if max(first, own[0] + 1) > max_misfit * min(first, own[0] + 1):
            continue
        _misfits(seen, wanted, mean, right, other, misfit)
        kind = _kind(misfit, own, max_misfit, seen[0, other, 0] > seen[0, right, 0])
        if kind >= 0:
            others[kept], kinds[kept], misfits[kept] = other, kind, misfit
            counts[kind] += 1
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
def _kind(misfits, others, max_misfit, brighter):  # pragma: no cover - compiled
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
    return (BETTER_DARKER if better else WORSE_DARKER) + (1 if brighter else 0)


@numba.njit(cache=True)
def _all_ways(counts, wrong, fit, brightness, shares):  # pragma: no cover - compiled
    """How many sets of wrong options there are, by kind alone."""
    total = 0.0
    if counts.sum() < wrong:
        return total
    for both in range(min(fit, brightness) + 1):
        total += _ways(counts, wrong, fit, brightness, both, shares)
    return total


@numba.njit(cache=True)
def _share_out(counts, wrong, fit, brightness, state, shares):  # pragma: no cover - compiled
    """How many options of each kind to take, as likely as the sets that they allow."""
    ways = np.zeros(wrong + 1)
    for both in range(min(fit, brightness) + 1):
        ways[both] = _ways(counts, wrong, fit, brightness, both, shares)
    _ways(counts, wrong, fit, brightness, _draw_weighted(ways, state), shares)


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
def _ways(counts, wrong, fit, brightness, both, shares):  # pragma: no cover - compiled
    """How many sets of options there are of which `both` fit better and are brighter."""
    shares[BETTER_BRIGHTER], shares[BETTER_DARKER] = both, fit - both
    shares[WORSE_BRIGHTER], shares[WORSE_DARKER] = (
        brightness - both,
        wrong - fit - brightness + both,
    )
    ways = 1.0 if shares[WORSE_DARKER] >= 0 else 0.0
    for kind in range(KINDS):
        for n in range(shares[kind]):
            ways *= max(counts[kind] - n, 0) / (n + 1)
    return ways


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
