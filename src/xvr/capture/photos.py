"""Photographs to reconstruct a scene from: a folder of them, or the sharpest frames of a video."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
from av.error import FFmpegError
from jaxtyping import UInt8

from xvr.errors import UserError

PHOTOS = (".jpg", ".jpeg", ".png")
GRAY_WIDTH_PX = 320


def gather_photos(photos: Path, frames: int, out: Path) -> list[str]:
    """Put photographs into a folder and return their names, sorted.

    Args:
        photos: a folder of JPEG and PNG files, which are copied as they are, or a video.
        frames: how many frames of a video are taken.
        out: folder that exists.

    Raises:
        UserError: there is none, or the video cannot be read.
    """
    if photos.is_dir():
        found = sorted(file for file in photos.iterdir() if file.suffix.lower() in PHOTOS)
        if not found:
            raise UserError(f"{photos} holds no photograph ({', '.join(PHOTOS)})")
        for file in found:
            shutil.copyfile(file, out / file.name)
        return [file.name for file in found]
    if not photos.is_file():
        raise UserError(f"{photos} does not exist; give a folder of photographs or a video")
    names = []
    for number, image in sharpest_frames(photos, frames):
        name = f"{number:06d}.png"
        cv2.imwrite(str(out / name), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        names.append(name)
    return names


def sharpest_frames(video: Path, count: int) -> Iterator[tuple[int, UInt8[np.ndarray, "h w 3"]]]:
    """Numbers and frames of a video, the sharpest of each of `count` equal stretches.

    Sharpness is the variance of the Laplacian (Pech-Pacheco et al., ICPR 2000) at a width of 320
    pixels. The video is decoded twice and never held in memory.

    Raises:
        UserError: the file is no video, or it is damaged.
    """
    sharpness = [_sharpness(image) for image in _frames(video)]
    stretches = np.array_split(np.array(sharpness), min(count, len(sharpness)))
    starts = np.cumsum([0, *map(len, stretches[:-1])])
    chosen = {int(start + s.argmax()) for start, s in zip(starts, stretches, strict=True)}
    for number, image in enumerate(_frames(video)):
        if number in chosen:
            yield number, image


def _frames(video: Path) -> Iterator[UInt8[np.ndarray, "h w 3"]]:
    try:
        with av.open(str(video)) as container:
            if not container.streams.video:
                raise UserError(f"{video} has no picture")
            for frame in container.decode(container.streams.video[0]):
                yield frame.to_ndarray(format="rgb24")
    except FFmpegError as error:
        raise UserError(f"{video} cannot be read as a video: {error}") from error


def _sharpness(image: UInt8[np.ndarray, "h w 3"]) -> float:
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    height = max(1, round(GRAY_WIDTH_PX * gray.shape[0] / gray.shape[1]))
    gray = cv2.resize(gray, (GRAY_WIDTH_PX, height), interpolation=cv2.INTER_AREA)
    return float(cv2.Laplacian(gray, cv2.CV_32F).var())
