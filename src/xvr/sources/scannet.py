"""ScanNet scans: hand-held RGB-D walks through rooms, exported to folders or as `.sens` files.

    <scene>/color/0.jpg depth/0.png pose/0.txt intrinsic/intrinsic_color.txt intrinsic_depth.txt
    <scene>/<scene>.sens

Poses are camera-to-world with OpenCV axes, metres; lost frames have infinite ones and are left
out. Depth is in millimetres. Colour (1296x968) and depth (640x480) differ in size but are
registered already: one field of view from one place, no extrinsics to apply (said by an author in
issues 2 and 92). Views are those of the depth camera: depth is what proves an answer and stays as
measured, colour is resampled to it. Principal points count from the centre of the first pixel
(those of the two cameras differ by (w - 1) / (W - 1), which maps the first centre to the first).

Source: https://github.com/ScanNet/ScanNet, SensReader/python/SensorData.py, issues 2 and 92.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float

from xvr.errors import Unusable, UserError
from xvr.geometry.camera import Camera, check_rigid
from xvr.sources.folders import find_folders
from xvr.sources.pixels import image_size, read_depth, read_image
from xvr.sources.records import Image, Ref, Scene, SourceFormat, View
from xvr.sources.sens import Sens, read_sens

DEPTH_METRES_PER_UNIT = 0.001
COLOR_MATRIX = "intrinsic/intrinsic_color.txt"
DEPTH_MATRIX = "intrinsic/intrinsic_depth.txt"
FIRST_CENTER_PX = 0.5
"""Where the centre of the first pixel is, in our pixels."""


def index(path: Path) -> list[Ref]:
    """The scan at a path, or all scans up to two levels below it.

    Scans of one place, such as scene0000_00 and scene0000_01, are one group.

    Raises:
        UserError: there is none.
    """
    found = find_folders(path, _is_scan, levels=2)
    if not found:
        raise UserError(
            f"{path} holds no ScanNet scan: expected pose/ and {DEPTH_MATRIX}, or one .sens file, "
            "in it or below it"
        )
    return [
        Ref(format="scannet", root=str(path), id=name, group=_place(name), kind="scene")
        for name, _ in found
    ]


def load(ref: Ref) -> Scene:
    """The scan of a ref without its lost frames.

    Raises:
        Unusable: `bad_intrinsics`, `bad_pose`, `missing_image`, `missing_depth`, and of `.sens`
            files `truncated_sens`, `bad_sens` or `unknown_compression`.
    """
    folder = _folder(ref)
    packed = _sens_file(folder)
    views = _exported_views(folder) if packed is None else _packed_views(packed)
    return Scene(id=ref.id, dataset="scannet", category="", views=tuple(views))


def key_files(path: Path, refs: Sequence[Ref]) -> Iterable[tuple[str, Path]]:
    """Intrinsics and the last pose of each scan, or its `.sens` file."""
    for ref in refs:
        folder = _folder(replace(ref, root=str(path)))
        packed = _sens_file(folder)
        if packed is not None:
            yield f"{ref.id}/{packed.name}", packed
            continue
        for name in (COLOR_MATRIX, DEPTH_MATRIX):
            yield f"{ref.id}/{name}", folder / name
        for number in _numbers(folder)[-1:]:
            yield f"{ref.id}/pose/{number}.txt", folder / f"pose/{number}.txt"


def _is_scan(folder: Path) -> bool:
    return _is_exported(folder) or _sens_file(folder) is not None


def _is_exported(folder: Path) -> bool:
    return (folder / "pose").is_dir() and (folder / DEPTH_MATRIX).is_file()


def _sens_file(folder: Path) -> Path | None:
    """The packed scan of a folder that is not exported; None unless there is just one."""
    if _is_exported(folder) or not folder.is_dir():
        return None
    found = [file for file in folder.iterdir() if file.suffix == ".sens" and file.is_file()]
    return found[0] if len(found) == 1 else None


def _folder(ref: Ref) -> Path:
    root = Path(ref.root)
    return root if _is_scan(root) else root / ref.id


def _place(name: str) -> str:
    """`scene0000` of `scene0000_01`."""
    place, underscore, scan = name.rpartition("_")
    return place if underscore and scan.isdigit() else name


def _numbers(folder: Path) -> list[int]:
    names = (file.stem for file in (folder / "pose").glob("*.txt"))
    return sorted(int(name) for name in names if name.isdigit())


def _exported_views(folder: Path) -> Iterator[View]:
    numbers = _numbers(folder)
    if not numbers:
        raise Unusable("bad_pose", f"{folder / 'pose'} holds no pose")
    color_size = image_size(folder / f"color/{numbers[0]}.jpg")
    depth_size = _depth_size(folder / f"depth/{numbers[0]}.png")
    color = _camera(_matrix(folder / COLOR_MATRIX), color_size, str(folder / COLOR_MATRIX))
    depth = _camera(_matrix(folder / DEPTH_MATRIX), depth_size, str(folder / DEPTH_MATRIX))
    for number in numbers:
        color_file, depth_file = folder / f"color/{number}.jpg", folder / f"depth/{number}.png"
        pose_file = folder / f"pose/{number}.txt"
        pose = _matrix(pose_file)
        if not np.isfinite(pose).all():
            continue
        for reason, file in (("missing_image", color_file), ("missing_depth", depth_file)):
            if not file.is_file():
                raise Unusable(reason, str(file))
        yield View(
            name=color_file.name,
            camera=_posed(depth, pose, str(pose_file)),
            frame_index=number,
            read_image=partial(
                _resampled, partial(read_image, color_file, color_size), color, depth
            ),
            read_depth=partial(read_depth, depth_file, depth_size, DEPTH_METRES_PER_UNIT),
        )


def _packed_views(file: Path) -> Iterator[View]:
    sens = read_sens(file)
    color = _camera(sens.color_matrix, sens.color_size, f"{file}: colour")
    depth = _camera(sens.depth_matrix, sens.depth_size, f"{file}: depth")
    for number, frame in enumerate(sens.frames):
        if not np.isfinite(frame.pose).all():
            continue
        yield View(
            name=f"{number}.jpg",
            camera=_posed(depth, frame.pose, f"{file}, frame {number}"),
            frame_index=number,
            time_s=frame.time_us / 1e6 if frame.time_us else None,
            read_image=partial(_resampled, partial(_packed_image, sens, number), color, depth),
            read_depth=partial(sens.read_depth, number),
        )


def _packed_image(sens: Sens, number: int) -> Image:
    image = sens.read_color(number)
    height, width = image.shape[:2]
    if (width, height) != sens.color_size:
        raise Unusable(
            "wrong_image_size",
            f"{sens.path}, frame {number}: {width}x{height}, the header says {sens.color_size}",
        )
    return image


def _resampled(read: Callable[[], Image], color: Camera, depth: Camera) -> Image:
    """The colour image as the depth camera would have taken it.

    Both stand at one place, so a pixel of one is a pixel of the other at any distance. Colour is
    first shrunk by area to about the depth's resolution, so that nothing is skipped.
    """
    image = read()
    scale = min(1.0, depth.fx / color.fx)
    size = (math.ceil(color.width * scale), math.ceil(color.height * scale))
    image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    kx, ky = size[0] / color.width, size[1] / color.height
    u, v = np.arange(depth.width) + 0.5, np.arange(depth.height) + 0.5
    x = ((u - depth.cx) / depth.fx * color.fx + color.cx) * kx - 0.5
    y = ((v - depth.cy) / depth.fy * color.fy + color.cy) * ky - 0.5
    shape = (depth.height, depth.width)
    map_x = np.broadcast_to(x.astype(np.float32), shape)
    map_y = np.broadcast_to(y.astype(np.float32)[:, None], shape)
    return cv2.remap(
        image, map_x.copy(), map_y.copy(), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )


def _depth_size(path: Path) -> tuple[int, int]:
    try:
        return image_size(path)
    except Unusable as error:
        raise Unusable(error.reason.replace("image", "depth"), error.detail) from error


def _camera(matrix: Float[np.ndarray, "4 4"], size: tuple[int, int], where: str) -> Camera:
    try:
        return Camera(
            width=size[0],
            height=size[1],
            fx=float(matrix[0, 0]),
            fy=float(matrix[1, 1]),
            cx=float(matrix[0, 2]) + FIRST_CENTER_PX,
            cy=float(matrix[1, 2]) + FIRST_CENTER_PX,
        )
    except ValueError as error:
        raise Unusable("bad_intrinsics", f"{where}: {error}") from error


def _posed(camera: Camera, pose: Float[np.ndarray, "4 4"], where: str) -> Camera:
    try:
        check_rigid(pose)
        return replace(camera, world_from_camera=pose)
    except ValueError as error:
        raise Unusable("bad_pose", f"{where}: {error}") from error


def _matrix(path: Path) -> Float[np.ndarray, "4 4"]:
    """Sixteen numbers; `-inf` is one."""
    reason = "bad_pose" if path.parent.name == "pose" else "bad_intrinsics"
    try:
        return np.array(path.read_text(encoding="ascii").split(), dtype=np.float64).reshape(4, 4)
    except (OSError, ValueError) as error:
        raise Unusable(reason, f"{path}: {error}") from error


SCANNET = SourceFormat(
    name="scannet",
    kind="scene",
    calibration="every frame",
    geometry="depth",
    index=index,
    load=load,
    key_files=key_files,
)
