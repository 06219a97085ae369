"""Running units in this process and in others."""

import os
import signal
from functools import partial

import pytest

from xvr.engine.executor import execute
from xvr.engine.plan import Unit
from xvr.engine.receipt import Receipt
from xvr.errors import Unusable, UserError
from xvr.sources.records import Ref


def unit(number):
    ref = Ref(format="toy", root="/", id=f"scene_{number}", group="", kind="scene")
    return Unit(split="train", round=0, ref=ref, partner=None, slots=())


def receipt(given):
    return Receipt(unit=given.name, config=str(os.getpid()))


def fail(given, message):
    if given.ref.id == "scene_3":
        raise UserError(message)
    return receipt(given)


def die(_):
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("workers", [1, 2])
def test_every_unit_is_run_once_and_comes_with_its_own_receipt(workers):
    units = [unit(number) for number in range(30)]
    done = list(execute(units, receipt, workers))
    assert sorted(made.ref.id for made, _ in done) == sorted(u.ref.id for u in units)
    assert all(made.name == found.unit for made, found in done)
    processes = {int(found.config) for _, found in done}
    assert (os.getpid() in processes) == (workers == 1)
    assert len(processes) <= workers


def test_units_are_taken_only_as_workers_need_them():
    taken = []

    def endless():
        for number in range(10_000):
            taken.append(number)
            yield unit(number)

    running = execute(endless(), receipt, 2)
    next(running)
    assert len(taken) < 100
    running.close()


@pytest.mark.parametrize("workers", [1, 2])
def test_what_a_worker_raises_reaches_the_caller_as_it_is(workers):
    units = [unit(number) for number in range(8)]
    with pytest.raises(UserError, match="the disk is full"):
        list(execute(units, partial(fail, message="the disk is full"), workers))


def test_an_unusable_scene_keeps_its_reason_between_processes():
    verdict = Unusable("bad_pose", "scene_3: not rigid")
    copied = verdict.__reduce__()[0](*verdict.__reduce__()[1])
    assert (copied.reason, copied.detail) == ("bad_pose", "scene_3: not rigid")
    assert str(copied) == str(verdict)


def test_a_worker_that_is_killed_is_said_to_the_user():
    with pytest.raises(UserError):
        list(execute([unit(0)], die, 2))
