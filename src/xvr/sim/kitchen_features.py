"""Features of the kitchen's episodes: which there are, and their values for one rollout."""

from typing import Any

import numpy as np

from xvr.sim.kitchen_rig import CAMERAS
from xvr.sim.kitchen_rollout import ACTION_NAMES, STATE_NAMES, Observed, Rollout
from xvr.sim.lerobot_writer import Feature, Recording
from xvr.sim.renderer import intrinsics

FPS = 20
"""Frames per second, unless fewer are asked for; one per control step."""

DEPTH_EVERY_S = 0.5
"""Seconds between frames that have depth, as far as whole frames allow."""


def depth_every(fps: int) -> int:
    """Every how many frames there is depth."""
    return max(1, round(DEPTH_EVERY_S * fps))


def kitchen_recording(size: int, fps: int = FPS) -> Recording:
    """What the episodes of a dataset share, for pictures of `size` by `size` pixels."""
    picture = Feature(dtype="video", shape=(size, size, 3))
    matrix = tuple(f"world_from_camera_{row}{column}" for row in range(4) for column in range(4))
    features = {f"observation.images.{camera}": picture for camera in CAMERAS}
    features |= {
        "observation.state": Feature(dtype="float32", shape=(53,), names=STATE_NAMES),
        "observation.state.end_effector_position": Feature(
            dtype="float32", shape=(3,), names=("world_x_m", "world_y_m", "world_z_m")
        ),
        "action": Feature(dtype="float32", shape=(12,), names=ACTION_NAMES),
        "next.reward": Feature(dtype="float32", shape=(1,)),
        "next.done": Feature(dtype="bool", shape=(1,)),
    }
    for camera in CAMERAS:
        features[f"camera_intrinsics.{camera}"] = Feature(
            dtype="float64", shape=(4,), names=("fx", "fy", "cx", "cy")
        )
        features[f"camera_extrinsics.{camera}"] = Feature(
            dtype="float64", shape=(16,), names=matrix
        )
    notes = {
        "world": "MuJoCo kitchen of the xvr package; the robot's base is at the origin, z is up",
        "calibration": {
            "camera_intrinsics": "fx, fy, cx, cy in pixels, pixel centres at +0.5",
            "camera_extrinsics": "row-major 4x4 world_from_camera, OpenCV axes, metres",
        },
        "depth": {
            "path": "depth/{video_key}/episode_{episode_index:06d}/frame_{frame_index:06d}.png",
            "unit": "uint16 millimetres along z, 0 is missing",
            "every_frames": depth_every(fps),
        },
    }
    return Recording(fps=fps, robot_type="PandaOmron", features=features, notes=notes)


def kitchen_columns(
    model: Any, rollout: Rollout, observed: Observed, size: int
) -> dict[str, np.ndarray]:
    """The columns of one episode; cameras are those of the drawn `model`."""
    length = len(rollout.qpos)
    columns = {
        "observation.state": observed.state.astype(np.float32),
        "observation.state.end_effector_position": observed.grip_m.astype(np.float32),
        "action": rollout.actions.astype(np.float32),
        "next.reward": rollout.rewards.astype(np.float32),
        "next.done": np.arange(length) == length - 1,
    }
    for camera in CAMERAS:
        pinhole = np.array(intrinsics(model, camera, size, size))
        columns[f"camera_intrinsics.{camera}"] = np.tile(pinhole, (length, 1))
        poses = observed.world_from_camera[camera]
        columns[f"camera_extrinsics.{camera}"] = poses.reshape(length, 16)
    return columns
