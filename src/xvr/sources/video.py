"""Frames of a video file by time or by number, exact and in one forward pass.

A time is the presentation time that the container gives, so variable frame rates, B-frames, edit
lists and start offsets need no guessing. The pass seeks only when that skips decoding, drops
frames that nothing refers to while they are not wanted, and converts only wanted frames to RGB.
It uses one thread: runs parallelise over episodes.

    images = read_frames(Path("episode_000000.mp4"), [0.0, 0.5, 12.3], tolerance_s=0.005)
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from av.error import InvalidDataError
from av.video.frame import VideoFrame
from jaxtyping import Float, UInt8

from xvr.errors import Unusable
from xvr.sources.archives import File
from xvr.sources.open_videos import OpenVideo, opened

EXACT_S = 1e-4
"""A frame this near to its target is the one; times stored as float32 are off by up to 3e-5 s."""
SKIPPING_DECODERS = ("h264", "hevc")
"""Decoders that look at `skip_frame` for each packet; dav1d keeps its first value for ever."""
Image = UInt8[np.ndarray, "h w 3"]

SEEK_GAIN_FRAMES = 2
"""A seek costs about as much as decoding this many frames (flush and refill of the decoder)."""


def read_frames(path: File, times_s: Sequence[float], tolerance_s: float) -> list[Image]:
    """The frames shown nearest to the given times.

    Args:
        path: a video that FFmpeg reads, on disk or in an archive; its first video stream is used.
        times_s: ascending presentation times, seconds.
        tolerance_s: how far the nearest frame may be, seconds.

    Raises:
        ValueError: the times do not ascend.
        Unusable: `missing_video`, `unreadable_video` (also when it ends before its own duration)
            or `frame_time_mismatch`.
    """
    times = [float(time) for time in times_s]
    if times != sorted(times):
        raise ValueError(f"times must ascend, got {times}")
    if not times:
        return []
    with opened(path) as (video, used):
        return _Pass(video, used=used).run(times, tolerance_s)


def read_by_index(path: File, indices: Sequence[int]) -> list[Image]:
    """The frames with the given ascending numbers, counted from 0 in order of presentation.

    Raises:
        ValueError: the numbers do not ascend.
        Unusable: as `read_frames`; `frame_time_mismatch` when there are fewer frames.
    """
    times = frame_times(path)
    if len(indices) and not 0 <= min(indices) <= max(indices) < len(times):
        raise Unusable(
            "frame_time_mismatch", f"{path}: {len(times)} frames, asked for {max(indices)}"
        )
    gap = float(np.diff(times).min()) if len(times) > 1 else 1.0
    return read_frames(path, times[list(indices)].tolist(), tolerance_s=gap / 4)


def frame_times(path: File) -> Float[np.ndarray, " n"]:
    """Presentation times of all frames, ascending seconds; nothing is decoded.

    Raises:
        Unusable: `missing_video` or `unreadable_video`.
    """
    with opened(path) as (video, used):
        if used:
            video.container.seek(video.sample_ticks[0], stream=video.stream)
        ticks = [
            packet.pts
            for packet in video.container.demux(video.stream)
            if packet.pts is not None and not packet.is_discard
        ]
        return np.sort(np.array(ticks, dtype=np.float64)) * float(video.stream.time_base or 0)


class VideoInfo(NamedTuple):
    """What the header of a video says."""

    frames: int
    fps: float
    size: tuple[int, int]
    """Width and height, pixels."""


def probe(path: File) -> VideoInfo:
    """Number, rate and size of the frames; nothing is decoded.

    Raises:
        Unusable: `missing_video` or `unreadable_video`.
    """
    with opened(path) as (video, _):
        stream = video.stream
        if not stream.average_rate:
            raise Unusable("unreadable_video", f"{path}: no frame rate")
        fps = float(stream.average_rate)
        return VideoInfo(stream.frames, fps, (stream.width, stream.height))


class _Pass:
    """One forward pass over a stream; times inside are ticks of its time base."""

    def __init__(self, video: OpenVideo, *, used: bool) -> None:
        self.video = video
        self.path = video.path
        self.stream = video.stream
        self.tick_s = video.tick_s
        self.sample_ticks = video.sample_ticks
        self.keyframes = video.keyframes
        self.wanted: list[float] = []
        self.tolerance = 0.0
        self.elsewhere = used
        """Whether the file stands where another pass left it."""
        self.reached = -1
        """Number of the last sample given to the decoder."""
        self.frames = self._decode()

    def run(self, times_s: Sequence[float], tolerance_s: float) -> list[Image]:
        self.tolerance = tolerance_s / self.tick_s
        self.wanted = [time / self.tick_s for time in times_s]
        exact = min(self.tolerance, EXACT_S / self.tick_s)
        images: list[Image] = []
        before: VideoFrame | None = None
        frame: VideoFrame | None = None
        shown: VideoFrame | None = None
        for target in self.wanted:
            if self._skip_to(target):
                before, frame = None, self._first_not_after(target)
            while frame is None or _ticks(frame) < target - exact:
                before, frame = frame, next(self.frames, None)
                if frame is None:
                    break
            nearest = self._nearest(before, frame, target)
            if nearest is not shown or not images:
                images.append(_to_rgb(nearest, self.video))
            else:
                images.append(images[-1].copy())
            shown, frame = nearest, frame or before
        return images

    def _decode(self) -> Iterator[VideoFrame]:
        """Frames from the current position on, without unwanted ones that nothing refers to."""
        context = self.stream.codec_context
        can_skip = context.name in SKIPPING_DECODERS
        skipping: bool | None = None
        for packet in self.video.container.demux(self.stream):
            if packet.pts is not None:
                unwanted = can_skip and not self._is_wanted(packet.pts)
                if unwanted is not skipping:
                    context.skip_frame = "NONREF" if unwanted else "DEFAULT"
                    skipping = unwanted
                decoded = packet.pts if packet.dts is None else packet.dts
                self.reached = bisect_left(self.sample_ticks, decoded)
            yield from packet.decode()

    def _is_wanted(self, ticks: int) -> bool:
        number = bisect_left(self.wanted, ticks - self.tolerance)
        return number < len(self.wanted) and self.wanted[number] <= ticks + self.tolerance

    def _skip_to(self, target: float) -> bool:
        """Seek to the last keyframe before the target when that saves decoding."""
        sample = bisect_left(self.sample_ticks, target + self.tolerance) - 1
        number = bisect_left(self.keyframes, sample + 1) - 1
        if self.elsewhere:
            self._seek(round(target) if number >= 0 else self.sample_ticks[0])
            return True
        if number < 0 or self.keyframes[number] - self.reached <= SEEK_GAIN_FRAMES:
            return False
        self._seek(round(target))
        return True

    def _seek(self, ticks: int) -> None:
        self.video.container.seek(ticks, stream=self.stream)
        self.elsewhere = False
        self.frames = self._decode()

    def _first_not_after(self, target: float) -> VideoFrame | None:
        """The first frame after a seek; keyframes are tried backwards until it is early enough.

        Frames that precede a keyframe in time but follow it in the file need the one before.
        """
        number = bisect_left(self.sample_ticks, target + self.tolerance) - 1
        for keyframe in reversed([k for k in self.keyframes if k <= number]):
            frame = next(self.frames, None)
            if frame is not None and _ticks(frame) <= target + self.tolerance:
                return frame
            self._seek(self.sample_ticks[keyframe] - 1)
        return next(self.frames, None)

    def _nearest(
        self, before: VideoFrame | None, after: VideoFrame | None, target: float
    ) -> VideoFrame:
        frames = [frame for frame in (before, after) if frame is not None]
        nearest = min(frames, key=lambda frame: abs(_ticks(frame) - target), default=None)
        if nearest is not None and abs(_ticks(nearest) - target) <= self.tolerance:
            return nearest
        target_s = target * self.tick_s
        end = (self.stream.start_time or 0) + (self.stream.duration or 0)
        if after is None and target < end - self.tolerance:
            raise Unusable(
                "unreadable_video",
                f"{self.path}: no frame at {target_s:.3f} s although it lasts "
                f"{end * self.tick_s:.3f} s",
            )
        found = "none" if nearest is None else f"{_ticks(nearest) * self.tick_s:.6f} s"
        raise Unusable(
            "frame_time_mismatch", f"{self.path}: nearest frame to {target_s:.6f} s is {found}"
        )


def _ticks(frame: VideoFrame) -> int:
    if frame.pts is None:
        raise InvalidDataError(0, "a frame has no presentation time")
    return frame.pts


def _to_rgb(frame: VideoFrame, video: OpenVideo) -> Image:
    if frame.is_corrupt:
        raise Unusable("unreadable_video", f"{video.path}: the frame at {frame.time} s is damaged")
    return video.reformatter.reformat(frame, format="rgb24", threads=1).to_ndarray()
