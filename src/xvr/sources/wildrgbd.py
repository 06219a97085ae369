"""WildRGB-D: phone RGB-D videos around objects, as downloaded and unzipped.

    <root>/<category>/scenes/<scene>/rgb/00000.png depth/00000.png metadata cam_poses.txt

`metadata` is JSON with w, h and K (nine numbers, column-major); `cam_poses.txt` has a line per
frame: its number and a row-major 4x4 camera-to-world matrix, OpenCV axes, metres; depth is uint16
millimetres with 0 for none. K is used as it stands: its source does not say where in a pixel the
centre lies, and half a pixel is below its accuracy. All depths are kept (the authors' point cloud
tool stops at 5 m).

Source: https://github.com/wildrgbd/wildrgbd, README.md and wildrgbd_generate_point_cloud.py.
"""

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from jaxtyping import Float

from xvr.errors import Unusable, UserError
from xvr.geometry.camera import Camera
from xvr.sources.pixels import read_depth, read_image
from xvr.sources.records import Ref, Scene, SourceFormat, View

DEPTH_METRES_PER_UNIT = 0.001
POSES = "cam_poses.txt"
METADATA = "metadata"


def index(path: Path) -> list[Ref]:
    """The scenes of a folder of categories, of one category, or the one scene at the path.

    Only directories are listed. Groups are scenes: the files do not say which object is shown.

    Raises:
        UserError: the path holds no scene.
    """
    ids = sorted(_scene_ids(path.resolve()))
    if not ids:
        raise UserError(
            f"{path} holds no WildRGB-D scene: expected CATEGORY/scenes/SCENE/ below it, "
            f"or {METADATA} and {POSES} in it"
        )
    return [
        Ref(format="wildrgbd", root=str(path), id=name, group=name, kind="scene") for name in ids
    ]


def load(ref: Ref) -> Scene:
    """The scene of a ref, its frames checked against its poses.

    Raises:
        Unusable: `missing_metadata`, `bad_metadata`, `bad_intrinsics`, `missing_poses`,
            `bad_pose`, `pose_count_mismatch`, `missing_image` (a gap in the numbering) or
            `missing_depth`.
    """
    folder = _base(Path(ref.root).resolve()) / ref.id
    shared = _read_camera(folder / METADATA)
    size = (shared.width, shared.height)
    poses = _read_poses(folder / POSES)
    names = _frame_names(folder, len(poses))
    views = []
    for number, (name, pose) in enumerate(zip(names, poses, strict=True)):
        try:
            camera = replace(shared, world_from_camera=pose)
        except ValueError as error:
            raise Unusable("bad_pose", f"{folder / POSES}, frame {number}: {error}") from error
        views.append(
            View(
                name=name,
                camera=camera,
                frame_index=number,
                read_image=partial(read_image, folder / "rgb" / name, size),
                read_depth=partial(
                    read_depth, folder / "depth" / name, size, DEPTH_METRES_PER_UNIT
                ),
            )
        )
    category = ref.id.partition("/")[0]
    return Scene(id=ref.id, dataset="wildrgbd", category=category, views=tuple(views))


def key_files(path: Path, refs: Sequence[Ref]) -> Iterable[tuple[str, Path]]:
    """Metadata and poses of each scene."""
    base = _base(path.resolve())
    for ref in refs:
        for name in (METADATA, POSES):
            yield f"{ref.id}/{name}", base / ref.id / name


def _base(path: Path) -> Path:
    """The folder that ids are relative to, whichever of the three levels the path names."""
    if _is_scene(path):
        return path.parents[2] if path.parent.name == "scenes" else path.parent
    return path.parent if (path / "scenes").is_dir() else path


def _scene_ids(path: Path) -> Iterator[str]:
    if _is_scene(path):
        yield path.relative_to(_base(path)).as_posix()
        return
    base = _base(path)
    categories = [path.name] if base != path else _folders(path)
    for category in categories:
        yield from (f"{category}/scenes/{name}" for name in _folders(base / category / "scenes"))


def _is_scene(path: Path) -> bool:
    return (path / POSES).is_file() or (path / METADATA).is_file()


def _folders(path: Path) -> list[str]:
    try:
        with os.scandir(path) as entries:
            return [e.name for e in entries if e.is_dir() and not e.name.startswith(".")]
    except (FileNotFoundError, NotADirectoryError):
        return []


def _read_camera(path: Path) -> Camera:
    """The intrinsics that all frames share, at the identity pose."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        width, height = int(content["w"]), int(content["h"])
        matrix = np.array(content["K"], dtype=np.float64).reshape(3, 3).T
    except FileNotFoundError as error:
        raise Unusable("missing_metadata", str(path)) from error
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise Unusable("bad_metadata", f"{path}: {error!r}, expected w, h and nine K") from error
    pinhole = np.array(
        [[matrix[0, 0], 0, matrix[0, 2]], [0, matrix[1, 1], matrix[1, 2]], [0, 0, 1]]
    )
    if not np.allclose(matrix, pinhole):
        raise Unusable("bad_intrinsics", f"{path}: K is not a column-major pinhole matrix")
    fx, fy, cx, cy = (float(matrix[i, j]) for i, j in ((0, 0), (1, 1), (0, 2), (1, 2)))
    try:
        return Camera(width=width, height=height, fx=fx, fy=fy, cx=cx, cy=cy)
    except ValueError as error:
        raise Unusable("bad_intrinsics", f"{path}: {error}") from error


def _read_poses(path: Path) -> Float[np.ndarray, "n 4 4"]:
    try:
        lines = path.read_text(encoding="ascii", errors="replace").splitlines()
    except FileNotFoundError as error:
        raise Unusable("missing_poses", str(path)) from error
    rows = []
    for number, line in enumerate(lines, start=1):
        words = line.split()
        if not words:
            continue
        try:
            row = [float(word) for word in words]
        except ValueError as error:
            raise Unusable("bad_pose", f"{path}, line {number}: {error}") from error
        if len(row) != 17 or row[0] != len(rows):
            raise Unusable(
                "bad_pose",
                f"{path}, line {number}: {len(row)} numbers starting with {row[0]:g}, "
                f"expected frame {len(rows)} and 16 numbers",
            )
        rows.append(row)
    if not rows:
        raise Unusable("bad_pose", f"{path}: no pose")
    return np.array(rows)[:, 1:].reshape(-1, 4, 4)


def _frame_names(folder: Path, count: int) -> list[str]:
    """File names of all frames in order; images and poses must correspond one to one."""
    names = _pngs(folder / "rgb")
    if len(names) != count:
        raise Unusable("pose_count_mismatch", f"{folder}: {len(names)} images and {count} poses")
    expected = [f"{number:05d}.png" for number in range(count)]
    for found, wanted in zip(names, expected, strict=True):
        if found != wanted:
            raise Unusable("missing_image", f"{folder / 'rgb' / wanted} (found {found})")
    missing = set(expected).difference(_pngs(folder / "depth"))
    if missing:
        raise Unusable("missing_depth", str(folder / "depth" / min(missing)))
    return expected


def _pngs(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(name for name in names if name.endswith(".png") and name[0] != ".")


WILDRGBD = SourceFormat(
    name="wildrgbd",
    kind="scene",
    calibration="every frame",
    geometry="depth",
    index=index,
    load=load,
    key_files=key_files,
)
