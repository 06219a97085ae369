from dataclasses import replace

import numpy as np
import pytest

from xvr.geometry.camera import Camera
from xvr.viewer.drawing import Drawing


def rotation(axis: tuple[float, float, float], angle_rad: float) -> np.ndarray:
    """Rodrigues' formula."""
    x, y, z = np.asarray(axis) / np.linalg.norm(axis)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle_rad) * cross + (1 - np.cos(angle_rad)) * cross @ cross


def cameras() -> list[Camera]:
    """Three level cameras on an arc, z up."""
    found = []
    for angle in (-0.6, 0.0, 0.7):
        pose = np.eye(4)
        pose[:3, :3] = rotation((0, 0, 1), angle) @ rotation((1, 0, 0), -1.9)
        pose[:3, 3] = (np.sin(angle), -np.cos(angle), 1.0)
        found.append(
            Camera(width=64, height=48, fx=50.0, fy=50.0, cx=32.0, cy=24.0, world_from_camera=pose)
        )
    return found


def drawn(motion: np.ndarray) -> dict:
    """The cameras, a point and a cloud, all moved."""
    drawing = Drawing()
    for number, camera in enumerate(cameras(), start=1):
        moved = replace(camera, world_from_camera=motion @ camera.world_from_camera)
        drawing.camera(number, moved, "#000000", number == 2)
    drawing.dot((motion @ (0.2, 0.1, 0.0, 1.0))[:3].tolist(), "#ffffff", "point")
    result = drawing.to_json()
    assert result is not None
    return result


def test_nothing_gives_no_drawing():
    assert Drawing().to_json() is None


def test_up_is_up_and_all_cameras_are_within_one_unit():
    result = drawn(np.eye(4))
    points = np.array([camera["points"] for camera in result["cameras"]])
    assert np.linalg.norm(points[:, 0], axis=1).max() <= 1.0001
    assert (points[:, 1, 2] > points[:, 4, 2]).all()  # top left is above bottom left
    assert points[:, 1, 2] == pytest.approx(points[:, 2, 2], abs=1e-3)  # the images are level


def test_the_drawing_does_not_depend_on_where_the_world_has_its_origin_and_axes():
    motion = np.eye(4)
    motion[:3, :3] = rotation((1, -2, 0.5), 2.1)
    motion[:3, 3] = (5, -3, 2)
    for still, moved in zip(drawn(np.eye(4))["cameras"], drawn(motion)["cameras"], strict=True):
        # The centre is that of a box along the world's axes; differences do not depend on it.
        a, b = np.array(still["points"]), np.array(moved["points"])
        np.testing.assert_allclose(
            np.diff(a, axis=0) / a_scale(a), np.diff(b, axis=0) / a_scale(b), atol=2e-3
        )


def a_scale(points: np.ndarray) -> float:
    return float(np.linalg.norm(points[1] - points[0]))


def test_a_single_point_is_drawn_at_the_centre():
    drawing = Drawing()
    drawing.dot([3.0, 4.0, 5.0], "#ffffff", "point")
    result = drawing.to_json()
    assert result is not None
    assert result["dots"][0]["points"] == [[0.0, 0.0, 0.0]]


def test_a_camera_that_looks_straight_down_can_be_drawn():
    drawing = Drawing(up=np.array([0.0, 0.0, 1.0]))
    pose = np.diag([1.0, -1.0, -1.0, 1.0])
    camera = Camera(width=64, height=48, fx=50.0, fy=50.0, cx=32.0, cy=24.0, world_from_camera=pose)
    drawing.camera(1, camera, "#000000", right=False)
    assert np.isfinite(drawing.to_json()["cameras"][0]["points"]).all()
