"""The folder of a dataset in the making: what it holds, who works in it, how it is left.

Unfinished work is in `OUT/.build`. The lock keeps two builds apart and goes with its process, so
that a killed one blocks nobody. Ranks of one build share it. Where the file system has no locks, a
build goes on without: its units are safe without them.
"""

import errno
import fcntl
import json
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from xvr.dataset import atomic
from xvr.dataset.manifest import MANIFEST
from xvr.engine.executor import Crew
from xvr.engine.receipt import forget_unusable
from xvr.errors import UserError

WORK = ".build"
"""Folder of unfinished work below the dataset."""
_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP}

_log = logging.getLogger(__name__)


def is_complete(out: Path, identity: str) -> bool:
    """Whether the folder holds this very dataset.

    Raises:
        UserError: it holds anything else.
    """
    if not out.exists():
        return False
    if not out.is_dir():
        raise UserError(f"{out} is a file; name a folder")
    manifest = out / MANIFEST
    if manifest.exists():
        if json.loads(manifest.read_text()).get("identity") == identity:
            return True
        raise UserError(
            f"{out} holds a dataset made with other arguments, sources or version; "
            "choose another folder or add --overwrite"
        )
    started = out / WORK / "identity"
    if started.exists() and started.read_text() != identity:
        raise UserError(
            f"{out} holds an unfinished build with other arguments, sources or version; "
            "choose another folder or add --overwrite"
        )
    if not started.exists() and any(path.name != WORK for path in out.iterdir()):
        raise UserError(f"{out} is not empty and holds no build; choose another folder")
    return False


@contextmanager
def work_folder(out: Path, identity: str, crew: Crew) -> Iterator[None]:
    """The folder of unfinished work, locked against other builds."""
    work = out / WORK
    with _locked(out, crew):
        with disk_errors(out):
            if not (work / "identity").exists():
                atomic.write_bytes(work / "identity", identity.encode(), writer=f".{crew.rank}")
            if crew.world == 1:
                forget_unusable(work)
                for path in work.glob(".*.partial"):
                    path.unlink()
        yield


def remove_work(out: Path) -> None:
    """Remove the folder of unfinished work, in one step for ranks that still look into it."""
    away = out / f"{WORK}.done"
    shutil.rmtree(away, ignore_errors=True)
    if (out / WORK).exists():
        (out / WORK).rename(away)
        shutil.rmtree(away, ignore_errors=True)


def discard(out: Path) -> None:
    """Delete a dataset or an unfinished build; anything else is left alone.

    Raises:
        UserError: the folder holds something else, or is in use.
    """
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    if not (out / MANIFEST).exists() and not (out / WORK / "identity").exists():
        raise UserError(f"{out} holds no dataset; it is not deleted, choose another folder")
    with _locked(out, Crew()):
        shutil.rmtree(out)


@contextmanager
def disk_errors(out: Path) -> Iterator[None]:
    """Turn a full or read-only disk into a message; finished units stay."""
    try:
        yield
    except OSError as error:
        raise UserError(
            f"cannot write to {out}: {os.strerror(error.errno) if error.errno else error}; "
            "what is finished is kept: make room and run the same command again"
        ) from error


@contextmanager
def _locked(out: Path, crew: Crew) -> Iterator[None]:
    """Hold the lock of a folder's builds; ranks share it, and each has one of its own."""
    work = out / WORK
    with disk_errors(out):
        work.mkdir(parents=True, exist_ok=True)
    with ExitStack() as held:
        if crew.world == 1:
            _hold(held, work / "lock", fcntl.LOCK_EX, f"another build is writing to {out}")
        else:
            _hold(held, work / "lock", fcntl.LOCK_SH, f"another build is writing to {out}")
            own = work / f"lock.{crew.rank}"
            _hold(held, own, fcntl.LOCK_EX, f"rank {crew.rank} of the build of {out} is running")
        yield


def _hold(held: ExitStack, path: Path, kind: int, taken: str) -> None:
    with disk_errors(path.parent.parent):
        lock = held.enter_context(path.open("a+"))
        try:
            fcntl.flock(lock, kind | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UserError(f"{taken}; wait for it to end") from error
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
            _log.warning("%s cannot be locked; start no second build there", path)
