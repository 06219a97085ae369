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

import numpy as np
from jaxtyping import Float

from xvr.errors import Unusable
from xvr.geometry.camera import Camera
from xvr.sources.lerobot_meta import MODALITY, Dataset
from xvr.sources.poses import camera_by_frame, poses_from_euler
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
    return camera_by_frame(size, intrinsics, world_from_camera, f"{where}: {key}")


def _calibration_keys(dataset: Dataset, key: str) -> tuple[str, str] | None:
    name = short_name(key)
    pair = (f"camera_intrinsics.{name}", f"camera_extrinsics.{name}")
    return pair if all(column in dataset.features for column in pair) else None


def _effector_source(dataset: Dataset) -> tuple[str, list[int]] | None:
    """The column with the end effector's position and the entries that are its x, y, z."""
    for column in (f"{STATE}.end_effector_position", f"{STATE}.cartesian_position"):
        if column in dataset.features:
            return column, [0, 1, 2]
    return _effector_by_modality(dataset) or _effector_by_names(dataset)


def _effector_by_modality(dataset: Dataset) -> tuple[str, list[int]] | None:
    """The slice that GR00T's `modality.json` names, half-open as in Python."""
    state = dataset.modality.get("state", {})
    name = next((name for name in MODALITY_ENTRIES if name in state), None)
    if name is None:
        return None
    try:
        start, end = int(state[name]["start"]), int(state[name]["end"])
        column = str(state[name].get("original_key") or STATE)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Unusable("bad_metadata", f"{dataset.root / MODALITY}, {name}: {error!r}") from error
    if end - start != 3:
        raise Unusable("bad_metadata", f"{dataset.root / MODALITY}, {name}: {start} to {end}")
    return (column, [start, start + 1, start + 2]) if column in dataset.features else None


def _effector_by_names(dataset: Dataset) -> tuple[str, list[int]] | None:
    axes = {}
    for entry, name in enumerate(dataset.names(STATE)):
        found = _AXIS_NAME.fullmatch(name.lower())
        if found:
            axes.setdefault(found[1], entry)
    return (STATE, [axes["x"], axes["y"], axes["z"]]) if len(axes) == 3 else None
