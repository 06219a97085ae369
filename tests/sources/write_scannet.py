"""Writes small ScanNet scans, exported and packed, in the true on-disk formats."""

import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

COLOR_SIZE, DEPTH_SIZE = (81, 61), (40, 30)
DEPTH_FOCAL = 36.0
LOST = np.full((4, 4), -np.inf)


class Frame(NamedTuple):
    pose: np.ndarray
    bgr: np.ndarray
    depth_mm: np.ndarray


def matrices() -> tuple[np.ndarray, np.ndarray]:
    """Intrinsics of colour and depth, which map first pixel centre to first and last to last."""
    depth, color = np.eye(4), np.eye(4)
    depth[[0, 1], [0, 1]], depth[:2, 2] = DEPTH_FOCAL, (19.0, 15.0)
    scale = np.subtract(COLOR_SIZE, 1) / np.subtract(DEPTH_SIZE, 1)
    color[[0, 1], [0, 1]] = DEPTH_FOCAL * scale
    color[:2, 2] = depth[:2, 2] * scale
    return color, depth


def frames(count: int) -> list[Frame]:
    """Frames on a line, with a red square; frame 1 is lost."""
    found = []
    for number in range(count):
        pose = np.eye(4)
        pose[0, 3] = 0.1 * number
        bgr = np.full((COLOR_SIZE[1], COLOR_SIZE[0], 3), 40, np.uint8)
        bgr[20:40, 20:40, 2] = 240
        depth = np.full((DEPTH_SIZE[1], DEPTH_SIZE[0]), 1500 + number, np.uint16)
        depth[0, 0] = 0
        found.append(Frame(LOST if number == 1 else pose, bgr, depth))
    return found


def write_exported(folder: Path, scan: Sequence[Frame]) -> None:
    """As the exporting script writes: numbers without leading zeros, six decimals."""
    for name in ("color", "depth", "pose", "intrinsic"):
        (folder / name).mkdir(parents=True)
    color, depth = matrices()
    for name, matrix in (("color", color), ("depth", depth)):
        _write_matrix(folder / f"intrinsic/intrinsic_{name}.txt", matrix)
        _write_matrix(folder / f"intrinsic/extrinsic_{name}.txt", np.eye(4))
    for number, frame in enumerate(scan):
        cv2.imwrite(str(folder / f"color/{number}.jpg"), frame.bgr)
        cv2.imwrite(str(folder / f"depth/{number}.png"), frame.depth_mm)
        _write_matrix(folder / f"pose/{number}.txt", frame.pose)


def write_sens(path: Path, scan: Sequence[Frame], version: int = 4, depth_type: int = 1) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    name = b"StructureSensor"
    data = struct.pack("<IQ", version, len(name)) + name
    color, depth = matrices()
    for matrix in (color, np.eye(4), depth, np.eye(4)):
        data += struct.pack("<16f", *matrix.ravel())
    data += struct.pack("<ii4IfQ", 2, depth_type, *COLOR_SIZE, *DEPTH_SIZE, 1000.0, len(scan))
    for number, frame in enumerate(scan):
        jpeg = cv2.imencode(".jpg", frame.bgr)[1].tobytes()
        packed = zlib.compress(frame.depth_mm.astype("<u2").tobytes())
        times = (33_000 * (number + 1), 33_000 * (number + 1))
        data += struct.pack("<16f", *frame.pose.ravel())
        data += struct.pack("<4Q", *times, len(jpeg), len(packed)) + jpeg + packed
    path.write_bytes(data)


def _write_matrix(path: Path, matrix: np.ndarray) -> None:
    path.write_text("\n".join(" ".join(f"{v:f}" for v in row) for row in matrix) + "\n")
