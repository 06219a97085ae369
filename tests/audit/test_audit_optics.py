from dataclasses import replace

import numpy as np
import pytest
from audit_room import arc_camera, point_entry, ray_cast, room_scene

from xvr.audit.answers import GENERAL_CHECKS
from xvr.audit.evidence import gather
from xvr.audit.optics import (
    depths_at,
    meeting_point,
    miss_angles,
    pair_angles_deg,
    pixel_rays,
    pixels_of,
)
from xvr.audit.thresholds import Thresholds, thresholds_of
from xvr.geometry.camera import project, rays
from xvr.sources.records import Tracks

CAMERAS = (
    arc_camera(20.0),
    replace(arc_camera(-35.0), model="brown", distortion=(-0.2, 0.05, 1e-3, -2e-3, 0.01)),
    replace(arc_camera(5.0), model="fisheye", distortion=(0.03, -0.01, 0.002, -1e-3)),
)


@pytest.mark.parametrize("camera", CAMERAS, ids=lambda camera: camera.model)
def test_the_audits_optics_agree_with_the_packages(camera):
    rng = np.random.default_rng(0)
    points = rng.uniform((-0.6, -0.6, 0.0), (0.6, 0.6, 0.6), (50, 3))
    expected, depth = project(camera, points)
    uv, z = pixels_of(camera, points)
    np.testing.assert_allclose(uv, expected, atol=1e-9)
    np.testing.assert_allclose(z, depth, atol=1e-12)
    np.testing.assert_allclose(pixel_rays(camera, uv), rays(camera, uv), atol=1e-9)
    angles = miss_angles(np.tile(camera.center, (50, 1)), pixel_rays(camera, uv), points)
    assert angles.max() < 1e-9


def test_points_behind_the_camera_have_no_pixel():
    camera = arc_camera(0.0)
    uv, z = pixels_of(camera, camera.center[None] - camera.forward)
    assert np.isnan(uv).all()
    assert z[0] < 0


def test_depth_is_bilinear_between_pixel_centres():
    depth = np.array([[1.0, 2.0], [3.0, 4.0]])
    found = depths_at(depth, np.array([[1.0, 1.0], [0.5, 0.5], [1.49, 0.5]]))
    np.testing.assert_allclose(found.depth_m, [2.5, 1.0, 1.99])
    np.testing.assert_allclose(found.spread_m, 3.0)


@pytest.mark.parametrize("uv", [(0.4, 1.0), (1.0, 1.6), (np.nan, 1.0), (-5.0, 1.0)])
def test_depth_outside_the_pixel_centres_is_unknown(uv):
    assert np.isnan(depths_at(np.ones((2, 2)), np.array([uv])).depth_m[0])


@pytest.mark.parametrize("hole", [0.0, np.nan, np.inf])
def test_depth_beside_a_hole_is_unknown(hole):
    depth = np.array([[1.0, 2.0], [3.0, hole]])
    assert np.isnan(depths_at(depth, np.array([[0.6, 0.6]])).depth_m[0])


def test_the_ray_cast_room_agrees_with_the_optics():
    camera = arc_camera(30.0)
    depth, points = ray_cast(camera)
    uv, z = pixels_of(camera, points[40, 60:70])
    np.testing.assert_allclose(uv, [(60.5 + i, 40.5) for i in range(10)], atol=1e-9)
    np.testing.assert_allclose(z, depth[40, 60:70], atol=1e-12)


def test_rays_meet_where_they_should():
    centers = np.array([[1.0, 0, 0], [0, 1.0, 0], [0, 0, 1.0]])
    point = np.array([0.3, 0.2, -0.4])
    towards = (point - centers) / np.linalg.norm(point - centers, axis=1, keepdims=True)
    np.testing.assert_allclose(meeting_point(centers, towards), point, atol=1e-12)
    np.testing.assert_allclose(pair_angles_deg(np.zeros(3), centers), 90.0)


def tracked_scene(seen):
    """The room without depth: five tracked points, those of the point sample."""
    scene = room_scene()
    points = np.array([mark.point_m for mark in point_entry().proof.marks[2:]])
    tracks = Tracks(points, np.full((5, len(scene.views)), True) if seen is None else seen)
    return replace(
        scene, views=tuple(replace(v, read_depth=None) for v in scene.views), tracks=tracks
    )


def test_scenes_without_depth_are_checked_by_their_tracks():
    entry = point_entry()
    check = GENERAL_CHECKS["point_correspondence"]
    (evidence,) = gather(tracked_scene(None), [entry], np.array([False]))
    assert list(check(entry, evidence, Thresholds())) == []
    seen = np.full((5, 6), True)
    seen[3, 2] = False
    (evidence,) = gather(tracked_scene(seen), [entry], np.array([False]))
    (problem,) = check(entry, evidence, Thresholds())
    assert problem.reason == "not_visible"
    assert problem.detail.startswith("yellow dot of image 3 in image 2")


def test_thresholds_come_from_the_manifest():
    manifest = {"config": {"rules": {"min_time_gap_s": 3, "unknown": 1}}}
    assert thresholds_of(manifest) == Thresholds(min_time_gap_s=3.0)
    assert thresholds_of({}) == Thresholds()


def test_the_depth_tolerance_is_the_larger_of_two():
    tolerance = Thresholds().depth_tolerance(np.array([0.5, 1.0, 3.0]))
    np.testing.assert_allclose(tolerance, [0.01, 0.01, 0.03])
