"""Where the small texts beside marks go, so that they hide no mark and no other text.

Pixels, continuous coordinates (the image spans 0 to width and 0 to height). A layout is a pure
function of the marks: no randomness, no image content.
"""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

SHRINK_STEPS = (1.0, 0.85, 0.7, 0.55, 0.4)
"""Sizes of text that are tried, as shares of the size asked for."""
_RINGS = (1.0, 2.5, 4.5, 7.0, 10.0)
"""Distances from the mark that are tried, in gaps."""
_NEAR_RINGS = _RINGS[:2]
"""Distances that are tried first, with more room to other marks."""
_SIDES = ((1, 0), (-1, 0), (0, -1), (0, 1), (1, -1), (1, 1), (-1, -1), (-1, 1))
"""Right, left, above, below, and the corners."""
_LEAST_CLEARANCE = 0.5
"""Least distance of a label from a mark, in gaps; the mark's radius has a margin already."""
_LABEL_SPACING_PX = 2
_GRID_STEP_PX = 4


class Box(NamedTuple):
    """A rectangle, pixels."""

    left: int
    top: int
    width: int
    height: int


class Obstacle(NamedTuple):
    """A mark as the layout sees it: all points within `radius` of a segment."""

    start: tuple[float, float]
    end: tuple[float, float]
    """Equal to `start` for a dot."""
    radius: float


class Anchor(NamedTuple):
    """What a label belongs to."""

    point: tuple[float, float]
    radius: float
    """Labels start so far from the point, plus a gap."""
    size: tuple[int, int]
    """Width and height of the label."""
    heading: tuple[float, float] | None = None
    """Unit vector of the side that is tried first."""


def place_labels(
    anchors: Sequence[Anchor],
    obstacles: Sequence[Obstacle],
    image_size: tuple[int, int],
    gap: float,
) -> list[Box | None]:
    """A box for each label, inside the image, on no obstacle and on no other box.

    Each label takes the first free place of a fixed list of places around its anchor: close ones
    that are twice as near to its own mark as to any other, then all that hide nothing.

    Args:
        anchors: one per label.
        obstacles: the marks of the labels, in the same order, then any other marks.
        image_size: width and height, pixels.
        gap: distance of the nearest places from their mark, pixels.

    Returns:
        One box per anchor; None where no place is free.
    """
    placed: list[Box | None] = []
    for number, anchor in enumerate(anchors):
        others = [obstacle for i, obstacle in enumerate(obstacles) if i != number]
        taken = [box for box in placed if box is not None]
        free = (
            box
            for box, clearance in _places(anchor, gap)
            if _is_free(box, taken, image_size)
            and _is_clear(box, others, clearance)
            and _is_clear(box, [obstacles[number]], _LEAST_CLEARANCE * gap)
        )
        placed.append(next(free, None))
    return placed


def nearest_free_place(
    anchor: Anchor,
    obstacles: Sequence[Obstacle],
    boxes: Sequence[Box],
    image_size: tuple[int, int],
    gap: float,
) -> Box | None:
    """The free place nearest to an anchor in the whole image, or None when there is none."""
    width, height = anchor.size
    places = [
        Box(left, top, width, height)
        for top in range(0, image_size[1] - height + 1, _GRID_STEP_PX)
        for left in range(0, image_size[0] - width + 1, _GRID_STEP_PX)
    ]
    places.sort(key=lambda box: _distance_to_point(box, *anchor.point))
    free = (
        box
        for box in places
        if _is_free(box, boxes, image_size) and _is_clear(box, obstacles, _LEAST_CLEARANCE * gap)
    )
    return next(free, None)


def _places(anchor: Anchor, gap: float) -> Iterator[tuple[Box, float]]:
    """Boxes around an anchor with the distance that each must keep from other marks."""
    sides = _sides(anchor)
    for ring in _NEAR_RINGS:
        for side in sides:
            yield _box_at(anchor, side, ring * gap), 2.0 * ring * gap
    for ring in _RINGS:
        for side in sides:
            yield _box_at(anchor, side, ring * gap), _LEAST_CLEARANCE * gap


def _is_free(box: Box, boxes: Sequence[Box], image_size: tuple[int, int]) -> bool:
    left, top, width, height = box
    right, bottom = left + width, top + height
    if left < 0 or top < 0 or right > image_size[0] or bottom > image_size[1]:
        return False
    left, top = left - _LABEL_SPACING_PX, top - _LABEL_SPACING_PX
    right, bottom = right + _LABEL_SPACING_PX, bottom + _LABEL_SPACING_PX
    return not any(
        left < b.left + b.width and b.left < right and top < b.top + b.height and b.top < bottom
        for b in boxes
    )


def _is_clear(box: Box, obstacles: Sequence[Obstacle], clearance: float) -> bool:
    left, top, right, bottom = box.left, box.top, box.left + box.width, box.top + box.height
    for start, end, radius in obstacles:
        reach = radius + clearance
        if (
            left < max(start[0], end[0]) + reach
            and right > min(start[0], end[0]) - reach
            and top < max(start[1], end[1]) + reach
            and bottom > min(start[1], end[1]) - reach
            and _distance(box, start, end) < reach
        ):
            return False
    return True


def _sides(anchor: Anchor) -> Sequence[tuple[int, int]]:
    if anchor.heading is None:
        return _SIDES
    dx, dy = anchor.heading
    return sorted(_SIDES, key=lambda side: -(side[0] * dx + side[1] * dy) / math.hypot(*side))


def _box_at(anchor: Anchor, side: tuple[int, int], gap: float) -> Box:
    """The box on one side of the anchor; at a corner it is as far away as on a straight side."""
    width, height = anchor.size
    reach = (anchor.radius + gap) / math.hypot(*side)
    center_x = anchor.point[0] + side[0] * (reach + 0.5 * width)
    center_y = anchor.point[1] + side[1] * (reach + 0.5 * height)
    left, top = center_x - 0.5 * width, center_y - 0.5 * height
    return Box(math.floor(left + 0.5), math.floor(top + 0.5), width, height)


def _distance(box: Box, start: tuple[float, float], end: tuple[float, float]) -> float:
    """Least distance between a box and a segment."""
    (x, y), (end_x, end_y) = start, end
    nearest = _distance_to_point(box, x, y)
    dx, dy = end_x - x, end_y - y
    length2 = dx * dx + dy * dy
    if length2 == 0.0:
        return nearest
    if _segment_meets(box, x, y, dx, dy):
        return 0.0
    nearest = min(nearest, _distance_to_point(box, end_x, end_y))
    # Otherwise a corner of the box is nearest.
    for cx in (box.left, box.left + box.width):
        for cy in (box.top, box.top + box.height):
            t = min(1.0, max(0.0, ((cx - x) * dx + (cy - y) * dy) / length2))
            nearest = min(nearest, math.hypot(x + t * dx - cx, y + t * dy - cy))
    return nearest


def _distance_to_point(box: Box, x: float, y: float) -> float:
    dx = max(box.left - x, 0.0, x - box.left - box.width)
    dy = max(box.top - y, 0.0, y - box.top - box.height)
    return math.hypot(dx, dy)


def _segment_meets(box: Box, x: float, y: float, dx: float, dy: float) -> bool:
    """Whether a segment from (x, y) by (dx, dy) meets the box (Liang-Barsky clipping)."""
    enter, leave = 0.0, 1.0
    for step, low, high in ((dx, box.left - x, box.width), (dy, box.top - y, box.height)):
        if step == 0.0:
            if not low <= 0.0 <= low + high:
                return False
            continue
        a, b = low / step, (low + high) / step
        enter, leave = max(enter, min(a, b)), min(leave, max(a, b))
    return enter <= leave
