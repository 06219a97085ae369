"""Settings of processes that simulate and draw side by side."""

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def one_thread_each() -> Iterator[None]:
    """Processes started inside use one thread: more of them only wait for each other."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "LP_NUM_THREADS")
    before = {name: os.environ.get(name) for name in names}
    # LP_NUM_THREADS is that of Mesa's llvmpipe, where 0 means to draw in the calling thread.
    os.environ.update(dict.fromkeys(names[:-1], "1") | {"LP_NUM_THREADS": "0"})
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
