"""Which token of an image sees a point, against a wall whose depth is known."""

import numpy as np

from xvr.geometry.camera import Camera
from xvr.training.token_grid import tokens_seeing
from xvr.training.token_targets import GONE, HIDDEN, UNKNOWN

WALL_M = 2.0
CAMERA = Camera(width=60, height=60, fx=60, fy=60, cx=30, cy=30, world_from_camera=np.eye(4))
GRID = (6, 6)


def token_of(point: tuple[float, float, float], depth: np.ndarray, *, moved: bool = True) -> int:
    return int(tokens_seeing(np.array([point]), CAMERA, depth, GRID, moved=moved)[0])


def wall(*, without: tuple[slice, slice] | None = None) -> np.ndarray:
    depth = np.full((60, 60), WALL_M)
    if without is not None:
        depth[without] = 0
    return depth


def test_a_point_on_the_wall_is_seen_by_the_token_over_it():
    assert token_of((0.0, 0.0, WALL_M), wall()) == 3 * 6 + 3
    assert token_of((-0.9, -0.9, WALL_M), wall()) == 0  # 3 px from the corner


def test_what_is_behind_the_wall_by_more_than_depth_is_exact_is_hidden():
    assert token_of((0.0, 0.0, WALL_M + 0.03), wall()) == 3 * 6 + 3
    assert token_of((0.0, 0.0, WALL_M + 0.05), wall()) == HIDDEN


def test_what_the_image_sees_through_is_gone_where_things_move():
    in_front = (0.0, 0.0, WALL_M - 0.5)
    assert token_of(in_front, wall()) == GONE
    assert token_of(in_front, wall(), moved=False) == HIDDEN
    assert token_of((0.0, 0.0, WALL_M - 0.05), wall()) == HIDDEN  # too near to the wall to tell


def test_a_far_point_that_is_seen_is_not_gone():
    assert token_of((0.0, 0.0, 10.0), np.full((60, 60), 10.15)) == 3 * 6 + 3


def test_nothing_is_gone_next_to_an_unknown_depth_or_an_edge():
    in_front = (0.0, 0.0, 1.5)  # at pixel 30, 30
    assert token_of(in_front, wall(without=(slice(31, 32), slice(0, 60)))) == HIDDEN
    edge = wall()
    edge[:, :30] = 1.5
    assert token_of(in_front, edge) == HIDDEN


def test_outside_and_unknown_points_have_no_token():
    assert token_of((5.0, 0.0, WALL_M), wall()) == HIDDEN
    assert token_of((0.0, 0.0, -1.0), wall()) == HIDDEN
    assert token_of((np.nan, 0.0, 1.0), wall()) == UNKNOWN
