"""The two kinds of PNG that captures consist of, decoded fast: 8-bit RGB and 16-bit grey.

libdeflate inflates two to four times as fast as zlib, once the size of what comes out is known, as
it is here; the filters of the rows are undone in compiled loops. Layout and filters:
https://www.w3.org/TR/png-3/ (5 Datastream structure, 9 Filtering).

    image = decode_png(read_chunks(data))
"""

import struct
from typing import NamedTuple

import imagecodecs
import numba
import numpy as np
from jaxtyping import UInt8, UInt16

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_RGB, _GREY = 2, 0
_NONE, _SUB, _UP, _AVERAGE, _PAETH = range(5)


class PngError(ValueError):
    """A file is no whole PNG; `truncated` when it merely ends too early."""

    def __init__(self, problem: str, *, truncated: bool = False) -> None:
        super().__init__(problem)
        self.truncated = truncated


class Chunks(NamedTuple):
    """What is needed of a PNG."""

    header: bytes
    data: list[memoryview]
    """Parts of one zlib stream."""


def read_chunks(data: bytes) -> Chunks:
    """The header and the data of a PNG all of whose chunks are whole.

    Raises:
        PngError: a chunk is cut or its checksum is wrong, or the end chunk is missing.
    """
    view = memoryview(data)
    start, header, parts = len(PNG_SIGNATURE), b"", []
    while start + 12 <= len(view):
        (length,) = struct.unpack(">I", view[start : start + 4])
        end = start + 8 + length
        if end + 4 > len(view):
            break
        (checksum,) = struct.unpack(">I", view[end : end + 4])
        content = view[start + 4 : end]
        if imagecodecs.deflate_crc32(content) != checksum:  # pyright: ignore[reportArgumentType]
            raise PngError(f"wrong checksum in the chunk at byte {start}")
        kind = bytes(view[start + 4 : start + 8])
        if kind == b"IHDR":
            header = bytes(view[start + 8 : end])
        elif kind == b"IDAT":
            parts.append(view[start + 8 : end])
        elif kind == b"IEND":
            return Chunks(header, parts)
        start = end + 4
    raise PngError(f"ends after {len(data)} bytes", truncated=True)


def decode_png(chunks: Chunks) -> UInt8[np.ndarray, "h w 3"] | UInt16[np.ndarray, "h w"] | None:
    """The pixels of an 8-bit RGB or 16-bit grey image without interlacing; None for another kind.

    Raises:
        PngError: the data are damaged, or not of the size that the header names.
    """
    if len(chunks.header) != 13:
        return None
    width, height, bits, color, *_, interlaced = struct.unpack(">IIBBBBB", chunks.header)
    if (bits, color, interlaced) not in ((8, _RGB, 0), (16, _GREY, 0)) or not width * height:
        return None
    step = 3 if color == _RGB else 2
    try:
        stream = imagecodecs.deflate_decode(b"".join(chunks.data), out=height * (1 + step * width))
    except imagecodecs.DeflateError as error:
        raise PngError(str(error)) from error
    if len(stream) != height * (1 + step * width):
        raise PngError(f"{len(stream)} bytes of pixels for {width}x{height}")
    rows = np.empty((height, step * width), np.uint8)
    filtered = np.frombuffer(stream, np.uint8).reshape(height, -1)
    if not _unfilter(filtered, step, rows):
        raise PngError("a row has an unknown filter")
    if color == _RGB:
        return rows.reshape(height, width, 3)
    return rows.view(">u2").astype(np.uint16)


@numba.njit(cache=True)
def _unfilter(filtered, step, rows):  # pragma: no cover - compiled
    """Undo the filter of each row, which its first byte names; False for an unknown one."""
    width = rows.shape[1]
    nothing = np.zeros(width, np.uint8)
    for y in range(len(rows)):
        kind, line, row = filtered[y, 0], filtered[y, 1:], rows[y]
        above = rows[y - 1] if y else nothing
        if kind == _NONE:
            row[:] = line
        elif kind == _SUB:
            row[:step] = line[:step]
            for i in range(step, width):
                row[i] = line[i] + row[i - step]
        elif kind == _UP:
            for i in range(width):
                row[i] = line[i] + above[i]
        elif kind == _AVERAGE:
            for i in range(width):
                left = row[i - step] if i >= step else 0
                row[i] = line[i] + (left + above[i]) // 2
        elif kind == _PAETH and step == 3:
            _undo_paeth_of_three(line, above, row)
        elif kind == _PAETH:
            _undo_paeth_of_two(line, above, row)
        else:
            return False
    return True


@numba.njit(cache=True)
def _undo_paeth_of_three(line, above, row):  # pragma: no cover - compiled
    """Channels side by side, their neighbours in registers: a step waits for the one before."""
    left = left_2 = left_3 = corner = corner_2 = corner_3 = np.int32(0)
    for i in range(0, len(row), 3):
        up, up_2, up_3 = np.int32(above[i]), np.int32(above[i + 1]), np.int32(above[i + 2])
        left = (line[i] + _paeth(left, up, corner)) & np.int32(255)
        left_2 = (line[i + 1] + _paeth(left_2, up_2, corner_2)) & np.int32(255)
        left_3 = (line[i + 2] + _paeth(left_3, up_3, corner_3)) & np.int32(255)
        row[i], row[i + 1], row[i + 2] = left, left_2, left_3
        corner, corner_2, corner_3 = up, up_2, up_3


@numba.njit(cache=True)
def _undo_paeth_of_two(line, above, row):  # pragma: no cover - compiled
    left = left_2 = corner = corner_2 = np.int32(0)
    for i in range(0, len(row), 2):
        up, up_2 = np.int32(above[i]), np.int32(above[i + 1])
        left = (line[i] + _paeth(left, up, corner)) & np.int32(255)
        left_2 = (line[i + 1] + _paeth(left_2, up_2, corner_2)) & np.int32(255)
        row[i], row[i + 1] = left, left_2
        corner, corner_2 = up, up_2


@numba.njit(cache=True)
def _paeth(left, up, corner):  # pragma: no cover - compiled
    """Which of three neighbours is nearest to left + up - corner, in this order; no branches."""
    threshold = 3 * corner - left - up
    low, high = min(left, up), max(left, up)
    nearest = low if high <= threshold else corner
    return high if threshold <= low else nearest
