"""The floor of a build: decoding what it shows once, and encoding what it wrote, alone.

Read from the provenance of a built dataset: every source image shown (and its depth map, where the
source has one) is decoded once by the engine's own decoders, then one image is encoded for each
written one. No geometry, question, mark or file is made. Opening a scene or an episode (poses,
parquet rows) is not counted.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from measure import least_cpu_s

from xvr.dataset.encode import encode
from xvr.engine.config import BuildConfig
from xvr.engine.executor import prepare_process
from xvr.sources import index, load, parse_source
from xvr.sources.open_videos import close_all
from xvr.sources.records import Episode, Image, Ref, Scene

Shown = Counter[tuple[str, str, int]]
"""How often (scene or episode, camera role or "", frame) was written."""


@dataclass(frozen=True, kw_only=True)
class Floor:
    """CPU seconds of the two unavoidable halves, and how much they are for."""

    decode_s: float
    encode_s: float
    written: int
    decoded: int
    """Different images shown."""

    @property
    def total_s(self) -> float:
        """Both halves."""
        return self.decode_s + self.encode_s


def measure_floor(dataset: Path, config: BuildConfig) -> Floor:
    """Decode and encode as the finished dataset requires, several times; the least time counts."""
    prepare_process()
    by_subject: dict[str, Shown] = defaultdict(Counter)
    for key, count in _shown(dataset / "provenance/train.jsonl").items():
        by_subject[key[0]][key] = count
    refs = {ref.id: ref for text in config.sources for ref in index(parse_source(text))}
    decoders = [_decoder(refs[subject], shown) for subject, shown in by_subject.items()]

    def decode() -> None:
        close_all()  # a video is opened once, as an engine must
        for each in decoders:
            each()

    def encode_all() -> None:
        for images, shown in decoded:
            _encode(images, shown, config)

    decoded = [(each(), shown) for each, shown in zip(decoders, by_subject.values(), strict=True)]
    return Floor(
        decode_s=least_cpu_s(decode),
        encode_s=least_cpu_s(encode_all),
        written=sum(sum(shown.values()) for shown in by_subject.values()),
        decoded=sum(len(shown) for shown in by_subject.values()),
    )


def _shown(provenance: Path) -> Shown:
    shown: Shown = Counter()
    for line in provenance.read_text().splitlines():
        record: dict[str, Any] = json.loads(line)
        source = record["source"]
        own = source.get("scene") or source["episode"]
        for image in record["images"]:
            partner = image.get("episode", 0)
            subject = source["episodes"][partner] if partner else own
            shown[subject, image.get("role", ""), image["frame_index"]] += 1
    return shown


def _decoder(ref: Ref, shown: Shown) -> Callable[[], dict[tuple[str, str, int], Image]]:
    subject = load(ref)
    return lambda: (
        _decode_scene(subject, shown)
        if isinstance(subject, Scene)
        else _decode_episode(subject, shown)
    )


def _decode_scene(scene: Scene, shown: Shown) -> dict[tuple[str, str, int], Image]:
    images = {}
    for view in scene.views:
        key = (scene.id, "", view.frame_index)
        if key in shown:
            images[key] = view.read_image()
            if view.read_depth is not None:
                view.read_depth()
    return images


def _decode_episode(episode: Episode, shown: Shown) -> dict[tuple[str, str, int], Image]:
    images = {}
    for camera in episode.cameras:
        frames = sorted(frame for _, role, frame in shown if role == camera.role)
        found = camera.read_frames(frames) if frames else []
        for frame, image in zip(frames, found, strict=True):
            images[episode.id, camera.role, frame] = image
    return images


def _encode(images: dict[tuple[str, str, int], Image], shown: Shown, config: BuildConfig) -> None:
    for key, count in shown.items():
        for _ in range(count):
            encode(images[key], config.image_format, config.jpeg_quality)
