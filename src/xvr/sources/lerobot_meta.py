"""What `meta/info.json` says of a LeRobot dataset, for versions 2.0, 2.1 and 3.0.

Source: https://github.com/huggingface/lerobot, src/lerobot/datasets (dataset_metadata.py,
utils.py, feature_utils.py). Counters such as `total_episodes` are not trusted.
"""

import glob
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xvr.errors import UserError
from xvr.sources.json_object import read_json_object
from xvr.sources.roles import Assignment, assign_roles, moves_between_episodes, short_name

EXPECTED = "a LeRobot dataset"
INFO = "meta/info.json"
MODALITY = "meta/modality.json"
"""Optional, GR00T's: names for parts of vectors, and for cameras."""
MODALITY_NAMES = {"front_view": "front"}
"""Names in `modality.json` that would claim too much: nothing says that the front view of GR00T's
two-armed robots looks the way they face, and if it does not, left and right are swapped."""
ROLES_FILE = "meta/camera_roles.json"
"""Optional: camera key to role, written by who knows the rig."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Dataset:
    """One LeRobot dataset: its files, features and cameras, without its episodes."""

    name: str
    """Folder name, or path below the source's root."""
    root: Path
    version: tuple[int, int]
    """Version of the format, such as (2, 1)."""
    fps: float
    robot: str
    data_path: str
    """Template of the parquet files."""
    video_path: str
    """Template of the videos; empty when there are none."""
    chunks_size: int
    total_episodes: int
    """As declared; only file name templates use it."""
    features: Mapping[str, Mapping[str, Any]]
    assignment: Assignment
    """Roles of the cameras."""
    modality: Mapping[str, Any]
    """Content of GR00T's `meta/modality.json`; empty when absent."""
    depth_path: str = ""
    """Template of depth maps, from the note `xvr` of simulated datasets; empty when absent."""

    @property
    def cameras(self) -> list[str]:
        """Keys of the cameras that show colours."""
        return [*self.assignment.roles, *self.assignment.left_out]

    @property
    def video_keys(self) -> list[str]:
        """Keys of the cameras with a role that are stored as videos."""
        return [key for key in self.assignment.roles if self.features[key]["dtype"] == "video"]

    def rig(self, episode: int) -> str:
        """Name of a rig; episodes share it when their cameras stand at the same places."""
        moved = [f"episode_{episode:06d}"] if any(map(moves_between_episodes, self.cameras)) else []
        return "|".join([self.name, self.robot, *sorted(map(short_name, self.cameras)), *moved])

    def image_size(self, key: str) -> tuple[int, int] | None:
        """Declared width and height of a camera's images, None where nothing declares them.

        The order of a shape is that of its names, [height, width, channels] or another.
        """
        feature = self.features[key]
        names, shape = _flat_names(feature.get("names")), feature.get("shape") or []
        size = dict(zip(names, shape, strict=False)) | _video_info(feature)
        width, height = (size.get(f"video.{side}", size.get(side)) for side in ("width", "height"))
        return (int(width), int(height)) if width and height else None

    def names(self, key: str) -> list[str]:
        """Names of the entries of a vector feature, empty where there are none."""
        return _flat_names(self.features.get(key, {}).get("names"))


def read_dataset(
    root: Path, name: str, *, by_modality: bool = False, every_camera: bool = False
) -> Dataset:
    """Read `meta/info.json` and the two optional files beside it.

    Args:
        root: folder of the dataset.
        name: as it is to be called.
        by_modality: the cameras are those that `meta/modality.json` lists, and its names for them
            tell their roles.
        every_camera: a camera needs no role; each has its name for one.

    Raises:
        UserError: a file is missing, damaged or of an unknown version, or misnames cameras.
    """
    info = read_json_object(root / INFO, EXPECTED)
    where = root / INFO
    try:
        version = _version(str(info["codebase_version"]))
        features = {str(key): dict(value) for key, value in info["features"].items()}
        fps = float(info["fps"])
        data_path = str(info["data_path"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UserError(f"{where}: {error!r}, expected a LeRobot dataset's info") from error
    if version is None or not (2, 0) <= version <= (3, 0):
        raise UserError(
            f"{where}: codebase_version {info['codebase_version']!r}, readable are v2.0, v2.1 and "
            "v3.0; convert it with LeRobot's own scripts"
        )
    if not fps > 0:
        raise UserError(f"{where}: fps {fps} must be positive")
    video_path = str(info.get("video_path") or "")
    modality = read_json_object(root / MODALITY, EXPECTED) if (root / MODALITY).is_file() else {}
    names = _camera_names(modality) if by_modality else {key: key for key in features}
    return Dataset(
        name=name,
        root=root,
        version=version,
        fps=fps,
        robot=str(info.get("robot_type") or ""),
        data_path=data_path,
        video_path=video_path,
        chunks_size=int(info.get("chunks_size") or 1000),
        total_episodes=int(info.get("total_episodes") or 0),
        features=features,
        assignment=_assign(root, video_path, features, names, every_camera=every_camera),
        modality=modality,
        depth_path=_depth_path(info),
    )


def _depth_path(info: Mapping[str, Any]) -> str:
    note = info.get("xvr")
    depth = note.get("depth") if isinstance(note, dict) else None
    return str(depth.get("path") or "") if isinstance(depth, dict) else ""


def _camera_names(modality: Mapping[str, Any]) -> dict[str, str]:
    """Camera key to the name that `modality.json` gives it."""
    videos = modality.get("video")
    names = {}
    for name, entry in videos.items() if isinstance(videos, Mapping) else ():
        given = entry.get("original_key") if isinstance(entry, Mapping) else None
        names[str(given or f"observation.images.{name}")] = MODALITY_NAMES.get(name, str(name))
    return names


def _assign(
    root: Path,
    video_path: str,
    features: Mapping[str, Mapping[str, Any]],
    names: Mapping[str, str],
    *,
    every_camera: bool,
) -> Assignment:
    """Roles of the cameras in `names`; one that is declared but has no file at all is left out."""
    declared = [key for key in map(_colour_key, features.items()) if key and key in names]
    present = {
        key
        for key in declared
        if features[key]["dtype"] == "image" or _has_video(root, video_path, key)
    }
    if every_camera:
        roles = {key: short_name(names[key]) for key in declared if key in present}
        return Assignment(roles, sorted(set(declared).difference(roles)))
    given = root / ROLES_FILE
    chosen = read_json_object(given, EXPECTED) if given.is_file() else None
    try:
        if chosen is None:
            by_name, _ = assign_roles(names[key] for key in present)
            roles = {key: by_name[names[key]] for key in sorted(present) if names[key] in by_name}
        else:
            roles, _ = assign_roles(declared, chosen)
    except UserError as error:
        raise UserError(f"{root / ROLES_FILE}: {error}") from error
    roles = {key: role for key, role in roles.items() if key in present}
    return Assignment(roles, sorted(set(declared).difference(roles)))


def _has_video(root: Path, template: str, key: str) -> bool:
    named = template.replace("{video_key}", glob.escape(key))
    pattern = re.sub(r"\{[^{}]*\}", "*", named).lstrip("/")
    return bool(pattern) and next(root.glob(pattern), None) is not None


def _colour_key(item: tuple[str, Mapping[str, Any]]) -> str | None:
    """The key of a feature that holds colour images."""
    key, feature = item
    info = _video_info(feature)
    is_depth = info.get("is_depth_map") or info.get("video.is_depth_map")
    return key if feature.get("dtype") in ("video", "image") and not is_depth else None


def _video_info(feature: Mapping[str, Any]) -> dict[str, Any]:
    return dict(feature.get("info") or feature.get("video_info") or {})


def _version(text: str) -> tuple[int, int] | None:
    found = re.fullmatch(r"v?(\d+)\.(\d+)(\.\d+)?", text)
    return (int(found[1]), int(found[2])) if found else None


def _flat_names(names: object) -> list[str]:
    """Names as a list; LeRobot has lists, nested lists and {"motors" or "axes": [...]}."""
    if isinstance(names, Mapping):
        names = next(iter(names.values()), [])
    if isinstance(names, list) and len(names) == 1 and isinstance(names[0], list):
        names = names[0]
    return [str(name) for name in names] if isinstance(names, list) else []
