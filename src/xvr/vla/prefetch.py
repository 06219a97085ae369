"""The next step's data while this one computes, and how long the computation had to wait."""

import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Prefetcher(Generic[T]):
    """Items `make(first) ... make(last - 1)` in order, made ahead in one thread."""

    def __init__(self, make: Callable[[int], T], first: int, last: int, ahead: int = 2) -> None:
        self._make, self._first, self._last = make, first, last
        self._items: queue.Queue[T | BaseException] = queue.Queue(ahead)
        self._ends = threading.Event()
        self.waited_s = 0.0
        """Seconds for which items were waited for."""

    def __iter__(self) -> Iterator[T]:
        """The items; what goes wrong while one is made is raised in its place."""
        thread = threading.Thread(target=self._run, daemon=True)
        thread.start()
        try:
            for _ in range(self._first, self._last):
                began = time.perf_counter()
                item = self._items.get()
                self.waited_s += time.perf_counter() - began
                if isinstance(item, BaseException):
                    raise item
                yield item
        finally:
            self._ends.set()
            while not self._items.empty():  # the thread may be waiting for room
                self._items.get_nowait()
            thread.join()

    def _run(self) -> None:
        for number in range(self._first, self._last):
            try:
                item: T | BaseException = self._make(number)
            except Exception as error:  # noqa: BLE001 - raised again where the item is taken
                item = error
            if not self._put(item) or isinstance(item, BaseException):
                return

    def _put(self, item: "T | BaseException") -> bool:
        while not self._ends.is_set():
            try:
                self._items.put(item, timeout=0.1)
                return True
            except queue.Full:
                continue
        return False
