"""TFRecord files: where their records lie, found without reading them, and their checksums.

A record is its length (uint64), a checksum of the length (uint32), the payload and a checksum of
the payload (uint32), all little-endian. Checksums are CRC-32C, "masked": rotated and shifted.

    shard = find_records(Path("bridge-train.tfrecord-00000-of-00512"))
    buffer = checked_buffer(shard, 3)  # the payload is buffer[slice(*shard.records[3])]

Source: https://www.tensorflow.org/tutorials/load_data/tfrecord (TFRecords format details).
"""

import mmap
import os
import struct
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from xvr.errors import Unusable

HEADER = struct.Struct("<QI")
CHECKSUM = struct.Struct("<I")
MASK_DELTA = 0xA282EAD8


class Span(NamedTuple):
    """A stretch of a file."""

    start: int
    end: int


class Shard(NamedTuple):
    """The records of one file."""

    path: Path
    records: tuple[Span, ...]
    """Payload of each record up to the end or the first damage."""
    damage: str
    """What is wrong after the last record; empty when nothing is."""


def find_records(path: Path) -> Shard:
    """The records of a file; reads 12 bytes per record and seeks over payloads.

    Raises:
        OSError: the file cannot be read.
    """
    stat = path.stat()
    return _find_records(path, stat.st_size, stat.st_mtime_ns)


def checked_buffer(shard: Shard, number: int) -> memoryview:
    """The whole file as a buffer, after the checksum of one record's payload was compared.

    Nothing is copied; what is not looked at is not kept in memory.

    Raises:
        Unusable: `truncated_record` when the file ends before it, `bad_checksum`.
    """
    from xvr.sources.crc32c import crc32c  # numba takes a while to load

    where = f"{shard.path}, record {number}"
    if number >= len(shard.records):
        raise Unusable(
            "truncated_record", f"{where}: {shard.damage or 'the file ends before this record'}"
        )
    start, end = shard.records[number]
    with shard.path.open("rb") as file:
        buffer = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    (written,) = CHECKSUM.unpack(buffer[end : end + CHECKSUM.size])
    if masked(crc32c(buffer[start:end])) != written:
        raise Unusable("bad_checksum", f"{where}: its bytes do not fit their checksum")
    return buffer


def masked(checksum: int) -> int:
    """The form in which TFRecord stores a checksum."""
    return ((checksum >> 15 | checksum << 17) + MASK_DELTA) & 0xFFFFFFFF


@lru_cache(maxsize=64)
def _find_records(path: Path, size: int, changed_ns: int) -> Shard:  # noqa: ARG001
    """As `find_records`; the date only makes a rewritten file a new one."""
    from xvr.sources.crc32c import crc32c

    records: list[Span] = []
    place = 0
    descriptor = os.open(path, os.O_RDONLY)
    try:
        while place < size:
            header = os.pread(descriptor, HEADER.size, place)
            if len(header) < HEADER.size:
                return Shard(path, tuple(records), f"the file ends inside a header, byte {place}")
            length, written = HEADER.unpack(header)
            if masked(crc32c(header[:8])) != written:
                return Shard(path, tuple(records), f"wrong checksum of the length, byte {place}")
            start = place + HEADER.size
            place = start + length + CHECKSUM.size
            if place > size:
                return Shard(path, tuple(records), f"the file ends at byte {size} of {place}")
            records.append(Span(start, start + length))
    finally:
        os.close(descriptor)
    return Shard(path, tuple(records), "")
