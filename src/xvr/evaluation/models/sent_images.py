"""Images as a server takes them: the file itself, or a smaller one, as a data URI."""

import base64

import cv2
import numpy as np
import simplejpeg

from xvr.dataset.encode import encode
from xvr.errors import Unusable, UserError
from xvr.evaluation.item import Picture
from xvr.sources.pixels import decode_image, image_kind

JPEG_QUALITY = 95


def data_uri(picture: Picture, max_pixels: int | None = None) -> str:
    """`data:image/jpeg;base64,...`: the bytes of the file, untouched where they need not shrink.

    Args:
        picture: JPEG, PNG, GIF or WebP.
        max_pixels: a larger image is reduced to at most so many, in the same proportions, and
            encoded again: JPEG as JPEG of quality 95, all others as PNG.

    Raises:
        UserError: another format, or an image that cannot be reduced as it is damaged.
    """
    data = picture.read()
    kind = _kind(data, picture.name)
    if max_pixels is not None and (reduced := _reduced(data, kind, picture.name, max_pixels)):
        kind = "jpeg" if kind == "jpeg" else "png"
        data = reduced
    return f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}"


def _kind(data: bytes, name: str) -> str:
    if kind := image_kind(data):
        return kind
    raise UserError(f"image {name}: servers take JPEG, PNG, GIF and WebP; convert it")


def _reduced(data: bytes, kind: str, name: str, max_pixels: int) -> bytes | None:
    """The smaller image; None where it is small enough already."""
    try:
        if kind == "jpeg":  # the header is a thousand times cheaper than the image
            height, width, *_ = simplejpeg.decode_jpeg_header(data, strict=False)
            if int(height) * int(width) <= max_pixels:
                return None
        image = decode_image(data, name)
    except (Unusable, ValueError) as error:
        raise UserError(f"image {name}: {error}; restore the file") from error
    height, width = image.shape[:2]
    if height * width <= max_pixels:
        return None
    scale = np.sqrt(max_pixels / (height * width))
    size = max(1, int(width * scale)), max(1, int(height * scale))
    smaller = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    return encode(smaller, "jpeg" if kind == "jpeg" else "png", JPEG_QUALITY)
