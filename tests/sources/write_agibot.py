"""Writes small AgiBot-World episodes in the true on-disk format, extracted or packed in tars.

Videos are AV1. The hands move along sines, their cameras ride on them, the head stands still.
"""

import json
import shutil
import tarfile
from collections.abc import Sequence
from pathlib import Path

import cv2
import h5py
import numpy as np
from write_video import HEIGHT, WIDTH, write_video

TASK, FPS = 327, 30
CAMERAS = ("head_color", "hand_left_color", "hand_right_color", "back_left_fisheye_color")
INTRINSICS = {"fx": 48.3, "fy": 57.2, "ppx": 48.6, "ppy": 31.9}
BASE_FROM_HEAD = np.array(
    [[0, -0.81, 0.5864, 0.1], [-1, 0, 0, 0], [0, -0.5864, -0.81, 1.4], [0, 0, 0, 1]]
)
"""OpenCV axes; the base has x forward, y left, z up."""
BASE_FROM_HEAD[:3, 1:3] /= np.linalg.norm(BASE_FROM_HEAD[:3, 1:3], axis=0)
HAND_FROM_CAMERA = np.array(
    [[0, 0, 1, -0.008], [-1, 0, 0, -0.064], [0, -1, 0, 0.049], [0, 0, 0, 1.0]]
)


def code(camera: int, episode: int, frame: int) -> int:
    """The number that a frame spells."""
    return 1000 * camera + 100 * (episode % 10) + frame


def write_release(
    root: Path,
    episodes: Sequence[int] = (648642, 648649),
    length: int = 24,
    cameras: Sequence[str] = CAMERAS,
    fps: int = FPS,
) -> None:
    """One task with its episodes, extracted."""
    entries = []
    for episode in episodes:
        write_videos(root / f"observations/{TASK}/{episode}", episode, length, cameras, fps)
        write_parameters(root / f"parameters/{TASK}/{episode}/parameters/camera", length)
        write_states(root / f"proprio_stats/{TASK}/{episode}/proprio_stats.h5", length)
        steps = [
            {
                "start_frame": 0,
                "end_frame": 9,
                "action_text": "Retrieve an apple.",
                "skill": "Pick",
            },
            {"start_frame": 9, "end_frame": 23, "action_text": "Bag it.", "skill": "Place"},
        ]
        entries.append(
            {
                "episode_id": episode,
                "task_name": "Pickup items in the supermarket",
                "init_scene_text": "The robot stands before a shelf.",
                "label_info": {"action_config": steps},
            }
        )
    (root / "task_info").mkdir()
    (root / f"task_info/task_{TASK}.json").write_text(json.dumps(entries))


def write_videos(
    folder: Path, episode: int, length: int, cameras: Sequence[str] = CAMERAS, fps: int = FPS
) -> None:
    """Videos whose frames spell `code`, and depth of the head."""
    for camera, name in enumerate(cameras):
        numbers = [code(camera, episode, frame) for frame in range(length)]
        path = folder / "videos" / f"{name}.mp4"
        write_video(path, numbers, fps=fps, codec="libsvtav1", gop=8)
    (folder / "depth").mkdir()
    for frame in range(2):
        depth_mm = np.full((HEIGHT, WIDTH), 800 + frame, np.uint16)
        cv2.imwrite(str(folder / "depth" / f"head_depth_{frame:06d}.png"), depth_mm)


def write_parameters(folder: Path, length: int) -> None:
    """Intrinsics and frame-aligned poses of the head and both hands."""
    folder.mkdir(parents=True)
    for name in ("head", "hand_left", "hand_right"):
        (folder / f"{name}_intrinsic_params.json").write_text(json.dumps({"intrinsic": INTRINSICS}))
        entries = [
            {
                "extrinsic": {
                    "rotation_matrix": pose[:3, :3].tolist(),
                    "translation_vector": pose[:3, 3].tolist(),
                }
            }
            for pose in camera_poses(name, length)
        ]
        (folder / f"{name}_extrinsic_params_aligned.json").write_text(json.dumps(entries))


def write_states(path: Path, length: int) -> None:
    """Hands, neck and waist; the action of the hands is empty, as in some tasks."""
    path.parent.mkdir(parents=True)
    with h5py.File(path, "w") as file:
        file["timestamp"] = np.arange(length)
        file["state/joint/position"] = np.zeros((length, 14))
        file["state/effector/position"] = np.zeros((length, 2))
        hands = [hand_poses(name, length) for name in ("hand_left", "hand_right")]
        file["state/end/position"] = np.stack([poses[:, :3, 3] for poses in hands], axis=1)
        turns = [half_turns(name, length) for name in ("hand_left", "hand_right")]
        file["state/end/orientation"] = np.stack(
            [np.stack([0 * t, 0 * t, np.sin(t), np.cos(t)], axis=1) for t in turns], axis=1
        )
        file["state/head/position"] = np.tile([0.0, 0.43], (length, 1))
        file["state/waist/position"] = np.tile([0.1, 0.3], (length, 1))
        file["action/end/position"] = np.zeros((0, 2, 3))


def half_turns(name: str, length: int) -> np.ndarray:
    """Half the angles of a hand about z, radians."""
    return 0.2 * np.sin(np.arange(length) / 17) * (1 if name == "hand_left" else -1)


def hand_poses(name: str, length: int) -> np.ndarray:
    """(length, 4, 4) base_from_hand; the left hand travels farther."""
    side = 1 if name == "hand_left" else -1
    poses = np.tile(np.eye(4), (length, 1, 1))
    angles = 2 * half_turns(name, length)
    poses[:, 0, 0], poses[:, 0, 1] = np.cos(angles), -np.sin(angles)
    poses[:, 1, 0], poses[:, 1, 1] = np.sin(angles), np.cos(angles)
    steps = np.arange(length)
    poses[:, 0, 3] = 0.6 + (0.15 + 0.05 * side) * np.sin(steps / 23)
    poses[:, 1, 3] = 0.35 * side + 0.05 * np.cos(steps / 31)
    poses[:, 2, 3] = 0.9 + 0.1 * np.sin(steps / 13)
    return poses


def camera_poses(name: str, length: int) -> np.ndarray:
    """(length, 4, 4) base_from_camera."""
    if name == "head":
        return np.tile(BASE_FROM_HEAD, (length, 1, 1))
    return hand_poses(name, length) @ HAND_FROM_CAMERA


def pack(root: Path) -> None:
    """Put everything but `task_info` into tars, named and laid out as in the release."""
    for task in (root / "observations").iterdir():
        episodes = sorted(task.iterdir())
        name = f"{episodes[0].name}-{episodes[-1].name}.tar"
        _pack(task / name, episodes)
    for kind in ("parameters", "proprio_stats"):
        tasks = sorted((root / kind).iterdir())
        _pack(root / kind / "648642-648649.tar", tasks)


def _pack(archive: Path, folders: Sequence[Path]) -> None:
    with tarfile.open(archive, "w") as tar:
        for folder in folders:
            tar.add(folder, folder.name)
    for folder in folders:
        shutil.rmtree(folder)
