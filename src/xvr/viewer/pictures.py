"""The images of a page: decoded from the dataset, made smaller, embedded as JPEG or put beside it.

One embedded image serves as thumbnail, as enlargement and as texture in 3D. Its width is the
largest one at which all images of the page stay within a budget.
"""

import base64
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import cv2
import numpy as np
import simplejpeg

from xvr.dataset.encode import encode
from xvr.errors import Unusable, UserError
from xvr.sources.pixels import JPEG_END, decode_image, image_kind
from xvr.sources.records import Image

BUDGET_BYTES = 14_000_000
"""Of JPEG; base64 makes a third more of it."""


class _Grade(NamedTuple):
    width_px: int
    quality: int


_BESIDE = _Grade(480, 74)
_WIDEST_COPIED_PX = 640
"""A whole JPEG up to this width goes beside the page as it is: decoding is what takes the time."""
_GRADES = (_Grade(640, 80), _Grade(560, 76), _Grade(480, 74), _Grade(400, 72), _Grade(320, 70))
"""Tried in turn; the last one is taken even if it is over the budget."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Picture:
    """One embedded image, or the reason why there is none."""

    jpeg: bytes = b""
    width: int = 0
    """Pixels of the embedded image."""
    height: int = 0
    problem: str = ""
    place: str = ""
    """Of the file, relative to the page, where it is not embedded."""

    @property
    def uri(self) -> str:
        """The image as a data URI, or where it is."""
        if self.place:
            return self.place
        return "data:image/jpeg;base64," + base64.b64encode(self.jpeg).decode()

    @property
    def pixels(self) -> Image:
        """The image decoded again."""
        return decode_image(self.jpeg, "embedded image")


def embed(
    read: Callable[[str], bytes], urls: Iterable[str], *, budget_bytes: int = BUDGET_BYTES
) -> Mapping[str, Picture]:
    """Pictures by url; an image that cannot be read has a problem in its place.

    Args:
        read: gives the file of a url, or raises `UserError`.
        urls: of all images of the page.
        budget_bytes: of JPEG; kept to unless even the smallest grade needs more.
    """
    urls = list(dict.fromkeys(urls))
    pictures: dict[str, Picture] = {}
    for grade in _GRADES:
        total, pictures = 0, {}
        for url in urls:
            pictures[url] = _embed(read, url, grade)
            total += len(pictures[url].jpeg)
            if total > budget_bytes and grade is not _GRADES[-1]:
                break
        else:
            break
    return pictures


def put_beside(
    page: Path,
    read: Callable[[str], bytes],
    urls: Iterable[str],
    progress: Callable[[int, int], None] | None = None,
) -> Mapping[str, Picture]:
    """As `embed`, for many images: each is a file in a folder beside the page.

    Args:
        page: that will show them; the folder has its name, as `report_images` of `report.html`.
        read: gives the file of a url, or raises `UserError`.
        urls: of all images of the page.
        progress: told how many are written.
    """
    folder = page.with_name(f"{page.stem}_images")
    folder.mkdir(parents=True, exist_ok=True)
    urls = list(dict.fromkeys(urls))
    pictures = {}
    for number, url in enumerate(urls, start=1):
        picture = _copied(read, url) or _embed(read, url, _BESIDE)
        if not picture.problem:
            name = f"{number:06}.jpg"
            (folder / name).write_bytes(picture.jpeg)
            picture = replace(picture, jpeg=b"", place=f"{quote(folder.name)}/{name}")
        pictures[url] = picture
        if progress:
            progress(number, len(urls))
    return pictures


def _copied(read: Callable[[str], bytes], url: str) -> Picture | None:
    """The file of an image as it is; None where it must be made smaller, or tells a problem."""
    with suppress(UserError, ValueError):
        data = read(url)
        if image_kind(data) == "jpeg" and data.endswith(JPEG_END):
            height, width = map(int, simplejpeg.decode_jpeg_header(data)[:2])
            if width <= _WIDEST_COPIED_PX:
                return Picture(jpeg=data, width=width, height=height)
    return None


def _embed(read: Callable[[str], bytes], url: str, grade: _Grade) -> Picture:
    try:
        image = decode_image(read(url), url)
    except (UserError, Unusable) as error:
        return Picture(problem=str(error))
    height, width = image.shape[:2]
    if width > grade.width_px:
        size = (grade.width_px, max(1, round(height * grade.width_px / width)))
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    height, width = image.shape[:2]
    jpeg = encode(np.ascontiguousarray(image), "jpeg", grade.quality)
    return Picture(jpeg=jpeg, width=width, height=height)
