"""Tar files of consecutive members with a common key, as `webdataset` streams them.

    000000000.0.png  000000000.1.png  000000000.json

The key is a number, since everything after the first dot of a name is its extension
(repo webdataset/webdataset, webdataset/tariterators.py).
"""

import json
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from xvr.dataset import ustar
from xvr.dataset.record import ImageBlock, Sample
from xvr.dataset.shards import ShardReader
from xvr.exchange.form import SHARD_BYTES, Form, no_front_matter, nothing


class _TarWriter:
    """Writes `<split>-000000.tar` and so on."""

    def __init__(self, folder: Path, split: str, images: ShardReader) -> None:
        self._folder = folder
        self._split = split
        self._images = images
        self._samples = self._shards = self._end = 0
        self._file: BinaryIO | None = None

    def add(self, sample: Sample) -> None:
        """Write one sample with its images."""
        key = f"{self._samples:09d}"
        names = [f"{n}{PurePosixPath(url).suffix}" for n, url in enumerate(sample.image_urls)]
        for name, url in zip(names, sample.image_urls, strict=True):
            self._write(f"{key}.{name}", self._images.read(url))
        self._write(f"{key}.json", json.dumps(_record(sample, names)).encode())
        self._samples += 1
        if self._end >= SHARD_BYTES:
            self._close_shard()

    def close(self) -> None:
        """Complete the last shard."""
        if self._file is not None or not self._shards:
            self._close_shard()

    def _write(self, name: str, data: bytes) -> None:
        file = self._open()
        for part in (ustar.header(name, len(data)), data, ustar.padding(len(data))):
            file.write(part)
            self._end += len(part)

    def _open(self) -> BinaryIO:
        if self._file is None:
            path = self._folder / f"{self._split}-{self._shards:06d}.tar"
            self._file = path.open("wb", buffering=1 << 20)
            self._shards += 1
        return self._file

    def _close_shard(self) -> None:
        with self._open() as file:
            file.write(ustar.ending(self._end))
        self._file, self._end = None, 0


def _record(sample: Sample, names: list[str]) -> dict[str, Any]:
    """The sample with its images named by the extensions of their members."""
    left = iter(names)
    blocks = [
        {"type": "image", "image": next(left)}
        if isinstance(block, ImageBlock)
        else {"type": "text", "text": block.text}
        for block in sample.prompt_blocks
    ]
    return {**sample.model_dump(), "prompt_blocks": blocks}


WEBDATASET = Form(
    name="webdataset",
    open=_TarWriter,
    finish=nothing,
    front_matter=no_front_matter,
    usage="""```python
import webdataset

sample = next(iter(webdataset.WebDataset("FOLDER/train-000000.tar").decode("pil")))
[block if block["type"] == "text" else sample[block["image"]]
 for block in sample["json"]["prompt_blocks"]]
```
""",
)
