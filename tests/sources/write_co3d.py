"""Writes CO3Dv2 sequences in the true on-disk format, extracted or packed in zips."""

import gzip
import json
import shutil
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np

WIDTH, HEIGHT = 40, 24
CATEGORY, SCALE = "apple", 7.5


class Shot(NamedTuple):
    """One frame: pixels, depth along z in metres, pinhole numbers in pixels, OpenCV pose."""

    rgb: np.ndarray
    depth_m: np.ndarray
    intrinsics: tuple[float, float, float, float]
    world_from_camera: np.ndarray


def write_category(
    root: Path,
    sequences: dict[str, Sequence[Shot]],
    intrinsics_format: str = "ndc_isotropic",
    category: str = CATEGORY,
) -> None:
    """A category with its annotations; lengths are stored `SCALE` times as long."""
    frames, names = [], []
    for name, shots in sequences.items():
        for number, shot in enumerate(shots):
            frames.append(_write_frame(root, category, name, number, shot, intrinsics_format))
        names.append(
            {
                "sequence_name": name,
                "category": category,
                "video": None,
                "point_cloud": None,
                "viewpoint_quality_score": 0.9,
            }
        )
    write_jgz(root / category / "frame_annotations.jgz", frames)
    write_jgz(root / category / "sequence_annotations.jgz", names)
    lists = root / category / "set_lists"
    lists.mkdir()
    listed = [[f["sequence_name"], f["frame_number"], f["image"]["path"]] for f in frames]
    for subset in ("fewview_train", "fewview_dev"):  # the release lists train frames twice
        content = {"train": listed, "val": [], "test": listed}
        (lists / f"set_lists_{subset}.json").write_text(json.dumps(content))


def _write_frame(
    root: Path, category: str, name: str, number: int, shot: Shot, intrinsics_format: str
) -> dict[str, Any]:
    folder = f"{category}/{name}"
    for part in ("images", "depths", "depth_masks", "masks"):
        (root / folder / part).mkdir(parents=True, exist_ok=True)
    stem = f"frame{number + 1:06d}"
    image = f"{folder}/images/{stem}.jpg"
    quality = [cv2.IMWRITE_JPEG_QUALITY, 97]
    cv2.imwrite(str(root / image), shot.rgb[..., ::-1], quality)
    depth = f"{folder}/depths/{stem}.jpg.geometric.png"
    stored = (shot.depth_m * SCALE / 2).astype(np.float16)
    cv2.imwrite(str(root / depth), stored.view(np.uint16))
    known = np.where(shot.depth_m > 0, 255, 0).astype(np.uint8)
    mask = f"{folder}/depth_masks/{stem}.png"
    for path in (mask, f"{folder}/masks/{stem}.png"):
        cv2.imwrite(str(root / path), known, [cv2.IMWRITE_PNG_BILEVEL, 1])
    height, width = shot.depth_m.shape
    return {
        "sequence_name": name,
        "frame_number": number,
        "frame_timestamp": number / 10,
        "image": {"path": image, "size": [height, width]},
        "depth": {"path": depth, "scale_adjustment": 2.0, "mask_path": mask},
        "mask": {"path": f"{folder}/masks/{stem}.png", "mass": float((known > 0).sum())},
        "viewpoint": viewpoint(shot, (width, height), intrinsics_format),
        "meta": {"frame_type": "train", "frame_splits": ["fewview_train"]},
    }


def viewpoint(shot: Shot, size: tuple[int, int], intrinsics_format: str) -> dict[str, Any]:
    """The camera as PyTorch3D has it, from the definitions of its axes and units."""
    fx, fy, cx, cy = shot.intrinsics
    half_x, half_y = size[0] / 2, size[1] / 2
    unit_x, unit_y = half_x, half_y
    if intrinsics_format == "ndc_isotropic":
        unit_x = unit_y = min(half_x, half_y)
    right, down, forward = shot.world_from_camera[:3, :3].T
    rotation = np.stack([-right, -down, forward], axis=1)  # columns are the axes in the world
    translation = -shot.world_from_camera[:3, 3] @ rotation * SCALE
    return {
        "R": rotation.tolist(),
        "T": translation.tolist(),
        "focal_length": [fx / unit_x, fy / unit_y],
        "principal_point": [(half_x - cx) / unit_x, (half_y - cy) / unit_y],
        "intrinsics_format": intrinsics_format,
    }


def write_jgz(path: Path, content: object) -> None:
    """As `json.dumps` of the release's dataclasses, gzipped."""
    path.write_bytes(gzip.compress(json.dumps(content).encode()))


def ring(count: int = 6, radius_m: float = 0.8) -> list[Shot]:
    """Cameras around a ball, looking at it; each image's first pixels say which it is."""
    shots = []
    for number in range(count):
        angle = 2 * np.pi * number / count
        forward = -np.array([np.cos(angle), 0.0, np.sin(angle)])
        down = np.array([0.0, 1.0, 0.0])
        pose = np.eye(4)
        pose[:3, :3] = np.stack([np.cross(down, forward), down, forward], axis=1)
        pose[:3, 3] = -radius_m * forward + (2.0, -1.0, 0.5)
        rgb = np.full((HEIGHT, WIDTH, 3), 20 * number + 30, np.uint8)
        depth_m = np.full((HEIGHT, WIDTH), radius_m + number / 64)
        depth_m[:8] = 0
        shots.append(Shot(rgb, depth_m, (41.0, 43.0, 21.5, 11.0), pose))
    return shots


def pack(root: Path, method: int = zipfile.ZIP_STORED) -> None:
    """Put annotations and data of each category into zips, as in the release."""
    for folder in sorted(path for path in root.iterdir() if path.is_dir()):
        data = [path for path in sorted(folder.rglob("*")) if path.is_file()]
        notes = [path for path in data if path.parent == folder or path.parent.name == "set_lists"]
        rest = [path for path in data if path not in notes]
        for number, files in enumerate((notes, rest)):
            with zipfile.ZipFile(root / f"{folder.name}_{number:03d}.zip", "w", method) as archive:
                for file in files:
                    archive.write(file, file.relative_to(root).as_posix())
        shutil.rmtree(folder)
