from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rigid import camera, motion, moved, seeds

from toy import room
from xvr.geometry.camera import Camera, unproject
from xvr.geometry.visibility import Tolerance, estimate_normals, inside, lookup_depth, see_points

TOLERANCE = Tolerance(0.01, 0.01)


def slow_lookup(depth, uv_px, tolerance):
    """The obvious twin of `lookup_depth`: weigh the four pixel centres around each position."""
    height, width = depth.shape
    found = []
    for u, v in uv_px:
        x, y = u - 0.5, v - 0.5
        if not (0 <= x <= width - 1 and 0 <= y <= height - 1):
            found.append(np.nan)
            continue
        x0, y0 = min(int(np.floor(x)), width - 2), min(int(np.floor(y)), height - 2)
        four = depth[y0 : y0 + 2, x0 : x0 + 2].astype(float)
        allowed = max(tolerance.absolute_m, tolerance.share * four.min())
        if not (np.isfinite(four).all() and four.min() > 0 and np.ptp(four) <= allowed):
            found.append(np.nan)
            continue
        across = np.array([1 - (x - x0), x - x0])
        down = np.array([1 - (y - y0), y - y0])
        found.append(down @ four @ across)
    return np.array(found)


def rough_depth(rng, shape=(9, 12)):
    """A smooth surface with steps, holes, NaN and infinity."""
    depth = 1.0 + 0.002 * rng.random(shape)
    depth[:, rng.integers(2, 10) :] += 0.5
    for value in (0.0, np.nan, np.inf, -1.0):
        depth[rng.integers(shape[0]), rng.integers(shape[1])] = value
    return depth


@given(seeds, st.sampled_from([np.float32, np.float64]))
def test_the_fast_lookup_agrees_with_its_slow_twin(seed, dtype):
    rng = np.random.default_rng(seed)
    depth = rough_depth(rng).astype(dtype)
    uv_px = np.vstack(
        [
            rng.uniform(-1, 13, (50, 2)),
            rng.integers(0, 13, (20, 2)) + 0.5,  # pixel centres, corners of the image too
            [[np.nan, 3.0], [0.5, 0.5], [11.5, 8.5], [0.4999, 4.0], [11.5001, 4.0]],
        ]
    )
    slow = slow_lookup(depth, uv_px, TOLERANCE)
    np.testing.assert_allclose(lookup_depth(depth, uv_px, TOLERANCE), slow, rtol=1e-5)


def test_a_lookup_never_crosses_an_edge():
    depth = np.ones((6, 8))
    depth[:, 4:] = 2.0
    across = np.column_stack([np.linspace(3.51, 4.49, 9), np.full(9, 3.2)])
    assert np.isnan(lookup_depth(depth, across, TOLERANCE)).all()
    beside = np.array([[3.49, 3.2], [4.51, 3.2]])
    np.testing.assert_allclose(lookup_depth(depth, beside, TOLERANCE), [1.0, 2.0])


@pytest.mark.parametrize("hole", [0.0, np.nan, np.inf, -1.0])
def test_a_lookup_next_to_unknown_depth_is_unknown(hole):
    depth = np.ones((5, 5))
    depth[2, 2] = hole
    uv_px = np.array([[2.0, 2.0], [3.0, 2.0], [2.0, 3.0], [3.0, 3.0], [1.2, 1.2]])
    known = np.isfinite(lookup_depth(depth, uv_px, TOLERANCE))
    assert known.tolist() == [False, False, False, False, True]


def test_a_plane_is_looked_up_exactly_between_its_pixels():
    columns, rows = np.meshgrid(np.arange(8) + 0.5, np.arange(6) + 0.5)
    depth = 1.0 + 0.001 * columns + 0.0005 * rows
    uv_px = np.random.default_rng(0).uniform((0.5, 0.5), (7.5, 5.5), (30, 2))
    expected = 1.0 + uv_px @ (0.001, 0.0005)
    np.testing.assert_allclose(lookup_depth(depth, uv_px, TOLERANCE), expected)


def test_inside_counts_the_margin_itself_and_not_nan():
    uv_px = np.array([[5.0, 5.0], [95.0, 45.0], [4.99, 20.0], [50.0, 45.01], [np.nan, 20.0]])
    assert inside(uv_px, 100, 50, 5.0).tolist() == [True, True, False, False, False]


def plane_depth(lens, point, normal):
    """Depth at pixel centres of a plane, by intersecting the rays."""
    columns, rows = np.meshgrid(np.arange(lens.width) + 0.5, np.arange(lens.height) + 0.5)
    rays = room.pixel_rays(lens, np.column_stack([columns.ravel(), rows.ravel()]))
    depth = ((point - lens.center) @ normal) / (rays @ normal)
    return depth.reshape(lens.height, lens.width)


def small_camera(rng):
    return replace(camera(rng), width=80, height=60, fx=70.0, fy=75.0, cx=38.0, cy=31.0)


def tilted_plane(rng, lens, tilt_deg):
    """A plane through a point before the camera, tilted from facing it, and its depth."""
    around = rng.uniform(0, 2 * np.pi)
    tilt = np.radians(tilt_deg)
    in_camera = (np.sin(tilt) * np.cos(around), np.sin(tilt) * np.sin(around), -np.cos(tilt))
    normal = lens.world_from_camera[:3, :3] @ in_camera
    point = lens.center + 2.0 * lens.forward
    return normal, plane_depth(lens, point, normal)


@given(seeds, st.floats(0.0, 40.0))
def test_normals_of_a_plane_are_its_normal(seed, tilt_deg):
    rng = np.random.default_rng(seed)
    lens = small_camera(rng)
    normal, depth = tilted_plane(rng, lens, tilt_deg)
    pixels = rng.integers((3, 3), (77, 57), (20, 2))
    found = estimate_normals(lens, depth, pixels, 3)
    np.testing.assert_allclose(np.abs(found @ normal), 1.0, atol=1e-9)


def test_a_normal_needs_its_four_neighbours():
    lens = Camera(width=20, height=20, fx=20.0, fy=20.0, cx=10.0, cy=10.0)
    depth = np.ones((20, 20))
    depth[10, 13] = 0.0
    depth[5, 8] = np.nan
    pixels = np.array([[10, 10], [8, 8], [2, 10], [17, 10], [10, 5]])
    known = np.isfinite(estimate_normals(lens, depth, pixels, 3)).all(axis=1)
    assert known.tolist() == [False, False, False, False, True]


def see(lens, depth, points, normals, **changes):
    options = {"margin_px": 4.0, "tolerance": TOLERANCE, "max_grazing_deg": 75.0} | changes
    return see_points(lens, depth, points, normals, **options)


@given(seeds)
def test_what_a_camera_sees_does_not_change_when_the_whole_world_moves(seed):
    rng = np.random.default_rng(seed)
    lens, transform = small_camera(rng), motion(rng)
    normal, depth = tilted_plane(rng, lens, 10.0)
    uv_px = rng.uniform((0, 0), (80, 60), (40, 2))
    depths = lookup_depth(depth, uv_px, Tolerance(1.0, 1.0))
    uv_px, depths = uv_px[np.isfinite(depths)], depths[np.isfinite(depths)]
    points = unproject(lens, uv_px, depths + rng.choice([0.0, 0.2], len(depths)))
    normals = np.tile(normal, (len(points), 1))
    turned = Camera(**{**vars(lens), "world_from_camera": transform @ lens.world_from_camera})
    before = see(lens, depth, points, normals)
    after = see(turned, depth, moved(points, transform), normals @ transform[:3, :3].T)
    np.testing.assert_array_equal(before.visible, after.visible)
    np.testing.assert_allclose(before.uv_px, after.uv_px, atol=1e-6)
    assert before.visible.any()
    assert not before.visible.all()


def test_visible_needs_depth_margin_front_and_an_open_angle():
    lens = Camera(width=100, height=100, fx=100.0, fy=100.0, cx=50.0, cy=50.0)
    depth = np.full((100, 100), 2.0)
    points = np.array(
        [
            [0.0, 0.0, 2.0],
            [0.0, 0.0, 2.015],  # within 1 % of its depth
            [0.0, 0.0, 2.03],  # behind the surface
            [0.0, 0.0, 1.97],  # before it
            [0.0, 0.0, -2.0],
            [0.95, 0.0, 2.0],  # 2.5 px from the edge
        ]
    )
    facing = np.tile([0.0, 0.0, 1.0], (len(points), 1))
    sight = see(lens, depth, points, facing)
    assert sight.visible.tolist() == [True, True, False, False, False, False]
    assert sight.error_m[2] == pytest.approx(0.03)
    assert np.isnan(sight.error_m[4:]).all()


@pytest.mark.parametrize(
    ("angle_deg", "seen"), [(0, True), (74.9, True), (75.1, False), (105.1, True)]
)
def test_a_grazing_surface_is_not_seen(angle_deg, seen):
    lens = Camera(width=100, height=100, fx=100.0, fy=100.0, cx=50.0, cy=50.0)
    angle = np.radians(angle_deg)
    normal = np.array([[np.sin(angle), 0.0, np.cos(angle)]])
    sight = see(lens, np.full((100, 100), 2.0), np.array([[0.0, 0.0, 2.0]]), normal)
    assert sight.visible.tolist() == [seen]


def test_what_is_seen_in_the_room_is_what_a_ray_hits():
    """Points of one view, looked for in another, that some of them are hidden from."""
    world, lenses = room.furnish(0), room.orbit(0)
    here, there = lenses[0], lenses[4]
    uv_px = np.random.default_rng(0).uniform((8, 8), (152, 112), (300, 2))
    points = np.array([room.hit(world, here, uv) for uv in uv_px])
    normals = np.tile(there.forward, (len(points), 1))
    sight = see(there, room.render(world, there)[1], points, normals)
    within = inside(sight.uv_px, there.width, there.height, 4.0)
    gaps_m = np.array(
        [
            np.linalg.norm(room.hit(world, there, uv) - point)
            for uv, point in zip(sight.uv_px[within], points[within], strict=True)
        ]
    )
    assert not sight.visible[~within].any()
    assert gaps_m[sight.visible[within]].max() < 0.03
    assert (gaps_m > 0.1).sum() > 10
    assert sight.visible.sum() > 50
