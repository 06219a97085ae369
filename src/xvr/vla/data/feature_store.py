"""Features of a frozen backbone, computed once and mapped from disk from then on.

Two files per episode, named by what the backbone is, where it is tapped, what it reads and sees:
`<key>.json` (which tokens are parts of pictures, the kind of numbers) and, last,
`<key>.npy` with (t, s, width). bfloat16 is kept as the 16 bits that it is.
"""

import hashlib
import io
import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from xvr.dataset import atomic
from xvr.errors import UserError
from xvr.vla.data.demonstrations import Demonstration, Demonstrations
from xvr.vla.data.frames import FrameStore
from xvr.vla.features import Features

VERSION = 1
"""Part of the names: a change of what is written makes other files."""
BLOCK = 16
"""Frames that the backbone sees at once."""


class FeatureStore:
    """Features of all frames of demonstrations."""

    def __init__(
        self,
        folder: Path,
        backbone: Any,
        frames: FrameStore,
        demonstrations: Demonstrations,
        read_as: Callable[[str], str],
        device: str,
    ) -> None:
        """Nothing is computed yet.

        Args:
            folder: where features are kept.
            backbone: frozen; has `identity`, which tells two of them apart.
            frames: filled.
            demonstrations: whose frames are wanted.
            read_as: what the backbone reads for an instruction.
            device: of the backbone.
        """
        self.folder, self.backbone, self.frames = folder, backbone, frames
        self.demonstrations, self.read_as, self.device = demonstrations, read_as, device
        self._paths: dict[str, Path] = {}
        self._open = lru_cache(maxsize=256)(_mapped)

    def fill(self, progress: Callable[[int, int], None]) -> None:
        """Compute what is missing, episode by episode.

        Raises:
            UserError: the disk has no room.
        """
        episodes = self.demonstrations.episodes
        missing = [episode for episode in episodes if not self._path(episode).exists()]
        progress(len(episodes) - len(missing), len(episodes))
        self.folder.mkdir(parents=True, exist_ok=True)
        for done, episode in enumerate(missing, start=1):
            self._compute(episode, sum(map(len, missing[done - 1 :])))
            progress(len(episodes) - len(missing) + done, len(episodes))

    def read(self, places: Sequence[tuple[int, int]]) -> Features:
        """Features of frames (episode, frame), padded to the longest."""
        rows, kinds = [], []
        for number, frame in places:
            tokens, is_image = self._open(self._path(self.demonstrations.episodes[number]))
            rows.append(tokens[frame])
            kinds.append(is_image)
        length = max(map(len, rows))
        tokens = torch.zeros((len(rows), length, rows[0].shape[-1]), dtype=rows[0].dtype)
        mask = torch.zeros((len(rows), length), dtype=torch.bool)
        is_image = torch.zeros_like(mask)
        for i, (row, kind) in enumerate(zip(rows, kinds, strict=True)):
            tokens[i, : len(row)], mask[i, : len(row)], is_image[i, : len(row)] = row, True, kind
        return Features(tokens=tokens, mask=mask, is_image=is_image)

    def _path(self, episode: Demonstration) -> Path:
        if episode.id not in self._paths:
            cameras = self.demonstrations.cameras
            names = [self.frames.path(episode.pictures[c.name], c).name for c in cameras]
            parts = (VERSION, self.backbone.identity, self.read_as(episode.instruction), names)
            key = hashlib.sha256(repr(parts).encode()).hexdigest()
            self._paths[episode.id] = self.folder / key[:2] / f"{key}.npy"
        return self._paths[episode.id]

    def _compute(self, episode: Demonstration, frames_left: int) -> None:
        path = self._path(episode)
        path.parent.mkdir(parents=True, exist_ok=True)
        blocks = self._blocks(episode)
        first = next(blocks)
        self._check_room(first, frames_left)
        note = {
            "dtype": str(first.tokens.dtype).removeprefix("torch."),
            "is_image": first.is_image[0].tolist(),
        }
        writer = f".{os.getpid()}"
        atomic.write_bytes(path.with_suffix(".json"), json.dumps(note).encode(), writer=writer)
        atomic.write_chunks(path, _content(first, blocks, len(episode)), writer=writer)

    def _blocks(self, episode: Demonstration) -> Iterator[Features]:
        text = self.read_as(episode.instruction)
        for start in range(0, len(episode), BLOCK):
            numbers = range(start, min(start + BLOCK, len(episode)))
            images = {
                camera.name: np.stack([self.frames.read(episode, n, camera) for n in numbers])
                for camera in self.demonstrations.cameras
            }
            with torch.no_grad():
                inputs = self.backbone.prepare(images, [text] * len(numbers))
                features = self.backbone({k: v.to(self.device) for k, v in inputs.items()})
            assert bool(features.mask.all()), "frames of one episode have tokens of one number"
            yield features.to("cpu")

    def _check_room(self, first: Features, frames: int) -> None:
        tokens = first.tokens
        needed = frames * tokens[0].numel() * tokens.element_size()
        free = shutil.disk_usage(self.folder).free
        if needed > free:
            raise UserError(
                f"features need {needed / 1e9:.1f} GB in {self.folder}, where {free / 1e9:.1f} GB "
                "are free: choose another --cache, or --no-cache-features to compute them in "
                "every step"
            )


def _content(first: Features, rest: Iterator[Features], frames: int) -> Iterator[bytes]:
    header = io.BytesIO()
    shape = (frames, *first.tokens.shape[1:])
    array = _as_numpy(first.tokens)
    description = {"descr": array.dtype.str, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(header, description)
    yield header.getvalue()
    yield array.tobytes()
    for features in rest:
        yield _as_numpy(features.tokens).tobytes()


def _as_numpy(tokens: Tensor) -> np.ndarray:
    bits = tokens.view(torch.int16) if tokens.dtype == torch.bfloat16 else tokens
    return bits.contiguous().numpy()


def _mapped(path: Path) -> tuple[Tensor, Tensor]:
    """Tokens (t, s, width) on disk, and which of them are parts of pictures (s,)."""
    note = json.loads(path.with_suffix(".json").read_text())
    tokens = torch.from_numpy(np.load(path, mmap_mode="c"))  # "c": torch wants to be able to write
    if note["dtype"] == "bfloat16":
        tokens = tokens.view(torch.bfloat16)
    return tokens, torch.tensor(note["is_image"])
