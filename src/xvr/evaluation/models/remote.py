"""Asking a model behind a network: tries, waits, one pace for all threads, and when to give up."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Event
from typing import NoReturn

from xvr.errors import UserError
from xvr.evaluation.model import Answer, Failure
from xvr.evaluation.models.options import ModelOptions
from xvr.evaluation.models.pacing import Pace, backoff_s

LONGEST_ASKED_WAIT_S = 300.0
"""A server that asks for a longer wait is left alone until the next run."""
RETRIES_BEFORE_FIRST_REPLY = 3
"""So often a server that never replied is tried; one that did may be starting again."""
HOPELESS = {
    401: "the key is missing or wrong",
    402: "the account has no credit",
    403: "the key does not allow this model",
    404: "there is no such model or address",
}
"""HTTP status codes after which no item of the run can be answered."""
PASSING = {408, 409, 425, 429}
"""HTTP status codes below 500 after which another try may succeed."""


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """Why a request gave no answer."""

    kind: str
    """As in `Failure`; `unreachable` where nobody took the connection."""
    message: str
    passing: bool = False
    """Whether another try may succeed."""
    wait_s: float | None = None
    """How long the server asks to wait before."""


def trouble_of_status(status: int, message: str, wait_s: float | None = None) -> Trouble:
    """What an HTTP error means.

    Raises:
        UserError: no item can be answered.
    """
    message = f"HTTP {status}: {message}"
    if status in HOPELESS:
        raise UserError(f"{HOPELESS[status]} ({message})")
    if status >= 500:
        return Trouble(kind="server_error", message=message, passing=True, wait_s=wait_s)
    kind = "rate_limited" if status == 429 else "bad_request"
    return Trouble(kind=kind, message=message, passing=status in PASSING, wait_s=wait_s)


class Tries:
    """Asks until there is an answer or no hope, for all threads of one model."""

    def __init__(self, where: str, options: ModelOptions) -> None:
        """`where` names the server in messages."""
        self._where = where
        self._options = options
        self._stopped = Event()
        self._stopped_by: UserError | None = None
        self._pace = Pace(options.requests_per_minute, self._stopped)
        self._last_reply_s = float("-inf")

    @property
    def are_stopped(self) -> bool:
        """Nothing more is to be sent."""
        return self._stopped.is_set()

    def ask(self, send: Callable[[], Answer | Trouble]) -> Answer | Failure:
        """The answer, with the number of retries and what it cost, or why there is none.

        Args:
            send: makes one request; its `UserError` ends the run, in all threads.

        Raises:
            UserError: that one, or no server is there.
        """
        began_s = time.monotonic()
        most = self._options.max_retries
        for retries in range(most + 1):
            self._pace.wait()
            if self.are_stopped:
                break
            found = self._try(send)
            if isinstance(found, Answer):
                cost_usd = self._options.cost_usd(found.input_tokens, found.output_tokens)
                return replace(found, retries=retries, cost_usd=cost_usd)
            if found.kind != "unreachable":
                self._last_reply_s = time.monotonic()
            elif self._is_nobody_there(began_s, retries):
                self._stop(UserError(f"no server answers at {self._where}: {found.message}"))
            wait_s = max(found.wait_s or 0.0, backoff_s(retries + 1))
            if not found.passing or retries == most or wait_s > LONGEST_ASKED_WAIT_S:
                return Failure(kind=found.kind, message=found.message, retries=retries)
            self._stopped.wait(wait_s)
        if self._stopped_by:
            raise self._stopped_by
        return Failure(kind="stopped", message="the run was stopped")

    def stop(self) -> None:
        """Ends all waits; threads that still ask get a failure."""
        self._stopped.set()

    def _try(self, send: Callable[[], Answer | Trouble]) -> Answer | Trouble:
        try:
            found = send()
        except UserError as error:
            self._stop(error)
        if isinstance(found, Answer):
            self._last_reply_s = time.monotonic()
        return found

    def _is_nobody_there(self, began_s: float, retries: int) -> bool:
        """No thread had a reply in all tries of this item; before any reply, fewer will do."""
        tries = self._options.max_retries
        if self._last_reply_s == float("-inf"):
            tries = min(tries, RETRIES_BEFORE_FIRST_REPLY)
        return retries >= tries and self._last_reply_s < began_s

    def _stop(self, error: UserError) -> NoReturn:
        self._stopped_by = error
        self._stopped.set()
        raise error
