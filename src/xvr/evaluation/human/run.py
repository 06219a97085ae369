"""The sessions of one run: people answer the chosen items, and answers go into the run's folder."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock
from typing import Any

from xvr.errors import UserError
from xvr.evaluation.agreement import answers_by_person
from xvr.evaluation.attempt import Attempt
from xvr.evaluation.benchmark import Benchmark, Loaded
from xvr.evaluation.choice import choose
from xvr.evaluation.human.session import Record, Session
from xvr.evaluation.item import Item, Picture
from xvr.evaluation.key import question_of
from xvr.evaluation.run import RunOptions, manifest_of
from xvr.evaluation.store import RunLog, open_run


@dataclass(frozen=True)
class _People:
    """What stands in the manifest of a run that people answer, in place of a model."""

    name: str = "human"
    revision: str = ""
    decoding: Mapping[str, Any] = field(default_factory=dict)


@contextmanager
def open_sessions(
    benchmark: Benchmark,
    loaded: Loaded,
    out: Path,
    options: RunOptions,
    annotators: Sequence[str],
) -> Iterator[list[Session]]:
    """Begin a run that people answer, or go on with it.

    Args:
        benchmark: what is asked.
        loaded: its items.
        out: folder of the run; people may answer the same one, together or one after the other.
        options: which items.
        annotators: names of those who answer now.

    Raises:
        UserError: the folder holds another run, a name is unknown or given twice.
    """
    if not annotators or len(set(annotators)) < len(annotators):
        raise UserError("--annotator: name everyone who answers, and nobody twice")
    items = choose(loaded.items, tasks=options.tasks, limit=options.limit)
    manifest = manifest_of(benchmark, loaded, _People(), options, len(items))
    with open_run(out, manifest, items) as log:
        lock = Lock()
        shown = [_one_reader_at_a_time(item, lock) for item in items]
        given = _standing_answers(log, shown)
        yield [
            Session(
                name,
                shown,
                {key: people[name] for key, people in given.items() if name in people},
                _recorder(log, name, lock),
            )
            for name in annotators
        ]


def _standing_answers(log: RunLog, items: Sequence[Item]) -> dict[str, dict[str, str]]:
    """Answers by item and name, without those to pictures that have been replaced since."""
    given = answers_by_person(log.run.attempts)
    found = {}
    for item in items:
        item_id = item.target.item_id
        if item_id in given and log.is_answered(item_id, _key(item)):
            found[item_id] = given[item_id]
    return found


def _one_reader_at_a_time(item: Item, lock: Lock) -> Item:
    """A browser asks for all pictures at once, and readers of archives keep a state."""

    def locked(picture: Picture) -> Picture:
        def read() -> bytes:
            with lock:
                return picture.read()

        return replace(picture, read=read)

    parts = tuple(locked(p) if isinstance(p, Picture) else p for p in item.prompt.parts)
    return replace(item, prompt=replace(item.prompt, parts=parts))


def _recorder(log: RunLog, annotator: str, lock: Lock) -> Record:
    def record(item: Item, text: str, seconds: float) -> None:
        item_id, key = item.target.item_id, _key(item)
        with lock:
            number = log.next_number(item_id)
            log.append(
                Attempt(
                    key=key,
                    item_id=item_id,
                    attempt=number,
                    status="answered",
                    text=text,
                    seconds=round(seconds, 3),
                    annotator=annotator,
                )
            )
            log.sync()

    return record


def _key(item: Item) -> str:
    return question_of(item.prompt, _People()).key
