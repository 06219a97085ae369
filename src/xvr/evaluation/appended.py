"""Files of lines that are only ever appended to, and the lock of the folder that they are in.

A killed run leaves at most one line that is cut short.
"""

import errno
import fcntl
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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
