import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rigid import camera, models, motion, moved, seeds

from xvr.geometry.camera import Camera, check_rigid, project, rays, unproject

UNIT = {"width": 640, "height": 480, "fx": 500.0, "fy": 500.0, "cx": 320.0, "cy": 240.0}


def pixels_and_depths(rng, count=30):
    return rng.uniform((0, 0), (640, 480), (count, 2)), rng.uniform(0.1, 8.0, count)


@given(seeds, models)
def test_projecting_undoes_unprojecting(seed, model):
    rng = np.random.default_rng(seed)
    lens = camera(rng, model)
    uv_px, depth_m = pixels_and_depths(rng)
    found_px, found_m = project(lens, unproject(lens, uv_px, depth_m))
    np.testing.assert_allclose(found_px, uv_px, atol=1e-4)
    np.testing.assert_allclose(found_m, depth_m, rtol=1e-9)


@given(seeds, models)
def test_projection_agrees_with_opencv(seed, model):
    rng = np.random.default_rng(seed)
    lens = camera(rng, model)
    points = unproject(lens, *pixels_and_depths(rng))
    inverse = np.linalg.inv(lens.world_from_camera)
    turn, shift = cv2.Rodrigues(inverse[:3, :3])[0], inverse[:3, 3]
    coefficients = np.zeros(4 if model == "fisheye" else 5)
    coefficients[: len(lens.distortion)] = lens.distortion
    opencv = cv2.fisheye.projectPoints if model == "fisheye" else cv2.projectPoints
    expected = opencv(points[:, None], turn, shift, lens.matrix, coefficients)[0][:, 0]
    np.testing.assert_allclose(project(lens, points)[0], expected, atol=1e-6)


@given(seeds, models)
def test_a_rigid_motion_of_the_whole_world_changes_no_pixel(seed, model):
    rng = np.random.default_rng(seed)
    lens, transform = camera(rng, model), motion(rng)
    uv_px, depth_m = pixels_and_depths(rng)
    points = unproject(lens, uv_px, depth_m)
    turned = Camera(**{**vars(lens), "world_from_camera": transform @ lens.world_from_camera})
    np.testing.assert_allclose(project(turned, moved(points, transform))[0], uv_px, atol=1e-4)
    np.testing.assert_allclose(unproject(turned, uv_px, depth_m), moved(points, transform))


@given(seeds, models)
def test_rays_are_unit_and_go_through_the_unprojected_points(seed, model):
    rng = np.random.default_rng(seed)
    lens = camera(rng, model)
    uv_px, depth_m = pixels_and_depths(rng)
    directions = rays(lens, uv_px)
    np.testing.assert_allclose(np.linalg.norm(directions, axis=1), 1.0)
    offsets = unproject(lens, uv_px, depth_m) - lens.center
    np.testing.assert_allclose(np.cross(directions, offsets), 0.0, atol=1e-9)
    assert ((directions * offsets).sum(axis=1) > 0).all()


@given(seeds, models, st.floats(-5.0, 0.0))
def test_a_point_at_or_behind_the_camera_has_no_pixel_but_a_depth(seed, model, depth_m):
    lens = camera(np.random.default_rng(seed), model)
    point = moved(np.array([[0.3, -0.2, depth_m]]), lens.world_from_camera)
    uv_px, found_m = project(lens, point)
    if depth_m == 0:  # the motion itself rounds
        assert abs(found_m[0]) < 1e-12
        return
    assert found_m[0] == pytest.approx(depth_m, abs=1e-12)
    if depth_m < -1e-12:
        assert np.isnan(uv_px).all()


def test_the_centre_of_the_first_pixel_is_at_one_half():
    lens = Camera(width=4, height=2, fx=2.0, fy=2.0, cx=2.0, cy=1.0)
    corner = unproject(lens, np.array([[0.5, 0.5]]), np.array([2.0]))
    np.testing.assert_allclose(corner, [[-1.5, -0.5, 2.0]])


def test_points_on_the_axis_of_a_fisheye_meet_its_principal_point():
    lens = Camera(**UNIT, model="fisheye", distortion=(0.1, 0.0, 0.0, 0.0))
    np.testing.assert_allclose(project(lens, np.array([[0.0, 0.0, 1.0]]))[0], [[320.0, 240.0]])


@pytest.mark.parametrize("model", ["pinhole", "brown", "fisheye"])
def test_no_points_give_no_pixels(model):
    lens = Camera(**UNIT, model=model)
    assert project(lens, np.empty((0, 3)))[0].shape == (0, 2)
    assert unproject(lens, np.empty((0, 2)), np.empty(0)).shape == (0, 3)


def test_missing_trailing_coefficients_are_zero():
    point = np.array([[0.4, 0.3, 1.0]])
    short = Camera(**UNIT, model="brown", distortion=(0.1,))
    full = Camera(**UNIT, model="brown", distortion=(0.1, 0.0, 0.0, 0.0, 0.0))
    np.testing.assert_array_equal(project(short, point)[0], project(full, point)[0])


def test_projecting_leaves_its_arguments_alone():
    points = np.array([[0.0, 0.0, -1.0], [0.1, 0.2, 1.0]])
    kept = points.copy()
    project(Camera(**UNIT), points)
    np.testing.assert_array_equal(points, kept)


@given(seeds)
def test_camera_from_world_is_the_inverse_of_the_pose(seed):
    lens = camera(np.random.default_rng(seed))
    np.testing.assert_allclose(
        lens.camera_from_world @ lens.world_from_camera, np.eye(4), atol=1e-12
    )


def bad_pose(change):
    pose = np.eye(4)
    change(pose)
    return {"world_from_camera": pose}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fx": 0.0}, "must be positive"),
        ({"fx": float("nan")}, "must be positive"),
        ({"height": 0}, "must be positive"),
        ({"cx": float("nan")}, "must be finite"),
        ({"model": "brown", "distortion": (float("inf"),)}, "must be finite"),
        (bad_pose(lambda pose: pose.__setitem__((0, 3), np.nan)), "non-finite"),
        (bad_pose(lambda pose: pose.__setitem__((0, 0), 1.1)), "not rigid"),
        (bad_pose(lambda pose: pose.__setitem__((2, 2), -1.0)), "not rigid"),
        (bad_pose(lambda pose: pose.__setitem__((3, 0), 1.0)), "last row"),
    ],
)
def test_an_impossible_camera_says_why(change, message):
    with pytest.raises(ValueError, match=message):
        Camera(**(UNIT | change))


def test_the_rounding_of_a_pose_file_is_still_rigid():
    pose = motion(np.random.default_rng(0))
    check_rigid(np.round(pose, 5))
