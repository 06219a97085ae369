from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rigid import seeds

from xvr.geometry.spacing import closest_pair


@given(seeds, st.integers(2, 7), st.integers(2, 3))
def test_the_closest_pair_is_the_one_that_looking_at_all_pairs_finds(seed, count, axes):
    points = np.random.default_rng(seed).normal(size=(count, axes))
    slow = min(np.linalg.norm(a - b) for a, b in combinations(points, 2))
    assert closest_pair(points) == pytest.approx(slow)


def test_one_point_is_near_to_no_other():
    assert closest_pair(np.zeros((1, 3))) == np.inf
