"""Units on a real Ray of two workers on this machine, which is started once for all tests here."""

import os
import signal
import sys
from functools import partial
from pathlib import Path

import pytest
from units import fail, receipt, unit

from toy.datasets import config, hashes
from xvr.engine import on_ray, rounds
from xvr.engine.build import build
from xvr.engine.executor import Crew, executor
from xvr.engine.receipt import UnitFiles
from xvr.engine.unit import run_unit
from xvr.errors import UserError

pytest.importorskip("ray", reason="needs the ray extra")

RAY = Crew(ray="local", workers=2)


@pytest.fixture(scope="module", autouse=True)
def _started():
    """Executors use a session that is open, and leave it open."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(sys.path))  # workers import these tests
        with executor(RAY):
            yield


def test_every_unit_is_run_once_in_other_processes():
    units = [unit(number) for number in range(30)]
    with executor(RAY) as execute:
        done = list(execute(units, receipt))
    assert sorted(made.ref.id for made, _ in done) == sorted(u.ref.id for u in units)
    assert all(made.name == found.unit for made, found in done)
    assert str(os.getpid()) not in {found.config for _, found in done}


def test_units_are_taken_only_as_workers_need_them():
    taken = []

    def endless():
        for number in range(10_000):
            taken.append(number)
            yield unit(number)

    with executor(RAY) as execute:
        running = execute(endless(), receipt)
        next(running)
        assert len(taken) < 100
        running.close()


def test_what_a_worker_raises_reaches_the_caller_as_it_is():
    run = partial(fail, message="the disk is full")
    with pytest.raises(UserError, match=r"^the disk is full$"), executor(RAY) as execute:
        list(execute([unit(number) for number in range(8)], run))


def test_paths_may_be_relative_to_the_folder_of_the_command(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with executor(RAY) as execute:
        ((_, found),) = execute([unit(0)], tell_folder)
    assert found.config == str(tmp_path)


def test_a_node_without_the_folder_says_so(tmp_path, monkeypatch):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    monkeypatch.setattr(Path, "cwd", lambda: Path("/no/such/folder"))
    with (
        pytest.raises(UserError, match="/no/such/folder is not on the Ray node"),
        executor(RAY) as execute,
    ):
        list(execute([unit(0)], receipt))


def test_a_worker_that_dies_every_time_is_given_up(monkeypatch):
    monkeypatch.setattr(on_ray, "MAX_RETRIES", 1)
    with pytest.raises(UserError, match="Ray failed"), executor(RAY) as execute:
        list(execute([unit(0)], die))


def test_a_build_on_ray_writes_the_bytes_of_one_process(small, sources, tmp_path):
    assert build(tmp_path / "out", config(*sources), RAY)
    assert hashes(tmp_path / "out") == hashes(small)


def test_a_worker_killed_midway_changes_no_byte(small, sources, tmp_path, monkeypatch):
    monkeypatch.setattr(rounds, "run_unit", run_and_die_once)
    assert build(tmp_path / "out", config(*sources), RAY)
    assert (tmp_path / "died").exists()
    assert hashes(tmp_path / "out") == hashes(small)


def tell_folder(given):
    return receipt(given).__class__(unit=given.name, config=str(Path.cwd()))


def die(_):
    os.kill(os.getpid(), signal.SIGKILL)


def run_and_die_once(unit, config, work, fingerprint):
    """The first process that has made a unit dies before the receipt."""
    died = work.parent.parent / "died"
    with pytest.MonkeyPatch.context() as patch:
        if not died.exists():
            died.touch()
            patch.setattr(UnitFiles, "commit", lambda *_: die(unit))
        return run_unit(unit, config, work, fingerprint)
