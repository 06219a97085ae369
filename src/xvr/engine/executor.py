"""Running units: in this process, in worker processes, or on Ray; each with a bounded queue.

    with executor(Crew(workers=4)) as execute:
        for unit, receipt in execute(units, run): ...

Who runs a unit changes no byte of it.
"""

import itertools
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import cv2

from xvr.engine.malloc import tune_malloc
from xvr.engine.plan import Unit
from xvr.engine.receipt import Receipt
from xvr.errors import UserError

RunUnit = Callable[[Unit], Receipt]
"""A function that other processes can import, or a `functools.partial` of one."""
Execute = Callable[[Iterable[Unit], RunUnit], Iterator[tuple[Unit, Receipt]]]
"""Runs every unit and yields it with its receipt, in the order in which they finish."""

QUEUED_PER_WORKER = 4
"""Units in flight per worker; enough to keep it busy, few enough to stop quickly."""


@dataclass(frozen=True, kw_only=True)
class Crew:
    """Who does the work of a build."""

    workers: int = 1
    """Processes on this machine; 1 works in the calling process. Not for a Ray cluster."""
    ray: str | None = None
    """`local` for Ray on this machine, or the address of a Ray cluster."""
    rank: int = 0
    """Which of the runs that share the build this is."""
    world: int = 1
    """Number of runs that share the build."""

    def __post_init__(self) -> None:
        if self.workers < 1:
            raise UserError(f"--workers is {self.workers}; it must be at least 1")
        if not 0 <= self.rank < self.world:
            raise UserError(
                f"--rank is {self.rank} and --world {self.world}; "
                "the runs of a build are numbered from 0 to world - 1"
            )


@contextmanager
def executor(crew: Crew) -> Iterator[Execute]:
    """What runs units while the block lasts; processes are started once."""
    if crew.ray is not None:
        from xvr.engine.on_ray import ray_executor

        with ray_executor(crew.ray, crew.workers) as execute:
            yield execute
    elif crew.workers == 1:
        prepare_process()
        yield _run_here
    else:
        with _processes(crew.workers) as execute:
            yield execute


def prepare_process() -> None:
    """One thread per process: several threads on busy cores cost many times the time of one."""
    cv2.setNumThreads(1)
    tune_malloc()


def _run_here(units: Iterable[Unit], run: RunUnit) -> Iterator[tuple[Unit, Receipt]]:
    for unit in units:
        yield unit, run(unit)


@contextmanager
def _processes(workers: int) -> Iterator[Execute]:
    pool = ProcessPoolExecutor(
        workers, multiprocessing.get_context("forkserver"), initializer=_prepare_worker
    )
    try:
        yield partial(_run_in_pool, pool, workers * QUEUED_PER_WORKER)
    except BrokenProcessPool as error:
        raise UserError(
            "a worker process was killed, most likely for want of memory; run the same command "
            "again with fewer --workers: finished work is kept"
        ) from error
    finally:
        # also on Ctrl-C: units that run finish and leave their receipts, the rest never start
        pool.shutdown(wait=True, cancel_futures=True)


def _prepare_worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent stops the run, not each worker
    threading.Thread(target=_end_with_parent, daemon=True).start()
    prepare_process()


def _end_with_parent() -> None:
    """Leave when the parent is killed, so that no worker writes beside a resumed run."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _run_in_pool(
    pool: ProcessPoolExecutor, window: int, units: Iterable[Unit], run: RunUnit
) -> Iterator[tuple[Unit, Receipt]]:
    waiting = iter(units)
    running: dict[Future[Receipt], Unit] = {}
    while True:
        for unit in itertools.islice(waiting, window - len(running)):
            running[pool.submit(run, unit)] = unit
        if not running:
            return
        finished, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in finished:
            yield running.pop(future), future.result()
