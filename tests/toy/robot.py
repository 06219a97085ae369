"""A robot with three fixed cameras and one on its wrist, as a LeRobot dataset (v2.1, image cells).

Cells hold lossless PNG: what a reader returns must equal `frame_pixels` exactly. Every fixed
camera stands at the same place in all episodes; the wrist camera rides on the end effector.
"""

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from toy.room import look_at

FPS, LENGTH, SIZE = 5, 110, 64
CAMERAS = ("front_view", "left_view", "right_view", "wrist_view")
"""Short names; their roles are fix_center, fix_left, fix_right and ego."""
KEYS = tuple(f"observation.images.{name}" for name in CAMERAS)
PLACES = {
    "front_view": (0.0, -1.2, 0.9),
    "left_view": (-0.8, -1.1, 0.8),
    "right_view": (0.8, -1.1, 0.8),
}
FOCAL = 60.0
BALL_M = 0.2
DEPTH = "depth/{video_key}/episode_{episode_index:06d}/frame_{frame_index:06d}.png"
DATA = "data/chunk-{episode_chunk:03d}/episode_{episode_index:06d}.parquet"


def effector_path(episode: int, length: int = LENGTH) -> np.ndarray:
    """(length, 3) positions: a slow loop, another one in each episode."""
    turn = np.arange(length)[:, None] / 23.0 + (0.0, 1.0 + episode, 2.0 + 2 * episode)
    return (0.0, 0.2, 0.4) + 0.3 * np.sin(turn)


def frame_pixels(camera: int, episode: int, frame: int) -> np.ndarray:
    """A background of the camera and episode, before which striped discs move with time."""
    image = _background(camera, episode).copy()
    for disc in range(3):
        angle = 0.31 * frame * (1 + 0.2 * disc) + 2.1 * disc + 1.7 * camera + 0.9 * episode
        u, v = (int(32 + 18 * np.cos(turn)) for turn in (angle, 1.3 * angle))
        bright = (np.arange(SIZE) // 4 + frame + disc) % 2 == 0
        cv2.circle(image, (u, v), 12, (240, 10, 120), -1)
        image[max(v - 8, 0) : v + 8, max(u - 8, 0) : u + 8][:, bright[max(u - 8, 0) : u + 8]] = 245
    return image


@cache
def _background(camera: int, episode: int) -> np.ndarray:
    v, u = np.mgrid[:SIZE, :SIZE]
    phase = 2.0 * camera + 0.7 * episode
    colors = [np.sin(u * (0.2 + 0.1 * c) + v * (0.35 - 0.1 * c) + phase + c) for c in range(3)]
    return (110 + 50 * np.stack(colors, axis=2)).astype(np.uint8)


def poses(name: str, episode: int, length: int = LENGTH) -> np.ndarray:
    """(length, 4, 4) world_from_camera of a camera."""
    if name != "wrist_view":
        return np.tile(look_at(PLACES[name], (0.0, 0.2, 0.4)), (length, 1, 1))
    tips = effector_path(episode, length)
    behind, ahead = np.array([(0.0, -0.1, 0.15), (0.0, 0.3, -0.3)])
    return np.array([look_at(tip + behind, tip + ahead) for tip in tips]).reshape(-1, 4, 4)


def depth_m(name: str, episode: int, frame: int) -> np.ndarray:
    """Depth of a floor at z = 0 and a ball of radius `BALL_M` around the end effector, metres."""
    pose = poses(name, episode)[frame]
    v, u = (np.mgrid[:SIZE, :SIZE] + 0.5 - SIZE / 2) / FOCAL
    rays = np.stack([u, v, np.ones_like(u)], axis=-1) @ pose[:3, :3].T  # 1 m along z
    with np.errstate(divide="ignore"):
        floor = -pose[2, 3] / rays[..., 2]
    to_ball = effector_path(episode)[frame] - pose[:3, 3]
    square = (rays**2).sum(axis=-1)
    along = (rays @ to_ball) / square
    reach = along**2 - ((to_ball**2).sum() - BALL_M**2) / square
    ball = along - np.sqrt(np.where(reach > 0, reach, np.nan))
    return np.fmin(np.where(floor > 0, floor, np.nan), np.where(ball > 0, ball, np.nan))


def write_depth(root: Path, key: str, episode: int, frame: int) -> None:
    """Put a depth map beside a frame of a dataset, and say in its note that there are some."""
    info = json.loads((root / "meta/info.json").read_text())
    info["xvr"] = {"depth": {"path": DEPTH}}
    (root / "meta/info.json").write_text(json.dumps(info))
    path = root / DEPTH.format(video_key=key, episode_index=episode, frame_index=frame)
    path.parent.mkdir(parents=True, exist_ok=True)
    depth = depth_m(key.removeprefix("observation.images."), episode, frame)
    cv2.imwrite(str(path), np.nan_to_num(np.round(depth * 1000)).astype(np.uint16))


def write_robot(
    root: Path,
    episodes: int = 6,
    lengths: Sequence[int] | None = None,
    cameras: Sequence[str] = CAMERAS,
) -> None:
    """A dataset; `lengths` are frames of each episode where they are not `LENGTH`."""
    lengths = [LENGTH] * episodes if lengths is None else list(lengths)
    (root / "meta").mkdir(parents=True)
    (root / "data" / "chunk-000").mkdir(parents=True)
    for episode, length in enumerate(lengths):
        path = root / DATA.format(episode_chunk=0, episode_index=episode)
        pq.write_table(_rows(episode, length, cameras), path)
    info = {
        "codebase_version": "v2.1",
        "robot_type": "toy_arm",
        "total_episodes": len(lengths),
        "total_frames": sum(lengths),
        "chunks_size": 1000,
        "fps": FPS,
        "data_path": DATA,
        "video_path": None,
        "features": _features(cameras),
    }
    (root / "meta" / "info.json").write_text(json.dumps(info))
    entries = [
        {"episode_index": n, "tasks": ["stir the pot"], "length": length}
        for n, length in enumerate(lengths)
    ]
    (root / "meta" / "episodes.jsonl").write_text("".join(f"{json.dumps(e)}\n" for e in entries))
    task = {"task_index": 0, "task": "stir the pot"}
    (root / "meta" / "tasks.jsonl").write_text(json.dumps(task) + "\n")


def _features(cameras: Sequence[str]) -> dict[str, dict]:
    features = {
        "timestamp": {"dtype": "float32", "shape": [1], "names": None},
        **{
            name: {"dtype": "int64", "shape": [1], "names": None}
            for name in ("frame_index", "episode_index", "index", "task_index")
        },
        "observation.state.end_effector_position": _floats(3),
    }
    for name in cameras:
        features[f"observation.images.{name}"] = {
            "dtype": "image",
            "shape": [SIZE, SIZE, 3],
            "names": ["height", "width", "channels"],
        }
        features[f"camera_intrinsics.{name}"] = _floats(4)
        features[f"camera_extrinsics.{name}"] = _floats(16)
    return features


def _floats(count: int) -> dict:
    return {"dtype": "float64", "shape": [count], "names": None}


def _rows(episode: int, length: int, cameras: Sequence[str]) -> pa.Table:
    frames = np.arange(length)
    table = {
        "timestamp": pa.array((frames / FPS).astype(np.float32)),
        "frame_index": pa.array(frames),
        "episode_index": pa.array(np.full(length, episode)),
        "index": pa.array(frames),
        "task_index": pa.array(np.zeros(length, np.int64)),
        "observation.state.end_effector_position": _lists(effector_path(episode, length)),
    }
    intrinsics = np.tile([FOCAL, FOCAL, SIZE / 2, SIZE / 2], (length, 1))
    for name in cameras:
        camera = CAMERAS.index(name)
        cells = [{"bytes": _png(frame_pixels(camera, episode, f)), "path": None} for f in frames]
        kind = pa.struct({"bytes": pa.binary(), "path": pa.string()})
        table[f"observation.images.{name}"] = pa.array(cells, kind)
        table[f"camera_intrinsics.{name}"] = _lists(intrinsics)
        table[f"camera_extrinsics.{name}"] = _lists(
            poses(name, episode, length).reshape(length, 16)
        )
    return pa.table(table)


def _lists(values: np.ndarray) -> pa.Array:
    return pa.array(list(values), pa.list_(pa.float64(), values.shape[1]))


def _png(image: np.ndarray) -> bytes:
    return cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))[1].tobytes()
