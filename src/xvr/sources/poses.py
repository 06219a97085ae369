"""Calibration that comes as numbers per frame: pose vectors and cameras along an episode."""

from collections.abc import Callable
from functools import partial

import numpy as np
from jaxtyping import Bool, Float

from xvr.errors import Unusable
from xvr.geometry.camera import RIGID_TOLERANCE, Camera, check_rigid


def poses_from_euler(vectors: Float[np.ndarray, "n 6"]) -> Float[np.ndarray, "n 4 4"]:
    """Transforms from x, y, z (metres) and angles about fixed x, then y, then z axes (radians).

    Rotation Rz(c) Ry(b) Rx(a), as DROID stores cameras:
    https://github.com/droid-dataset/droid, droid/misc/transformations.py.
    """
    (ca, cb, cc), (sa, sb, sc) = np.cos(vectors[:, 3:].T), np.sin(vectors[:, 3:].T)
    matrices = np.tile(np.eye(4), (len(vectors), 1, 1))
    rows = [
        [cb * cc, sa * sb * cc - ca * sc, ca * sb * cc + sa * sc],
        [cb * sc, sa * sb * sc + ca * cc, ca * sb * sc - sa * cc],
        [-sb, sa * cb, ca * cb],
    ]
    matrices[:, :3, :3] = np.moveaxis(np.array(rows), -1, 0)
    matrices[:, :3, 3] = vectors[:, :3]
    return matrices


def camera_by_frame(
    size: tuple[int, int],
    intrinsics: Float[np.ndarray, "n 4"],
    world_from_camera: Float[np.ndarray, "n 4 4"],
    where: str,
) -> Callable[[int], Camera]:
    """The camera at a frame index, for a stack of fx, fy, cx, cy (pixels) and poses.

    Args:
        size: width and height of the images, pixels.
        intrinsics: per frame.
        world_from_camera: per frame, metres, OpenCV axes.
        where: the file and camera, for error messages.

    Raises:
        Unusable: `bad_intrinsics` or `bad_pose`.
    """
    if not np.isfinite(intrinsics).all() or not (intrinsics[:, :2] > 0).all():
        raise Unusable("bad_intrinsics", f"{where}: focal lengths must be positive and finite")
    _check_poses(world_from_camera, where)
    return partial(_camera, size, intrinsics, world_from_camera)


def _camera(
    size: tuple[int, int],
    intrinsics: Float[np.ndarray, "n 4"],
    world_from_camera: Float[np.ndarray, "n 4 4"],
    frame_index: int,
) -> Camera:
    fx, fy, cx, cy = intrinsics[frame_index].tolist()
    return Camera(
        width=size[0],
        height=size[1],
        fx=fx,
        fy=fy,
        cx=cx,
        cy=cy,
        world_from_camera=world_from_camera[frame_index],
    )


def _check_poses(poses: Float[np.ndarray, "n 4 4"], where: str) -> None:
    rigid = np.isfinite(poses).all(axis=(1, 2))
    if rigid.all():
        rigid = _rigid(poses)
    if rigid.all():
        return
    frame = int(np.argmin(rigid))
    try:
        check_rigid(poses[frame])
    except ValueError as error:
        raise Unusable("bad_pose", f"{where}, frame {frame}: {error}") from error


def _rigid(poses: Float[np.ndarray, "n 4 4"]) -> Bool[np.ndarray, " n"]:
    """What `check_rigid` accepts, for a long stack at once."""
    rotations = poses[:, :3, :3]
    residual = rotations @ rotations.transpose(0, 2, 1) - np.eye(3)
    rigid = np.abs(residual).max(axis=(1, 2)) <= RIGID_TOLERANCE
    rigid &= np.abs(poses[:, 3] - (0, 0, 0, 1)).max(axis=1) <= RIGID_TOLERANCE
    return rigid & (np.linalg.det(rotations) > 0)
