"""Writes small videos whose frames carry their number in black and white blocks."""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

WIDTH, HEIGHT, BLOCK = 96, 64, 8
MILLISECOND = Fraction(1, 1000)

QUALITY = {
    "libx264": {"preset": "medium", "crf": "18"},
    "libx265": {"preset": "fast", "crf": "18", "x265-params": "log-level=none:pools=1"},
    "libsvtav1": {"preset": "12", "crf": "20", "svtav1-params": "lp=1"},
}
"""Encoder options; B-frames are on where the codec has them."""


def coded_frame(number: int) -> np.ndarray:
    """A grey gradient with 12 blocks at the top that spell the number in binary."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    frame = np.stack([(x + number) % 128 + 60, y + 60, (x + y) // 2 + 60], -1).astype(np.uint8)
    for bit in range(12):
        frame[:BLOCK, bit * BLOCK : (bit + 1) * BLOCK] = 255 * (number >> bit & 1)
    return frame


def code_of(frame: np.ndarray) -> int:
    """The number that a decoded frame spells."""
    blocks = frame[2 : BLOCK - 2, :, 0].reshape(BLOCK - 4, 12, BLOCK)[:, :, 2:-2]
    return sum(int(white) << bit for bit, white in enumerate(blocks.mean(axis=(0, 2)) > 128))


def write_video(path: Path, numbers: Sequence[int], **options: Any) -> None:
    """Encode coded frames; options as of `write_frames`."""
    write_frames(path, [coded_frame(number) for number in numbers], **options)


def write_frames(
    path: Path,
    frames: Sequence[np.ndarray],
    fps: int = 20,
    codec: str = "libx264",
    gop: int = 10,
    ticks: Iterable[int] | None = None,
    faststart: bool = False,
) -> None:
    """Encode RGB frames; `ticks` are their times in milliseconds instead of 1 / fps."""
    path.parent.mkdir(parents=True, exist_ok=True)
    container_options = {"movflags": "faststart"} if faststart else {}
    times = None if ticks is None else list(ticks)
    with av.open(str(path), "w", options=container_options) as container:
        stream = container.add_stream(codec, rate=fps, options=QUALITY[codec])
        stream.height, stream.width = frames[0].shape[:2] if frames else (HEIGHT, WIDTH)
        stream.pix_fmt = "yuv420p"
        stream.codec_context.gop_size = gop
        stream.codec_context.thread_count = 1
        for order, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            if times is not None:
                frame.pts = times[order]
                frame.time_base = MILLISECOND
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def cut_video(source: Path, target: Path, first: int) -> None:
    """Copy without encoding from a frame on: the packets before it stay, hidden by an edit list."""
    with av.open(str(source)) as reader, av.open(str(target), "w") as writer:
        stream = reader.streams.video[0]
        copy = writer.add_stream_from_template(stream)
        assert stream.time_base is not None
        assert stream.average_rate is not None
        shift = round(first / stream.average_rate / stream.time_base)
        for packet in reader.demux(stream):
            if packet.pts is None or packet.dts is None:
                continue
            packet.pts -= shift
            packet.dts -= shift
            packet.stream = copy
            writer.mux(packet)
