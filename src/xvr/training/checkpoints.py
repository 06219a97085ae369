"""Checkpoints that are whole or absent: written under another name, brought to disk, renamed.

RUN/checkpoints/checkpoint-500/    weights, optimizer, schedule, random numbers, step
RUN/checkpoints/.partial/          one that is being written, or was when the run was killed
"""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from xvr.dataset import atomic
from xvr.errors import UserError

FOLDER = "checkpoints"
PARTIAL = ".partial"
_NAME = re.compile(r"checkpoint-(\d+)")


def checkpoints(run: Path) -> list[Path]:
    """Complete checkpoints of a run, oldest first."""
    folder = run / FOLDER
    found = [path for path in folder.glob("checkpoint-*") if _NAME.fullmatch(path.name)]
    return sorted(found, key=step_of)


def step_of(checkpoint: Path) -> int:
    """Steps that were done when a checkpoint was written."""
    match = _NAME.fullmatch(checkpoint.name)
    assert match is not None, checkpoint
    return int(match[1])


def last_checkpoint(run: Path) -> Path | None:
    """The newest complete checkpoint; what a killed run left half written is deleted."""
    shutil.rmtree(run / FOLDER / PARTIAL, ignore_errors=True)
    found = checkpoints(run)
    return found[-1] if found else None


def commit(run: Path, name: str) -> None:
    """Give what lies in the partial folder its name, once all of it is on disk."""
    written = run / FOLDER / PARTIAL / name
    for path in sorted(written.rglob("*")):
        if path.is_file():
            with path.open("rb") as file:
                _sync(file.fileno())
    atomic.sync_folder(written)
    target = run / FOLDER / name
    if target.exists():  # the same step again, after a kill between this and the log
        shutil.rmtree(target)
    written.replace(target)
    atomic.sync_folder(run / FOLDER)


def rotate(run: Path, keep: int) -> None:
    """Delete all but the newest checkpoints."""
    for path in checkpoints(run)[:-keep]:
        shutil.rmtree(path)


@contextmanager
def writing(run: Path) -> Iterator[None]:
    """Errors of a disk that refuses a checkpoint, as what a user can fix; nothing half is left.

    safetensors and torch have errors of their own for a full disk.
    """
    from safetensors import SafetensorError

    try:
        yield
    except (OSError, SafetensorError, RuntimeError) as error:
        if not _of_the_disk(error):
            raise
        shutil.rmtree(run / FOLDER / PARTIAL, ignore_errors=True)
        last = last_checkpoint(run)
        kept = f"the last good one is {last}" if last else "there is none before it"
        raise UserError(
            f"no checkpoint could be written in {run / FOLDER}: {str(error).splitlines()[0]}; "
            f"{kept}. Make room and run the same command again to go on from there"
        ) from error


def require_space(run: Path, needed_bytes: int) -> None:
    """Refuse a disk on which not even one checkpoint has room.

    Raises:
        UserError: it has not.
    """
    free = shutil.disk_usage(run).free
    if free < needed_bytes:
        raise UserError(
            f"a checkpoint needs about {needed_bytes / 1e9:.1f} GB and {run} has {free / 1e9:.1f} "
            "GB left; make room or choose another --out"
        )


def _of_the_disk(error: Exception) -> bool:
    """Whether writing failed, and not the program."""
    if isinstance(error, OSError):
        return True
    words = str(error)
    return any(word in words for word in ("os error", "I/O error", "file write", "writing file"))


def _sync(descriptor: int) -> None:
    import os

    os.fsync(descriptor)
