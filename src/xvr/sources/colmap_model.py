"""Cameras, images and points of a COLMAP model, from its text or binary files.

Poses are camera_from_world with OpenCV axes, quaternions w, x, y, z; pixel centres at +0.5.

Source: https://github.com/colmap/colmap, doc/format.rst, src/colmap/sensor/models.h and
src/colmap/scene/reconstruction_io_binary.cc.
"""

import struct
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Literal, NamedTuple, TypeVar

import numpy as np
from jaxtyping import Float, Int

from xvr.errors import Unusable
from xvr.geometry.camera import Camera

FILES = ("cameras", "images")
"""Files that make a folder a model; `points3D` is optional."""

Model = Literal["pinhole", "brown", "fisheye"]
Entry = TypeVar("Entry")


class CameraModel(NamedTuple):
    """How a COLMAP camera model is told to `Camera`."""

    name: str
    parameters: int
    one_focal: bool
    """One focal length for x and y instead of two."""
    model: Model


CAMERA_MODELS = {
    0: CameraModel("SIMPLE_PINHOLE", 3, True, "pinhole"),
    1: CameraModel("PINHOLE", 4, False, "pinhole"),
    2: CameraModel("SIMPLE_RADIAL", 4, True, "brown"),
    3: CameraModel("RADIAL", 5, True, "brown"),
    4: CameraModel("OPENCV", 8, False, "brown"),
    5: CameraModel("OPENCV_FISHEYE", 8, False, "fisheye"),
    6: CameraModel("FULL_OPENCV", 12, False, "brown"),
    8: CameraModel("SIMPLE_RADIAL_FISHEYE", 4, True, "fisheye"),
    9: CameraModel("RADIAL_FISHEYE", 5, True, "fisheye"),
}
"""Readable models by the number they have in binary files."""
_BY_NAME = {model.name: model for model in CAMERA_MODELS.values()}


class ImageEntry(NamedTuple):
    """One registered image."""

    image_id: int
    name: str
    camera_id: int
    camera_from_world: tuple[float, ...]
    """qw, qx, qy, qz, tx, ty, tz."""


class PointEntry(NamedTuple):
    """One 3D point; images that see it more than once are repeated."""

    point_id: int
    position: tuple[float, float, float]
    error_px: float
    image_ids: list[int]


class PosedImage(NamedTuple):
    """One registered image with its camera."""

    image_id: int
    name: str
    camera: Camera


def model_file(folder: Path, name: str) -> Path | None:
    """The binary or else the text file of this name, None when there is neither."""
    files = (folder / f"{name}.bin", folder / f"{name}.txt")
    return next((file for file in files if file.is_file()), None)


def read_cameras(path: Path) -> dict[int, Camera]:
    """Cameras at the identity pose, by their number.

    Raises:
        Unusable: `unknown_camera_model`, `bad_intrinsics`, `bad_model` or `truncated_model`.
    """
    read = _binary_cameras if path.suffix == ".bin" else _text_cameras
    return dict(_strict(path, read(path)))


def read_images(path: Path) -> list[ImageEntry]:
    """Registered images in the order of the file, without their 2D points.

    Raises:
        Unusable: `bad_model` or `truncated_model`.
    """
    read = _binary_images if path.suffix == ".bin" else _text_images
    return list(_strict(path, read(path)))


def read_posed_images(camera_file: Path, image_file: Path) -> list[PosedImage]:
    """Registered images with their cameras, in the order of their names.

    Raises:
        Unusable: as `read_cameras` and `read_images`; `bad_pose`.
    """
    cameras = read_cameras(camera_file)
    found = []
    for entry in sorted(read_images(image_file), key=lambda entry: entry.name):
        if entry.camera_id not in cameras:
            raise Unusable("bad_model", f"{image_file}: {entry.name}: no camera {entry.camera_id}")
        try:
            camera = replace(cameras[entry.camera_id], world_from_camera=world_from_camera(entry))
        except ValueError as error:
            raise Unusable("bad_pose", f"{image_file}: {entry.name}: {error}") from error
        found.append(PosedImage(entry.image_id, entry.name, camera))
    return found


def read_observations(
    path: Path,
) -> Iterator[tuple[int, Float[np.ndarray, "k 2"], Int[np.ndarray, " k"]]]:
    """Per image its id, its 2D points that belong to a 3D point, and the ids of those.

    Raises:
        Unusable: `bad_model` or `truncated_model`.
    """
    read = _binary_observations if path.suffix == ".bin" else _text_observations
    return _strict(path, read(path))


def read_points(path: Path) -> Iterator[PointEntry]:
    """3D points with the images that see them.

    Raises:
        Unusable: `bad_model` or `truncated_model`.
    """
    read = _binary_points if path.suffix == ".bin" else _text_points
    return _strict(path, read(path))


def world_from_camera(entry: ImageEntry) -> Float[np.ndarray, "4 4"]:
    """The pose of an image; not finite when its quaternion is zero."""
    quaternion = np.array(entry.camera_from_world[:4])
    with np.errstate(invalid="ignore"):
        w, x, y, z = quaternion / np.linalg.norm(quaternion)
    rotation = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )
    pose = np.eye(4)
    pose[:3, :3] = rotation.T
    pose[:3, 3] = -rotation.T @ np.array(entry.camera_from_world[4:])
    return pose


def _strict(path: Path, entries: Iterator[Entry]) -> Iterator[Entry]:
    """The entries, with errors of parsing told as `Unusable`."""
    try:
        yield from entries
    except struct.error as error:
        raise Unusable("truncated_model", f"{path}: {error}") from error
    except (ValueError, IndexError) as error:
        raise Unusable("bad_model", f"{path}: {error}") from error


def _camera(
    path: Path, model: CameraModel | None, name: object, size: tuple[int, int], params: list[float]
) -> Camera:
    if model is None:
        known = ", ".join(_BY_NAME)
        raise Unusable("unknown_camera_model", f"{path}: {name}, readable are {known}")
    if len(params) != model.parameters:
        raise ValueError(f"{model.name} has {model.parameters} parameters, found {len(params)}")
    fx, *rest = params
    fy, cx, cy, *distortion = [fx, *rest] if model.one_focal else rest
    if len(distortion) == 8:
        if any(distortion[5:]):
            raise Unusable("unknown_camera_model", f"{path}: FULL_OPENCV with k4, k5 or k6")
        distortion = distortion[:5]
    try:
        return Camera(
            width=size[0],
            height=size[1],
            fx=fx,
            fy=fy,
            cx=cx,
            cy=cy,
            model=model.model if any(distortion) or model.model == "fisheye" else "pinhole",
            distortion=_distortion(model, distortion),
        )
    except ValueError as error:
        raise Unusable("bad_intrinsics", f"{path}: {error}") from error


def _distortion(model: CameraModel, values: list[float]) -> tuple[float, ...]:
    if model.model == "brown" and not any(values):
        return ()
    return tuple(values)


def _text_cameras(path: Path) -> Iterator[tuple[int, Camera]]:
    for line in _text_lines(path):
        if line:
            number, name, width, height, *params = line.split()
            size = (int(width), int(height))
            values = [float(value) for value in params]
            yield int(number), _camera(path, _BY_NAME.get(name), name, size, values)


def _binary_cameras(path: Path) -> Iterator[tuple[int, Camera]]:
    data = path.read_bytes()
    (count,) = struct.unpack_from("<Q", data)
    start = 8
    for _ in range(count):
        number, model_id, width, height = struct.unpack_from("<IiQQ", data, start)
        model = CAMERA_MODELS.get(model_id)
        size = model.parameters if model else 0
        params = struct.unpack_from(f"<{size}d", data, start + 24)
        yield number, _camera(path, model, f"model {model_id}", (width, height), list(params))
        start += 24 + 8 * size


def _text_images(path: Path) -> Iterator[ImageEntry]:
    lines = _text_lines(path)
    for line in lines:
        if not line:
            continue
        image_id, *pose, camera_id, name = line.split(maxsplit=9)
        numbers = tuple(float(value) for value in pose)
        yield ImageEntry(int(image_id), name, int(camera_id), numbers)
        next(lines, None)  # 2D points; the line is empty when there are none


def _text_observations(path: Path) -> Iterator[tuple]:
    lines = _text_lines(path)
    for line in lines:
        if line:
            numbers = np.array(next(lines, "").split(), dtype=np.float64).reshape(-1, 3)
            numbers = numbers[numbers[:, 2] >= 0]
            yield int(line.split(maxsplit=1)[0]), numbers[:, :2], numbers[:, 2].astype(np.int64)


def _binary_images(path: Path) -> Iterator[ImageEntry]:
    data = path.read_bytes()
    (count,) = struct.unpack_from("<Q", data)
    start = 8
    for _ in range(count):
        image_id, *pose, camera_id = struct.unpack_from("<I7dI", data, start)
        end = data.index(b"\0", start + 64)
        name = data[start + 64 : end].decode("utf-8")
        (points,) = struct.unpack_from("<Q", data, end + 1)
        start = end + 9 + 24 * points
        if start > len(data):
            raise struct.error(f"2D points of {name} end after the file")
        yield ImageEntry(image_id, name, camera_id, tuple(pose))


def _binary_observations(path: Path) -> Iterator[tuple]:
    layout = np.dtype([("uv_px", "<f8", 2), ("point", "<i8")])  # -1 for no point
    data = path.read_bytes()
    (count,) = struct.unpack_from("<Q", data)
    start = 8
    for _ in range(count):
        (image_id,) = struct.unpack_from("<I", data, start)
        end = data.index(b"\0", start + 64)
        (points,) = struct.unpack_from("<Q", data, end + 1)
        seen = np.frombuffer(data, layout, points, end + 9)
        seen = seen[seen["point"] >= 0]
        yield image_id, seen["uv_px"], seen["point"]
        start = end + 9 + layout.itemsize * points


def _text_points(path: Path) -> Iterator[PointEntry]:
    for line in _text_lines(path):
        if line:
            number, x, y, z, _, _, _, error, *track = line.split()
            position = (float(x), float(y), float(z))
            images = [int(value) for value in track[::2]]
            yield PointEntry(int(number), position, float(error), images)


def _binary_points(path: Path) -> Iterator[PointEntry]:
    data = path.read_bytes()
    (count,) = struct.unpack_from("<Q", data)
    header = struct.Struct("<Q3d3BdQ")
    start = 8
    for _ in range(count):
        number, x, y, z, _, _, _, error, length = header.unpack_from(data, start)
        start += header.size
        track = struct.unpack_from(f"<{2 * length}I", data, start)
        start += 8 * length
        yield PointEntry(number, (x, y, z), error, list(track[::2]))


def _text_lines(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            if not line.startswith("#"):
                yield line.strip()
