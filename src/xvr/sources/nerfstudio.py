"""nerfstudio scenes, also as DL3DV has them: a `transforms.json` beside its images.

Poses are camera-to-world with OpenGL axes (x right, y up, z backward) and become OpenCV's; depth
files are millimetres unless `depth_unit_scale_factor` says otherwise. Frames are ordered by file
name. Where only smaller copies of the images are present (`images_4/`), intrinsics are scaled to
them. A path may be one scene or a folder of scenes.

Source: https://github.com/nerfstudio-project/nerfstudio, docs/quickstart/data_conventions.md and
nerfstudio/data/dataparsers/nerfstudio_dataparser.py; https://github.com/DL3DV-10K/Dataset.
"""

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Float

from xvr.errors import Unusable, UserError
from xvr.geometry.camera import Camera
from xvr.sources.colmap_model import model_file
from xvr.sources.folders import find_folders
from xvr.sources.nerfstudio_tracks import MODEL_FILES, model_folders, model_tracks
from xvr.sources.pixels import image_size, read_depth, read_image
from xvr.sources.records import Depth, Ref, Scene, SourceFormat, View

FILE = "transforms.json"
METRES_PER_UNIT = 0.001
OPENGL_FROM_OPENCV = np.diag([1.0, -1.0, -1.0, 1.0])
PERSPECTIVE = ("", "OPENCV", "PINHOLE", "SIMPLE_PINHOLE", "PERSPECTIVE")
FISHEYE = ("OPENCV_FISHEYE",)
SMALLER = ("images_2", "images_4", "images_8")
"""Folders that may stand in for `images`, largest first."""
ROUNDING_PX = 2
"""How far a smaller copy may be from the exact shape, because sizes are whole."""


def index(path: Path) -> list[Ref]:
    """The scene at a path, or all scenes up to three levels below it.

    Raises:
        UserError: there is none.
    """
    found = find_folders(path, lambda folder: (folder / FILE).is_file(), levels=3)
    if not found:
        raise UserError(f"{path} holds no nerfstudio scene: expected {FILE} in it or below it")
    return [
        Ref(format="nerfstudio", root=str(path), id=name, group=name, kind="scene")
        for name, _ in found
    ]


def load(ref: Ref) -> Scene:
    """The scene of a ref; metric when it has depth.

    Raises:
        Unusable: `bad_metadata`, `unknown_camera_model`, `bad_intrinsics`, `bad_pose`,
            `missing_image`, `missing_depth`, `wrong_image_size` when the images are no smaller
            copies of what the intrinsics describe, and what `model_tracks` raises.
    """
    folder = _folder(ref)
    where = folder / FILE
    try:
        content = json.loads(where.read_text(encoding="utf-8"))
        frames = sorted(content["frames"], key=lambda frame: str(frame["file_path"]))
        unit = float(content.get("depth_unit_scale_factor", METRES_PER_UNIT))
    except FileNotFoundError as error:
        raise Unusable("missing_metadata", str(where)) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unusable("bad_metadata", f"{where}: {error!r}") from error
    shared = {key: value for key, value in content.items() if key != "frames"}
    sizes: dict[tuple[Any, Any], tuple[int, int]] = {}
    views = []
    for number, frame in enumerate(frames):
        values = shared | frame
        image = _existing_image(folder, str(frame["file_path"]))
        declared = (values.get("w"), values.get("h"))
        if declared not in sizes:
            sizes[declared] = image_size(image)
        camera = _camera(values, sizes[declared], f"{where}: {frame['file_path']}")
        views.append(
            View(
                name=image.relative_to(folder).as_posix(),
                camera=camera,
                frame_index=number,
                read_image=partial(read_image, image, (camera.width, camera.height)),
                read_depth=_depth_reader(folder, frame, camera, unit),
            )
        )
    has_depth = [view.read_depth is not None for view in views]
    return Scene(
        id=ref.id,
        dataset="nerfstudio",
        category="",
        views=tuple(views),
        tracks=None if all(has_depth) else model_tracks(folder, views),
        metric=any(has_depth),
    )


def key_files(path: Path, refs: Sequence[Ref]) -> Iterable[tuple[str, Path]]:
    """The `transforms.json` of each scene, and the models beside its images."""
    for ref in refs:
        folder = _folder(replace(ref, root=str(path)))
        yield f"{ref.id}/{FILE}", folder / FILE
        for model in model_folders(folder):
            for file in filter(None, (model_file(model, name) for name in MODEL_FILES)):
                yield f"{ref.id}/{file.relative_to(folder).as_posix()}", file


def _folder(ref: Ref) -> Path:
    root = Path(ref.root)
    return root if (root / FILE).is_file() else root / ref.id


def _existing_image(folder: Path, file_path: str) -> Path:
    """The image of a frame, in a folder of smaller copies where the named one is absent."""
    first, _, rest = Path(file_path).as_posix().partition("/")
    smaller = [f"{name}/{rest}" for name in SMALLER] if first == "images" else []
    for name in (file_path, f"{file_path}.png", *smaller):
        if (folder / name).is_file():
            return folder / name
    raise Unusable("missing_image", str(folder / file_path))


def _depth_reader(
    folder: Path, frame: Mapping[str, Any], camera: Camera, unit: float
) -> Callable[[], Depth] | None:
    name = frame.get("depth_file_path")
    if not name:
        return None
    path = folder / str(name)
    if not path.is_file():
        raise Unusable("missing_depth", str(path))
    return partial(read_depth, path, (camera.width, camera.height), unit)


def _camera(values: Mapping[str, Any], size: tuple[int, int], where: str) -> Camera:
    """The camera of a frame for an image of the given size."""
    model, distortion = _distortion(values, where)
    fx, fy, cx, cy = _intrinsics(values, size, where)
    pose = _pose(values, where)
    try:
        camera = Camera(
            width=size[0],
            height=size[1],
            fx=fx,
            fy=fy,
            cx=cx,
            cy=cy,
            model=model,
            distortion=distortion,
        )
    except ValueError as error:
        raise Unusable("bad_intrinsics", f"{where}: {error}") from error
    try:
        return replace(camera, world_from_camera=pose @ OPENGL_FROM_OPENCV)
    except ValueError as error:
        raise Unusable("bad_pose", f"{where}: {error}") from error


def _intrinsics(
    values: Mapping[str, Any], size: tuple[int, int], where: str
) -> tuple[float, float, float, float]:
    """Focal lengths and principal point, scaled from the declared size to the image's."""
    try:
        width, height = int(values.get("w", size[0])), int(values.get("h", size[1]))
        fx = float(values["fl_x"]) if "fl_x" in values else _focal(values["camera_angle_x"], width)
        fy = float(values.get("fl_y", fx))
        cx, cy = float(values.get("cx", width / 2)), float(values.get("cy", height / 2))
        scale_x, scale_y = size[0] / width, size[1] / height
    except (KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        raise Unusable("bad_metadata", f"{where}: {error!r}") from error
    if abs(width * scale_y - size[0]) > ROUNDING_PX:
        raise Unusable(
            "wrong_image_size",
            f"{where}: the image is {size[0]}x{size[1]}, intrinsics are for {width}x{height}",
        )
    return fx * scale_x, fy * scale_y, cx * scale_x, cy * scale_y


def _pose(values: Mapping[str, Any], where: str) -> Float[np.ndarray, "4 4"]:
    try:
        pose = np.array(values["transform_matrix"], dtype=np.float64)
    except (KeyError, TypeError, ValueError) as error:
        raise Unusable("bad_metadata", f"{where}: {error!r}") from error
    if pose.shape not in ((3, 4), (4, 4)):
        raise Unusable("bad_pose", f"{where}: transform_matrix has shape {pose.shape}")
    return pose if len(pose) == 4 else np.vstack([pose, [0.0, 0.0, 0.0, 1.0]])


def _focal(angle_rad: Any, width: int) -> float:
    return 0.5 * width / math.tan(0.5 * float(angle_rad))


def _distortion(
    values: Mapping[str, Any], where: str
) -> tuple[Literal["pinhole", "brown", "fisheye"], tuple[float, ...]]:
    """Model and coefficients; `distortion_params` is k1, k2, k3, k4, p1, p2."""
    names = ("k1", "k2", "k3", "k4", "p1", "p2")
    listed = dict(zip(names, values.get("distortion_params") or (), strict=False))
    try:
        given = {**values, **listed}
        k1, k2, k3, k4, p1, p2 = (float(given.get(name, 0.0)) for name in names)
    except (TypeError, ValueError) as error:
        raise Unusable("bad_metadata", f"{where}: {error!r}") from error
    name = str(values.get("camera_model") or "").upper()
    if name in FISHEYE:
        return "fisheye", (k1, k2, k3, k4)
    if name not in PERSPECTIVE or k4:
        known = ", ".join((*PERSPECTIVE[1:], *FISHEYE))
        raise Unusable(
            "unknown_camera_model", f"{where}: {name or 'k4'}, readable without k4 are {known}"
        )
    if any((k1, k2, k3, p1, p2)):
        return "brown", (k1, k2, p1, p2, k3)
    return "pinhole", ()


NERFSTUDIO = SourceFormat(
    name="nerfstudio",
    kind="scene",
    calibration="every image",
    geometry="depth files or tracks",
    index=index,
    load=load,
    key_files=key_files,
)
