import math
from itertools import product

import numpy as np
import pytest

from xvr.evaluation.statistics import (
    cluster_bootstrap,
    cluster_numbers,
    detectable_difference,
    holm,
    mcnemar,
    wilson,
)


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.parametrize(
    ("right", "n", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_is_the_published_table(right, n, low, high):
    """Newcombe 1998, Table I, method 3."""
    assert wilson(right, n) == pytest.approx((low, high), abs=5e-5)
    mirrored = wilson(n - right, n)
    assert mirrored == pytest.approx((1 - high, 1 - low), abs=5e-5)


def test_wilson_never_leaves_the_unit_interval():
    for n in (1, 2, 7, 1866):
        assert wilson(0, n).low == 0.0
        assert wilson(n, n).high == 1.0


@pytest.mark.parametrize("truth", [0.05, 0.33, 0.8])
def test_wilson_covers_the_truth_about_as_often_as_it_says(truth):
    """The exact coverage, from the probability of every outcome."""
    n = 233
    covered = 0.0
    for right in range(n + 1):
        low, high = wilson(right, n)
        covered += (
            math.comb(n, right) * truth**right * (1 - truth) ** (n - right) * (low <= truth <= high)
        )
    assert covered == pytest.approx(0.95, abs=0.02)


def clustered(truth, clusters, size, spread, generator):
    """Items of scenes that are hard or easy as a whole: a beta distribution over scenes."""
    total = (1 - spread) / spread
    ease = generator.beta(truth * total, (1 - truth) * total, clusters)
    values = (generator.random((clusters, size)) < ease[:, None]).astype(float)
    return values.ravel(), np.repeat(np.arange(clusters), size)


def coverage(clusters, size, spread, interval, trials=300, truth=0.4):
    generator, found = rng(7), 0
    for _ in range(trials):
        values, of = clustered(truth, clusters, size, spread, generator)
        low, high = interval(values, of, generator)
        found += low <= truth <= high
    return found / trials


def by_cluster(values, of, generator):
    return cluster_bootstrap(values, of, generator, resamples=400)


def as_if_independent(values, _of, _generator):
    return wilson(int(values.sum()), len(values))


def test_with_clusters_the_bootstrap_covers_where_wilson_does_not():
    assert coverage(60, 10, 0.3, by_cluster) > 0.91
    assert coverage(60, 10, 0.3, as_if_independent) < 0.80


def test_with_few_clusters_the_bootstrap_is_too_short_as_its_docstring_says():
    assert 0.80 < coverage(8, 10, 0.3, by_cluster) < 0.92


def test_without_clusters_bootstrap_and_wilson_agree():
    values = (rng(1).random(500) < 0.6).astype(float)
    found = cluster_bootstrap(values, np.arange(500), rng())
    assert found == pytest.approx(wilson(int(values.sum()), 500), abs=0.006)


def test_the_bootstrap_is_that_of_all_possible_draws():
    """Three clusters have 27 equally likely draws; the quantiles are among their means."""
    values, of = np.array([1.0, 1, 0, 1, 0, 0]), np.array([0, 0, 0, 1, 1, 2])
    sums, counts = np.array([2, 1, 0]), np.array([3, 2, 1])
    means = sorted(
        sums[list(draw)].sum() / counts[list(draw)].sum() for draw in product(range(3), repeat=3)
    )
    found = cluster_bootstrap(values, of, rng(), confidence=0.8, resamples=4000)
    assert found == pytest.approx((means[2], means[-3]))


def test_a_macro_mean_weighs_groups_alike_however_many_items_they_have():
    values = np.array([1.0] * 90 + [0.0] * 10)
    groups = np.array([0] * 90 + [1] * 10)
    found = cluster_bootstrap(values, np.arange(100), rng(), groups=groups)
    assert found == (0.5, 0.5)


def test_the_same_seed_gives_the_same_interval_and_chunks_do_not_matter(monkeypatch):
    values, of = clustered(0.5, 40, 3, 0.2, rng(3))
    first = cluster_bootstrap(values, of, rng(5))
    assert cluster_bootstrap(values, of, rng(5)) == first
    monkeypatch.setattr("xvr.evaluation.statistics._CHUNK", 1000)
    assert cluster_bootstrap(values, of, rng(5)) == first
    few = {cluster_bootstrap(values, of, rng(seed), resamples=50) for seed in range(4)}
    assert len(few) > 1


def test_one_cluster_says_nothing():
    assert cluster_bootstrap(np.ones(5), np.zeros(5, dtype=np.int64), rng()) is None


def test_items_without_a_cluster_are_clusters_of_their_own():
    assert cluster_numbers(("a", "", "b", "a", "")).tolist() == [0, 1, 2, 0, 3]


@pytest.mark.parametrize(
    ("b", "c", "p"),
    [(2, 10, 0.0386), (4, 12, 0.0768), (8, 16, 0.1516), (0, 5, 0.0625), (3, 3, 1), (0, 0, 1)],
)
def test_mcnemar_by_hand(b, c, p):
    """Such as (2, 10): 2 (1 + 12 + 66) / 4096."""
    assert mcnemar(b, c) == pytest.approx(p, abs=5e-5)
    assert mcnemar(c, b) == mcnemar(b, c)


def test_mcnemar_rejects_a_true_null_at_most_as_often_as_it_says():
    n = 40
    rejected = sum(math.comb(n, b) for b in range(n + 1) if mcnemar(b, n - b) <= 0.05) / 2**n
    assert 0.02 < rejected <= 0.05


def test_mcnemar_of_many_items_neither_overflows_nor_vanishes():
    assert 0 < mcnemar(300, 700) < 1e-30


def test_holm_by_hand():
    """0.005 x 4, 0.01 x 3, 0.03 x 2, and 0.04, which may not be below the one before it."""
    assert holm((0.01, 0.04, 0.03, 0.005)) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm((0.6, 0.7)) == [1.0, 1.0]
    assert holm(()) == []


def test_holm_keeps_false_alarms_of_the_whole_family_rare():
    generator, alarms = rng(2), 0
    for _ in range(2000):
        alarms += min(holm(generator.random(8).tolist())) <= 0.05
    assert alarms / 2000 == pytest.approx(0.05, abs=0.015)


def test_the_detectable_difference_is_found_with_the_promised_power():
    """With 20 discordant items the test rejects from 15 on, and P(X >= 15 | p = 0.8) is 0.804."""
    found = detectable_difference(20, 100)
    assert found == pytest.approx(0.2 * 0.6, abs=0.002)
    p = (found * 100 / 20 + 1) / 2
    draws = rng(4).binomial(20, p, 20_000)
    power = np.mean([mcnemar(int(b), 20 - int(b)) <= 0.05 for b in draws])
    assert power == pytest.approx(0.8, abs=0.01)


def test_the_detectable_difference_of_many_items_is_that_of_the_normal_distribution():
    m, n = 600, 1866
    p = 0.5 + (1.95996 * 0.5 + 0.84162 * 0.5) / math.sqrt(m)
    assert detectable_difference(m, n) == pytest.approx(m * (2 * p - 1) / n, rel=0.03)


def test_five_discordant_items_can_never_show_a_difference():
    assert detectable_difference(5, 100) is None
    assert detectable_difference(0, 100) is None
    assert detectable_difference(6, 100) is not None
