"""When to send the next request, and how long to wait after one that failed."""

import re
import time
from email.utils import parsedate_to_datetime
from threading import Event, Lock

import numpy as np

FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 60.0


class Pace:
    """Spaces requests of several threads evenly over a minute.

    Args:
        per_minute: most requests in a minute; None for no limit.
        stopped: ends every wait when it is set.
    """

    def __init__(self, per_minute: float | None, stopped: Event) -> None:
        self._interval_s = 60.0 / per_minute if per_minute else 0.0
        self._stopped = stopped
        self._next_s = 0.0
        self._lock = Lock()

    def wait(self) -> None:
        """Returns when it is this thread's turn."""
        if not self._interval_s:
            return
        with self._lock:
            turn_s = max(self._next_s, time.monotonic())
            self._next_s = turn_s + self._interval_s
        self._stopped.wait(turn_s - time.monotonic())


def backoff_s(failures: int) -> float:
    """Seconds to wait after so many failures in a row, from 1: doubling, half of it by chance.

    Chance keeps threads that failed together from coming back together.
    """
    longest = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** (failures - 1))
    return longest * float(np.random.default_rng().uniform(0.5, 1.0))


def retry_after_s(value: str | None) -> float | None:
    """Seconds in a `Retry-After` header, given as seconds or as a date (RFC 9110, section 10.2.3).

    None where the header is missing or unreadable.
    """
    value = (value or "").strip()
    if re.fullmatch(r"\d+(\.\d+)?", value):
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return None
