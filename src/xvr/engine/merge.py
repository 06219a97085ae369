"""From finished units to a dataset: samples in their final order, images numbered, records paired.

Files of a split appear only when they are whole, and the manifest, written last by the build, says
that the dataset is complete.
"""

import hashlib
import json
import os
import shutil
from collections import OrderedDict
from pathlib import Path
from typing import Any, NamedTuple, Self

from xvr.dataset import atomic
from xvr.dataset.record import CLEAN, unused_id
from xvr.dataset.shards import SHARD_FOLDER, ShardWriter, image_url
from xvr.engine.config import BuildConfig
from xvr.engine.receipt import UnitFiles
from xvr.engine.seeds import child_rng
from xvr.engine.unit import image_extension
from xvr.errors import UserError

_OPEN_FILES = 64


class _Place(NamedTuple):
    """Where a record is: unit, and byte range in its records file."""

    unit: str
    start: int
    size: int


class _Units:
    """Reads from the files of finished units; those that were read last stay open."""

    def __init__(self, work: Path) -> None:
        self._work = work
        self._open: OrderedDict[Path, int] = OrderedDict()

    def record(self, place: _Place) -> dict[str, Any]:
        """A record, as it was written."""
        path = UnitFiles(self._work, place.unit).records
        return json.loads(self._read(path, place.start, place.size))

    def image(self, unit: str, offset: int, size: int) -> bytes:
        """An encoded image.

        Raises:
            UserError: it is no longer whole.
        """
        files = UnitFiles(self._work, unit)
        data = self._read(files.blob, offset, size)
        if len(data) != size:
            raise _damaged(files, files.blob)
        return data

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        while self._open:
            os.close(self._open.popitem()[1])

    def _read(self, path: Path, offset: int, size: int) -> bytes:
        if path not in self._open:
            if len(self._open) == _OPEN_FILES:
                os.close(self._open.popitem(last=False)[1])
            self._open[path] = os.open(path, os.O_RDONLY)
        self._open.move_to_end(path)
        return os.pread(self._open[path], size, offset)


class _FolderWriter:
    """Writes images as files; has the interface of `ShardWriter`."""

    def __init__(self, dataset_dir: Path) -> None:
        self._dataset_dir = dataset_dir

    def add(self, url: str, data: bytes) -> None:
        path = self._dataset_dir / url
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def __exit__(self, *error: object) -> None:
        """Nothing is left open."""


def merge(
    out: Path, work: Path, units: dict[str, dict[str, str]], config: BuildConfig
) -> dict[str, dict[str, int]]:
    """Write jsonl, provenance and images of every split.

    Args:
        out: the dataset's folder.
        work: folder of the units' files.
        units: SHA-256 of the records of each finished unit with samples, by split and name.
        config: of the build.

    Returns:
        Samples by split and task.

    Raises:
        UserError: a unit's files are no longer as they were written; the unit is open again.
    """
    for name in (SHARD_FOLDER, "images", "clean"):  # of a merge that was cut short
        shutil.rmtree(out / name, ignore_errors=True)
    (out / "provenance").mkdir(exist_ok=True)
    with _ImageNumbering(out, config) as images:
        counts = {
            split: _merge_split(split, work, names, config.seed, images)
            for split, names in units.items()
        }
    for split in units:
        for source, target in (
            (work / f"{split}.samples.jsonl", out / f"{split}.jsonl"),
            (work / f"{split}.provenance.jsonl", out / "provenance" / f"{split}.jsonl"),
        ):
            with source.open("rb") as lines:
                atomic.write_chunks(target, lines)
    return counts


def _merge_split(
    split: str, work: Path, units: dict[str, str], seed: int, images: "_ImageNumbering"
) -> dict[str, int]:
    """Write a split's lines into the work folder, and its images; returns samples by task."""
    places = _locate(work, units)
    order = child_rng(seed, "order", split).permutation(len(places))
    slots = sorted(places)
    samples = work / f"{split}.samples.jsonl"
    provenance = work / f"{split}.provenance.jsonl"
    tasks: dict[str, int] = {}
    seen: set[str] = set()
    with (
        samples.open("w") as sample_lines,
        provenance.open("w") as provenance_lines,
        _Units(work) as finished,
    ):
        for position in order:
            slot = slots[position]
            record = finished.record(places[slot])
            # Two sources may have the same name and numbers.
            unique = unused_id(record["sample"]["sample_id"], seen)
            record["sample"]["sample_id"] = record["provenance"]["sample_id"] = unique
            images.store(record, places[slot].unit, finished)
            sample_lines.write(json.dumps(record["sample"]) + "\n")
            provenance_lines.write(json.dumps(record["provenance"]) + "\n")
            tasks[slot[0]] = tasks.get(slot[0], 0) + 1
    return dict(sorted(tasks.items()))


class _ImageNumbering:
    """Gives images their final numbers and moves their bytes from unit blobs to the dataset."""

    def __init__(self, out: Path, config: BuildConfig) -> None:
        self._extension = image_extension(config)
        self._next = 1
        self._out: ShardWriter | _FolderWriter | None = None
        if config.images == "shards":
            self._out = ShardWriter(out, config.images_per_shard)
        elif config.images == "folder":
            self._out = _FolderWriter(out)

    def store(self, record: dict[str, Any], unit: str, finished: _Units) -> None:
        """Store a record's images and replace their numbers by urls, in place."""
        urls = [
            image_url(self._next + n, self._extension)
            for n in range(len(record["provenance"]["images"]))
        ]
        self._next += len(urls)
        for block in record["sample"]["prompt_blocks"]:
            if block["type"] == "image_url":
                block["image_url"]["url"] = urls[block["image_url"]["url"] - 1]
        for image in record["provenance"]["images"]:
            image["url"] = urls[image["url"] - 1]
        if self._out is None or not record["images"]:
            return
        for url, places in zip(urls, record["images"], strict=True):
            for kind, (offset, size) in places.items():
                name = url if kind == "image" else url.replace("images/", CLEAN, 1)
                self._out.add(name, finished.image(unit, offset, size))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: Any) -> None:
        """Complete the last shard, or drop it after an error."""
        if self._out is not None:
            self._out.__exit__(*error)


def _locate(work: Path, units: dict[str, str]) -> dict[tuple[str, int], _Place]:
    """Where the record of every slot is."""
    places: dict[tuple[str, int], _Place] = {}
    for unit, sha256 in sorted(units.items()):
        start = 0
        files = UnitFiles(work, unit)
        records = files.records.read_bytes()
        if hashlib.sha256(records).hexdigest() != sha256:
            raise _damaged(files, files.records)
        for line in records.splitlines(keepends=True):
            task, index = json.loads(line)["slot"]
            assert (task, index) not in places, (unit, task, index)
            places[task, index] = _Place(unit, start, len(line))
            start += len(line)
    return places


def _damaged(files: UnitFiles, path: Path) -> UserError:
    files.receipt.unlink(missing_ok=True)
    return UserError(
        f"{path} is not what was written there; check the disk and run the same command again: "
        "what is damaged is made again"
    )
