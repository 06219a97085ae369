"""What could be asked about the points of a pool, kept by the rank that slots ask for.

Most points have no others that look like them. So the points that some views share are surveyed
together, one set of views after the other as slots need them, and every choice of points that is
found waits for a slot that asks for its rank (by colour, see `xvr.tasks.decoys` and `odd_pairs`).

What is found is not even: the right dot may be the bluest or the lowest more often than others.
Choices are drawn by weights that make every such rank equally common among all that are left.
"""

from collections.abc import Callable
from typing import NamedTuple

import numba
import numpy as np
from jaxtyping import Float, Int

from xvr.tasks.draft import Refusal
from xvr.tasks.pool import PointPool
from xvr.tasks.rules import Rules
from xvr.tasks.views import SETS_PER_COUNT, SharedPoints, view_set

ENOUGH = 24
"""Choices of the same rank to draw one from; with fewer, more views are surveyed."""
SURVEYS, SURVEYS_PER_SLOT = 48, 12
"""Sets of views that may be surveyed, or as many per slot that was asked for if that is more."""
ROUNDS, ROUNDS_AGAIN = 10, 2
"""Rounds in which weights are fitted: to new choices, and again when one was taken."""
MOST = 40.0
"""Largest ratio of a weight to the mean one: a rank that hardly ever comes up stays rare."""

Survey = Callable[
    [PointPool, SharedPoints, Rules], tuple[Int[np.ndarray, "m o"], Int[np.ndarray, "m r"]]
]
"""The choices of a set of views: points, the right one first, and ranks."""


class Choice(NamedTuple):
    """Points of one question."""

    shared: SharedPoints
    points: Int[np.ndarray, " o"]
    """Of the pool; the right one first."""
    ranks: Int[np.ndarray, " r"]
    """0, 1, ...; the first is what slots ask for, the others shall be even."""


class Choices:
    """What could be asked, by rank; found set of views by set of views."""

    def __init__(self, values: int, rng: np.random.Generator) -> None:
        """Args: values: number of ranks; rng: of the set of views to begin with."""
        self._values = values
        self._first_set = int(rng.integers(SETS_PER_COUNT))
        self._sets = self._surveyed = 0
        self._asked: set[int] = set()
        self._known = [0] * values
        self._shared: list[SharedPoints] = []
        """Of every choice; what follows is likewise, and empty before the first."""
        self._points = self._ranks = np.empty((0, 0), np.int64)
        self._weights = np.empty(0)
        """Zero for a choice that was taken."""

    def wants(self, rank: int, slot: int) -> bool:
        """Whether more views should be surveyed for a slot: few choices are left, and it may."""
        self._asked.add(slot)
        most = max(SURVEYS, SURVEYS_PER_SLOT * len(self._asked))
        spent = self._surveyed >= most or self._sets == SETS_PER_COUNT
        return self._known[rank] < ENOUGH and not spent

    def look_further(
        self, pool: PointPool, images: int, survey: Survey, rules: Rules
    ) -> Refusal | None:
        """Survey one more set of views; says why there is none."""
        number = (self._first_set + self._sets) % SETS_PER_COUNT
        self._sets += 1
        shared = view_set(pool, images, number, rules)
        if isinstance(shared, Refusal):
            return shared
        self._surveyed += 1
        self.add(shared, *survey(pool, shared, rules))
        return None

    def add(
        self, shared: SharedPoints, points: Int[np.ndarray, "m o"], ranks: Int[np.ndarray, "m r"]
    ) -> None:
        """Keep choices."""
        if not len(points):
            return
        if self._shared:
            points = np.concatenate([self._points, points])
            ranks = np.concatenate([self._ranks, ranks])
        for rank in ranks[len(self._shared) :, 0].tolist():
            self._known[rank] += 1
            self._shared.append(shared)
        self._points, self._ranks = points, ranks
        weights = np.ones(len(points))
        weights[: len(self._weights)] = self._weights > 0
        self._weights = weights
        _rake(ranks, self._values, ROUNDS, weights)

    def known(self, rank: int) -> int:
        """How many choices of a rank are left."""
        return self._known[rank]

    def take(self, rank: int, rng: np.random.Generator) -> Choice:
        """One of those left; it is not given again."""
        n = _draw(self._ranks, self._weights, rank, rng.random())
        self._known[rank] -= 1
        self._weights[n] = 0.0
        _rake(self._ranks, self._values, ROUNDS_AGAIN, self._weights)
        return Choice(self._shared[n], self._points[n], self._ranks[n])


def even_weights(ranks: Int[np.ndarray, "n r"], values: int) -> Float[np.ndarray, " n"]:
    """Weights with which every value of every rank is equally common, as nearly as can be.

    Iterative proportional fitting, also called raking (Deming and Stephan 1940,
    doi:10.1214/aoms/1177731829); values that do not occur are passed over.
    """
    weights = np.ones(len(ranks))
    _rake(ranks, values, ROUNDS, weights)
    return weights


@numba.njit(cache=True)
def _rake(ranks, values, rounds, weights):  # pragma: no cover - compiled
    """Fit the weights that are not zero, from those there are."""
    totals = np.empty(values)
    left = (weights > 0).sum()
    for _ in range(rounds if left > 0 else 0):
        for column in range(ranks.shape[1]):
            totals[:] = 0.0
            for n in range(len(ranks)):
                totals[ranks[n, column]] += weights[n]
            even = totals.sum() / (totals > 0).sum()
            for value in range(values):
                totals[value] = even / totals[value] if totals[value] > 0 else 0.0
            for n in range(len(ranks)):
                weights[n] *= totals[ranks[n, column]]
        most = MOST * weights.sum() / left
        for n in range(len(ranks)):
            weights[n] = min(weights[n], most)


@numba.njit(cache=True)
def _draw(ranks, weights, rank, share):  # pragma: no cover - compiled
    """A choice of a rank, as likely as its weight; there must be one."""
    total = 0.0
    for n in range(len(ranks)):
        if ranks[n, 0] == rank:
            total += weights[n]
    left, found = share * total, -1
    for n in range(len(ranks)):
        if ranks[n, 0] == rank and weights[n] > 0:
            found = n
            left -= weights[n]
            if left < 0:
                break
    return found
