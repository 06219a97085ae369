"""A run: every chosen item of a benchmark is asked of a model until it has an answer.

Running again goes on with what has none. What fails is a row with its reason, never an answer.
"""

import json
import logging
import platform
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from xvr import __version__
from xvr.errors import UserError
from xvr.evaluation.attempt import attempt_of
from xvr.evaluation.benchmark import Benchmark, Loaded
from xvr.evaluation.calls import Call, Calls
from xvr.evaluation.choice import choose
from xvr.evaluation.item import Item
from xvr.evaluation.key import Question, question_of
from xvr.evaluation.model import Answer, Failure, Model, Respondent
from xvr.evaluation.store import Manifest, RunLog, open_run

Progress = Callable[[int, int], None]

ANSWERING = ("torch", "transformers", "httpx", "inspect_ai")
"""Packages that answer; those a run loaded stand in its manifest with their versions."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """What is asked, and when to stop."""

    data: Path
    """Where the benchmark was read."""
    tasks: tuple[str, ...] = ()
    """Tasks to ask; all when empty."""
    limit: int | None = None
    """Most items, a share of every task; a larger limit takes the same ones and more."""
    max_cost_usd: float | None = None
    """No new call is made when the run, earlier attempts included, has cost so much."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a run stands when it ends."""

    items: int
    answered: int
    """Now, by this or earlier runs."""
    asked: int
    """Items that this run asked, answered or not."""
    failed: dict[str, list[str]]
    """Messages by kind, one of each item that has no answer or could not be shown."""
    not_asked: int
    cost_usd: float
    """Of all attempts in the folder, as far as it is known."""
    over_budget: bool
    """Whether it stopped at `max_cost_usd`."""

    @property
    def complete(self) -> bool:
        """Whether every item has an answer to what is asked now."""
        return not self.failed and not self.not_asked


def run(
    benchmark: Benchmark,
    loaded: Loaded,
    model: Model,
    out: Path,
    options: RunOptions,
    *,
    progress: Progress | None = None,
) -> Outcome:
    """Ask a model what it has not answered yet.

    Args:
        benchmark: what is asked.
        loaded: its items.
        model: who is asked; the caller closes it.
        out: folder of the run, a new one or one to go on with.
        options: which items, and when to stop.
        progress: called with (items done, items).

    Raises:
        UserError: the folder holds another run, a name is unknown, or the model cannot answer at
            all. What was answered is kept.
        KeyboardInterrupt: calls that were under way are still recorded; a second one drops them.
    """
    items = choose(loaded.items, tasks=options.tasks, limit=options.limit)
    manifest = manifest_of(benchmark, loaded, model, options, len(items))
    with open_run(out, manifest, items) as log:
        session = _Session(log, items, model, options.max_cost_usd, progress)
        session.ask_all()
        return session.outcome()


class _Session:
    """One go at the items that have no answer."""

    def __init__(
        self,
        log: RunLog,
        items: Sequence[Item],
        model: Model,
        max_cost_usd: float | None,
        progress: Progress | None,
    ) -> None:
        self._log = log
        self._items = items
        self._model = model
        self._max_cost_usd = max_cost_usd
        self._progress = progress
        self._done = self._asked = 0
        self._unreadable: set[str] = set()
        """Items that could not be shown; whether an earlier answer fits them is not known."""
        self._over_budget = False

    def ask_all(self) -> None:
        """Keep the model busy until nothing is left or the money is spent."""
        calls = Calls(self._model)
        self._tell(0)
        try:
            for batch in self._batches():
                calls.start(batch)
                while calls.running >= calls.most:
                    self._record(calls.next())
            self._finish(calls)
        except (KeyboardInterrupt, UserError):
            if calls.running:
                _log.warning("waiting for %d calls; Ctrl-C drops them", calls.running)
            self._finish(calls, quietly=True)
            raise
        finally:
            calls.close()

    def outcome(self) -> Outcome:
        """How the run stands."""
        ids = [item.target.item_id for item in self._items]
        failed: dict[str, list[str]] = defaultdict(list)
        for item_id in ids:
            last = self._log.last(item_id)
            standing = self._log.is_answered(item_id) and item_id not in self._unreadable
            if not standing and last is not None and last.error is not None:
                failed[last.error.kind].append(last.error.message)
        return Outcome(
            items=len(ids),
            answered=sum(map(self._log.is_answered, ids)),
            asked=self._asked,
            failed=dict(sorted(failed.items())),
            not_asked=sum(self._log.last(item_id) is None for item_id in ids),
            cost_usd=self._log.cost_usd,
            over_budget=self._over_budget,
        )

    def _batches(self) -> Iterator[list[Question]]:
        """What has no answer, images read, in calls of the size that the model takes."""
        batch: list[Question] = []
        for item in self._items:
            if self._is_spent():
                break
            question = self._question(item)
            if question is not None:
                batch.append(question)
            if len(batch) == self._model.batch_size:
                yield batch
                batch = []
        if batch and not self._is_spent():
            yield batch

    def _question(self, item: Item) -> Question | None:
        """What to ask of an item; None when it has its answer, or cannot be shown."""
        try:
            question = question_of(item.prompt, self._model)
        except (UserError, OSError) as error:
            self._unreadable.add(item.target.item_id)
            self._add(item.target.item_id, "", Failure(kind="missing_image", message=str(error)))
            return None
        if self._log.is_answered(item.target.item_id, question.key):
            self._tell(1)
            return None
        return question

    def _is_spent(self) -> bool:
        if self._max_cost_usd is not None and self._log.cost_usd >= self._max_cost_usd:
            self._over_budget = True
        return self._over_budget

    def _finish(self, calls: Calls, *, quietly: bool = False) -> None:
        """Record what is under way; quietly, when there is an error to tell already."""
        while calls.running:
            call = calls.next()
            if call.error is None or not quietly:
                self._record(call)

    def _record(self, call: Call) -> None:
        if call.error is not None:
            raise call.error
        for question, reply in zip(call.questions, call.replies, strict=True):
            self._add(question.prompt.item_id, question.key, reply, call.seconds)
            unknown = not isinstance(reply, Failure) and reply.cost_usd is None
            if unknown and self._max_cost_usd is not None:
                raise unknown_cost(self._model.name)

    def _add(
        self, item_id: str, key: str, reply: Answer | Failure, seconds: float | None = None
    ) -> None:
        number = self._log.next_number(item_id)
        self._log.append(attempt_of(item_id, key, number, reply, seconds))
        self._asked += 1
        self._tell(1)

    def _tell(self, more: int) -> None:
        self._done += more
        if self._progress is not None:
            self._progress(self._done, len(self._items))


def manifest_of(
    benchmark: Benchmark, loaded: Loaded, whom: Respondent, options: RunOptions, items: int
) -> Manifest:
    """What a run is that asks so many items."""
    return Manifest(
        benchmark=benchmark.name,
        data=str(options.data),
        revision=loaded.revision,
        model=whom.name,
        model_revision=whom.revision,
        decoding=json.loads(json.dumps(dict(whom.decoding))),  # as it will be read back
        tasks=options.tasks or None,
        limit=options.limit,
        items=items,
        notes=loaded.notes,
        versions=_versions(),
        started=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def unknown_cost(model: str) -> UserError:
    """A budget cannot be kept where nobody knows what an answer costs."""
    return UserError(
        f"--max-cost: what {model} costs is unknown; give --input-price-usd and "
        "--output-price-usd, or leave --max-cost out"
    )


def _versions() -> dict[str, str]:
    """Of us, of Python and of the packages that the model loaded."""
    packages = {name: version(name) for name in ANSWERING if name in sys.modules}
    return {"xvr": __version__, "python": platform.python_version()} | packages
