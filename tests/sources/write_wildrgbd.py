"""Writes small WildRGB-D scenes in the true on-disk format."""

import json
from pathlib import Path

import cv2
import numpy as np

WIDTH, HEIGHT = 32, 24


def write_category(folder: Path, scenes: tuple[str, ...] = ("scene_000", "scene_007")) -> None:
    """A category folder with its list files and scenes."""
    for name in scenes:
        write_scene(folder / "scenes" / name)
    paths = [f"scenes/{name}" for name in scenes]
    (folder / "nvs_list.json").write_text(json.dumps({"train": paths, "val": []}))
    (folder / "camera_eval_list.json").write_text(json.dumps({"train": paths, "val": []}))
    (folder / "types.json").write_text(json.dumps(dict.fromkeys(paths, "single")))


def write_scene(folder: Path, frames: int = 4) -> None:
    """Frames on an arc, with random colours and depths that say which frame they are."""
    for name in ("rgb", "depth", "masks"):
        (folder / name).mkdir(parents=True)
    rng = np.random.default_rng(0)
    lines = []
    for number in range(frames):
        bgr = rng.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
        bgr[0, 0] = (number, 100, 200)  # blue, green, red
        depth = np.full((HEIGHT, WIDTH), 1000 + number, dtype=np.uint16)
        depth[0, 0] = 0
        file = f"{number:05d}.png"
        cv2.imwrite(str(folder / "rgb" / file), bgr)
        cv2.imwrite(str(folder / "depth" / file), depth)
        cv2.imwrite(str(folder / "masks" / file), np.full((HEIGHT, WIDTH), 255, np.uint8))
        pose = " ".join(repr(float(value)) for value in arc_pose(number).ravel())
        lines.append(f"{number} {pose}\n")
    (folder / "cam_poses.txt").write_text("".join(lines))
    matrix = [[30.0, 0, 16.5], [0, 31.0, 12.5], [0, 0, 1]]
    column_major = [float(row[column]) for column in range(3) for row in matrix]
    metadata = {"w": WIDTH, "h": HEIGHT, "K": column_major}
    (folder / "metadata").write_text(json.dumps(metadata))


def arc_pose(number: int) -> np.ndarray:
    """Camera-to-world, OpenCV axes: turned about y and moved along x."""
    angle = 0.2 * number
    pose = np.eye(4)
    pose[:3, :3] = [
        [np.cos(angle), 0, np.sin(angle)],
        [0, 1, 0],
        [-np.sin(angle), 0, np.cos(angle)],
    ]
    pose[:3, 3] = (0.1 * number, -1.0, 0.5)
    return pose
