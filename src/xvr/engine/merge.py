"""From finished units to a dataset: samples in their final order, images numbered, records paired.

Files of a split appear only when they are whole, and the manifest, written last by the build, says
that the dataset is complete.
"""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any, NamedTuple, Self

from xvr.dataset import atomic
from xvr.dataset.record import unused_id
from xvr.dataset.shards import SHARD_FOLDER, ShardWriter, image_url
from xvr.engine.config import BuildConfig
from xvr.engine.receipt import UnitFiles
from xvr.engine.seeds import child_rng
from xvr.engine.unit import image_extension
from xvr.errors import UserError


class _Place(NamedTuple):
    """Where a record is: unit, and byte range in its records file."""

    unit: str
    start: int
    size: int


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
    with samples.open("w") as sample_lines, provenance.open("w") as provenance_lines:
        for position in order:
            slot = slots[position]
            record = _read(work, places[slot])
            # Two sources may have the same name and numbers.
            unique = unused_id(record["sample"]["sample_id"], seen)
            record["sample"]["sample_id"] = record["provenance"]["sample_id"] = unique
            images.store(record, UnitFiles(work, places[slot].unit))
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

    def store(self, record: dict[str, Any], files: UnitFiles) -> None:
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
        with files.blob.open("rb") as blob:
            for url, places in zip(urls, record["images"], strict=True):
                for kind, (offset, size) in places.items():
                    blob.seek(offset)
                    name = url if kind == "image" else url.replace("images/", "clean/", 1)
                    data = blob.read(size)
                    if len(data) != size:
                        raise _damaged(files, files.blob)
                    self._out.add(name, data)

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


def _read(work: Path, place: _Place) -> dict[str, Any]:
    with UnitFiles(work, place.unit).records.open("rb") as lines:
        lines.seek(place.start)
        return json.loads(lines.read(place.size))


def _damaged(files: UnitFiles, path: Path) -> UserError:
    files.receipt.unlink(missing_ok=True)
    return UserError(
        f"{path} is not what was written there; check the disk and run the same command again: "
        "what is damaged is made again"
    )
