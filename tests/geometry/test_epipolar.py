import cv2
import numpy as np
import pytest

from xvr.geometry.camera import Camera, project
from xvr.geometry.epipolar import epipolar_gap_px


def cameras(seed):
    """Two cameras with different lenses, and 50 points before both."""
    rng = np.random.default_rng(seed)
    points = rng.uniform((-0.5, -0.5, 2.5), (0.5, 0.5, 3.5), (50, 3))
    moved = np.eye(4)
    moved[:3, :3] = cv2.Rodrigues(rng.uniform(-0.1, 0.1, 3))[0]
    moved[:3, 3] = rng.uniform(-0.8, 0.8, 3)
    first = Camera(width=640, height=480, fx=500.0, fy=480.0, cx=320.0, cy=240.0)
    second = Camera(
        width=320, height=240, fx=300.0, fy=310.0, cx=150.0, cy=120.0, world_from_camera=moved
    )
    return first, second, points


@pytest.mark.parametrize("seed", range(4))
def test_dots_of_one_point_have_no_gap(seed):
    first, second, points = cameras(seed)
    gaps = epipolar_gap_px(first, project(first, points)[0], second, project(second, points)[0])
    assert gaps.max() < 1e-6


@pytest.mark.parametrize("seed", range(4))
def test_the_gap_is_the_least_that_any_point_must_miss_a_dot_by(seed):
    """The slow twin tries points: on a grid around the ray of the first dot, at all its depths."""
    first, second, points = cameras(seed)
    rng = np.random.default_rng(seed)
    first_px, second_px = project(first, points[:5])[0], project(second, points[:5])[0]
    second_px = second_px + rng.uniform(-6, 6, second_px.shape)
    gaps = epipolar_gap_px(first, first_px, second, second_px)
    angles, radii = np.meshgrid(np.radians(np.arange(0, 360, 3)), np.linspace(0, 1, 11))
    circle = np.column_stack([(radii * np.cos(angles)).ravel(), (radii * np.sin(angles)).ravel()])
    for at, other, gap in zip(first_px, second_px, gaps, strict=True):
        around = (at + 8 * circle - (first.cx, first.cy)) / (first.fx, first.fy)
        depths = np.linspace(2.2, 3.8, 400)
        tried = np.column_stack([around, np.ones(len(around))])[:, None] * depths[:, None]
        misses = [
            np.linalg.norm(project(camera, tried.reshape(-1, 3))[0] - dot, axis=1)
            for camera, dot in ((first, at), (second, other))
        ]
        least = np.maximum(*misses).min()
        assert gap * 0.98 <= least <= gap + 0.5
