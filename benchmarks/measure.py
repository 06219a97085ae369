"""What is measured and how: CPU seconds, peak memory, and the parts of a build.

CPU time (user and system) says more than wall time on a machine that does other work too, and one
process per measurement keeps peak memory and caches apart.
"""

import multiprocessing
import os
import platform
import resource
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from importlib.metadata import version
from multiprocessing import forkserver
from pathlib import Path
from typing import Any, NamedTuple

PACKAGES = ("numpy", "numba", "opencv-python-headless", "simplejpeg", "pyspng", "imagecodecs", "av")


class Cost(NamedTuple):
    """What a call took."""

    cpu_s: float
    wall_s: float


def cpu_s() -> float:
    """CPU seconds of this process and of its children that have ended."""
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def cost_of(call: Callable[[], object]) -> Cost:
    """CPU and wall seconds of a call, worker processes included."""
    cpu, wall = cpu_s(), time.perf_counter()
    call()
    took = time.perf_counter() - wall
    # the workers are children of the fork server, whose time counts when it has ended
    forkserver._forkserver._stop()  # pyright: ignore[reportAttributeAccessIssue]
    return Cost(cpu_s() - cpu, took)


def least_cpu_s(call: Callable[[], object], repeats: int = 3) -> float:
    """The smallest CPU time of a few calls in this process."""
    return min(cost_of(call).cpu_s for _ in range(repeats))


def peak_mb() -> float:
    """Largest resident memory of this process so far, MB of 10^6 bytes; Linux only.

    `ru_maxrss` is not used, as a new process inherits it from its parent.
    """
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024 / 1e6


def in_new_process(function: Callable[..., Any], *arguments: object, **environment: str) -> Any:
    """The result of an importable function, called in a fresh process with added variables."""
    before = {name: os.environ.get(name) for name in environment}
    os.environ.update(environment)
    try:
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
            return pool.submit(function, *arguments).result()
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


class Parts:
    """CPU seconds of named parts; time spent in a nested part counts for that one alone."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.calls: Counter[str] = Counter()
        self._nested: list[float] = []

    def timed(self, part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function with its time added to the part."""

        def call(*args: Any, **kwargs: Any) -> Any:
            start = time.process_time()
            self._nested.append(0.0)
            try:
                return function(*args, **kwargs)
            finally:
                took = time.process_time() - start
                self.seconds[part] += took - self._nested.pop()
                self.calls[part] += 1
                if self._nested:
                    self._nested[-1] += took

        return call


@contextmanager
def watched(places: list[tuple[Any, str, str]]) -> Iterator[Parts]:
    """Time functions while the block runs.

    Args:
        places: (module or class, name of a function in it, part that its time belongs to).
    """
    parts = Parts()
    before = [(owner, name, getattr(owner, name)) for owner, name, _ in places]
    try:
        for (owner, name, function), (_, _, part) in zip(before, places, strict=True):
            setattr(owner, name, parts.timed(part, function))
        yield parts
    finally:
        for owner, name, function in before:
            setattr(owner, name, function)


def machine() -> dict[str, Any]:
    """The machine and what else runs on it."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "cpu": models[0] if models else platform.machine(),
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "load_average": [round(load, 1) for load in os.getloadavg()],
        "system": platform.platform(),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
    }
