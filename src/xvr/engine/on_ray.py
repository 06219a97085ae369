"""Running units on Ray: on this machine, or on a cluster whose nodes share the folders.

Ray Core only: one task per unit, a bounded number of them in flight, so that the driver holds no
list of the whole plan and a cluster that grows gets more. A task whose worker dies is tried again;
units are written so that a second try is safe (see `xvr.engine.receipt`).
https://docs.ray.io/en/latest/ray-core/tasks.html
"""

import itertools
import logging
import os
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from xvr.engine.executor import QUEUED_PER_WORKER, Execute, RunUnit, prepare_process
from xvr.engine.plan import Unit
from xvr.engine.receipt import Receipt
from xvr.errors import UserError

LOCAL = "local"
"""The address that means: start Ray here, for this build."""
MAX_RETRIES = 3
"""How often a unit is tried again when its worker dies."""
_STORE_BYTES = 100_000_000
"""Object store of a local Ray: receipts are small, and images never pass through it."""


@contextmanager
def ray_executor(address: str, workers: int) -> Iterator[Execute]:
    """What runs units on Ray while the block lasts; a session that is open is used and kept.

    Args:
        address: `local`, or that of a cluster.
        workers: processes of a local Ray; a cluster gives all its CPUs.

    Raises:
        UserError: Ray is not installed, or there is no cluster at the address.
    """
    try:
        import ray
        from ray.exceptions import RayError
    except ImportError as error:
        raise UserError('--ray needs Ray: pip install "xvr[ray]"') from error
    ours = not ray.is_initialized()
    if ours:
        _connect(ray, address, workers)
    try:
        yield partial(_run_on_ray, ray)
    except RayError as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise UserError(
            f"Ray failed ({type(error).__name__}: {reason}); run the same command again, with more "
            "memory per worker if that was short: finished work is kept"
        ) from error
    finally:
        if ours:
            ray.shutdown()


def _connect(ray: Any, address: str, workers: int) -> None:
    quiet = {"log_to_driver": False, "logging_level": logging.ERROR}
    if address == LOCAL:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        ray.init(
            address=LOCAL,
            num_cpus=workers,
            include_dashboard=False,
            object_store_memory=_STORE_BYTES,
            **quiet,
        )
        return
    try:
        _knock(address)
        ray.init(address=address, **quiet)
    except (OSError, ValueError, RuntimeError) as error:
        raise UserError(
            f"no Ray cluster at {address!r} ({error}); start one with `ray start --head`, or use "
            "--ray local"
        ) from error


def _knock(address: str) -> None:
    """Fail at once where nobody listens at HOST:PORT; Ray itself would try for minutes."""
    host, colon, port = address.rpartition("://")[2].rpartition(":")
    if colon and port.isdigit():
        socket.create_connection((host, int(port)), timeout=10).close()


def _run_on_ray(ray: Any, units: Iterable[Unit], run: RunUnit) -> Iterator[tuple[Unit, Receipt]]:
    task = ray.remote(num_cpus=1, max_retries=MAX_RETRIES)(_run_there)
    waiting = iter(units)
    running: dict[Any, Unit] = {}
    shared = ray.put(run)
    here = Path.cwd()
    try:
        while True:
            window = QUEUED_PER_WORKER * max(1, int(ray.cluster_resources().get("CPU", 1)))
            for unit in itertools.islice(waiting, max(0, window - len(running))):
                running[task.remote(shared, unit, here)] = unit
            if not running:
                return
            finished, _ = ray.wait(list(running), num_returns=1)
            for done in finished:
                yield running.pop(done), _result(ray, done)
    finally:
        if ray.is_initialized():  # else a call would start it again
            for unfinished in running:
                ray.cancel(unfinished)


def _run_there(run: RunUnit, unit: Unit, folder: Path) -> Receipt:
    """In a worker of Ray: in the folder of the build's own process, as paths may be relative."""
    try:
        os.chdir(folder)
    except OSError as error:
        raise UserError(
            f"{folder} is not on the Ray node {os.uname().nodename}; the nodes must share the "
            "folders of the sources and of the dataset, under the same paths"
        ) from error
    prepare_process()
    return run(unit)


def _result(ray: Any, done: Any) -> Receipt:
    """What a task returned; what it raised is raised as it is, without Ray's wrapping."""
    try:
        return ray.get(done)
    except ray.exceptions.RayTaskError as error:
        raise error.cause from error
