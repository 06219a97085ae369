"""Image and depth files, decoded strictly: damage raises `Unusable` instead of giving grey pixels.

Images are RGB, uint8, without EXIF rotation (intrinsics refer to the stored pixels). The fastest
decoder measured serves each format: simplejpeg for JPEG, `xvr.sources.png` for PNG in RGB and
16-bit depth, pyspng and imagecodecs for other PNG, OpenCV for the rest. Decoders stop at the last
pixel and miss damage that follows, so the chunks of a PNG are checked first.

    image = read_image(Path("rgb/00000.png"), (640, 480))
    depth_m = read_depth(Path("depth/00000.png"), (640, 480), metres_per_unit=0.001)
"""

import struct
from typing import Literal

import cv2
import imagecodecs
import numpy as np
import pyspng
import simplejpeg
from jaxtyping import Float32, UInt8, UInt16

from xvr.errors import Unusable
from xvr.sources.archives import File
from xvr.sources.png import PNG_SIGNATURE, PngError, decode_png, read_chunks

JPEG_SIGNATURE = b"\xff\xd8"
JPEG_END = b"\xff\xd9"
_SIGNATURES = {JPEG_SIGNATURE: "jpeg", PNG_SIGNATURE: "png", b"GIF8": "gif"}
Content = Literal["image", "depth"]


def image_kind(data: bytes) -> str | None:
    """The format of a file by its first bytes, as media types name it: jpeg, png, gif or webp."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    return next((kind for first, kind in _SIGNATURES.items() if data.startswith(first)), None)


def read_image(path: File, size: tuple[int, int] | None = None) -> UInt8[np.ndarray, "h w 3"]:
    """The image in a file.

    Args:
        path: the file, on disk or in an archive.
        size: width and height it must have, pixels.

    Raises:
        Unusable: `missing_image`, `wrong_image_size`, and what `decode_image` raises.
    """
    image = decode_image(_read(path, "image"), str(path))
    if size is not None:
        _check_size(image, size, "image", str(path))
    return image


def read_depth(
    path: File, size: tuple[int, int], metres_per_unit: float, *, half_floats: bool = False
) -> Float32[np.ndarray, "h w"]:
    """The depth map in a file, float32 metres, 0 where unknown (also for NaN and infinite).

    Args:
        path: the file.
        size: width and height it must have, pixels.
        metres_per_unit: metres that the stored number 1 stands for.
        half_floats: whether 16-bit integers are the bits of 16-bit floats.

    Raises:
        Unusable: `missing_depth`, `wrong_depth_size`, and what `decode_depth` raises.
    """
    raw = decode_depth(_read(path, "depth"), str(path))
    _check_size(raw, size, "depth", str(path))
    if half_floats and raw.dtype == np.uint16:
        halves = raw.view(np.float16)
        raw = np.where(np.isfinite(halves), halves, 0).astype(np.float32)
    depth_m = raw * np.float32(metres_per_unit)
    if raw.dtype.kind == "f":
        depth_m = np.where(np.isfinite(depth_m) & (depth_m > 0), depth_m, np.float32(0))
    return depth_m


def decode_image(data: bytes, where: str) -> UInt8[np.ndarray, "h w 3"]:
    """The RGB image in an encoded file; grey, palette and 16-bit are widened or narrowed to it.

    Args:
        data: content of a JPEG, PNG or any other format OpenCV reads; transparency is dropped.
        where: the file, for the error message.

    Raises:
        Unusable: `truncated_image` or `unreadable_image`.
    """
    if data.startswith(JPEG_SIGNATURE):
        try:
            return simplejpeg.decode_jpeg(data, colorspace="RGB", strict=True)
        except ValueError as error:
            cut = JPEG_END not in data[-64:] or "Premature end" in str(error)
            raise _damaged("image", where, str(error), truncated=cut) from error
    if data.startswith(PNG_SIGNATURE):
        found = _decode_png(data, "image", where)
        if found is not None and found.ndim == 3:
            return found
        try:
            return pyspng.load(data, format="RGB")
        except RuntimeError as error:
            raise _damaged("image", where, str(error)) from error
    found = _decode_cv2(data, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION, "image", where)
    return cv2.cvtColor(found, cv2.COLOR_BGR2RGB)


def decode_depth(data: bytes, where: str) -> UInt16[np.ndarray, "h w"] | Float32[np.ndarray, "h w"]:
    """The raw numbers of a depth map: uint16 from PNG, uint16 or float32 from TIFF or EXR.

    Raises:
        Unusable: `truncated_depth`, `unreadable_depth`, or `wrong_depth_dtype` when the file holds
            anything but one channel of uint16, int32 or float32.
    """
    if data.startswith(PNG_SIGNATURE):
        raw = _decode_png(data, "depth", where)
        try:
            raw = imagecodecs.png_decode(data) if raw is None else raw
        except (imagecodecs.PngError, ValueError) as error:
            raise _damaged("depth", where, str(error)) from error
    else:
        raw = _decode_cv2(data, cv2.IMREAD_UNCHANGED, "depth", where)
    if raw.ndim != 2 or raw.dtype not in (np.uint16, np.int32, np.float32):
        raise Unusable(
            "wrong_depth_dtype", f"{where}: {raw.dtype} {raw.shape}, expected one uint16 channel"
        )
    return raw.astype(np.float32) if raw.dtype == np.int32 else raw


def image_size(path: File) -> tuple[int, int]:
    """Width and height of an image file; PNG and JPEG are not decoded for this.

    Raises:
        Unusable: `missing_image`, `truncated_image` or `unreadable_image`.
    """
    data = _read(path, "image")
    if data.startswith(PNG_SIGNATURE) and len(data) >= 24:
        width, height = struct.unpack(">II", data[16:24])
        return width, height
    if data.startswith(JPEG_SIGNATURE):
        try:
            height, width, *_ = simplejpeg.decode_jpeg_header(data)
        except ValueError as error:
            raise _damaged("image", str(path), str(error)) from error
        return int(width), int(height)
    height, width = decode_image(data, str(path)).shape[:2]
    return width, height


def _read(path: File, content: Content) -> bytes:
    try:
        return path.read_bytes()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        raise Unusable(f"missing_{content}", str(path)) from error
    except OSError as error:
        raise _damaged(content, str(path), str(error)) from error


def _check_size(array: np.ndarray, size: tuple[int, int], content: Content, where: str) -> None:
    height, width = array.shape[:2]
    if (width, height) != size:
        raise Unusable(
            f"wrong_{content}_size", f"{where}: {width}x{height}, expected {size[0]}x{size[1]}"
        )


def _decode_png(data: bytes, content: Content, where: str) -> np.ndarray | None:
    """The pixels of a PNG of a common kind, None for another one; whole in any case."""
    try:
        return decode_png(read_chunks(data))
    except PngError as error:
        raise _damaged(content, where, str(error), truncated=error.truncated) from error


def _decode_cv2(data: bytes, flags: int, content: Content, where: str) -> np.ndarray:
    if not data:
        raise _damaged(content, where, "the file is empty", truncated=True)
    try:
        found = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error as error:
        raise _damaged(content, where, str(error)) from error
    if found is None:
        raise _damaged(content, where, "no decoder accepts it")
    return found


def _damaged(content: Content, where: str, problem: str, *, truncated: bool = False) -> Unusable:
    return Unusable(
        f"{'truncated' if truncated else 'unreadable'}_{content}", f"{where}: {problem}"
    )
