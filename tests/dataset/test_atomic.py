import errno
import os
import stat

import pytest

from xvr.dataset import atomic
from xvr.errors import UserError


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


def test_a_folder_has_its_name_when_it_is_whole(tmp_path):
    with atomic.new_folder(tmp_path / "deep" / "out") as folder:
        (folder / "file").write_text("x")
        assert not (tmp_path / "deep" / "out").exists()
    assert (tmp_path / "deep" / "out" / "file").read_text() == "x"
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["out"]


def test_an_empty_folder_is_filled_and_another_is_left_alone(tmp_path):
    (tmp_path / "out").mkdir()
    with atomic.new_folder(tmp_path / "out") as folder:
        (folder / "file").touch()
    with (
        pytest.raises(UserError, match="is not empty; nothing is overwritten"),
        atomic.new_folder(tmp_path / "out"),
    ):
        pass
    (tmp_path / "taken").touch()
    with pytest.raises(UserError, match="nothing is over"), atomic.new_folder(tmp_path / "taken"):
        pass


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_folder_that_fails_leaves_nothing(tmp_path, error):
    with pytest.raises(error), atomic.new_folder(tmp_path / "out") as folder:  # noqa: PT012
        (folder / "file").touch()
        raise error
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told_with_what_to_do(tmp_path):
    def fill():
        with atomic.new_folder(tmp_path / "out"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "file")

    with pytest.raises(UserError, match=r"No space left on device \(file\); nothing is left of it"):
        fill()
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").touch()
    with (
        pytest.raises(UserError, match="cannot write"),
        atomic.new_folder(tmp_path / "file" / "out"),
    ):
        pass
