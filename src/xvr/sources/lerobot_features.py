"""What LeRobot features tell about an episode beyond its images: effector path and calibration.

The standard has no calibration; two extensions are read, with <cam> the last part of the camera's
key:

- `camera_intrinsics.<cam>` float[4] fx, fy, cx, cy in pixels (pixel centres at +0.5) and
  `camera_extrinsics.<cam>` float[16], row-major world_from_camera with OpenCV axes, metres;
- `camera_extrinsics.<cam>` float[6] as in DROID: x, y, z and angles, camera to robot base, rotation
  Rz(c) Ry(b) Rx(a) (https://github.com/droid-dataset/droid, droid/misc/transformations.py).

All zeros stand for missing values. Poses without intrinsics give no calibration.
"""

import re
from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
from jaxtyping import Bool, Float

from xvr.errors import Unusable
from xvr.geometry.camera import RIGID_TOLERANCE, Camera, check_rigid
from xvr.sources.lerobot_meta import Dataset
from xvr.sources.roles import short_name

STATE = "observation.state"
MODALITY_ENTRIES = ("end_effector_position_absolute", "end_effector_position")
_AXIS_NAME = re.compile(r"(?:(?:ee|eef|end_effector|tcp)[._ ]?(?:(?:pos|position)[._ ]?)?)?([xyz])")

Columns = Mapping[str, np.ndarray]


def needed_columns(dataset: Dataset) -> list[str]:
    """Columns that `effector_positions` and `calibration` look at."""
    found = _effector_source(dataset)
    columns = [] if found is None else [found[0]]
    for key in dataset.assignment.roles:
        pair = _calibration_keys(dataset, key)
        columns += [] if pair is None else list(pair)
    return columns


def effector_positions(
    dataset: Dataset, columns: Columns, where: str
) -> Float[np.ndarray, "length 3"] | None:
    """Position of the end effector per frame, metres; None where the dataset has none.

    Raises:
        Unusable: `bad_effector_position` when values are missing or not finite.
    """
    found = _effector_source(dataset)
    if found is None:
        return None
    column, entries = found
    values = columns[column]
    if values.ndim != 2 or values.shape[1] <= max(entries):
        raise Unusable("bad_effector_position", f"{where}: {column} has shape {values.shape}")
    positions = values[:, entries].astype(np.float64)
    if not np.isfinite(positions).all():
        raise Unusable("bad_effector_position", f"{where}: {column} is not finite")
    return positions


def calibration(
    dataset: Dataset, key: str, columns: Columns, where: str
) -> Callable[[int], Camera] | None:
    """The calibration of a camera at a frame, or None where the dataset has none.

    Raises:
        Unusable: `bad_intrinsics` or `bad_pose`.
    """
    pair = _calibration_keys(dataset, key)
    size = dataset.image_size(key)
    if pair is None or size is None:
        return None
    intrinsics, poses = (columns[name].astype(np.float64) for name in pair)
    if not intrinsics.any() or not poses.any():
        return None
    if intrinsics.ndim != 2 or intrinsics.shape[1] != 4:
        raise Unusable("bad_intrinsics", f"{where}: {pair[0]} has shape {intrinsics.shape}")
    if poses.ndim == 2 and poses.shape[1] == 6:
        world_from_camera = poses_from_euler(poses)
    elif poses.ndim == 2 and poses.shape[1] == 16:
        world_from_camera = poses.reshape(-1, 4, 4)
    else:
        raise Unusable("bad_pose", f"{where}: {pair[1]} has shape {poses.shape}")
    _check_calibration(intrinsics, world_from_camera, f"{where}: {key}")
    return partial(_camera, size, intrinsics, world_from_camera)


def poses_from_euler(vectors: Float[np.ndarray, "n 6"]) -> Float[np.ndarray, "n 4 4"]:
    """Transforms from x, y, z (metres) and angles about fixed x, then y, then z axes (radians)."""
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


def _check_calibration(
    intrinsics: Float[np.ndarray, "n 4"], poses: Float[np.ndarray, "n 4 4"], where: str
) -> None:
    if not np.isfinite(intrinsics).all() or not (intrinsics[:, :2] > 0).all():
        raise Unusable("bad_intrinsics", f"{where}: focal lengths must be positive and finite")
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


def _calibration_keys(dataset: Dataset, key: str) -> tuple[str, str] | None:
    name = short_name(key)
    pair = (f"camera_intrinsics.{name}", f"camera_extrinsics.{name}")
    return pair if all(column in dataset.features for column in pair) else None


def _effector_source(dataset: Dataset) -> tuple[str, list[int]] | None:
    """The column with the end effector's position and the entries that are its x, y, z."""
    for column in (f"{STATE}.end_effector_position", f"{STATE}.cartesian_position"):
        if column in dataset.features:
            return column, [0, 1, 2]
    axes = {}
    for entry, name in enumerate(dataset.names(STATE)):
        found = _AXIS_NAME.fullmatch(name.lower())
        if found:
            axes.setdefault(found[1], entry)
    if len(axes) == 3:
        return STATE, [axes["x"], axes["y"], axes["z"]]
    state = dataset.modality.get("state", {})
    for name in MODALITY_ENTRIES:
        if name in state:
            start = int(state[name]["start"])
            column = str(state[name].get("original_key") or STATE)
            return (column, [start, start + 1, start + 2]) if column in dataset.features else None
    return None
