"""Two dots in two images: how far they are from showing one point."""

import numpy as np
from jaxtyping import Float

from xvr.geometry.camera import Camera, unproject


def epipolar_gap_px(
    first: Camera,
    first_px: Float[np.ndarray, "n 2"],
    second: Camera,
    second_px: Float[np.ndarray, "n 2"],
) -> Float[np.ndarray, " n"]:
    """No 3D point is seen nearer than this to a pixel of one image and to one of the other.

    The epipolar constraint over the sum of the lengths of its gradients in both images: the
    first-order error of Sampson for the larger of the two distances, instead of for the sum of
    their squares (Hartley and Zisserman, Multiple View Geometry, 2nd ed., 11.4.3). Pixels are taken
    as those of a pinhole near the dots.
    """
    one = unproject(first, first_px, np.ones(len(first_px))) - first.center
    two = unproject(second, second_px, np.ones(len(second_px))) - second.center
    baseline = second.center - first.center
    first_normal, second_normal = np.cross(two, baseline), np.cross(baseline, one)
    constraint = (one * first_normal).sum(axis=1)
    slope = _slope(first, first_normal) + _slope(second, second_normal)
    return np.abs(constraint) / np.maximum(slope, np.finfo(float).tiny)


def _slope(camera: Camera, normal: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, " n"]:
    """Change of the product of a normal with a pixel's ray of depth 1, per pixel."""
    across = normal @ camera.world_from_camera[:3, :2]
    return np.linalg.norm(across / (camera.fx, camera.fy), axis=1)
