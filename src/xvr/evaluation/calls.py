"""Calls of a model: one after the other, or several at a time from threads of their own.

calls = Calls(model)
calls.start(questions)       # returns at once for a model that is called from threads
call = calls.next()          # waits for any call to end
"""

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from queue import SimpleQueue

from xvr.errors import UserError
from xvr.evaluation.item import Prompt
from xvr.evaluation.key import Question
from xvr.evaluation.model import Answer, Failure, Model

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Call:
    """A call that has ended."""

    questions: Sequence[Question]
    replies: Sequence[Answer | Failure]
    """One for each question; none after an error."""
    error: UserError | None
    """Why the model cannot answer anything at all."""
    seconds: float


class Calls:
    """The calls of one model."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._asked: SimpleQueue[Sequence[Question]] = SimpleQueue()
        self._ended: SimpleQueue[Call] = SimpleQueue()
        self.running = 0
        """Calls that were started and not taken from `next`."""
        self.most = model.concurrency
        """More calls than this wait for others to end."""
        if self.most > 1:
            for _ in range(self.most):
                # Daemons: after a second Ctrl-C nobody waits for a server.
                threading.Thread(target=self._work, daemon=True).start()

    def start(self, questions: Sequence[Question]) -> None:
        """Ask some questions in one call."""
        if self.most > 1:
            self._asked.put(questions)
        else:
            self._ended.put(_call(self._model, questions))
        self.running += 1  # last: Ctrl-C within a call leaves none to wait for

    def next(self) -> Call:
        """The next call that ends; there must be one running."""
        call = self._ended.get()
        self.running -= 1
        return call

    def close(self) -> None:
        """End the threads once they have nothing to do."""
        if self.most > 1:
            for _ in range(self.most):
                self._asked.put(())

    def _work(self) -> None:
        while questions := self._asked.get():
            self._ended.put(_call(self._model, questions))


def _call(model: Model, questions: Sequence[Question]) -> Call:
    began_s = time.monotonic()
    replies: Sequence[Answer | Failure] = ()
    failed = None
    try:
        replies = _replies(model, [question.prompt for question in questions])
    except UserError as error:
        failed = error
    seconds = round(time.monotonic() - began_s, 3)
    return Call(questions=questions, replies=replies, error=failed, seconds=seconds)


def _replies(model: Model, prompts: list[Prompt]) -> Sequence[Answer | Failure]:
    """What a model says; when it breaks over a batch, what it says to each prompt alone."""
    try:
        replies = model.answer(prompts)
        if len(replies) != len(prompts):
            raise RuntimeError(f"{len(replies)} replies to {len(prompts)} prompts")
    except UserError:
        raise
    except Exception as error:  # noqa: BLE001  (one item must not stop the others)
        if len(prompts) > 1:
            return [reply for prompt in prompts for reply in _replies(model, [prompt])]
        _log.exception("%s broke over item %s", model.name, prompts[0].item_id)
        return [Failure(kind="model_error", message=f"{type(error).__name__}: {error}")]
    return replies
