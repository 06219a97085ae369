"""Tar and zip archives read in place: a release is used as it was downloaded, nothing is extracted.

The members of an archive appear in the folder where it lies, as extracting it there would put them:

    tree = open_tree(Path("AgiBotWorld-Beta"), ("observations/*/*.tar",))
    tree.folders("observations/327")         # of episodes, extracted and in archives alike
    file = tree.find("observations/327/648642/videos/head_color.mp4")  # a Path, a Member or None

A `Member` is read by the same calls as a `Path`. It holds names and numbers and no open file, so it
may be sent to another process. `xvr.sources.archive_index` remembers what is in an archive.
"""

import io
import os
import struct
import zlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import IO, Any

from xvr.sources.archive_index import files_in, folders_in, index_archive

BUFFER_BYTES = 1 << 16
_LOCAL_HEADER = struct.Struct("<4s22xHH")
"""Before the data of a member of a zip: signature, then lengths of a name and of an extra field
(https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, 4.3.7)."""


@dataclass(frozen=True, kw_only=True)
class Member:
    """One file inside an archive."""

    archive: Path
    name: str
    """Its path in the archive."""
    offset: int
    """Of the data, bytes from the start of the archive; in a zip, of the header before it."""
    stored_bytes: int
    """What it takes in the archive."""
    zip_crc: int | None = None
    """CRC-32 of the content, from a zip; None in a tar."""
    deflated: bool = False
    """Whether the stored bytes are compressed, as they may be in a zip."""

    def __str__(self) -> str:
        return f"{self.archive}:{self.name}"

    def open(self, mode: str = "rb") -> IO[bytes]:
        """The file for reading at any position; what is not compressed is read in place.

        Raises:
            OSError: the archive is gone or damaged.
        """
        if mode != "rb":
            raise ValueError(f"{self}: a member is opened with mode 'rb', not {mode!r}")
        if self.deflated:
            return io.BytesIO(self.read_bytes())
        file = self.archive.open("rb", buffering=0)
        try:
            span = _Span(file, self._start(file), self.stored_bytes)
        except OSError:
            file.close()
            raise
        return io.BufferedReader(span, BUFFER_BYTES)

    def read_bytes(self) -> bytes:
        """The whole file; the checksum of a zip is checked.

        Raises:
            OSError: the archive is gone, cut short or damaged.
        """
        with self.archive.open("rb") as file:
            file.seek(self._start(file))
            data = file.read(self.stored_bytes)
        if len(data) != self.stored_bytes:
            raise OSError(f"{self}: the archive ends within it")
        if self.deflated:
            try:
                data = zlib.decompress(data, -zlib.MAX_WBITS)
            except zlib.error as error:
                raise OSError(f"{self}: {error}") from error
        if self.zip_crc is not None and zlib.crc32(data) != self.zip_crc:
            raise OSError(f"{self}: wrong checksum")
        return data

    def _start(self, file: IO[bytes]) -> int:
        """Where the data begins; a zip tells it only in the header before the data."""
        if self.zip_crc is None:
            return self.offset
        file.seek(self.offset)
        header = file.read(_LOCAL_HEADER.size)
        if len(header) != _LOCAL_HEADER.size or not header.startswith(b"PK\x03\x04"):
            raise OSError(f"{self}: no member at byte {self.offset}")
        _, name_bytes, extra_bytes = _LOCAL_HEADER.unpack(header)
        return self.offset + _LOCAL_HEADER.size + name_bytes + extra_bytes


File = Path | Member
"""A file on disk or in an archive: both have `open("rb")`, `read_bytes()` and `str()`."""


class Tree:
    """The files below a folder, with those inside of its archives; made by `open_tree`.

    An archive is indexed when something below its folder is first asked for.
    """

    def __init__(self, root: Path, archives: Sequence[Path], leave_out: Collection[str]) -> None:
        self.root = root
        self._leave_out = tuple(leave_out)
        self.archives = tuple(archives)
        """Those that were found, sorted."""
        self._lying = [(_below(root, archive.parent), archive) for archive in archives]

    def index_all(self) -> None:
        """Index every archive now, so that processes started later need not."""
        for archive in self.archives:
            index_archive(archive, self._leave_out)

    def find(self, name: str) -> File | None:
        """The file with this path from the root, in the folder or else in an archive."""
        path = self.root / name
        if path.is_file():
            return path
        folder, _, last = name.rpartition("/")
        for archive, database, inner in self._places(folder):
            found = _members(archive, database, inner).get(last)
            if found is not None:
                return found
        return None

    def files(self, folder: str = "") -> list[str]:
        """Names of the files in a folder, sorted; hidden ones are left out."""
        found = {entry.name for entry in self._entries(folder) if entry.is_file()}
        for archive, database, inner in self._places(folder):
            found.update(_members(archive, database, inner))
        return sorted(found)

    def folders(self, folder: str = "") -> list[str]:
        """Names of the folders in a folder, sorted; hidden ones are left out."""
        found = {entry.name for entry in self._entries(folder) if entry.is_dir()}
        for _, database, inner in self._places(folder):
            found.update(folders_in(database, inner))
        return sorted(found)

    def _entries(self, folder: str) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(self.root / folder) as entries:
                return [entry for entry in entries if not entry.name.startswith(".")]
        except (FileNotFoundError, NotADirectoryError):
            return []

    def _places(self, folder: str) -> Iterator[tuple[Path, Path, str]]:
        """Archives at or above a folder, their databases, and the folder's names inside of them.

        A member may repeat the end of the folder that its archive lies in: in `observations/327`,
        `648642/a` and `327/648642/a` are the same place.
        """
        for place, archive in self._lying:
            if place and folder != place and not folder.startswith(f"{place}/"):
                continue
            rest = folder.removeprefix(place).removeprefix("/")
            database = index_archive(archive, self._leave_out)
            yield archive, database, rest
            parts = PurePosixPath(place).parts
            for start in range(len(parts)):
                yield archive, database, "/".join((*parts[start:], rest)).removesuffix("/")


def open_tree(root: Path, patterns: Sequence[str], leave_out: Collection[str] = ()) -> Tree:
    """The files below a folder, with those inside of the archives that match the patterns.

    Args:
        root: the folder.
        patterns: globs from the root, such as `*.zip`; archives elsewhere are not looked into.
        leave_out: names of folders inside of archives that are not remembered.
    """
    found = {path for pattern in patterns for path in root.glob(pattern)}
    archives = sorted(path for path in found if path.is_file() and path.name[0] != ".")
    return Tree(root, archives, leave_out)


@lru_cache(maxsize=256)
def _members(archive: Path, database: Path, folder: str) -> dict[str, Member]:
    """The files in a folder of an archive by their names; another database has another path."""
    return {
        entry.name: Member(
            archive=archive,
            name=f"{folder}/{entry.name}" if folder else entry.name,
            offset=entry.offset,
            stored_bytes=entry.size,
            zip_crc=entry.crc,
            deflated=entry.deflated,
        )
        for entry in files_in(database, folder)
    }


class _Span(io.RawIOBase):
    """A stretch of an open file as a file of its own; closes that file with itself."""

    def __init__(self, file: IO[bytes], start: int, size: int) -> None:
        self._file = file
        self._start = start
        self._size = size
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(origin + offset, 0)
        return self._at

    def readinto(self, buffer: Any) -> int:
        count = min(len(buffer), max(self._size - self._at, 0))
        data = os.pread(self._file.fileno(), count, self._start + self._at)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def close(self) -> None:
        self._file.close()
        super().close()


def _below(root: Path, folder: Path) -> str:
    place = folder.relative_to(root).as_posix()
    return "" if place == "." else place
