"""Intervals and tests for shares of right answers.

Items of one scene or episode are not independent: they are one *cluster*. Wilson intervals and the
exact tests take items as independent; the bootstrap draws whole clusters and does not. Shares are
in 0..1, all randomness comes from the generator that is passed.
"""

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

CONFIDENCE = 0.95
POWER = 0.8
ALPHA = 0.05
RESAMPLES = 10_000
_CHUNK = 2_000_000
"""Cluster numbers drawn at a time."""


class Interval(NamedTuple):
    """Where a share or a difference of shares lies."""

    low: float
    high: float


def wilson(right: int, n: int, confidence: float = CONFIDENCE) -> Interval:
    """Wilson's score interval of a share, for independent items.

    Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
    JASA 22 (1927); method 3 of R. G. Newcombe, Statistics in Medicine 17 (1998) 857-872.

    Args:
        right: number of right answers.
        n: number of items, at least 1.
        confidence: share of such intervals that hold the true value.
    """
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share, weight = right / n, z * z / n
    center = (share + weight / 2) / (1 + weight)
    half = z * math.sqrt((share * (1 - share) + weight / 4) / n) / (1 + weight)
    low = 0.0 if right == 0 else center - half
    high = 1.0 if right == n else center + half
    return Interval(low, high)


def cluster_numbers(names: Sequence[str]) -> Int[np.ndarray, " n"]:
    """Clusters as numbers from 0; an item without a name is a cluster of its own."""
    known: dict[str, int] = {}
    own = ((name or f"\0{place}") for place, name in enumerate(names))
    return np.array([known.setdefault(name, len(known)) for name in own], dtype=np.int64)


def cluster_bootstrap(
    values: Float[np.ndarray, " n"],
    clusters: Int[np.ndarray, " n"],
    rng: np.random.Generator,
    *,
    groups: Int[np.ndarray, " n"] | None = None,
    resamples: int = RESAMPLES,
    confidence: float = CONFIDENCE,
) -> Interval | None:
    """Percentile interval of a mean when whole clusters are drawn with replacement.

    With the differences of two runs on the same items as values it is the paired bootstrap.
    Source: A. C. Davison, D. V. Hinkley, "Bootstrap Methods and their Application" (1997), 3.8
    (drawing at the upper level only) and 5.3.1 (percentiles). It is too short when clusters are
    few; `tests/evaluation/test_statistics.py` measures by how much.

    Args:
        values: of the items, such as 1 for a right answer, or a difference.
        clusters: number of the cluster of each item, from 0 without gaps.
        rng: what clusters are drawn with.
        groups: number of the group of each item, from 0; the value is then the mean over the means
            of the groups (macro). A group that a resample misses is left out of it.
        resamples: how often the clusters are drawn.
        confidence: share of such intervals that hold the true value.

    Returns:
        None with fewer than two clusters: nothing can be said.
    """
    number = int(clusters.max()) + 1 if len(clusters) else 0
    if number < 2:
        return None
    of_group = np.zeros_like(clusters) if groups is None else groups
    width = int(of_group.max()) + 1
    cell = clusters * width + of_group
    shape = (number, width)
    sums = np.bincount(cell, weights=values, minlength=number * width).reshape(shape)
    counts = np.bincount(cell, minlength=number * width).reshape(shape).astype(np.float64)
    means = np.empty(resamples)
    step = max(1, _CHUNK // number)
    for start in range(0, resamples, step):
        stop = min(resamples, start + step)
        drawn = rng.integers(number, size=(stop - start, number))  # (resamples, clusters)
        means[start:stop] = _mean_of_groups(sums, counts, drawn)
    tail = (1 - confidence) / 2
    low, high = np.quantile(means, (tail, 1 - tail))
    return Interval(float(low), float(high))


def _mean_of_groups(
    sums: Float[np.ndarray, "c g"], counts: Float[np.ndarray, "c g"], drawn: Int[np.ndarray, "b c"]
) -> Float[np.ndarray, " b"]:
    total, seen = np.zeros(len(drawn)), np.zeros(len(drawn))
    for group in range(sums.shape[1]):
        n = counts[drawn, group].sum(axis=1)
        total += sums[drawn, group].sum(axis=1) / np.maximum(n, 1)
        seen += n > 0
    return total / seen


def mcnemar(only_first: int, only_second: int) -> float:
    """Two-sided p of the exact McNemar test: is one of two runs right more often than the other.

    Of the items that only one of them has right, each has either with probability 1/2.
    Source: Q. McNemar, Psychometrika 12 (1947) 153-157; exact form in A. Agresti, "Categorical
    Data Analysis" (2002), 10.1.4.

    Args:
        only_first: items that only the first has right (b).
        only_second: items that only the second has right (c).
    """
    n = only_first + only_second
    tail, ways = 0, 1
    for k in range(min(only_first, only_second) + 1):
        tail, ways = tail + ways, ways * (n - k) // (k + 1)  # ways is binomial(n, k)
    return min(1.0, 2 * tail / 2**n)


def holm(p: Sequence[float]) -> list[float]:
    """Values of p adjusted for having made several tests, in their order.

    Source: S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian
    Journal of Statistics 6 (1979) 65-70.
    """
    adjusted, highest = [0.0] * len(p), 0.0
    for rank, place in enumerate(sorted(range(len(p)), key=lambda i: p[i])):
        highest = max(highest, min(1.0, (len(p) - rank) * p[place]))
        adjusted[place] = highest
    return adjusted


def detectable_difference(
    discordant: int, n: int, *, power: float = POWER, alpha: float = ALPHA
) -> float | None:
    """Smallest true difference of two runs that `mcnemar` finds with this power.

    The number of discordant items is taken as seen: among them the better run is right with the
    smallest probability p at which the test rejects often enough, and the difference over all n
    items is `discordant * (2 p - 1) / n`. Source: O. S. Miettinen, "The matched pairs design in
    the case of all-or-none responses", Biometrics 24 (1968) 339-352, its conditional power, with
    the exact binomial in place of the normal distribution.

    Returns:
        None where even all discordant items on one side would not reject.
    """
    reject = _least_rejecting(discordant, alpha)
    if reject is None:
        return None
    low, high = 0.5, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        reached = _upper_tail(discordant, reject, middle) >= power
        low, high = (low, middle) if reached else (middle, high)
    return discordant * (2 * high - 1) / n


def _least_rejecting(n: int, alpha: float) -> int | None:
    """Fewest of n discordant items on one side at which `mcnemar` is at most alpha."""
    tail, ways, least = 0, 1, n
    while 2 * (tail + ways) / 2**n <= alpha:
        tail, ways, least = tail + ways, ways * least // (n - least + 1), least - 1
    return least + 1 if tail else None


def _upper_tail(n: int, least: int, p: float) -> float:
    """Probability of at least so many of n; 0 < p < 1."""
    log_p, log_q = math.log(p), math.log1p(-p)
    whole = math.lgamma(n + 1)
    return math.fsum(
        math.exp(whole - math.lgamma(k + 1) - math.lgamma(n - k + 1) + k * log_p + (n - k) * log_q)
        for k in range(least, n + 1)
    )
