import json
from pathlib import Path

import numpy as np
import pytest

from xvr.evaluation.benchmarks.points import (
    all_points,
    official_point,
    official_yes_no,
    thousandths,
)
from xvr.evaluation.benchmarks.region import Point, in_polygon, in_polygon_before_fix

GOLDEN = json.loads((Path(__file__).parent / "golden" / "robospatial.json").read_text())
SQUARE = np.array(next(points for name, points, _ in GOLDEN["polygons"] if name == "square"))


def name(value):
    return ascii(value)[:30]


@pytest.mark.parametrize(("text", "point", "right", "before"), GOLDEN["points"], ids=name)
def test_points_are_read_and_judged_as_officially(text, point, right, before):
    found = official_point(text)
    assert (found and list(found)) == point
    assert (found is not None and in_polygon(found, SQUARE)) == right
    assert (found is not None and in_polygon_before_fix(found, SQUARE)) == before


@pytest.mark.parametrize(("text", "yes", "no"), GOLDEN["yes_no"], ids=name)
def test_yes_and_no_are_read_as_officially(text, yes, no):
    assert (official_yes_no(text) == "yes") == yes
    assert (official_yes_no(text) == "no") == no


def test_text_that_python_warns_of_is_no_point():
    assert official_point("[1 (.2, .3)]") is None
    assert official_point("[" + "(" * 5000 + ".1, .2]") is None
    assert official_point("[(" + "9" * 5000 + ", -1)]") is None


def test_a_long_row_of_digits_takes_no_long_time():
    assert official_point("(" + "9" * 3000 + "," + "9" * 3000) is None


def test_all_points_are_pairs_in_either_bracket():
    assert all_points("[(0.1, .2), [-3, 4e-1]] (5, 6, 7)") == ((0.1, 0.2), (-3, 0.4))


@pytest.mark.parametrize(
    ("text", "point"),
    [
        ('```json\n[{"point_2d": [250, 500], "label": "free"}]\n```', Point(0.25, 0.5)),
        ('at (1, 2): {"label": "free", "point_2d": [250, 500.0]}', Point(0.25, 0.5)),
        ("[(250, 500), (1, 1)]", Point(0.25, 0.5)),
        ("[250, 500]", Point(0.25, 0.5)),
        ("(0.25, 0.5)", Point(0.00025, 0.0005)),
        ("250 500", None),
    ],
)
def test_thousandths_are_read_from_json_or_else_from_brackets(text, point):
    assert thousandths(text) == (point and pytest.approx(point))
