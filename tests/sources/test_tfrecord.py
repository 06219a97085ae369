import os
import struct
from pathlib import Path

import numpy as np
import pytest
from write_rlds import crc32c as slow_crc32c
from write_rlds import record

from xvr.errors import Unusable
from xvr.sources.crc32c import crc32c
from xvr.sources.tfrecord import checked_buffer, find_records

PAYLOADS = [b"first", b"", b"a third record that is longer than eight bytes"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "x-train.tfrecord-00000-of-00001"
    file.write_bytes(b"".join(map(record, PAYLOADS)))
    return file


def refuse(path: Path, number: int) -> Unusable:
    with pytest.raises(Unusable) as caught:
        checked_buffer(find_records(path), number)
    return caught.value


def test_the_checksum_gives_the_published_values():
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(bytes(32)) == 0x8A9136AA
    assert crc32c(b"\xff" * 32) == 0x62A8AB43
    assert crc32c(bytes(range(32))) == 0x46DD794E
    assert crc32c(b"") == 0


def test_the_fast_checksum_agrees_with_the_slow_one_at_every_length():
    data = np.random.default_rng(0).integers(0, 256, 40, np.uint8).tobytes()
    for length in range(41):
        assert crc32c(data[:length]) == slow_crc32c(data[:length])


def test_records_are_found_in_order(path: Path):
    shard = find_records(path)
    assert shard.damage == ""
    for number, payload in enumerate(PAYLOADS):
        start, end = shard.records[number]
        assert bytes(checked_buffer(shard, number)[start:end]) == payload


def test_finding_records_reads_headers_only(path: Path, monkeypatch: pytest.MonkeyPatch):
    sizes = []
    pread = os.pread

    def counted(descriptor: int, size: int, place: int) -> bytes:
        sizes.append(size)
        return pread(descriptor, size, place)

    monkeypatch.setattr(os, "pread", counted)
    assert len(find_records(path).records) == 3
    assert sizes == [12, 12, 12]


def test_a_flipped_bit_in_a_payload_is_noticed_when_that_record_is_opened(path: Path):
    start, _ = find_records(path).records[2]
    data = bytearray(path.read_bytes())
    data[start + 3] ^= 4
    path.write_bytes(data)
    assert len(find_records(path).records) == 3
    checked_buffer(find_records(path), 0)
    assert refuse(path, 2).reason == "bad_checksum"


def test_a_wrong_length_ends_the_search(path: Path):
    data = bytearray(path.read_bytes())
    data[find_records(path).records[1].start - 12] ^= 1
    path.write_bytes(data)
    shard = find_records(path)
    assert len(shard.records) == 1
    assert "wrong checksum of the length" in shard.damage
    assert refuse(path, 1).reason == "truncated_record"


@pytest.mark.parametrize("cut", [1, 20, 46 + 4 + 5])
def test_a_cut_file_keeps_the_records_before_the_cut(path: Path, cut: int):
    path.write_bytes(path.read_bytes()[:-cut])
    shard = find_records(path)
    assert len(shard.records) == 2
    assert "the file ends" in shard.damage
    error = refuse(path, 2)
    assert error.reason == "truncated_record"
    assert "record 2" in error.detail


def test_a_length_beyond_the_file_does_not_overflow(path: Path):
    length = struct.pack("<Q", 2**63)
    checksum = slow_crc32c(length)
    masked = ((checksum >> 15 | checksum << 17) + 0xA282EAD8) & 0xFFFFFFFF
    path.write_bytes(length + struct.pack("<I", masked))
    assert find_records(path).records == ()


def test_an_empty_file_has_no_records(path: Path):
    path.write_bytes(b"")
    assert find_records(path) == (path, (), "")
    assert refuse(path, 0).reason == "truncated_record"
