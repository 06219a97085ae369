"""Calibration of the cameras of an AgiBot-World episode.

    parameters/<task>/<episode>/parameters/camera/<camera>_intrinsic_params.json
    parameters/<task>/<episode>/parameters/camera/<camera>_extrinsic_params_aligned.json

The first is `{"intrinsic": {fx, fy, ppx, ppy, ...}}`, pixels of the video's frames (fx and fy are
not alike because 16:9 sensors are squeezed to 4:3). The second lists, per frame of the video,
`{"extrinsic": {"rotation_matrix", "translation_vector"}}`: camera-to-base, metres, OpenCV axes; the
robot's base looks along x with z up. Some releases have the first frame only. A hand camera is then
carried along by its hand; that of the head stays where it is if neck and waist do.

The model of the fisheye cameras is not documented: they get no calibration.

Source: https://github.com/OpenDriveLab/AgiBot-World (issues 17 and 45) and, for the first frame,
https://github.com/AgibotTech/Genie-Envisioner, data/agibotworld_dataset.py.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from jaxtyping import Float

from xvr.errors import Unusable
from xvr.geometry.camera import Camera
from xvr.sources.agibot_proprio import Proprio
from xvr.sources.archives import File, Tree

KINDS = ("intrinsic_params", "extrinsic_params_aligned")
HANDS = {"hand_left": 0, "hand_right": 1}
"""Index of a hand camera's hand in the robot's states."""
STILL = 0.01
"""Joints of neck and waist that change by no more than this (radians, metres) stand still."""
DISTORTION = ("k1", "k2", "p1", "p2", "k3")


@dataclass(frozen=True, kw_only=True, eq=False)
class Calibration:
    """What the files of one camera say."""

    where: str
    shared: Camera
    """The intrinsics, at the identity pose."""
    base_from_camera: Float[np.ndarray, "n 4 4"]
    """Per frame, or of the first frame alone."""

    def by_frame(
        self, name: str, length: int, proprio: Proprio | None
    ) -> Callable[[int], Camera] | None:
        """The camera at a frame index; None when only the first frame's is known.

        Args:
            name: of the camera, such as `hand_left`.
            length: frames of the episode.
            proprio: the robot's states, to carry the first frame's pose on.

        Raises:
            Unusable: `bad_pose`.
        """
        poses: Float[np.ndarray, "n 4 4"] | None = self.base_from_camera
        if len(poses) == 1:
            poses = _carried(name, poses[0], length, proprio, self.where)
        if poses is None:
            return None
        cameras = []
        for frame, pose in enumerate(poses[:length]):
            try:
                cameras.append(replace(self.shared, world_from_camera=pose))
            except ValueError as error:
                raise Unusable("bad_pose", f"{self.where}, frame {frame}: {error}") from error
        return partial(_at, cameras)


def read_calibration(
    tree: Tree, task: str, episode: str, name: str, size: tuple[int, int]
) -> Calibration | None:
    """What is on disk of a camera's calibration; None where a file is missing.

    Args:
        tree: the dataset's files.
        task: number of the task.
        episode: number of the episode.
        name: of the camera, such as `hand_left`.
        size: width and height of its frames, pixels.

    Raises:
        Unusable: `bad_metadata`, `bad_intrinsics` or `bad_pose`.
    """
    files = [_find(tree, task, episode, f"{name}_{kind}.json") for kind in KINDS]
    if "fisheye" in name or files[0] is None or files[1] is None:
        return None
    return Calibration(
        where=str(files[1]),
        shared=_read_intrinsics(files[0], size),
        base_from_camera=_read_poses(files[1]),
    )


def _find(tree: Tree, task: str, episode: str, name: str) -> File | None:
    folder = f"parameters/{task}/{episode}"
    return tree.find(f"{folder}/parameters/camera/{name}") or tree.find(f"{folder}/camera/{name}")


def _read_intrinsics(file: File, size: tuple[int, int]) -> Camera:
    content = _read_json(file)
    try:
        values = content["intrinsic"]
        fx, fy, cx, cy = (float(values[name]) for name in ("fx", "fy", "ppx", "ppy"))
        distortion = tuple(float(values.get(name) or 0.0) for name in DISTORTION)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Unusable("bad_metadata", f"{file}: {error!r}, expected fx, fy, ppx, ppy") from error
    width, height = size
    if not (0 < cx < width and 0 < cy < height):
        raise Unusable("bad_intrinsics", f"{file}: {cx}, {cy} is outside of {width}x{height}")
    try:
        return Camera(
            width=width,
            height=height,
            fx=fx,
            fy=fy,
            cx=cx,
            cy=cy,
            model="brown" if any(distortion) else "pinhole",
            distortion=distortion if any(distortion) else (),
        )
    except ValueError as error:
        raise Unusable("bad_intrinsics", f"{file}: {error}") from error


def _read_poses(file: File) -> Float[np.ndarray, "n 4 4"]:
    content = _read_json(file)
    entries = content if isinstance(content, list) else [content]
    poses = np.tile(np.eye(4), (len(entries), 1, 1))
    try:
        for pose, entry in zip(poses, entries, strict=True):
            pose[:3, :3] = entry["extrinsic"]["rotation_matrix"]
            pose[:3, 3] = entry["extrinsic"]["translation_vector"]
    except (KeyError, TypeError, ValueError) as error:
        raise Unusable("bad_metadata", f"{file}: {error!r}, expected extrinsic") from error
    if not entries:
        raise Unusable("bad_pose", f"{file}: no pose")
    return poses


def _read_json(file: File) -> Any:
    try:
        return json.loads(file.read_bytes())
    except ValueError as error:
        raise Unusable("bad_metadata", f"{file}: {error}") from error


def _carried(
    name: str,
    first: Float[np.ndarray, "4 4"],
    length: int,
    proprio: Proprio | None,
    where: str,
) -> Float[np.ndarray, "n 4 4"] | None:
    """Poses at all frames from that at the first one; None when the robot's states do not tell."""
    if proprio is None:
        return None
    if name not in HANDS:
        moved = [
            np.ptp(joints, axis=0).max()
            for joints in (proprio.head, proprio.waist)
            if joints is not None
        ]
        still = len(moved) == 2 and max(moved) <= STILL
        return np.tile(first, (length, 1, 1)) if still else None
    if proprio.positions is None or proprio.orientations_xyzw is None:
        return None
    hand = HANDS[name]
    base_from_hand = _poses(
        proprio.positions[:length, hand], proprio.orientations_xyzw[:length, hand], where
    )
    hand_from_camera = np.linalg.inv(base_from_hand[0]) @ first
    return base_from_hand @ hand_from_camera


def _poses(
    positions: Float[np.ndarray, "n 3"], xyzw: Float[np.ndarray, "n 4"], where: str
) -> Float[np.ndarray, "n 4 4"]:
    """Rigid transforms from positions and quaternions of any length but zero."""
    norms = np.linalg.norm(xyzw, axis=1, keepdims=True)
    if not (norms > 0).all():
        raise Unusable("bad_pose", f"{where}: frame {int(norms.argmin())} has a zero quaternion")
    x, y, z, w = (xyzw / norms).T
    poses = np.tile(np.eye(4), (len(xyzw), 1, 1))
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    poses[:, :3, :3] = np.moveaxis(np.array(rows), -1, 0)
    poses[:, :3, 3] = positions
    return poses


def _at(cameras: list[Camera], frame_index: int) -> Camera:
    return cameras[frame_index]
