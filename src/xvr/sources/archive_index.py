"""Which files are in an archive and where: a small database per archive, made once, then kept.

A tar has no index: its headers lie between its files, and all of them have to be read. A zip has
one that must be read whole. So what they say is kept, ordered by folder, in the user's cache folder
(`$XDG_CACHE_HOME/xvr/archives`, else `~/.cache/xvr/archives`), for all processes and later runs.
The database is named by the archive's path, size and date; deleting it does no harm.

Sources: https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html (tar),
https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT (zip).
"""

import hashlib
import os
import sqlite3
import tarfile
import tempfile
import zipfile
from collections.abc import Collection, Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from xvr.errors import UserError

VERSION = 1
"""Of the databases; those of another version are not looked at."""
_TABLES = """
    PRAGMA journal_mode = OFF;
    PRAGMA synchronous = OFF;
    CREATE TABLE files (folder TEXT, name TEXT, offset INT, size INT, crc INT, deflated INT,
                        PRIMARY KEY (folder, name)) WITHOUT ROWID;
    CREATE TABLE folders (above TEXT, name TEXT, PRIMARY KEY (above, name)) WITHOUT ROWID;
"""


class Entry(NamedTuple):
    """One file in an archive."""

    name: str
    """With its folders in `read_members`, without in `files_in`."""
    offset: int
    """Of the data, bytes from the start of the archive; in a zip, of the header before it."""
    size: int
    """Bytes in the archive."""
    crc: int | None
    """CRC-32 of the content, in a zip."""
    deflated: bool


def index_archive(archive: Path, leave_out: Collection[str] = ()) -> Path:
    """The database of an archive, made where there is none yet.

    Args:
        archive: a plain tar, or a zip whose members are stored or deflated.
        leave_out: names of folders whose files are not remembered.

    Raises:
        UserError: the archive is damaged or cannot be read in place, or the cache folder cannot be
            written.
    """
    status = archive.stat()
    parts = (VERSION, archive.resolve(), status.st_size, status.st_mtime_ns, *sorted(leave_out))
    key = hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:32]
    base = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    database = base / "xvr" / "archives" / f"{key}.sqlite"
    if not database.exists():
        try:
            _make(database, read_members(archive), frozenset(leave_out))
        except (OSError, sqlite3.Error) as error:
            raise UserError(
                f"cannot keep the index of {archive} in {database.parent}: {error}; set "
                "XDG_CACHE_HOME to a folder that can be written"
            ) from error
    return database


def files_in(database: Path, folder: str) -> list[Entry]:
    """The files directly in a folder of an archive."""
    query = "SELECT name, offset, size, crc, deflated FROM files WHERE folder = ?"
    return [
        Entry(name, offset, size, crc, bool(deflated))
        for name, offset, size, crc, deflated in _ask(database, query, folder)
    ]


def folders_in(database: Path, folder: str) -> list[str]:
    """Names of the folders directly in a folder of an archive."""
    return [name for (name,) in _ask(database, "SELECT name FROM folders WHERE above = ?", folder)]


def read_members(archive: Path) -> Iterator[Entry]:
    """All files of an archive, as it has them.

    Raises:
        UserError: it is damaged, or compressed in a way that cannot be read in place.
    """
    try:
        yield from _read_zip(archive) if archive.suffix.lower() == ".zip" else _read_tar(archive)
    except OSError as error:
        raise UserError(f"{archive} cannot be read: {error}") from error


def _read_tar(archive: Path) -> Iterator[Entry]:
    try:
        with tarfile.open(archive, "r:") as tar:
            for found in tar:
                if found.isreg() and not found.issparse():
                    yield Entry(found.name, found.offset_data, found.size, None, False)
                # tarfile would keep a record of each
                tar.members = []  # pyright: ignore[reportAttributeAccessIssue]
            end = tar.offset
    except tarfile.TarError as error:
        raise UserError(
            f"{archive} is cut short or no plain tar archive: {error}; copy or download it again, "
            "decompress it when it is compressed"
        ) from error
    with archive.open("rb") as file:  # tarfile takes a damaged header for the end
        file.seek(end)
        if file.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
            raise UserError(
                f"{archive} is cut short or damaged at byte {end}; copy or download it again"
            )


def _read_zip(archive: Path) -> Iterator[Entry]:
    try:
        with zipfile.ZipFile(archive) as file:
            found = [entry for entry in file.infolist() if not entry.is_dir()]
    except (zipfile.BadZipFile, NotImplementedError) as error:
        raise UserError(f"{archive}: {error}; copy or download it again") from error
    for entry in found:
        deflated = entry.compress_type == zipfile.ZIP_DEFLATED
        if entry.flag_bits & 1 or not (deflated or entry.compress_type == zipfile.ZIP_STORED):
            raise UserError(f"{archive}: {entry.filename} is encrypted or not deflated; extract it")
        yield Entry(entry.filename, entry.header_offset, entry.compress_size, entry.CRC, deflated)


def _make(database: Path, members: Iterator[Entry], leave_out: frozenset[str]) -> None:
    """Write a database, whole or not at all, because several processes may do this at once."""
    database.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=database.parent, suffix=".partial")
    os.close(handle)
    try:
        with closing(sqlite3.connect(name)) as connection, connection:
            connection.executescript(_TABLES)
            connection.executemany(
                "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?)",
                _placed(members, leave_out),
            )
            connection.executemany(
                "INSERT OR IGNORE INTO folders VALUES (?, ?)", _chains(connection)
            )
        Path(name).replace(database)
    finally:
        Path(name).unlink(missing_ok=True)


def _placed(
    members: Iterator[Entry], leave_out: frozenset[str]
) -> Iterator[tuple[str, str, int, int, int | None, bool]]:
    """Rows of the files that are not hidden, left out or outside of the archive's folder."""
    for member in members:
        *above, name = [part for part in member.name.split("/") if part not in ("", ".")]
        hidden = any(part.startswith(".") for part in (*above, name))
        if not hidden and leave_out.isdisjoint(above):
            yield ("/".join(above), name, *member[1:])


def _chains(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    """Every folder with files, and those above it, as pairs of the folder above and its name."""
    found = set()
    for (folder,) in connection.execute("SELECT DISTINCT folder FROM files"):
        while folder:
            above, _, name = folder.rpartition("/")
            found.add((above, name))
            folder = above
    return sorted(found)


def _ask(database: Path, query: str, folder: str) -> list[tuple]:
    address = f"file:{quote(str(database))}?mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(address, uri=True)) as connection:
            return connection.execute(query, (folder,)).fetchall()
    except sqlite3.Error as error:
        raise UserError(f"{database}: {error}; delete it, it will be made again") from error
