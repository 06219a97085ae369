"""What could be asked about the points of a pool, kept by the ranks that slots ask for.

Most right points have no wrong ones that look like them (see `xvr.tasks.decoys`). So the points
that some views share are surveyed together, one set of views after the other as slots need them,
and every choice that is found waits for the slot that asks for its ranks.
"""

from collections import defaultdict
from typing import NamedTuple

import numpy as np
from jaxtyping import Int

from xvr.tasks.decoys import find_decoys
from xvr.tasks.looks import looks_of
from xvr.tasks.pool import PointPool
from xvr.tasks.rules import Rules
from xvr.tasks.views import SharedPoints

ENOUGH = 10
"""Choices of the same ranks to draw one from; with fewer, more views are surveyed."""
ODDER_KEPT = (0.63, 0.78, 1.0, 1.0, 1.0)
"""Share of the choices that are kept, by how many wrong options have an odder hue than the right.

Its own would be the oddest in 27 of 100 (measured on simulated captures)."""
SURVEYS, SURVEYS_PER_SLOT = 128, 16
"""Sets of views that may be surveyed, or as many per slot that was asked for if that is more."""


class Ranks(NamedTuple):
    """What the right option is like among the options."""

    fit: int
    """How many wrong ones fit the references better."""
    brightness: int
    """How many wrong ones are brighter."""


class Choice(NamedTuple):
    """Options of one question."""

    shared: SharedPoints
    options: Int[np.ndarray, " o"]
    """Points of the pool, the right one first, pairwise apart, all from one crowd."""
    nearer: int
    """How many wrong ones are nearer to the middle of the image."""
    higher: int
    """How many wrong ones are higher in it."""


class Choices:
    """What could be asked, by ranks; found set of views by set of views."""

    def __init__(self) -> None:
        self._surveyed: set[int] = set()
        self._asked: set[int] = set()
        self._found: dict[Ranks, list[Choice]] = defaultdict(list)

    def survey(self, pool: PointPool, shared: SharedPoints, wrong: int, rules: Rules) -> None:
        """Add choices with `wrong` wrong options, of all ranks that the shared points allow."""
        if shared.number in self._surveyed:
            return
        self._surveyed.add(shared.number)
        looks = looks_of(pool, shared, 0, rules)
        rng = np.random.default_rng([pool.seed, len(shared.views), shared.number])
        places = pool.place[shared.views[0], shared.points] - 0.5
        options = find_decoys(looks, np.linalg.norm(places, axis=1), wrong, rng)
        found = options[..., -1] >= 0
        hues = pool.lab[shared.views[0], shared.points[options[found]], 1:]  # (m, o, 2)
        oddness = np.linalg.norm(hues - np.median(hues, axis=1, keepdims=True), axis=2)
        odder = (oddness > oddness[:, :1]).sum(axis=1)
        found[found] = rng.random(len(odder)) < np.array(ODDER_KEPT)[odder]
        height = places[options[found], 1]  # (m, o)
        higher = (height < height[:, :1]).sum(axis=1).tolist()
        points = shared.points[options[found]]
        for n, (fit, brightness, nearer, _) in enumerate(np.argwhere(found).tolist()):
            choice = Choice(shared, points[n], nearer, higher[n])
            self._found[Ranks(fit, brightness)].append(choice)

    def wants(self, ranks: Ranks, slot: int) -> bool:
        """Whether more views should be surveyed for a slot: few choices are left, and it may."""
        self._asked.add(slot)
        spent = len(self._surveyed) >= max(SURVEYS, SURVEYS_PER_SLOT * len(self._asked))
        return self.known(ranks) < ENOUGH and not spent

    def known(self, ranks: Ranks) -> int:
        """How many choices of these ranks are left."""
        return len(self._found[ranks])

    def take(self, ranks: Ranks, nearer: int, higher: int, rng: np.random.Generator) -> Choice:
        """One of those left, with as many nearer and higher options as asked for, or nearly.

        It is not given again.
        """
        found = self._found[ranks]
        miss = np.array([2 * abs(c.nearer - nearer) + abs(c.higher - higher) for c in found])
        return found.pop(int(rng.choice(np.flatnonzero(miss == miss.min()))))
