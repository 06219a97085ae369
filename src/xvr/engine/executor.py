"""Running units: in this process, or in worker processes with a bounded queue."""

import itertools
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool

import cv2

from xvr.engine.malloc import tune_malloc
from xvr.engine.plan import Unit
from xvr.engine.receipt import Receipt
from xvr.errors import UserError

RunUnit = Callable[[Unit], Receipt]

QUEUED_PER_WORKER = 4
"""Units in flight per worker; enough to keep it busy, few enough to stop quickly."""


def execute(units: Iterable[Unit], run: RunUnit, workers: int) -> Iterator[tuple[Unit, Receipt]]:
    """Run every unit and yield it with its receipt, in the order in which they finish.

    Args:
        units: what to run.
        run: a function that worker processes can import, or a `functools.partial` of one.
        workers: processes; 1 runs everything here.
    """
    if workers == 1:
        prepare_process()
        for unit in units:
            yield unit, run(unit)
        return
    pool = ProcessPoolExecutor(
        workers, multiprocessing.get_context("forkserver"), initializer=_prepare_worker
    )
    try:
        yield from _windowed(pool, iter(units), run, workers * QUEUED_PER_WORKER)
    except BrokenProcessPool as error:
        raise UserError(
            "a worker process was killed, most likely for want of memory; run the same command "
            "again with fewer --workers: finished work is kept"
        ) from error
    except BaseException:
        # also on Ctrl-C: units in flight finish and leave their receipts, the rest never start
        pool.shutdown(wait=True, cancel_futures=True)
        raise
    pool.shutdown()


def prepare_process() -> None:
    """One thread per process: several threads on busy cores cost many times the time of one."""
    cv2.setNumThreads(1)
    tune_malloc()


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


def _windowed(
    pool: ProcessPoolExecutor, units: Iterator[Unit], run: RunUnit, window: int
) -> Iterator[tuple[Unit, Receipt]]:
    running: dict[Future[Receipt], Unit] = {}
    while True:
        for unit in itertools.islice(units, window - len(running)):
            running[pool.submit(run, unit)] = unit
        if not running:
            return
        finished, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in finished:
            yield running.pop(future), future.result()
