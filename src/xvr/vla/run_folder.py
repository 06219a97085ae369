"""The folder of a training run.

config.json              the arguments; another command for the same folder is refused
manifest.json            data, versions, skipped episodes, memory; written when training starts
log.jsonl  tensorboard/  one entry every few steps
checkpoints/step_000500/ a policy, and all that training needs to go on from there
policy/                  the policy at the end; when it is there, the run is complete
"""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from xvr.dataset import atomic
from xvr.errors import UserError

CONFIG, MANIFEST, LOG = "config.json", "manifest.json", "log.jsonl"
CHECKPOINTS, POLICY = "checkpoints", "policy"


def policy_folder(path: Path) -> Path:
    """The folder with `policy.json`: the path itself, or the end of the run there.

    Raises:
        UserError: there is none; the checkpoints of an unfinished run are named.
    """
    for folder in (path, path / POLICY):
        if (folder / "policy.json").is_file():
            return folder
    latest = checkpoints(path)[-1:]
    hint = f": the run is not finished, its latest checkpoint is {latest[0]}" if latest else ""
    raise UserError(f"{path} holds no policy{hint}")


def checkpoints(run: Path) -> list[Path]:
    """Complete checkpoints, the latest last."""
    return sorted((run / CHECKPOINTS).glob("step_*"), key=lambda path: step_of(path))


def step_of(checkpoint: Path) -> int:
    """How many steps were done."""
    return int(checkpoint.name.removeprefix("step_"))


@contextmanager
def claimed(run: Path, config: Mapping[str, Any]) -> Iterator[None]:
    """The folder for this run alone, new or begun with the same arguments.

    Raises:
        UserError: it holds something else, other arguments began it, or another process is at it.
    """
    known = run / CONFIG
    if run.exists() and not run.is_dir():
        raise UserError(f"{run} is a file; choose another --out")
    if run.is_dir() and any(run.iterdir()) and not known.exists():
        raise UserError(f"{run} is not empty and no run of training; choose another --out")
    run.mkdir(parents=True, exist_ok=True)
    with _locked(run):
        if known.exists():
            _check(known, config)
        else:
            atomic.write_bytes(known, (json.dumps(config, indent=1) + "\n").encode())
        yield


def _check(path: Path, config: Mapping[str, Any]) -> None:
    before = json.loads(path.read_text())
    now = json.loads(json.dumps(config))
    other = sorted(key for key in before.keys() | now if before.get(key) != now.get(key))
    if other:
        lines = "".join(
            f"\n  {key}: {before.get(key)!r} then, {now.get(key)!r} now" for key in other
        )
        raise UserError(
            f"{path.parent} was begun with other arguments; choose another --out{lines}"
        )


@contextmanager
def _locked(run: Path) -> Iterator[None]:
    descriptor = os.open(run, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UserError(f"another process is training in {run}; wait for it to end") from error
        yield
    finally:
        os.close(descriptor)
