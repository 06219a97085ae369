"""H.264 video files as LeRobot datasets hold them: written frame by frame, joined without loss.

Constant frame rate, yuv420p, a key frame every other frame (fast random access, as LeRobot's own
encoder does) and one thread, so that the same pictures give the same bytes.
"""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from jaxtyping import UInt8

from xvr.sim.lerobot_stats import PICTURE_STEP, Stats, picture_stats

_OPTIONS = {
    "crf": "23",
    "g": "2",
    "bf": "0",
    "preset": "veryfast",
    "threads": "1",
    "x264-params": "log-level=error",
}


class VideoFile:
    """One MP4 file while it is written."""

    def __init__(self, path: Path, fps: int, shape: Sequence[int]) -> None:
        """Opens `path` for pictures of `shape` (height, width, 3)."""
        self._shape = tuple(shape)
        self._container = av.open(str(path), "w")
        self._stream = self._container.add_stream("libx264", rate=fps, options=dict(_OPTIONS))
        self._stream.height, self._stream.width = self._shape[:2]
        self._stream.pix_fmt = "yuv420p"
        self._fps, self._count = fps, 0
        self._sample: list[UInt8[np.ndarray, "h w 3"]] = []

    def add(self, picture: UInt8[np.ndarray, "h w 3"]) -> None:
        """Encodes the next frame.

        Raises:
            ValueError: it has another size.
        """
        if picture.shape != self._shape:
            raise ValueError(f"expected a picture of {self._shape}, got {picture.shape}")
        if self._count % PICTURE_STEP == 0:
            self._sample.append(picture)
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame.pts, frame.time_base = self._count, Fraction(1, self._fps)
        self._count += 1
        self._container.mux(self._stream.encode(frame))

    def close(self) -> Stats:
        """Finishes the file and returns the statistics of its pictures."""
        self._container.mux(self._stream.encode(None))
        self._container.close()
        return picture_stats(self._sample)


def join_videos(parts: Sequence[Path], lengths: Sequence[int], fps: int, target: Path) -> None:
    """Writes the parts one after the other into `target` without encoding them again.

    Args:
        parts: files of `VideoFile` with the same size and frame rate.
        lengths: their numbers of frames.
        fps: frames per second.
        target: file to write.
    """
    start = 0
    with av.open(str(target), "w") as container:
        stream = None
        for part, length in zip(parts, lengths, strict=True):
            with av.open(str(part)) as source:
                video = source.streams.video[0]
                if stream is None:
                    stream = container.add_stream_from_template(video)
                base = video.time_base
                if base is None:
                    raise ValueError(f"{part}: video without a time base")
                shift = round(Fraction(start, fps) / base)
                for packet in source.demux(video):
                    if packet.pts is None or packet.dts is None:
                        continue  # the empty packet that ends the stream
                    packet.pts += shift
                    packet.dts += shift
                    packet.stream = stream
                    container.mux(packet)
            start += length
