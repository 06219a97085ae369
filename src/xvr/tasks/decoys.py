"""Wrong options that look like the right one, so that looks do not give the answer.

All options are drawn from one crowd (see `xvr.tasks.looks`). The wrong ones are chosen so that by
its fit to the references the right one is the first, second, ... equally often, in every measure of
the fit, and so that by its brightness it is too: what fits badly although it is right is mostly a
highlight.

Most right points have no wrong ones of given ranks. So the points that some views share are
surveyed once, compiled: random right points, each with wrong ones of all ranks that its crowd
allows.
"""

import math
from collections import defaultdict
from typing import NamedTuple

import numba
import numpy as np
from jaxtyping import Int

from xvr.tasks.looks import are_apart, find_crowd, looks_of
from xvr.tasks.pool import PointPool
from xvr.tasks.rules import Rules
from xvr.tasks.splitmix import draw_below, new_state
from xvr.tasks.views import SharedPoints

CLEAR_LEVELS = 0.05
"""By how much a misfit must be smaller or larger than the right one's to count."""
RIGHTS_PER_SURVEY = 128
"""Right points that are looked at in one set of views, at most."""
CHOICES_PER_SURVEY = 40
"""Choices of one set of views, at most; more would only repeat its pictures."""
CHOICES_PER_RANKS = 3
"""Choices of the same ranks among them, at most."""
ENOUGH = 4
"""Choices of the same ranks to draw one from; with fewer, more views are surveyed."""
KINDS = 4
WORSE_DARKER, WORSE_BRIGHTER, BETTER_DARKER, BETTER_BRIGHTER = range(KINDS)
"""Kinds of wrong options: their fit and brightness, compared with the right one's."""


class Choice(NamedTuple):
    """Options of one question."""

    shared: SharedPoints
    options: Int[np.ndarray, " o"]
    """Points of the pool, the right one first, pairwise apart, all from one crowd."""


class Choices:
    """Choices by their ranks: how many wrong options fit better, and how many are brighter."""

    def __init__(self) -> None:
        self._surveyed: set[int] = set()
        self._by_ranks: dict[tuple[int, int], list[Choice]] = defaultdict(list)

    def survey(self, pool: PointPool, shared: SharedPoints, wrong: int, rules: Rules) -> None:
        """Add choices with `wrong` wrong options, of all ranks that the shared points allow."""
        if shared.number in self._surveyed:
            return
        self._surveyed.add(shared.number)
        looks = looks_of(pool, shared, 0, rules)
        rng = np.random.default_rng([pool.seed, len(shared.views), shared.number])
        options = np.full((wrong + 1, wrong + 1, CHOICES_PER_RANKS, wrong + 1), -1, np.int32)
        seeds = rng.integers(len(looks.change), size=RIGHTS_PER_SURVEY)
        _survey(*looks, seeds, new_state(rng), options)
        found = options[..., -1] >= 0
        fit, brightness, _ = np.nonzero(found)
        points = shared.points[options[found]]
        for ranks, chosen in zip(
            zip(fit.tolist(), brightness.tolist(), strict=True), points, strict=True
        ):
            self._by_ranks[ranks].append(Choice(shared, chosen))

    def known(self, ranks: tuple[int, int]) -> int:
        """How many choices of these ranks are left."""
        return len(self._by_ranks[ranks])

    def take(self, ranks: tuple[int, int], rng: np.random.Generator) -> Choice:
        """One of those left, each equally likely; it is not given again."""
        able = self._by_ranks[ranks]
        return able.pop(rng.integers(len(able)))


@numba.njit(cache=True)
def _survey(  # noqa: PLR0913
    seen, wanted, mean, change, uv, world, min_px, min_m, max_misfit, seeds, state, out
):  # pragma: no cover - compiled
    wrong = out.shape[3] - 1
    crowd = np.empty(len(change), np.int64)
    kinds, left = np.empty(len(change), np.int8), np.empty(len(change), np.int8)
    counts, shares = np.empty(KINDS, np.int64), np.empty(KINDS, np.int64)
    have = np.zeros((wrong + 1, wrong + 1), np.int64)
    for seed in seeds:
        size = find_crowd(mean[0], change, seed, crowd)
        right = crowd[draw_below(state, size)]
        kinds[:size] = 0
        _drop_near(uv, world, min_px, min_m, right, crowd[:size], kinds)
        _sort_out(seen, wanted, mean, max_misfit, right, crowd[:size], kinds, counts)
        for fit in range(wrong + 1 if counts.sum() >= wrong else 0):
            for brightness in range(wrong + 1):
                n = have[fit, brightness]
                if n == CHOICES_PER_RANKS or not _share_out(
                    counts, wrong, fit, brightness, state, shares
                ):
                    continue
                left[:size] = kinds[:size]
                chosen = out[fit, brightness, n]
                chosen[0] = right
                found = 1
                for kind in range(KINDS):
                    for _ in range(shares[kind]):
                        option = _pick(crowd[:size], left, kind, state)
                        if option >= 0:
                            _drop_near(uv, world, min_px, min_m, option, crowd[:size], left)
                            chosen[found] = option
                            found += 1
                have[fit, brightness] += 1 if found == wrong + 1 else 0
        if have.sum() >= CHOICES_PER_SURVEY:
            break
    for ranks in np.ndindex(have.shape):
        out[ranks][have[ranks] :] = -1


@numba.njit(cache=True)
def _drop_near(uv_px, world, min_px, min_m, option, crowd, kinds):  # pragma: no cover - compiled
    for c in range(len(crowd)):
        if not are_apart(uv_px, world, min_px, min_m, option, crowd[c]):
            kinds[c] = -1


@numba.njit(cache=True)
def _misfits(seen, wanted, mean, owner, point, space, out):  # pragma: no cover - compiled
    """How unlike a point's patch is to the owner's in the references, in three measures.

    Against the mean of the references, on average, against the nearest.
    """
    references = wanted.shape[1]
    to_mean, total, nearest = 0.0, 0.0, np.inf
    for axis in range(3):
        to_mean += (seen[space, point, axis] - mean[space, owner, axis]) ** 2
    for r in range(references):
        distance = 0.0
        for axis in range(3):
            distance += (seen[space, point, axis] - wanted[space, r, owner, axis]) ** 2
        total += math.sqrt(distance)
        nearest = min(nearest, distance)
    out[0], out[1], out[2] = math.sqrt(to_mean), total / references, math.sqrt(nearest)


@numba.njit(cache=True)
def _sort_out(  # noqa: PLR0913
    seen, wanted, mean, max_misfit, right, crowd, kinds, counts
):  # pragma: no cover - compiled
    """The kind of wrong option that each of a crowd can be, -1 for none, and counts of kinds."""
    own, misfits = np.empty((2, 3)), np.empty(3)
    for space in range(2):
        _misfits(seen, wanted, mean, right, right, space, own[space])
    counts[:] = 0
    for c in range(len(crowd)):
        if kinds[c] < 0:
            continue
        alike, better, worse = True, True, True
        for space in range(2):
            if alike and (better or worse):
                _misfits(seen, wanted, mean, right, crowd[c], space, misfits)
            for m in range(3):
                low, high = min(own[space, m], misfits[m]), max(own[space, m], misfits[m])
                alike &= high + 1 <= max_misfit * (low + 1)
                better &= misfits[m] < own[space, m] - CLEAR_LEVELS
                worse &= misfits[m] > own[space, m] + CLEAR_LEVELS
        kinds[c] = -1
        if alike and (better or worse):
            brighter = seen[0, crowd[c], 0] > seen[0, right, 0]
            kinds[c] = (BETTER_DARKER if better else WORSE_DARKER) + (1 if brighter else 0)
            counts[kinds[c]] += 1


@numba.njit(cache=True)
def _share_out(counts, wrong, fit, brightness, state, shares):  # pragma: no cover - compiled
    """How many options of each kind to take; False when there are not enough.

    Shares are as likely as the sets of options that they allow.
    """
    total = 0.0
    for both in range(min(fit, brightness) + 1):
        total += _ways(counts, wrong, fit, brightness, both, shares)
    left = draw_below(state, 1 << 30) / (1 << 30) * total
    for both in range(min(fit, brightness) + 1):
        ways = _ways(counts, wrong, fit, brightness, both, shares)
        if left < ways:
            return True
        left -= ways
    return False


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
def _pick(crowd, kinds, kind, state):  # pragma: no cover - compiled
    """One of a kind, each equally likely; -1 when there is none."""
    option, count = -1, 0
    for c in range(len(crowd)):
        if kinds[c] == kind:
            count += 1
            if draw_below(state, count) == 0:
                option = crowd[c]
    return option
