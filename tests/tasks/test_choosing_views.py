from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from toy.drafting import RULES, fresh, pool
from xvr.tasks.draft import Refusal
from xvr.tasks.views import choose_views


def sets(count, rules=RULES, tries=60):
    subject, rng = fresh(pool()), np.random.default_rng(count)
    chosen = [choose_views(subject, count, rng, rules) for _ in range(tries)]
    return [(found.views, found.points) for found in chosen if not isinstance(found, Refusal)]


def angle_deg(point, a, b):
    one, other = (pool().centers_world[view] - point for view in (a, b))
    return np.degrees(np.arctan2(np.linalg.norm(np.cross(one, other)), one @ other))


@pytest.mark.parametrize("count", [3, 4, 5])
def test_views_are_different_and_share_their_points(count):
    found = sets(count)
    assert found
    for views, points in found:
        assert len(set(views.tolist())) == count
        assert len(points)
        assert pool().visible[np.ix_(views, points)].all()


@pytest.mark.parametrize("limits", [(15.0, 120.0), (25.0, 60.0)])
def test_every_shared_point_sees_every_two_views_at_an_allowed_angle(limits):
    rules = replace(RULES, min_view_angle_deg=limits[0], max_view_angle_deg=limits[1])
    found = sets(3, rules)
    assert found
    for views, points in found:
        for point in pool().points_world[points[:10]]:
            angles = [angle_deg(point, a, b) for a, b in combinations(views, 2)]
            assert limits[0] - 1e-6 <= min(angles)
            assert max(angles) <= limits[1] + 1e-6


def test_the_angle_to_the_nearest_reference_is_spread_over_what_the_rules_allow():
    nearest = []
    for views, points in sets(3, tries=150):
        point = pool().points_world[points[0]]
        nearest.append(min(angle_deg(point, views[0], view) for view in views[1:]))
    counts, _ = np.histogram(nearest, 5, (15.0, 120.0))
    assert (counts[:3] > 0).all()


def test_the_target_is_any_view_that_can_be_one():
    targets = {int(views[0]) for views, _ in sets(3, tries=150)}
    assert len(targets) > len(pool().views) / 2
