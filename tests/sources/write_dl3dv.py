"""Writes small DL3DV scenes in the true layout: full-size transforms.json, small images, a model.

nerfstudio turned COLMAP's world by `APPLIED`; the model in `colmap/sparse/0` is COLMAP's own.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from scipy.spatial.transform import Rotation
from write_colmap import SIZE, Picture, Point, write_binary

APPLIED = np.array([[1.0, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 0], [0, 0, 0, 1]])
"""World of the model to that of transforms.json: z up instead of y down."""
CAMERA = (50.0, 52.0, 32.0, 24.0, 0.01, -0.002, 0.001, 0.0005)
"""OPENCV: fx, fy, cx, cy, k1, k2, p1, p2 at full size."""
FRAMES = 6
FACTOR = 4


def model_poses() -> np.ndarray:
    """(frames, 4, 4) camera-to-world, OpenCV axes, in the model's world: around (0, 0, 4)."""
    poses = np.tile(np.eye(4), (FRAMES, 1, 1))
    for number, angle in enumerate(np.linspace(-0.5, 0.5, FRAMES)):
        turn = Rotation.from_euler("yx", [angle, 0.1]).as_matrix()
        poses[number, :3, :3] = turn
        poses[number, :3, 3] = np.array([0, 0, 4]) - 4 * turn[:, 2]
    return poses


def model_points() -> np.ndarray:
    """(n, 3) in the model's world."""
    return np.random.default_rng(2).uniform((-0.7, -0.7, 3.3), (0.7, 0.7, 4.7), (40, 3))


def write_dl3dv(
    folder: Path, scale: float = 1.0, model: str = "colmap/sparse/0", shifted: Sequence[int] = ()
) -> Path:
    """One scene; `shifted` are frames whose pose in the model is another one."""
    (folder / f"images_{FACTOR}").mkdir(parents=True)
    poses = APPLIED @ model_poses()
    poses[:, :3, 3] *= scale
    names = [f"frame_{number:05d}.png" for number in range(1, FRAMES + 1)]
    for number, name in enumerate(names):
        image = np.full((SIZE[1] // FACTOR, SIZE[0] // FACTOR, 3), 40 * number, np.uint8)
        cv2.imwrite(str(folder / f"images_{FACTOR}" / name), image)
    content = {
        "w": SIZE[0],
        "h": SIZE[1],
        **dict(zip(("fl_x", "fl_y", "cx", "cy", "k1", "k2", "p1", "p2"), CAMERA, strict=True)),
        "camera_model": "OPENCV",
        "frames": [
            {
                "file_path": f"images/{name}",
                "transform_matrix": (pose @ np.diag([1.0, -1, -1, 1])).tolist(),
                "colmap_im_id": number + 10,
            }
            for number, (name, pose) in enumerate(zip(names, poses, strict=True))
        ],
        "applied_transform": APPLIED[:3].tolist(),
        "ply_file_path": "sparse_pc.ply",
    }
    (folder / "transforms.json").write_text(json.dumps(content))
    (folder / "sparse_pc.ply").write_text("ply\nformat ascii 1.0\nelement vertex 0\nend_header\n")
    if model:
        write_model(folder / model, names, shifted)
    return folder


def write_model(folder: Path, names: Sequence[str], shifted: Sequence[int] = ()) -> None:
    pictures = []
    for number, (name, pose) in enumerate(zip(names, model_poses(), strict=True)):
        inverse = np.linalg.inv(pose)
        x, y, z, w = Rotation.from_matrix(inverse[:3, :3]).as_quat()
        shift = inverse[:3, 3] + (0.3 if number in shifted else 0.0)
        pictures.append(Picture(number + 10, name, 1, (w, x, y, z), shift))
    points = [
        Point(n, point, 0.5, [(image + 10, n) for image in range(FRAMES) if (image + n) % 4])
        for n, point in enumerate(model_points())
    ]
    write_binary(folder, {1: ("OPENCV", CAMERA)}, pictures, points)
