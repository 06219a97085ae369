"""Every frame decoded once, at the size that the policy sees, and mapped from disk from then on.

One `.npy` of uint8 (t, height, width, 3) per camera of an episode, named by the content of its
video and the frames taken. A file has its name only when it is whole, so that a run that was killed
goes on where it stopped, and several runs share what they have in common.

    frames = FrameStore(cache_folder() / "frames")
    demonstrations = frames.fill(demonstrations, workers=4)
    frames.read(episode, "left_view", 17, camera)
"""

import io
import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8

from xvr.dataset import atomic
from xvr.errors import Unusable, UserError
from xvr.vla.contract import CameraSpec
from xvr.vla.data.demonstrations import Demonstration, Demonstrations, Pictures, Skipped
from xvr.vla.resize import to_size

VERSION = 1
"""Part of the names: a change of decoding or resizing makes other files."""
BLOCK = 128
"""Frames that are held in memory at once."""
OPEN = 256
"""Files that stay mapped."""


def cache_folder() -> Path:
    """Where decoded frames and features are kept: `$XDG_CACHE_HOME/xvr`, else `~/.cache/xvr`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "xvr"


class Wanted(NamedTuple):
    """One file of frames that is to be there."""

    episode: str
    pictures: Pictures
    frames: int
    camera: CameraSpec
    path: Path


class FrameStore:
    """Decoded frames below a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._open = lru_cache(maxsize=OPEN)(_mapped)
        self._paths: dict[tuple[str, str], Path] = {}

    def path(self, pictures: Pictures, camera: CameraSpec) -> Path:
        """Where the frames of a camera in an episode are, or will be."""
        key = pictures.key()
        name = f"{key}_{camera.height}x{camera.width}_v{VERSION}.npy"
        return self.folder / key[:2] / name

    def fill(
        self,
        demonstrations: Demonstrations,
        *,
        workers: int = 1,
        progress: Callable[[int, int], None] = lambda done, total: None,  # noqa: ARG005
    ) -> Demonstrations:
        """Decode what is missing; episodes whose pictures cannot be read are skipped.

        Args:
            demonstrations: whose pictures are wanted.
            workers: processes that decode.
            progress: called with the files that are there and their number.

        Raises:
            UserError: the disk has no room, or no episode is left.
        """
        wanted = list(self._wanted(demonstrations))
        missing = [one for one in wanted if not one.path.exists()]
        self._check_room(missing)
        progress(len(wanted) - len(missing), len(wanted))
        failed: dict[str, Skipped] = {}
        for done, skipped in enumerate(_decoded(missing, workers), start=1):
            if skipped is not None:
                failed.setdefault(skipped.episode, skipped)
            progress(len(wanted) - len(missing) + done, len(wanted))
        kept = tuple(one for one in demonstrations.episodes if one.id not in failed)
        if not kept:
            first = next(iter(failed.values()))
            raise UserError(
                f"the pictures of no episode can be read: {first.episode}: {first.reason}: "
                f"{first.detail}"
            )
        skips = (*demonstrations.skipped, *failed.values())
        return replace(demonstrations, episodes=kept, skipped=skips)

    def read(
        self, episode: Demonstration, frame: int, camera: CameraSpec
    ) -> UInt8[np.ndarray, "h w 3"]:
        """One frame of a filled store."""
        place = (episode.id, camera.name)
        if place not in self._paths:
            self._paths[place] = self.path(episode.pictures[camera.name], camera)
        return self._open(self._paths[place])[frame]

    def _wanted(self, demonstrations: Demonstrations) -> Iterator[Wanted]:
        for episode in demonstrations.episodes:
            for camera in demonstrations.cameras:
                pictures = episode.pictures[camera.name]
                path = self.path(pictures, camera)
                self._paths[episode.id, camera.name] = path
                yield Wanted(episode.id, pictures, len(episode), camera, path)

    def _check_room(self, missing: list[Wanted]) -> None:
        needed = sum(one.frames * one.camera.height * one.camera.width * 3 for one in missing)
        if not missing:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(self.folder).free
        if needed > free:
            raise UserError(
                f"decoded frames need {needed / 1e9:.1f} GB in {self.folder}, where "
                f"{free / 1e9:.1f} GB are free: choose another --cache, fewer episodes or a "
                "smaller --image-size"
            )


def _decoded(missing: list[Wanted], workers: int) -> Iterator[Skipped | None]:
    if workers <= 1 or len(missing) < 2:
        yield from map(_decode, missing)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        try:
            yield from pool.map(_decode, missing)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _decode(wanted: Wanted) -> Skipped | None:
    """Write one file; what is wrong with the video comes back."""
    wanted.path.parent.mkdir(parents=True, exist_ok=True)
    try:
        atomic.write_chunks(wanted.path, _content(wanted), writer=f".{os.getpid()}")
    except Unusable as error:
        return Skipped(wanted.episode, error.reason, error.detail)
    return None


def _content(wanted: Wanted) -> Iterator[bytes]:
    height, width = wanted.camera.height, wanted.camera.width
    header = io.BytesIO()
    description = {
        "descr": "|u1",
        "fortran_order": False,
        "shape": (wanted.frames, height, width, 3),
    }
    np.lib.format.write_array_header_1_0(header, description)
    yield header.getvalue()
    for start in range(0, wanted.frames, BLOCK):
        numbers = range(start, min(start + BLOCK, wanted.frames))
        for image in wanted.pictures.read(numbers):
            yield np.ascontiguousarray(to_size(image, height, width)).tobytes()


def _mapped(path: Path) -> UInt8[np.ndarray, "t h w 3"]:
    return np.load(path, mmap_mode="r")
