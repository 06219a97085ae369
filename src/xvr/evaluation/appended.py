"""Folders of runs: lines that are only ever appended to, the lock, and whose run it is.

A killed run leaves at most one line that is cut short.
"""

import errno
import fcntl
import logging
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

from xvr.engine.folder import disk_errors
from xvr.errors import UserError

_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP}

_log = logging.getLogger(__name__)


def drop_cut_line(path: Path) -> None:
    """Remove what a killed run left behind the last whole line."""
    if not path.exists():
        return
    with path.open("r+b") as file:
        data = file.read()
        whole = data.rfind(b"\n") + 1
        if whole < len(data):
            file.truncate(whole)
            _log.warning("%s: dropped a last line that was cut short", path)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep other runs out of a folder; the lock goes with its process.

    Raises:
        UserError: one is in it.
    """
    with disk_errors(path):
        lock = (path / ".lock").open("a+")
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UserError(f"another run is writing to {path}; wait for it to end") from error
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
            _log.warning("%s cannot be locked; start no second run there", path)
        yield


def require_same(path: Path, found: Any, asked: Any, may_differ: Collection[str]) -> None:
    """Refuse a folder whose manifest is of another run.

    Args:
        path: of the folder.
        found: the manifest there, a dataclass.
        asked: what is to be run now, of the same class.
        may_differ: fields that do not tell runs apart.

    Raises:
        UserError: says which fields differ, and how.
    """
    differences = [
        f"{one.name} is {getattr(found, one.name)!r} there and {getattr(asked, one.name)!r} now"
        for one in fields(found)
        if one.name not in may_differ and getattr(found, one.name) != getattr(asked, one.name)
    ]
    if differences:
        raise UserError(
            f"{path} holds another run: {'; '.join(differences)}; choose another folder"
        )
