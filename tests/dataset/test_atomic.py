import os
import stat

import pytest

from xvr.dataset import atomic


def test_a_file_is_written_whole_and_replaces_the_old_one(tmp_path):
    path = tmp_path / "file"
    for data in (b"first", b""):
        atomic.write_bytes(path, data)
        assert path.read_bytes() == data
    assert list(tmp_path.iterdir()) == [path]


def test_chunks_are_joined(tmp_path):
    atomic.write_chunks(tmp_path / "file", (bytes([n]) for n in range(5)))
    assert (tmp_path / "file").read_bytes() == bytes(range(5))


def test_chunks_that_fail_leave_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "file"
    atomic.write_bytes(path, b"old")

    def chunks():
        yield b"ne"
        raise RuntimeError("the source broke")

    with pytest.raises(RuntimeError, match="the source broke"):
        atomic.write_chunks(path, chunks())
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_data_is_on_disk_before_it_has_its_name(tmp_path, monkeypatch):
    path, seen = tmp_path / "file", []
    sync = os.fsync

    def watch(descriptor):
        found = os.fstat(descriptor)
        seen.append((path.exists(), stat.S_ISDIR(found.st_mode) or found.st_size))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", watch)
    atomic.write_bytes(path, b"12345")
    assert seen == [(False, 5), (True, True)]  # the content, then the folder with its name


def test_two_writers_of_one_file_do_not_meet(tmp_path):
    path = tmp_path / "file"

    def chunks():
        yield b"12"
        atomic.write_bytes(path, b"12345", writer="other")
        assert path.read_bytes() == b"12345"
        yield b"345"

    atomic.write_chunks(path, chunks(), writer="one")
    assert path.read_bytes() == b"12345"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        atomic.write_bytes(tmp_path / "none" / "file", b"")
