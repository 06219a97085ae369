"""Running units in this process and in others."""

import os
import signal
import sys
from functools import partial

import pytest
from units import fail, receipt, unit

from xvr.engine.executor import Crew, executor
from xvr.errors import Unusable, UserError


def die(_):
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("workers", [1, 2])
def test_every_unit_is_run_once_and_comes_with_its_own_receipt(workers):
    units = [unit(number) for number in range(30)]
    with executor(Crew(workers=workers)) as execute:
        done = list(execute(units, receipt))
    assert sorted(made.ref.id for made, _ in done) == sorted(u.ref.id for u in units)
    assert all(made.name == found.unit for made, found in done)
    processes = {int(found.config) for _, found in done}
    assert (os.getpid() in processes) == (workers == 1)
    assert len(processes) <= workers


def test_worker_processes_live_through_all_rounds():
    with executor(Crew(workers=2)) as execute:
        found = [execute([unit(number) for number in range(20)], receipt) for _ in range(4)]
        assert len({made.config for done in found for _, made in done}) <= 2


def test_units_are_taken_only_as_workers_need_them():
    taken = []

    def endless():
        for number in range(10_000):
            taken.append(number)
            yield unit(number)

    with executor(Crew(workers=2)) as execute:
        next(execute(endless(), receipt))
        assert len(taken) < 100


@pytest.mark.parametrize("workers", [1, 2])
def test_what_a_worker_raises_reaches_the_caller_as_it_is(workers):
    units = [unit(number) for number in range(8)]
    run = partial(fail, message="the disk is full")
    with (
        pytest.raises(UserError, match=r"^the disk is full$"),
        executor(Crew(workers=workers)) as execute,
    ):
        list(execute(units, run))


def test_an_unusable_scene_keeps_its_reason_between_processes():
    verdict = Unusable("bad_pose", "scene_3: not rigid")
    copied = verdict.__reduce__()[0](*verdict.__reduce__()[1])
    assert (copied.reason, copied.detail) == ("bad_pose", "scene_3: not rigid")
    assert str(copied) == str(verdict)


def test_a_worker_that_is_killed_is_said_to_the_user():
    with (
        pytest.raises(UserError, match="a worker process was killed"),
        executor(Crew(workers=2)) as execute,
    ):
        list(execute([unit(0)], die))


def test_ray_that_is_not_installed_is_named_with_the_line_that_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UserError, match=r'pip install "xvr\[ray\]"'), executor(Crew(ray="local")):
        pass


@pytest.mark.parametrize("address", ["127.0.0.1:1", "ray://127.0.0.1:1", "nonsense"])
def test_an_address_without_a_cluster_is_said_at_once(address):
    pytest.importorskip("ray", reason="needs the ray extra")
    with pytest.raises(UserError, match="no Ray cluster at"), executor(Crew(ray=address)):
        pass


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"workers": 0}, "--workers is 0"),
        ({"rank": 2, "world": 2}, "--rank is 2 and --world 2"),
        ({"rank": -1}, "--rank is -1"),
        ({"rank": 1}, "numbered from 0 to world - 1"),
    ],
)
def test_a_crew_that_cannot_be_is_refused(choices, message):
    with pytest.raises(UserError, match=message):
        Crew(**choices)
