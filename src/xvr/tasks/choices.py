"""What could be asked about the points of a pool, kept by the rank that slots ask for.

Most points have no others that look like them. So the points that some views share are surveyed
together, one set of views after the other as slots need them, and every choice of points that is
found waits for a slot that asks for its rank (by colour, see `xvr.tasks.decoys` and `odd_pairs`).

What is found is not even: the right dot may be the bluest or the lowest more often than others.
Choices are drawn by weights that make every such rank equally common among all that are left.
"""

from typing import NamedTuple

import numba
import numpy as np
from jaxtyping import Float, Int

from xvr.tasks.views import SharedPoints

ENOUGH = 24
"""Choices of the same rank to draw one from; with fewer, more views are surveyed."""
SURVEYS, SURVEYS_PER_SLOT = 48, 12
"""Sets of views that may be surveyed, or as many per slot that was asked for if that is more."""
ROUNDS = 10
"""Rounds in which weights are fitted."""
MOST = 40.0
"""Largest ratio of a weight to the mean one: a rank that hardly ever comes up stays rare."""


class Choice(NamedTuple):
    """Points of one question."""

    shared: SharedPoints
    points: Int[np.ndarray, " o"]
    """Of the pool; the right one first."""
    ranks: Int[np.ndarray, " r"]
    """0, 1, ...; the first is what slots ask for, the others shall be even."""


class Choices:
    """What could be asked, by rank; found set of views by set of views."""

    def __init__(self, values: int) -> None:
        """Args: values: number of ranks."""
        self._values = values
        self._surveyed: set[int] = set()
        self._asked: set[int] = set()
        self._left: list[list[Choice]] = [[] for _ in range(values)]

    def is_new(self, shared: SharedPoints) -> bool:
        """Whether a set of views was not surveyed yet; it counts as surveyed from now on."""
        new = shared.number not in self._surveyed
        self._surveyed.add(shared.number)
        return new

    def add(
        self, shared: SharedPoints, points: Int[np.ndarray, "m o"], ranks: Int[np.ndarray, "m r"]
    ) -> None:
        """Keep choices."""
        for each, own in zip(points, ranks, strict=True):
            self._left[own[0]].append(Choice(shared, each, own))

    def wants(self, rank: int, slot: int) -> bool:
        """Whether more views should be surveyed for a slot: few choices are left, and it may."""
        self._asked.add(slot)
        spent = len(self._surveyed) >= max(SURVEYS, SURVEYS_PER_SLOT * len(self._asked))
        return self.known(rank) < ENOUGH and not spent

    def known(self, rank: int) -> int:
        """How many choices of a rank are left."""
        return len(self._left[rank])

    def take(self, rank: int, rng: np.random.Generator) -> Choice:
        """One of those left; it is not given again."""
        weights = even_weights(
            np.array([c.ranks for of_rank in self._left for c in of_rank]), self._values
        )
        first = sum(len(of_rank) for of_rank in self._left[:rank])
        weights = weights[first : first + self.known(rank)]
        return self._left[rank].pop(int(rng.choice(len(weights), p=weights / weights.sum())))


def even_weights(ranks: Int[np.ndarray, "n r"], values: int) -> Float[np.ndarray, " n"]:
    """Weights with which every value of every rank is equally common, as nearly as can be.

    Iterative proportional fitting, also called raking (Deming and Stephan 1940,
    doi:10.1214/aoms/1177731829); values that do not occur are passed over.
    """
    weights = np.ones(len(ranks))
    _rake(ranks, values, weights)
    return weights


@numba.njit(cache=True)
def _rake(ranks, values, weights):  # pragma: no cover - compiled
    totals = np.empty(values)
    for _ in range(ROUNDS):
        for column in range(ranks.shape[1]):
            totals[:] = 0.0
            for n in range(len(ranks)):
                totals[ranks[n, column]] += weights[n]
            even = totals.sum() / (totals > 0).sum()
            for n in range(len(ranks)):
                weights[n] *= even / totals[ranks[n, column]]
        most = MOST * weights.mean()
        for n in range(len(ranks)):
            weights[n] = min(weights[n], most)
