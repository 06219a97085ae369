"""The folder of a training run: what it was asked, with what, and whether it may go on.

RUN/run.json         identity, configuration, recipe, data, model, versions
RUN/log.jsonl        one line every few steps        RUN/tensorboard/   the same as curves
RUN/skipped.jsonl    samples that could not be used
RUN/checkpoints/     to go on from
RUN/eval/            evaluations during training
RUN/model/           what came out, with its card; RUN/adapter/ beside it after LoRA
"""

import fcntl
import hashlib
import json
import os
import platform
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from xvr import __version__
from xvr.dataset import atomic
from xvr.engine.folder import disk_errors
from xvr.errors import UserError

MANIFEST = "run.json"
MODEL = "model"
ADAPTER = "adapter"
LIBRARIES = ("torch", "transformers", "accelerate", "peft", "tokenizers", "numpy", "pillow")
"""Libraries that can change a number of the run."""


def rank() -> int:
    """Number of this process among those that a launcher started."""
    return int(os.environ.get("RANK", "0"))


def identity_of(decides: Mapping[str, Any]) -> str:
    """Hash of all that decides the outcome."""
    text = json.dumps(decides, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


@contextmanager
def run_folder(out: Path, decides: Mapping[str, Any]) -> Iterator[str]:
    """The folder, new or one to go on with, locked against a second run; gives its identity.

    Args:
        out: the folder.
        decides: all that decides the outcome; a run with another one is refused.

    Raises:
        UserError: it holds another run or other files, is in use, or cannot be written.
    """
    identity = identity_of(decides)
    with disk_errors(out):
        if out.exists() and not (out / MANIFEST).exists() and any(out.iterdir()):
            raise UserError(f"{out} is not empty and holds no run; choose another --out")
        out.mkdir(parents=True, exist_ok=True)
    with (out / ".lock").open("w") as lock:
        _hold(lock.fileno(), out)
        _require_same(out, decides)
        if not (out / MANIFEST).exists():
            manifest = {
                "identity": identity,
                **decides,
                "versions": versions(),
                "command": sys.argv,
                "started": datetime.now(UTC).isoformat(timespec="seconds"),
            }
            with disk_errors(out):
                data = (json.dumps(manifest, indent=1) + "\n").encode()
                atomic.write_bytes(out / MANIFEST, data)
        yield identity


def read_run(out: Path) -> dict[str, Any]:
    """The manifest of a run.

    Raises:
        UserError: there is none, or it is no JSON.
    """
    path = out / MANIFEST
    try:
        return json.loads(path.read_text())
    except FileNotFoundError as error:
        raise UserError(f"{out} holds no training run: there is no {MANIFEST}") from error
    except ValueError as error:
        raise UserError(f"{path} is no JSON: {error}") from error


def versions() -> dict[str, str]:
    """Of the package, Python and the libraries, as far as they are installed."""
    found = {"xvr": __version__, "python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _hold(descriptor: int, out: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise UserError(f"another run is writing to {out}; wait for it to end") from error


def _require_same(out: Path, decides: Mapping[str, Any]) -> None:
    if not (out / MANIFEST).exists():
        return
    before = read_run(out)
    now = json.loads(json.dumps(decides))
    for path, old, new in _differences({key: before.get(key) for key in now}, now):
        raise UserError(
            f"{out} holds a run with {path} {old!r}, now it is {new!r}; use the same arguments to "
            "go on, or choose another --out"
        )


def _differences(old: Any, new: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new}):
            yield from _differences(old.get(key), new.get(key), f"{path}.{key}" if path else key)
    elif old != new:
        yield path, old, new
