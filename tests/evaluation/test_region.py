import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.spatial import ConvexHull

from xvr.evaluation.benchmarks.region import (
    Point,
    convex_hull,
    in_polygon,
    in_polygon_before_fix,
    mask_runs,
    on_mask,
)

GOLDEN = json.loads((Path(__file__).parent / "golden" / "robospatial.json").read_text())
coordinates = st.integers(0, 64).map(lambda value: value / 64)
"""Exact in single precision too."""
points = st.lists(st.tuples(coordinates, coordinates), min_size=3, max_size=9)
odd = st.integers(0, 63).map(lambda value: (2 * value + 1) / 128)
"""Never the coordinate of a corner."""


@pytest.mark.parametrize(
    ("polygon", "places"),
    [
        pytest.param(np.array(polygon), places, id=name)
        for name, polygon, places in GOLDEN["polygons"]
    ],
)
def test_points_are_inside_as_officially_now_and_before(polygon, places):
    for x, y, inside, before in places:
        assert in_polygon(Point(x, y), polygon) == inside, (x, y)
        assert in_polygon_before_fix(Point(x, y), polygon) == before, (x, y)


def test_before_the_fix_the_middle_of_an_upright_rectangle_was_outside():
    square = np.array([(0.2, 0.3), (0.8, 0.3), (0.8, 0.9), (0.2, 0.9)])
    assert in_polygon(Point(0.5, 0.6), square)
    assert not in_polygon_before_fix(Point(0.5, 0.6), square)


def winding_is_odd(point, polygon):
    """Angles that the corners sweep, seen from the point: the obvious way."""
    rays = polygon - np.array(point)
    angles = np.arctan2(rays[:, 1], rays[:, 0])
    steps = (np.diff(np.append(angles, angles[0])) + np.pi) % (2 * np.pi) - np.pi
    return round(steps.sum() / (2 * np.pi)) % 2 == 1


@given(points, odd, odd)
def test_inside_is_an_odd_number_of_turns_around_the_point(corners, x, y):
    polygon = np.array(corners)
    assume(abs(cv2.pointPolygonTest(polygon.astype(np.float32), (x, y), True)) > 1e-3)
    assert in_polygon(Point(x, y), polygon) == winding_is_odd((x, y), polygon)


@given(points, odd, odd, st.integers(0, 8))
def test_inside_does_not_depend_on_where_the_outline_starts_or_which_way_it_runs(corners, x, y, k):
    polygon = np.array(corners)
    assume(abs(cv2.pointPolygonTest(polygon.astype(np.float32), (x, y), True)) > 1e-3)
    inside = in_polygon(Point(x, y), polygon)
    assert in_polygon(Point(x, y), np.roll(polygon, k, axis=0)) == inside
    assert in_polygon(Point(x, y), polygon[::-1]) == inside


@given(points, st.randoms(use_true_random=False))
def test_the_hull_is_convex_holds_all_points_and_ignores_their_order(corners, random):
    hull = convex_hull(np.array(corners))
    random.shuffle(corners)
    assert np.array_equal(convex_hull(np.array(corners)), hull)
    assume(len(hull) >= 3)
    edges = np.roll(hull, -1, axis=0) - hull
    for point in corners:
        to_point = np.array(point) - hull
        assert (edges[:, 0] * to_point[:, 1] - edges[:, 1] * to_point[:, 0] >= 0).all()
    after = np.roll(edges, -1, axis=0)
    assert (edges[:, 0] * after[:, 1] - edges[:, 1] * after[:, 0] > 0).all()


@given(points)
def test_the_hull_is_that_of_another_library(corners):
    hull = convex_hull(np.array(corners))
    assume(len(hull) >= 3)
    other = np.array(corners)[ConvexHull(np.array(corners)).vertices]
    assert {tuple(corner) for corner in hull} == {tuple(corner) for corner in other}


@pytest.mark.parametrize("polygon", [[], [(0.1, 0.1)], [(0.1, 0.1), (0.9, 0.9)]])
def test_nothing_is_inside_fewer_than_three_points(polygon):
    array = np.array(polygon, dtype=float).reshape(-1, 2)
    assert not in_polygon(Point(0.1, 0.1), array)
    assert not in_polygon_before_fix(Point(0.1, 0.1), array)
    assert len(convex_hull(array)) == len(polygon)


def test_points_on_a_line_have_a_hull_that_holds_nothing():
    line = np.array([(0.1, 0.1), (0.5, 0.5), (0.9, 0.9), (0.5, 0.5)])
    assert not in_polygon(Point(0.4, 0.4), convex_hull(line))


def test_a_mask_is_the_same_after_it_was_json():
    mask = np.random.default_rng(3).random((7, 11)) < 0.4
    mask[0, 0], mask[-1, -1] = True, True
    runs = json.loads(json.dumps(mask_runs(mask)))
    for row, column in np.ndindex(mask.shape):
        point = Point((column + 0.5) / 11, (row + 0.5) / 7)
        assert on_mask(point, runs) == mask[row, column]
    assert not on_mask(Point(1.0, 0.5), runs)
    assert not on_mask(Point(0.5, -0.01), runs)
