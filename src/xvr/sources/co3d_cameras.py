"""Cameras of CO3Dv2, which are PyTorch3D's.

Points are row vectors, x_camera = x_world R + T, with axes left, up, forward. Focal length and
principal point are in units of half the shorter side (`ndc_isotropic`) or of half of each side
(`ndc_norm_image_bounds`), the principal point from the image's centre to the left and up. Pixel
centres are at +0.5, because the bounds of the image are those of its outer pixels.

Source: https://github.com/facebookresearch/co3d, co3d/dataset/data_types.py;
https://pytorch3d.org/docs/cameras.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from xvr.errors import Unusable
from xvr.geometry.camera import Camera

OPENCV_FROM_PYTORCH3D = np.diag([-1.0, -1.0, 1.0])
DEFAULT_INTRINSICS = "ndc_norm_image_bounds"
"""What a viewpoint means that does not say."""


def unit_of_length(viewpoints: Sequence[Mapping[str, Any]], where: str) -> float:
    """The median distance of the cameras from their middle, in the sequence's own unit.

    A camera's centre is -R T; the sign does not matter for distances.

    Raises:
        Unusable: `bad_pose` when all cameras are in one place or one is not finite.
    """
    if not viewpoints:
        return 1.0
    centers = np.array([np.array(v["R"], float) @ np.array(v["T"], float) for v in viewpoints])
    unit = float(np.median(np.linalg.norm(centers - np.median(centers, axis=0), axis=1)))
    if not np.isfinite(unit) or unit <= 0:
        raise Unusable("bad_pose", f"{where}: cameras are {unit} from their middle")
    return unit


def camera_of(
    viewpoint: Mapping[str, Any], size: tuple[int, int], unit: float, where: str
) -> Camera:
    """The camera of a frame.

    Args:
        viewpoint: `R`, `T`, `focal_length`, `principal_point` and `intrinsics_format`.
        size: width and height, pixels.
        unit: what becomes 1 m, in the sequence's own unit.
        where: the frame, for error messages.

    Raises:
        Unusable: `bad_metadata`, `bad_intrinsics` or `bad_pose`.
    """
    try:
        rotation = np.array(viewpoint["R"], dtype=np.float64)
        translation = np.array(viewpoint["T"], dtype=np.float64).reshape(3)
        focal = np.array(viewpoint["focal_length"], dtype=np.float64).reshape(2)
        principal = np.array(viewpoint["principal_point"], dtype=np.float64).reshape(2)
        form = str(viewpoint.get("intrinsics_format") or DEFAULT_INTRINSICS).lower()
        half = np.array(size) / 2
        scale = {"ndc_isotropic": np.repeat(half.min(), 2), "ndc_norm_image_bounds": half}[form]
    except (KeyError, TypeError, ValueError) as error:
        raise Unusable("bad_metadata", f"{where}: {error!r}") from error
    fx, fy = (focal * scale).tolist()
    cx, cy = (half - principal * scale).tolist()
    world_from_camera = np.eye(4)
    world_from_camera[:3, :3] = rotation @ OPENCV_FROM_PYTORCH3D
    world_from_camera[:3, 3] = -(rotation @ translation) / unit
    try:
        intrinsics = Camera(width=size[0], height=size[1], fx=fx, fy=fy, cx=cx, cy=cy)
    except ValueError as error:
        raise Unusable("bad_intrinsics", f"{where}: {error}") from error
    try:
        return replace(intrinsics, world_from_camera=world_from_camera)
    except ValueError as error:
        raise Unusable("bad_pose", f"{where}: {error}") from error
