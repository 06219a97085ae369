"""Where each file of a tar archive lies; made once per archive, then remembered.

A tar has no index: its headers lie between its files and all of them have to be read, one seek
each. So the list is kept in the user's cache folder (`$XDG_CACHE_HOME/xvr/tar`, else
`~/.cache/xvr/tar`), named by the archive's path, size and date; deleting it does no harm.

Layout: https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html
"""

import hashlib
import json
import logging
import os
import tarfile
import tempfile
from pathlib import Path

from xvr.errors import UserError

VERSION = 1
"""Of the remembered lists; a change of their form makes old ones unknown."""
_log = logging.getLogger(__name__)


def tar_members(archive: Path) -> list[tuple[str, int, int]]:
    """Name, offset and size in bytes of every file in an uncompressed tar, in its order.

    Raises:
        UserError: it is no such archive, or is cut short.
    """
    remembered = _cache_path(archive)
    try:
        return [tuple(entry) for entry in json.loads(remembered.read_bytes())]
    except (OSError, ValueError):
        found = _scan(archive)
    _remember(remembered, found)
    return found


def _scan(archive: Path) -> list[tuple[str, int, int]]:
    try:
        with tarfile.open(archive, "r:") as tar:
            found = [(m.name, m.offset_data, m.size) for m in tar if m.isreg() and not m.issparse()]
            end = tar.offset
    except tarfile.TarError as error:
        raise UserError(
            f"{archive} is cut short or no plain tar archive: {error}; copy or download it again, "
            "decompress it when it is compressed"
        ) from error
    if archive.stat().st_size <= end:  # tarfile takes one that is cut at a header for a whole one
        raise UserError(f"{archive} is cut short; copy or download it again")
    return found


def _remember(path: Path, found: list[tuple[str, int, int]]) -> None:
    """Keep a list; whole or not at all, because several processes may do this at once."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            file.write(json.dumps(found).encode())
        Path(file.name).replace(path)
    except OSError as error:
        _log.warning("the index of an archive is not kept and will be made again: %s", error)


def _cache_path(archive: Path) -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    status = archive.stat()
    key = f"{VERSION}\n{archive.resolve()}\n{status.st_size}\n{status.st_mtime_ns}"
    name = hashlib.sha256(key.encode()).hexdigest()[:32]
    return Path(base).expanduser() / "xvr" / "tar" / f"{name}.json"
