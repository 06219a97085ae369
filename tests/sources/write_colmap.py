"""Writes COLMAP models, text and binary, in the true on-disk formats."""

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

MODEL_IDS = {
    "SIMPLE_PINHOLE": 0,
    "PINHOLE": 1,
    "SIMPLE_RADIAL": 2,
    "RADIAL": 3,
    "OPENCV": 4,
    "OPENCV_FISHEYE": 5,
    "FULL_OPENCV": 6,
    "FOV": 7,
    "SIMPLE_RADIAL_FISHEYE": 8,
    "RADIAL_FISHEYE": 9,
}
SIZE = (64, 48)
NO_POINT = 2**64 - 1


class Picture(NamedTuple):
    image_id: int
    name: str
    camera_id: int
    quaternion_wxyz: Sequence[float]
    translation: Sequence[float]
    points: Sequence[tuple[float, float, int]] = ()
    """x, y and the number of the 3D point, -1 for none."""


class Point(NamedTuple):
    point_id: int
    position: Sequence[float]
    error_px: float
    track: Sequence[tuple[int, int]]
    """Image and number of the 2D point in it."""


Cameras = Mapping[int, tuple[str, Sequence[float]]]


def write_text(
    folder: Path, cameras: Cameras, pictures: Sequence[Picture], points: Sequence[Point]
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["# Camera list with one line of data per camera:", "#   CAMERA_ID, MODEL, ..."]
    lines += [
        f"{number} {model} {SIZE[0]} {SIZE[1]} {' '.join(map(str, params))}"
        for number, (model, params) in cameras.items()
    ]
    (folder / "cameras.txt").write_text("\n".join(lines) + "\n")
    lines = ["# Image list with two lines of data per image:", f"# Number: {len(pictures)}"]
    for picture in pictures:
        pose = [*picture.quaternion_wxyz, *picture.translation]
        numbers = " ".join(map(repr, map(float, pose)))
        lines.append(f"{picture.image_id} {numbers} {picture.camera_id} {picture.name}")
        lines.append(" ".join(f"{x} {y} {point}" for x, y, point in picture.points))
    (folder / "images.txt").write_text("\n".join(lines) + "\n")
    lines = ["# 3D point list"]
    for point in points:
        track = " ".join(f"{image} {number}" for image, number in point.track)
        position = " ".join(map(repr, map(float, point.position)))
        lines.append(f"{point.point_id} {position} 10 20 30 {point.error_px} {track}")
    (folder / "points3D.txt").write_text("\n".join(lines) + "\n")


def write_binary(
    folder: Path, cameras: Cameras, pictures: Sequence[Picture], points: Sequence[Point]
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    data = struct.pack("<Q", len(cameras))
    for number, (model, params) in cameras.items():
        data += struct.pack("<IiQQ", number, MODEL_IDS[model], *SIZE)
        data += struct.pack(f"<{len(params)}d", *params)
    (folder / "cameras.bin").write_bytes(data)
    data = struct.pack("<Q", len(pictures))
    for picture in pictures:
        pose = [*picture.quaternion_wxyz, *picture.translation]
        data += struct.pack("<I7dI", picture.image_id, *pose, picture.camera_id)
        data += picture.name.encode() + b"\0" + struct.pack("<Q", len(picture.points))
        for x, y, point in picture.points:
            data += struct.pack("<ddQ", x, y, NO_POINT if point < 0 else point)
    (folder / "images.bin").write_bytes(data)
    data = struct.pack("<Q", len(points))
    for point in points:
        data += struct.pack("<Q3d3Bd", point.point_id, *point.position, 10, 20, 30, point.error_px)
        data += struct.pack("<Q", len(point.track))
        for image, number in point.track:
            data += struct.pack("<II", image, number)
    (folder / "points3D.bin").write_bytes(data)


def write_pictures(folder: Path, names: Sequence[str]) -> None:
    """An image per name, whose red value is 40 times the order of the name."""
    for number, name in enumerate(sorted(names)):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        bgr = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
        bgr[..., 2] = 40 * number
        cv2.imwrite(str(folder / name), bgr, [cv2.IMWRITE_JPEG_QUALITY, 98])
