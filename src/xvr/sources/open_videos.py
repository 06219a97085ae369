"""Video files with what a reader needs of them; the last few stay open for the next read.

Opening a video costs as much as decoding a few frames: its index is read, and a decoder is set up.
Datasets keep many episodes in one file, and an episode is read for its own questions and as the
partner of others.
"""

import os
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import av
from av.container import InputContainer
from av.error import FFmpegError
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from xvr.errors import Unusable
from xvr.sources.archives import File

MAX_KEPT = 12
"""Videos that stay open, per thread; an episode has three to five cameras."""
MAX_KEPT_PIXELS = 1280 * 720
"""Larger videos are closed at once: a decoder keeps up to 17 frames."""


@dataclass(frozen=True, kw_only=True, eq=False)
class OpenVideo:
    """An open file, its first video stream and the index of that stream."""

    path: File
    container: InputContainer
    stream: VideoStream
    sample_ticks: list[int]
    """Time of each sample in the file's index, in ticks; empty where the file has no index."""
    keyframes: list[int]
    """Numbers of the samples that are key frames."""
    reformatter: VideoReformatter
    """Keeps what it needs to convert frames of this size."""
    file: IO[bytes] | None
    """What the container reads, where that is no path."""

    @property
    def tick_s(self) -> float:
        """Seconds per tick."""
        return float(self.stream.time_base or 1)

    def close(self) -> None:
        """Give back the decoder and the file."""
        self.container.close()
        if self.file is not None:
            self.file.close()


@contextmanager
def opened(path: File) -> Iterator[tuple[OpenVideo, bool]]:
    """A video, and whether it was used before, so that its position is anywhere.

    What goes wrong while the block runs is told as `Unusable`, and closes the video.

    Raises:
        Unusable: `missing_video` or `unreadable_video`.
    """
    try:
        key = _key(path)
        kept = _kept.videos.pop(key, None) if key else None
        video = kept or _open(path)
        try:
            yield video, kept is not None
        except BaseException:
            video.close()
            raise
        _keep(key, video)
    except FileNotFoundError as error:
        raise Unusable("missing_video", str(path)) from error
    except (FFmpegError, OSError) as error:
        raise Unusable("unreadable_video", f"{path}: {error}") from error


def close_all() -> None:
    """Close the videos that this thread keeps open."""
    while _kept.videos:
        _kept.videos.popitem()[1].close()


class _Kept(threading.local):
    """Open videos of a thread, the last one used at the end."""

    def __init__(self) -> None:
        self.videos: OrderedDict[tuple, OpenVideo] = OrderedDict()


_kept = _Kept()


def _key(path: File) -> tuple | None:
    """Names a file as it is now; None for what is not kept open.

    A process that forked reads through a file of its own, as the position in a file is shared.
    """
    if not isinstance(path, Path):
        return None
    stat = path.stat()
    return path, stat.st_ino, stat.st_size, stat.st_mtime_ns, os.getpid()


def _keep(key: tuple | None, video: OpenVideo) -> None:
    """Leave a video open, unless it cannot be rewound or is too large."""
    pixels = video.stream.width * video.stream.height
    if key is None or not video.sample_ticks or pixels > MAX_KEPT_PIXELS:
        video.close()
        return
    _kept.videos[key] = video
    if len(_kept.videos) > MAX_KEPT:
        _kept.videos.popitem(last=False)[1].close()


def _open(path: File) -> OpenVideo:
    file = None if isinstance(path, Path) else path.open()
    container = None
    try:
        container = av.open(str(path) if file is None else file, "r")
        if not container.streams.video:
            raise Unusable("unreadable_video", f"{path}: no video stream")
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        entries = [(entry.timestamp, entry.is_keyframe) for entry in stream.index_entries]
    except BaseException:
        if container is not None:
            container.close()
        if file is not None:
            file.close()
        raise
    return OpenVideo(
        path=path,
        container=container,
        stream=stream,
        sample_ticks=[ticks for ticks, _ in entries],
        keyframes=[number for number, (_, is_keyframe) in enumerate(entries) if is_keyframe],
        reformatter=VideoReformatter(),
        file=file,
    )
