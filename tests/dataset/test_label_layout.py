from hypothesis import given, settings
from hypothesis import strategies as st

from xvr.dataset.label_layout import Anchor, Box, Obstacle, nearest_free_place, place_labels

IMAGE = (200, 150)
coordinate = st.floats(0.0, 150.0)
point = st.tuples(coordinate, coordinate)


def inside(box):
    return (
        box.left >= 0
        and box.top >= 0
        and box.left + box.width <= IMAGE[0]
        and box.top + box.height <= IMAGE[1]
    )


def overlap(a, b):
    return (
        a.left < b.left + b.width
        and b.left < a.left + a.width
        and a.top < b.top + b.height
        and b.top < a.top + a.height
    )


def distance_by_sampling(box, obstacle):
    """Least distance between points along the segment and the box."""
    nearest = float("inf")
    for i in range(201):
        x, y = (a + i / 200 * (b - a) for a, b in zip(obstacle.start, obstacle.end, strict=True))
        dx = max(box.left - x, 0.0, x - box.left - box.width)
        dy = max(box.top - y, 0.0, y - box.top - box.height)
        nearest = min(nearest, (dx * dx + dy * dy) ** 0.5)
    return nearest


@settings(deadline=None)
@given(
    segments=st.lists(st.tuples(point, point, st.booleans()), min_size=1, max_size=5),
    size=st.tuples(st.integers(5, 80), st.integers(5, 30)),
)
def test_labels_stay_inside_and_clear_of_marks_and_of_each_other(segments, size):
    obstacles = [Obstacle(a, a if is_dot else b, 6.0) for a, b, is_dot in segments]
    anchors = [Anchor(obstacle.end, 6.0, size) for obstacle in obstacles]
    placed = [b for b in place_labels(anchors, obstacles, IMAGE, 3.0) if b is not None]
    for i, box in enumerate(placed):
        assert inside(box)
        assert all(distance_by_sampling(box, o) >= o.radius + 1.5 - 1e-6 for o in obstacles)
        assert not any(overlap(box, other) for other in placed[:i])


def test_a_lone_label_stands_to_the_right():
    (box,) = place_labels(
        [Anchor((50.0, 70.0), 6.0, (40, 10))],
        [Obstacle((50.0, 70.0), (50.0, 70.0), 6.0)],
        IMAGE,
        3.0,
    )
    assert box == Box(59, 65, 40, 10)


def test_a_label_at_the_right_edge_stands_to_the_left():
    (box,) = place_labels(
        [Anchor((190.0, 70.0), 6.0, (40, 10))],
        [Obstacle((190.0, 70.0), (190.0, 70.0), 6.0)],
        IMAGE,
        3.0,
    )
    assert box == Box(141, 65, 40, 10)


def test_a_heading_chooses_the_side():
    (box,) = place_labels(
        [Anchor((50.0, 70.0), 6.0, (40, 10), heading=(0.0, -1.0))],
        [Obstacle((50.0, 70.0), (50.0, 70.0), 6.0)],
        IMAGE,
        3.0,
    )
    assert box == Box(30, 51, 40, 10)


def test_a_label_avoids_places_that_are_as_near_to_another_mark():
    points = ((60.0, 70.0), (125.0, 70.0))
    anchors = [Anchor(p, 6.0, (45, 10)) for p in points]
    first, _ = place_labels(anchors, [Obstacle(p, p, 6.0) for p in points], IMAGE, 3.0)
    assert first is not None
    assert first.left + first.width < 60.0


def test_the_nearest_free_place_is_found_where_the_places_around_the_mark_are_taken():
    wall = Obstacle((60.0, 0.0), (60.0, 150.0), 50.0)
    box = nearest_free_place(Anchor((60.0, 75.0), 6.0, (40, 10)), [wall], [], IMAGE, 3.0)
    assert box is not None
    assert box.left == 112


def test_no_place_is_invented_in_an_image_that_is_full():
    flood = Obstacle((100.0, 75.0), (100.0, 75.0), 300.0)
    anchor = Anchor((100.0, 75.0), 6.0, (40, 10))
    assert nearest_free_place(anchor, [flood], [], IMAGE, 3.0) is None
    assert place_labels([anchor], [flood], IMAGE, 3.0) == [None]
