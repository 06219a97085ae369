"""The folder of a run: what was asked, of whom, and every attempt at an answer.

    RUN/run.json         what the run is; another run is refused
    RUN/targets.jsonl    what answers are held against: scoring needs neither dataset nor model
    RUN/attempts.jsonl   one line per attempt, only ever appended to

    with open_run(out, manifest, items) as log:
        log.append(attempt)
    read_run(out).answers["task1_episode_000001_sample_1"]

A killed run leaves at most one line that is cut short: it is dropped, and that item asked again.
"""

import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from io import FileIO
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from xvr.dataset import atomic
from xvr.engine.folder import disk_errors
from xvr.errors import UserError
from xvr.evaluation.agreement import answers_by_person, majority
from xvr.evaluation.appended import drop_cut_line, locked, require_same
from xvr.evaluation.attempt import Attempt, from_line, last_keys, to_line
from xvr.evaluation.item import Item, Target

MANIFEST = "run.json"
TARGETS = "targets.jsonl"
ATTEMPTS = "attempts.jsonl"
_OF_A_RUN = frozenset({MANIFEST, TARGETS, ATTEMPTS})
_MAY_DIFFER = frozenset({"data", "notes", "started", "versions"})
_SYNC_EVERY_S = 1.0
_OBJECT: TypeAdapter[dict[str, Any]] = TypeAdapter(dict[str, Any])
_TARGET: TypeAdapter[Target] = TypeAdapter(Target)
_RecordT = TypeVar("_RecordT")


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a run is: `run.json`."""

    benchmark: str
    data: str
    """Where the benchmark was."""
    revision: str
    """SHA-256 of its questions and answers."""
    model: str
    model_revision: str
    decoding: dict[str, Any]
    tasks: tuple[str, ...] | None
    """None for all."""
    limit: int | None
    """None for all items."""
    items: int
    notes: tuple[str, ...] = ()
    versions: dict[str, str] = field(default_factory=dict)
    started: str
    """ISO 8601."""


_MANIFEST: TypeAdapter[Manifest] = TypeAdapter(Manifest)


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run as it is on disk, complete or not."""

    path: Path
    manifest: Manifest
    targets: tuple[Target, ...]
    """Every chosen item, in the order of the benchmark."""
    images: dict[str, tuple[str, ...]]
    """Names of the images of each item, in order."""
    attempts: tuple[Attempt, ...]

    @property
    def answers(self) -> dict[str, str]:
        """Each item's last answer to what was last asked; of people, that of most."""
        keys = last_keys(self.attempts)
        answers = {
            attempt.item_id: attempt.text
            for attempt in self.attempts
            if attempt.text is not None and attempt.key == keys[attempt.item_id]
        }
        people = answers_by_person(self.attempts)
        return answers | {item_id: majority(given) for item_id, given in people.items()}


class RunLog:
    """A run that is being written; made by `open_run`."""

    def __init__(self, run: Run, file: FileIO) -> None:
        self.run = run
        """As it was when it was opened."""
        self._file = file
        self._synced_s = time.monotonic()
        self._last: dict[str, Attempt] = {}
        self._keys: dict[str, str] = {}
        self._answered: set[tuple[str, str]] = set()
        self.cost_usd = 0.0
        """Of all attempts so far whose cost is known."""
        for attempt in run.attempts:
            self._note(attempt)

    def last(self, item_id: str) -> Attempt | None:
        """The last attempt at an item."""
        return self._last.get(item_id)

    def is_answered(self, item_id: str, key: str | None = None) -> bool:
        """Whether what was last shown of an item has an answer, and was asked with this key."""
        shown = self._keys.get(item_id, "")
        return key in (None, shown) and (item_id, shown) in self._answered

    def next_number(self, item_id: str) -> int:
        """Number of the next attempt at an item, from 1."""
        last = self._last.get(item_id)
        return 1 if last is None else last.attempt + 1

    def append(self, attempt: Attempt) -> None:
        """Write one line; it is safe from a kill at once, from a power cut within a second.

        Raises:
            UserError: the disk is full.
        """
        with disk_errors(self.run.path):
            line = to_line(attempt)
            while line:
                line = line[self._file.write(line) :]
            if time.monotonic() - self._synced_s > _SYNC_EVERY_S:
                self.sync()
        self._note(attempt)

    def sync(self) -> None:
        """Bring all lines to disk."""
        os.fsync(self._file.fileno())
        self._synced_s = time.monotonic()

    def _note(self, attempt: Attempt) -> None:
        self._last[attempt.item_id] = attempt
        self._keys |= last_keys([attempt])
        if attempt.status == "answered":
            self._answered.add((attempt.item_id, attempt.key))
        self.cost_usd += attempt.cost_usd or 0.0


@contextmanager
def open_run(path: Path, manifest: Manifest, items: Sequence[Item]) -> Iterator[RunLog]:
    """Begin a run or go on with it; nobody else can meanwhile.

    Raises:
        UserError: the folder holds something else or another run, is in use, or is damaged.
    """
    if path.exists() and not path.is_dir():
        raise UserError(f"{path} is a file; name a folder")
    with disk_errors(path):
        path.mkdir(parents=True, exist_ok=True)
    with locked(path):
        _begin(path, manifest, items)
        drop_cut_line(path / ATTEMPTS)
        with (path / ATTEMPTS).open("ab", buffering=0) as file:
            log = RunLog(read_run(path), file)
            try:
                yield log
            finally:
                log.sync()


def read_run(path: Path) -> Run:
    """A run from disk; one that is being written can be read too.

    Raises:
        UserError: the folder holds no run, or a line cannot be read.
    """
    if not (path / MANIFEST).is_file():
        raise UserError(f"{path} holds no run: {MANIFEST} is missing; name the --out of a run")
    targets, images = _read_targets(path / TARGETS)
    return Run(
        path=path,
        manifest=_read_manifest(path),
        targets=targets,
        images=images,
        attempts=tuple(_read_attempts(path / ATTEMPTS)),
    )


def _begin(path: Path, manifest: Manifest, items: Sequence[Item]) -> None:
    """Write what the run is, or see that it is what the folder holds."""
    if (path / MANIFEST).is_file():
        require_same(path, _read_manifest(path), manifest, _MAY_DIFFER)
    elif other := [p.name for p in path.iterdir() if p.name[0] != "." and p.name not in _OF_A_RUN]:
        raise UserError(f"{path} holds {other[0]} and no run; choose another folder")
    with disk_errors(path):
        targets = b"".join(_target_line(item) for item in items)
        if not (path / TARGETS).exists() or (path / TARGETS).read_bytes() != targets:
            atomic.write_bytes(path / TARGETS, targets)
        if not (path / MANIFEST).exists():
            text = json.dumps(asdict(manifest), indent=1) + "\n"
            atomic.write_bytes(path / MANIFEST, text.encode())


def _target_line(item: Item) -> bytes:
    images = [picture.name for picture in item.prompt.pictures]
    return json.dumps(asdict(item.target) | {"images": images}).encode() + b"\n"


def _read_manifest(path: Path) -> Manifest:
    return _parsed(_MANIFEST, (path / MANIFEST).read_bytes(), str(path / MANIFEST))


def _read_targets(path: Path) -> tuple[tuple[Target, ...], dict[str, tuple[str, ...]]]:
    if not path.is_file():
        raise UserError(f"{path} is missing: the run is damaged, make it again in another folder")
    targets, images = [], {}
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        row = _parsed(_OBJECT, line, f"{path}:{number}")
        names = tuple(row.pop("images", ()))
        target = _parsed(_TARGET, json.dumps(row).encode(), f"{path}:{number}")
        targets.append(target)
        images[target.item_id] = names
    return tuple(targets), images


def _read_attempts(path: Path) -> Iterator[Attempt]:
    if not path.exists():
        return
    lines = path.read_bytes().split(b"\n")
    for number, line in enumerate(lines[:-1], start=1):  # what follows the last end is cut short
        try:
            yield from_line(line)
        except ValidationError as error:
            raise _unreadable(f"{path}:{number}", error) from error


def _parsed(kind: TypeAdapter[_RecordT], data: bytes, where: str) -> _RecordT:
    try:
        return kind.validate_json(data)
    except ValidationError as error:
        raise _unreadable(where, error) from error


def _unreadable(where: str, error: ValidationError) -> UserError:
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"])
    return UserError(
        f"{where}: {field + ': ' if field else ''}{first['msg']}; mend or delete the line, or run "
        "in another folder"
    )
