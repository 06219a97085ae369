import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rigid import motion, moved, rotation, seeds

from xvr.geometry.angles import (
    angles_between,
    angles_seen_from,
    circular_mean_deg,
    plane_angles,
    pose_distance,
    unit,
    wrapped_difference_deg,
)

degrees = st.floats(-720.0, 720.0)


def test_unit_vectors_have_length_one_and_zero_stays_zero():
    found = unit(np.array([[3.0, 0.0, 4.0], [0.0, 0.0, 0.0]]))
    np.testing.assert_allclose(found, [[0.6, 0.0, 0.8], [0.0, 0.0, 0.0]])


def test_equal_and_opposite_directions_have_exact_angles():
    """Their dot products round to beyond 1, where arccos is NaN."""
    direction = unit(np.array([0.1, 0.2, 0.3]))
    found = angles_between(np.array([direction * (1 + 1e-15), direction, -direction]))
    np.testing.assert_allclose(found[0], [0.0, 0.0, 180.0], atol=1e-5)


@pytest.mark.parametrize("angle_deg", [0.0, 1e-3, 30.0, 90.0, 179.999, 180.0])
def test_angles_between_directions_are_those_they_were_made_with(angle_deg):
    turn = np.radians(angle_deg)
    pair = np.array([[1.0, 0.0, 0.0], [np.cos(turn), np.sin(turn), 0.0]])
    assert angles_between(pair)[0, 1] == pytest.approx(angle_deg, abs=1e-5)


@given(seeds)
def test_angles_seen_from_a_point_survive_a_motion_of_the_world(seed):
    rng = np.random.default_rng(seed)
    centers, point, transform = rng.normal(size=(5, 3)), rng.normal(size=3), motion(rng)
    before = angles_seen_from(point, centers)
    after = angles_seen_from(moved(point[None], transform)[0], moved(centers, transform))
    np.testing.assert_allclose(before, after, atol=1e-5)


def test_a_camera_at_the_point_itself_has_no_nan_angle():
    assert np.isfinite(angles_seen_from(np.zeros(3), np.array([[0.0, 0, 0], [1.0, 0, 0]]))).all()


@given(seeds)
def test_planes_meet_at_most_at_a_right_angle_whatever_the_signs_of_their_normals(seed):
    rng = np.random.default_rng(seed)
    normals = unit(rng.normal(size=(6, 3)))
    flipped = normals * rng.choice([-1.0, 1.0], (6, 1))
    found = plane_angles(normals)
    assert found.min() >= 0
    assert found.max() <= 90
    np.testing.assert_allclose(found, plane_angles(flipped), atol=1e-5)


@given(degrees, degrees)
def test_wrapped_differences_are_the_angle_of_two_arrows(a, b):
    arrows = [np.array([np.cos(np.radians(x)), np.sin(np.radians(x))]) for x in (a, b)]
    cosine = np.clip(arrows[0] @ arrows[1], -1, 1)
    expected = np.degrees(np.arctan2(abs(np.cross(*[(*x, 0) for x in arrows])[2]), cosine))
    assert float(wrapped_difference_deg(np.array(a), b)) == pytest.approx(expected, abs=1e-6)


def test_the_mean_of_directions_around_the_seam_is_at_the_seam():
    np.testing.assert_allclose(circular_mean_deg(np.array([350.0, 20.0])), 5.0)
    np.testing.assert_allclose(abs(circular_mean_deg(np.array([[179.0, -179.0]]))), [180.0])


@given(seeds, st.floats(0.0, 180.0))
def test_pose_distance_is_the_shift_and_the_turn(seed, turn_deg):
    rng = np.random.default_rng(seed)
    pose, turn = motion(rng), np.radians(turn_deg)
    step = np.eye(4)
    basis = rotation(rng)
    around_z = [[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]]
    step[:3, :3] = basis @ around_z @ basis.T
    step[:3, 3] = 0.3 * unit(rng.normal(size=3))
    metres, found_deg = pose_distance(pose, pose @ step)
    assert metres == pytest.approx(0.3)
    assert found_deg == pytest.approx(turn_deg, abs=1e-4)
