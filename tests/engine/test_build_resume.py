"""Interrupted builds go on to the same bytes; two builds never share a folder."""

import errno
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from toy.datasets import config, hashes
from xvr.dataset import atomic
from xvr.engine import build as build_module
from xvr.engine import rounds
from xvr.engine.build import build
from xvr.engine.executor import Crew
from xvr.engine.folder import discard
from xvr.errors import UserError

HERE = Path(__file__).parent
QUICK = {"valid_share": 0.0, "tasks": ("temporal_verification",)}


def test_a_killed_build_goes_on_to_the_bytes_of_an_undisturbed_one(small, sources, tmp_path):
    """Killed at the first sync, in the units, in the merge, just before and after the manifest."""
    syncs = count_syncs(sources, tmp_path / "counted")
    points = sorted({1, 4, syncs // 2, syncs - 4, syncs - 1, syncs})
    done = subprocess.run(
        [sys.executable, HERE / "kill_builds.py", tmp_path, json.dumps(points), *sources],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(HERE.parent), *sys.path])},
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout)
    assert sorted(map(int, found)) == points
    for point in found.values():
        assert point["killed"]
        assert point["whole"]
        assert point["hashes"] == hashes(small)


def count_syncs(sources, out):
    """How often an undisturbed build syncs; the last two times are for the manifest."""
    calls = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", calls.append)
        build(out, config(*sources))
    return len(calls)


@pytest.fixture
def control_c():
    """Python's own handler, which a shell's background job does not start with."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.usefixtures("control_c")
def test_control_c_stops_a_build_that_can_go_on(small, sources, tmp_path, workers):
    out = tmp_path / "out"

    def press(made, _wanted):
        if made >= 6:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        build(out, config(*sources), Crew(workers=workers), press)
    assert not (out / "manifest.json").exists()
    assert not list(out.glob("*.jsonl"))
    receipts = {path: path.stat().st_mtime_ns for path in (out / ".build").glob("*.receipt.json")}
    assert receipts
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build_module, "merge", fail)
        with pytest.raises(RuntimeError):
            build(out, config(*sources))
    assert {path: path.stat().st_mtime_ns for path in receipts} == receipts
    build(out, config(*sources))
    assert hashes(out) == hashes(small)


def fail(*_):
    raise RuntimeError("stop here")


def test_a_complete_dataset_is_left_as_it_is(small, sources):
    before = {path: path.stat().st_mtime_ns for path in small.rglob("*")}
    build(small, config(*sources))
    assert {path: path.stat().st_mtime_ns for path in small.rglob("*")} == before


@pytest.mark.parametrize("change", [{"seed": 1}, {"samples": 20}, {"image_format": "jpeg"}])
def test_a_complete_dataset_refuses_other_arguments(small, sources, change):
    before = hashes(small)
    with pytest.raises(UserError, match="made with other arguments, sources or version"):
        build(small, config(*sources, **change))
    assert hashes(small) == before


def test_an_unfinished_build_refuses_other_arguments(sources, tmp_path):
    out = tmp_path / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build_module, "merge", fail)
        with pytest.raises(RuntimeError):
            build(out, config(sources[1], samples=4, **QUICK))
    with pytest.raises(UserError, match="unfinished build with other arguments"):
        build(out, config(sources[1], samples=5, **QUICK))


def test_a_folder_in_use_is_refused(sources, tmp_path):
    out = tmp_path / "out"
    (out / ".build").mkdir(parents=True)
    with (out / ".build" / "lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(UserError, match=f"another build is writing to {out}"):
            build(out, config(*sources))
    build(out, config(sources[1], samples=4, **QUICK))
    assert (out / "manifest.json").exists()


def test_a_folder_of_something_else_is_refused_and_not_touched(sources, tmp_path):
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(UserError, match="is not empty and holds no build"):
        build(tmp_path, config(*sources))
    with pytest.raises(UserError, match="it is not deleted"):
        discard(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_file_is_no_folder(sources, tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(UserError, match="is a file; name a folder"):
        build(tmp_path / "out", config(*sources))


def test_discarding_makes_room_for_other_arguments(sources, tmp_path):
    out = tmp_path / "out"
    build(out, config(sources[1], samples=4, **QUICK))
    discard(out)
    assert not out.exists()
    build(out, config(sources[1], samples=3, **QUICK))
    assert len((out / "train.jsonl").read_text().splitlines()) == 3


def test_discarding_nothing_is_nothing(tmp_path):
    discard(tmp_path / "none")
    (tmp_path / "empty").mkdir()
    discard(tmp_path / "empty")
    assert (tmp_path / "empty").exists()


@pytest.mark.parametrize("after", [0, 3, 15])
def test_a_full_disk_is_said_and_the_build_goes_on_when_there_is_room(
    small, sources, tmp_path, monkeypatch, after
):
    out, calls, sync = tmp_path / "out", [], os.fsync

    def full(descriptor):
        calls.append(descriptor)
        if len(calls) > after:
            raise OSError(errno.ENOSPC, "No space left on device")
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UserError, match=r"No space left on device.*make room and run the same"):
        build(out, config(*sources))
    assert not [path for path in out.rglob("*") if path.name.endswith(".partial")]
    monkeypatch.setattr(os, "fsync", sync)
    build(out, config(*sources))
    assert hashes(out) == hashes(small)


def test_a_full_disk_in_a_worker_process_is_said_too(sources, tmp_path, monkeypatch):
    """What a worker raises reaches the caller as the same message."""
    monkeypatch.setattr(rounds, "run_unit", no_room)
    with pytest.raises(UserError, match="No space left on device"):
        build(tmp_path / "out", config(*sources), Crew(workers=2))


def no_room(*_, **__):
    raise OSError(errno.ENOSPC, "No space left on device")


def truncate(path):
    path.write_bytes(path.read_bytes()[:-1])


def flip(path):
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))


@pytest.mark.parametrize(
    ("damage", "kind"),
    [
        (truncate, "blob"),
        (flip, "blob"),
        (Path.unlink, "blob"),
        (flip, "jsonl"),
        (truncate, "receipt.json"),
    ],
)
def test_what_a_crash_of_the_machine_damages_is_made_again(small, sources, tmp_path, damage, kind):
    out = tmp_path / "out"
    stop_before_merge(out, sources)
    damaged = sorted((out / ".build").glob(f"*.{kind}"))[0]
    damage(damaged)
    build(out, config(*sources))
    assert hashes(out) == hashes(small)


def stop_before_merge(out, sources):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build_module, "merge", fail)
        with pytest.raises(RuntimeError):
            build(out, config(*sources))


@pytest.mark.parametrize("kind", ["blob", "jsonl"])
def test_what_is_damaged_before_the_merge_is_said_and_made_again(
    small, sources, tmp_path, monkeypatch, kind
):
    out, merge = tmp_path / "out", build_module.merge

    def damage_and_merge(out, work, *arguments):
        truncate(sorted(work.glob(f"*.{kind}"))[0])
        return merge(out, work, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(build_module, "merge", damage_and_merge)
        with pytest.raises(UserError, match="is not what was written there"):
            build(out, config(*sources))
    build(out, config(*sources))
    assert hashes(out) == hashes(small)


def test_what_a_killed_build_left_half_written_goes_away(sources, tmp_path):
    out = tmp_path / "out"
    stop_before_merge(out, sources)
    (out / ".build" / ".train-00-abc.blob.1234.partial").write_bytes(b"half")
    stop_before_merge(out, sources)
    assert not list((out / ".build").glob(".*.partial"))


def test_a_folder_left_by_a_build_killed_at_its_very_end_is_removed(small, sources, tmp_path):
    out = shutil.copytree(small, tmp_path / "out")
    (out / ".build").mkdir()
    (out / ".build" / "lock").touch()
    build(out, config(*sources))
    assert hashes(out) == hashes(small)
    assert not (out / ".build").exists()


def test_a_file_system_without_locks_is_told_and_used(sources, tmp_path, monkeypatch, caplog):
    def unsupported(*_):
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", unsupported)
    assert build(tmp_path / "out", config(sources[1], samples=4, **QUICK))
    assert "cannot be locked; start no second build there" in caplog.text


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_said(sources, tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(UserError, match="cannot write to"):
        build(tmp_path / "out", config(*sources))


def test_a_half_written_file_never_shows(tmp_path, monkeypatch):
    path = tmp_path / "file"
    atomic.write_bytes(path, b"old")

    def full(_descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        atomic.write_bytes(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_in_use_is_not_discarded(tmp_path):
    out = tmp_path / "out"
    (out / ".build").mkdir(parents=True)
    (out / ".build" / "identity").write_text("other")
    with (out / ".build" / "lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(UserError, match="another build is writing"):
            discard(out)
