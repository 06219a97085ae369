"""ScanNet's `.sens` files, version 4: one scan packed into a file, read in place.

A header, then per frame its pose, two times, two sizes, a JPEG and a compressed depth map. Frames
have no index: headers are hopped over once, pixels are read when asked for. Little endian,
matrices row by row.

Source: https://github.com/ScanNet/ScanNet, SensReader/python/SensorData.py.
"""

import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
from jaxtyping import Float, Float32, UInt8

from xvr.errors import Unusable
from xvr.sources.pixels import decode_image

VERSION = 4
JPEG, ZLIB = 2, 1
PNG = 1
MAX_NAME_BYTES = 1 << 16
FRAME = struct.Struct("<16f4Q")
MATRIX = struct.Struct("<16f")


class SensFrame(NamedTuple):
    """One frame and where its pixels lie in the file."""

    pose: Float[np.ndarray, "4 4"]
    """Camera-to-world, metres; not finite where tracking was lost."""
    time_us: int
    """Of the colour image; 0 when not recorded."""
    start: int
    color_bytes: int
    depth_bytes: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Sens:
    """A scan without its pixels."""

    path: Path
    color_matrix: Float[np.ndarray, "4 4"]
    depth_matrix: Float[np.ndarray, "4 4"]
    color_size: tuple[int, int]
    """Width and height, pixels."""
    depth_size: tuple[int, int]
    units_per_metre: float
    frames: tuple[SensFrame, ...]

    def read_color(self, number: int) -> UInt8[np.ndarray, "h w 3"]:
        """The colour image of a frame.

        Raises:
            Unusable: `truncated_sens`, `unreadable_file`, and what `decode_image` raises.
        """
        frame = self.frames[number]
        data = self._read(frame.start, frame.color_bytes, number)
        return decode_image(data, f"{self.path}, frame {number}")

    def read_depth(self, number: int) -> Float32[np.ndarray, "h w"]:
        """The depth map of a frame, metres along z, 0 where unknown.

        Raises:
            Unusable: `truncated_sens`, `unreadable_file` or `unreadable_depth`.
        """
        frame = self.frames[number]
        data = self._read(frame.start + frame.color_bytes, frame.depth_bytes, number)
        width, height = self.depth_size
        try:
            raw = np.frombuffer(zlib.decompress(data), "<u2").reshape(height, width)
        except (zlib.error, ValueError) as error:
            where = f"{self.path}, frame {number}: {error}"
            raise Unusable("unreadable_depth", where) from error
        return raw / np.float32(self.units_per_metre)

    def _read(self, start: int, size: int, number: int) -> bytes:
        try:
            with self.path.open("rb") as file:
                file.seek(start)
                data = file.read(size)
        except OSError as error:
            raise Unusable("unreadable_file", f"{self.path}: {error}") from error
        if len(data) != size:
            raise Unusable("truncated_sens", f"{self.path} ends within frame {number}")
        return data


def read_sens(path: Path) -> Sens:
    """The header of a file and where its frames lie.

    Raises:
        Unusable: `bad_sens` (another version or unreasonable sizes), `unknown_compression` or
            `truncated_sens`.
    """
    with path.open("rb") as file:
        try:
            return _read_header(path, file)
        except struct.error as error:
            raise Unusable("truncated_sens", f"{path}: {error}") from error


def _read_header(path: Path, file: BinaryIO) -> Sens:
    version, name_bytes = _unpack(file, struct.Struct("<IQ"))
    if version != VERSION or name_bytes > MAX_NAME_BYTES:
        raise Unusable("bad_sens", f"{path}: version {version}, readable is {VERSION}")
    file.seek(name_bytes, 1)
    color_matrix, _, depth_matrix, _ = (_matrix(_unpack(file, MATRIX)) for _ in range(4))
    color, depth, *sizes, shift, count = _unpack(file, struct.Struct("<ii4IfQ"))
    if color not in (PNG, JPEG) or depth != ZLIB:
        raise Unusable(
            "unknown_compression",
            f"{path}: colour {color} and depth {depth}, readable are JPEG ({JPEG}) or PNG ({PNG}) "
            f"and zlib ({ZLIB})",
        )
    if not shift > 0 or not all(0 < size < 1 << 15 for size in sizes):
        raise Unusable("bad_sens", f"{path}: sizes {sizes}, {shift} steps per metre")
    frames, end = [], path.stat().st_size
    for number in range(count):
        *pose, time_us, _, color_bytes, depth_bytes = _unpack(file, FRAME)
        start = file.tell()
        if start + color_bytes + depth_bytes > end:
            raise Unusable("truncated_sens", f"{path} ends within frame {number} of {count}")
        frames.append(SensFrame(_matrix(pose), time_us, start, color_bytes, depth_bytes))
        file.seek(color_bytes + depth_bytes, 1)
    return Sens(
        path=path,
        color_matrix=color_matrix,
        depth_matrix=depth_matrix,
        color_size=(sizes[0], sizes[1]),
        depth_size=(sizes[2], sizes[3]),
        units_per_metre=shift,
        frames=tuple(frames),
    )


def _unpack(file: BinaryIO, layout: struct.Struct) -> tuple:
    return layout.unpack(file.read(layout.size))


def _matrix(values: tuple | list) -> Float[np.ndarray, "4 4"]:
    return np.array(values, dtype=np.float64).reshape(4, 4)
