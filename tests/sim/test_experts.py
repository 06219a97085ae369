import numpy as np

from xvr.sim.experts import CLOSED, OPEN, Path, grip_rotation


def test_the_grip_points_ahead_and_down_and_closes_sideways():
    rotation = grip_rotation(30, 0)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(np.linalg.det(rotation), 1)
    np.testing.assert_allclose(rotation[:, 2], [np.cos(np.pi / 6), 0, -0.5], atol=1e-12)
    np.testing.assert_allclose(rotation[:, 0], [0, 1, 0], atol=1e-12)


def test_a_path_is_at_its_waypoints_when_it_says_and_moves_smoothly_between():
    path = Path(
        positions=np.array([[0.0, 0, 0], [1, 0, 0], [1, 1, 0]]),
        rotvecs=np.array([[0.0, 0, 0], [0, 0, 1], [0, 0, 1]]),
        grippers=np.array([OPEN, OPEN, CLOSED]),
        arrive_s=np.array([0.0, 2.0, 5.0]),
        leave_s=np.array([0.0, 3.0, 6.0]),
    )
    np.testing.assert_allclose(path.at(2.5)[0], [1, 0, 0])
    np.testing.assert_allclose(path.at(1.0)[0], [0.5, 0, 0])
    np.testing.assert_allclose(path.at(99.0)[0], [1, 1, 0])
    assert path.at(2.5)[2] == OPEN
    assert path.at(3.5)[2] == CLOSED
    x = np.array([path.at(t)[0][0] for t in np.linspace(0, 2, 201)])
    assert np.all(np.diff(x) >= 0)
    assert np.diff(x)[0] < 0.1 * np.diff(x).max()
