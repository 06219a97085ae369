"""Writes scenes in the folder layout of WildRGB-D.

    OUT/<category>/{types,nvs_list,camera_eval_list}.json
    OUT/<category>/scenes/<scene>/{rgb,depth,masks}/00000.png metadata cam_poses.txt

Depth is uint16 millimetres with 0 for none, masks are 0 or 255, `metadata` is JSON with w, h and
the nine numbers of K by columns, `cam_poses.txt` has per frame its number and the row-major
camera-to-world matrix in OpenCV axes, metres. Layout: README of
https://github.com/wildrgbd/wildrgbd.
"""

import json
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from xvr.dataset.encode import encode

MAX_MILLIMETRES = 65535
VALIDATION_EVERY = 5
"""Every fifth scene number goes to the `val` lists."""


class Frame(NamedTuple):
    """What one camera saw."""

    rgb: UInt8[np.ndarray, "h w 3"]
    depth_m: Float[np.ndarray, "h w"]
    mask: Bool[np.ndarray, "h w"]
    """The central object."""


def write_frame(folder: Path, number: int, frame: Frame) -> None:
    """Writes the three images of one frame below a scene folder."""
    name = f"{number:05d}.png"
    (_made(folder / "rgb") / name).write_bytes(encode(frame.rgb, "png"))
    millimetres = np.rint(frame.depth_m.astype(np.float64) * 1000)
    known = (millimetres > 0) & (millimetres <= MAX_MILLIMETRES)
    depth = np.where(known, millimetres, 0).astype(np.uint16)
    _write_grey(_made(folder / "depth") / name, depth)
    _write_grey(_made(folder / "masks") / name, frame.mask.astype(np.uint8) * 255)


def write_cameras(
    folder: Path,
    size: tuple[int, int],
    matrix: Float[np.ndarray, "3 3"],
    poses: Float[np.ndarray, "frames 4 4"],
) -> None:
    """Writes `metadata` and `cam_poses.txt` of a scene.

    Args:
        folder: the scene folder.
        size: width and height in pixels.
        matrix: K in pixels.
        poses: world from camera, OpenCV axes, metres.
    """
    record = {"w": size[0], "h": size[1], "K": [float(value) for value in matrix.T.reshape(-1)]}
    (folder / "metadata").write_text(json.dumps(record))
    rows = [
        " ".join([str(number), *(f"{value:.9f}" for value in pose.reshape(-1))])
        for number, pose in enumerate(poses)
    ]
    (folder / "cam_poses.txt").write_text("\n".join(rows) + "\n")


def write_lists(category: Path) -> None:
    """Writes the three list files of a category folder from the scenes that are there."""
    names = sorted(folder.name for folder in (category / "scenes").glob("scene_*"))
    split: dict[str, list[str]] = {"train": [], "val": []}
    for name in names:
        number = int(name.removeprefix("scene_"))
        held_out = number % VALIDATION_EVERY == VALIDATION_EVERY - 1
        split["val" if held_out else "train"].append(f"scenes/{name}")
    for list_name in ("nvs_list", "camera_eval_list"):
        (category / f"{list_name}.json").write_text(json.dumps(split, indent=1) + "\n")
    types = {f"scenes/{name}": "multi" for name in names}
    (category / "types.json").write_text(json.dumps(types, indent=1) + "\n")


def _write_grey(path: Path, image: np.ndarray) -> None:
    # Level 1 is three times as fast as the default for files that are a tenth larger.
    ok, data = cv2.imencode(".png", image, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    if not ok:
        raise RuntimeError(f"OpenCV could not encode {path}: {image.dtype} {image.shape}")
    path.write_bytes(data.tobytes())


def _made(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    return folder
