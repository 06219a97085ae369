"""Images to bytes: PNG by fpng (OpenCV where fpng has no wheel) and JPEG by libjpeg-turbo.

    data = encode(image, "png")
    data = encode(image, "jpeg", quality=90)

Images are RGB uint8. The same pixels give the same bytes under the same encoder; fpng and OpenCV
write the same pixels as different bytes, and `png_encoder_name` tells which one is at work.
"""

from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from typing import NamedTuple

import cv2
import numpy as np
import simplejpeg
from jaxtyping import UInt8

from xvr.errors import unknown_name


class Encoder(NamedTuple):
    """How one image format is written."""

    extension: str
    """With the dot, such as `.png`."""
    encode: Callable[[UInt8[np.ndarray, "h w 3"], int], bytes]
    """(image, quality) -> bytes; a lossless format ignores the quality."""


def encode(image: UInt8[np.ndarray, "h w 3"], format: str, quality: int = 95) -> bytes:
    """The bytes of an image file.

    Args:
        image: RGB.
        format: a name in `ENCODERS`.
        quality: of JPEG, 1 to 100; PNG is lossless.

    Raises:
        UserError: unknown format.
    """
    if format not in ENCODERS:
        raise unknown_name("image format", format, ENCODERS)
    return ENCODERS[format].encode(image, quality)


def png_encoder_name() -> str:
    """`fpng` where it is installed, otherwise `opencv`."""
    return "opencv" if find_spec("fpng") is None else "fpng"


def _encode_png(image: UInt8[np.ndarray, "h w 3"], quality: int) -> bytes:  # noqa: ARG001
    return _png_function()(image)


def _encode_jpeg(image: UInt8[np.ndarray, "h w 3"], quality: int) -> bytes:
    image = np.ascontiguousarray(image)
    return simplejpeg.encode_jpeg(image, quality, colorspace="RGB", colorsubsampling="420")


@cache
def _png_function() -> Callable[[UInt8[np.ndarray, "h w 3"]], bytes]:
    if png_encoder_name() == "opencv":
        return _encode_png_cv2
    import fpng

    return fpng.from_ndarray


def _encode_png_cv2(image: UInt8[np.ndarray, "h w 3"]) -> bytes:
    # OpenCV's own settings: 16 ms against 21 ms and more for files that are 10 % smaller.
    ok, data = cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    if not ok:
        raise RuntimeError(f"OpenCV could not encode an image of shape {image.shape} as PNG")
    return data.tobytes()


ENCODERS = {
    "png": Encoder(".png", _encode_png),
    "jpeg": Encoder(".jpg", _encode_jpeg),
}
"""Image formats by name."""
