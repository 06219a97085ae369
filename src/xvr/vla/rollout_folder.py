"""The folder of a run of rollouts: what was run, by whom, and a row for every finished episode.

    RUN/rollout.json   what the run is; another run is refused
    RUN/plans.jsonl    all episodes that belong to it
    RUN/rows.jsonl     one line per finished episode, only ever appended to
    RUN/videos/        of episodes that failed, where asked for

A killed run leaves at most one row that is cut short; it is dropped, and that episode run again.
"""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from xvr.dataset import atomic
from xvr.engine.folder import disk_errors
from xvr.errors import UserError
from xvr.evaluation.appended import drop_cut_line, locked, require_same
from xvr.vla.environment import EpisodePlan, plan_from_json

MANIFEST, PLANS, ROWS, VIDEOS = "rollout.json", "plans.jsonl", "rows.jsonl", "videos"
_OF_A_RUN = frozenset({MANIFEST, PLANS, ROWS, VIDEOS})
_MAY_DIFFER = frozenset({"policy", "started", "versions"})


@dataclass(frozen=True, kw_only=True)
class RolloutManifest:
    """What a run is: `rollout.json`."""

    policy: str
    """As it was named."""
    policy_revision: str
    """Hash of its files, or its name for what has none."""
    policy_contract: dict[str, Any] | None
    """None for what needs no contract."""
    environment: str
    """As it was named, without the Python that it lives in."""
    environment_contract: dict[str, Any]
    horizon: dict[str, int]
    """Steps by task."""
    execute: int
    """Actions of a chunk that are executed before the policy is asked again."""
    seed: int
    """Of the policy's noise."""
    versions: dict[str, str] = field(default_factory=dict)
    started: str
    """ISO 8601."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One finished episode."""

    task: str
    index: int
    seed: int
    success: bool
    steps: int
    """Actions until success, or until the end."""
    queries: int
    """How often the policy was asked."""
    instruction: str
    actions: str
    """SHA-256 of all executed actions."""
    meta: dict[str, Any] | None = None
    """With what the simulator begins the episode again, where a seed is not enough."""
    video: str = ""
    """Below the run, or empty."""

    @property
    def key(self) -> tuple[str, int]:
        """Task and index."""
        return self.task, self.index


_MANIFEST: TypeAdapter[RolloutManifest] = TypeAdapter(RolloutManifest)
_ROW: TypeAdapter[Row] = TypeAdapter(Row)


@dataclass(frozen=True, kw_only=True)
class Rollouts:
    """A run as it is on disk, complete or not."""

    path: Path
    manifest: RolloutManifest
    plans: tuple[EpisodePlan, ...]
    rows: tuple[Row, ...]
    """In the order of the plans."""

    @property
    def known_plans(self) -> tuple[EpisodePlan, ...]:
        """The plans with what the simulator said when it began them, for a run of the same."""
        metas = {row.key: row.meta for row in self.rows}
        return tuple(
            replace(plan, meta=plan.meta or metas.get((plan.task, plan.index)))
            for plan in self.plans
        )

    @property
    def missing(self) -> int:
        """Episodes without a row."""
        return len(self.plans) - len(self.rows)


class RowLog:
    """The rows of a run that is being written; made by `open_rollouts`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = (path / ROWS).open("ab", buffering=0)

    def append(self, row: Row) -> None:
        """Write one line and bring it to disk.

        Raises:
            UserError: the disk is full.
        """
        with disk_errors(self._path):
            line = json.dumps(asdict(row)).encode() + b"\n"
            while line:
                line = line[self._file.write(line) :]
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file."""
        self._file.close()


@contextmanager
def open_rollouts(
    path: Path, manifest: RolloutManifest, plans: Sequence[EpisodePlan]
) -> Iterator[tuple[Rollouts, RowLog]]:
    """Begin a run or go on with it; nobody else can meanwhile.

    Raises:
        UserError: the folder holds something else or another run, is in use, or is damaged.
    """
    if path.exists() and not path.is_dir():
        raise UserError(f"{path} is a file; name a folder")
    with disk_errors(path):
        path.mkdir(parents=True, exist_ok=True)
    with locked(path):
        _begin(path, manifest, plans)
        drop_cut_line(path / ROWS)
        held = read_rollouts(path)
        log = RowLog(path)
        try:
            yield held, log
        finally:
            log.close()


def read_rollouts(path: Path) -> Rollouts:
    """A run from disk; one that is being written can be read too.

    Raises:
        UserError: the folder holds no run, or a line cannot be read.
    """
    if not (path / MANIFEST).is_file():
        raise UserError(f"{path} holds no rollouts: {MANIFEST} is missing; name the --out of a run")
    manifest = _parsed(_MANIFEST, (path / MANIFEST).read_bytes(), str(path / MANIFEST))
    if not (path / PLANS).is_file():
        raise UserError(f"{path / PLANS} is missing: the run is damaged, run again elsewhere")
    plans = tuple(
        plan_from_json(json.loads(line)) for line in (path / PLANS).read_bytes().splitlines()
    )
    places = {(plan.task, plan.index): place for place, plan in enumerate(plans)}
    rows = {row.key: row for row in _read_rows(path / ROWS)}
    if strange := [key for key in rows if key not in places]:
        raise UserError(f"{path / ROWS}: {strange[0]} is not among {PLANS}: the run is damaged")
    ordered = sorted(rows.values(), key=lambda row: places[row.key])
    return Rollouts(path=path, manifest=manifest, plans=plans, rows=tuple(ordered))


def _begin(path: Path, manifest: RolloutManifest, plans: Sequence[EpisodePlan]) -> None:
    lines = b"".join(json.dumps(plan.to_json()).encode() + b"\n" for plan in plans)
    if (path / MANIFEST).is_file():
        found = _parsed(_MANIFEST, (path / MANIFEST).read_bytes(), str(path / MANIFEST))
        require_same(path, found, manifest, _MAY_DIFFER)
        if (path / PLANS).read_bytes() != lines:
            raise UserError(f"{path} holds a run of other episodes; choose another folder")
        return
    if other := [p.name for p in path.iterdir() if p.name[0] != "." and p.name not in _OF_A_RUN]:
        raise UserError(f"{path} holds {other[0]} and no rollouts; choose another folder")
    with disk_errors(path):
        atomic.write_bytes(path / PLANS, lines)
        text = json.dumps(asdict(manifest), indent=1) + "\n"
        atomic.write_bytes(path / MANIFEST, text.encode())


def _read_rows(path: Path) -> Iterator[Row]:
    if not path.exists():
        return
    lines = path.read_bytes().split(b"\n")
    for number, line in enumerate(lines[:-1], start=1):  # what follows the last end is cut short
        yield _parsed(_ROW, line, f"{path}:{number}")


def _parsed(kind: TypeAdapter[Any], data: bytes, where: str) -> Any:
    try:
        return kind.validate_json(data)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise UserError(
            f"{where}: {name + ': ' if name else ''}{first['msg']}; mend or delete the line, or "
            "run in another folder"
        ) from error
