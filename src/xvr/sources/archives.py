"""Tar and zip archives read in place: a release is used as it was downloaded, nothing is extracted.

The members of an archive appear in the folder where it lies, as extracting it there would put them:

    tree = open_tree(Path("AgiBotWorld-Beta"), ("observations/*/*.tar",))
    tree.folders("observations/327")         # of episodes, extracted and in archives alike
    file = tree.find("observations/327/648642/videos/head_color.mp4")  # a Path, a Member or None

A `Member` is read by the same calls as a `Path`. It holds names and numbers and no open file, so it
may be sent to another process. How a tar is indexed and remembered is in `xvr.sources.tar_index`.
"""

import io
import os
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import IO, Any

from xvr.errors import UserError
from xvr.sources.tar_index import tar_members

BUFFER_BYTES = 1 << 16
_LOCAL_HEADER = struct.Struct("<4s22xHH")
"""Before the data of a member of a zip: signature, then lengths of a name and of an extra field
(https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, 4.3.7)."""


@dataclass(frozen=True, kw_only=True)
class Member:
    """One file inside an archive."""

    archive: Path
    name: str
    """As the archive has it."""
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

    def __init__(
        self, root: Path, archives: Sequence[Path], wanted: Callable[[str], bool] | None
    ) -> None:
        self.root = root
        self.archives = tuple(archives)
        """Those in use, sorted."""
        self._wanted = wanted
        self._waiting: dict[str, list[Path]] = {}
        for archive in archives:
            self._waiting.setdefault(_below(root, archive.parent), []).append(archive)
        self._held: dict[str, dict[str, Member | None]] = {}
        """Folder to names in it; None stands for a folder."""

    def find(self, name: str) -> File | None:
        """The file with this path from the root, in the folder or else in an archive."""
        path = self.root / name
        if path.is_file():
            return path
        folder, _, last = name.rpartition("/")
        return self._inside(folder).get(last)

    def files(self, folder: str = "") -> list[str]:
        """Names of the files in a folder, sorted; hidden ones are left out."""
        found = {entry.name for entry in self._entries(folder) if entry.is_file()}
        found |= {name for name, member in self._inside(folder).items() if member is not None}
        return sorted(found)

    def folders(self, folder: str = "") -> list[str]:
        """Names of the folders in a folder, sorted; hidden ones are left out."""
        found = {entry.name for entry in self._entries(folder) if entry.is_dir()}
        found |= {name for name, member in self._inside(folder).items() if member is None}
        return sorted(found)

    def _entries(self, folder: str) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(self.root / folder) as entries:
                return [entry for entry in entries if not entry.name.startswith(".")]
        except (FileNotFoundError, NotADirectoryError):
            return []

    def _inside(self, folder: str) -> dict[str, Member | None]:
        """What archives hold in a folder."""
        parts = PurePosixPath(folder).parts
        for depth in range(len(parts) + 1):
            above = "/".join(parts[:depth])
            for archive in self._waiting.pop(above, ()):
                self._mount(archive, above)
        return self._held.get(folder, {})

    def _mount(self, archive: Path, folder: str) -> None:
        for member in members(archive):
            place = _place(folder, member.name)
            if _is_hidden(place) or (self._wanted is not None and not self._wanted(place)):
                continue
            above, _, name = place.rpartition("/")
            self._hold(above)[name] = member

    def _hold(self, folder: str) -> dict[str, Member | None]:
        """The names held in a folder, which is made known to those above it."""
        if folder not in self._held:
            self._held[folder] = {}
            above, _, name = folder.rpartition("/")
            if folder:
                self._hold(above)[name] = None
        return self._held[folder]


def open_tree(
    root: Path, patterns: Sequence[str], wanted: Callable[[str], bool] | None = None
) -> Tree:
    """The files below a folder, with those inside of the archives that match the patterns.

    Args:
        root: the folder.
        patterns: globs from the root, such as `*.zip`; archives elsewhere are not looked into.
        wanted: which members to remember, by their path from the root; a module-level function.
    """
    archives = sorted({path for pattern in patterns for path in root.glob(pattern)})
    archives = [path for path in archives if path.is_file() and not _is_hidden(path.name)]
    stamps = tuple((path, *_stamp(path)) for path in archives)
    return _open_tree(root, stamps, wanted)


@lru_cache(maxsize=8)
def _open_tree(
    root: Path, stamps: tuple[tuple[Path, int, int], ...], wanted: Callable[[str], bool] | None
) -> Tree:
    """The tree; sizes and dates only make a changed archive a new one."""
    return Tree(root, [path for path, _, _ in stamps], wanted)


def members(archive: Path) -> Iterator[Member]:
    """The files in a tar or zip archive.

    Raises:
        UserError: it is damaged, or compressed in a way that cannot be read in place.
    """
    if archive.suffix.lower() != ".zip":
        for name, offset, size in tar_members(archive):
            yield Member(archive=archive, name=name, offset=offset, stored_bytes=size)
        return
    try:
        with zipfile.ZipFile(archive) as file:
            entries = [entry for entry in file.infolist() if not entry.is_dir()]
    except zipfile.BadZipFile as error:
        raise UserError(f"{archive}: {error}; copy or download it again") from error
    for entry in entries:
        if entry.flag_bits & 1 or entry.compress_type not in (
            zipfile.ZIP_STORED,
            zipfile.ZIP_DEFLATED,
        ):
            raise UserError(f"{archive}: {entry.filename} is encrypted or not deflated; extract it")
        yield Member(
            archive=archive,
            name=entry.filename,
            offset=entry.header_offset,
            stored_bytes=entry.compress_size,
            zip_crc=entry.CRC,
            deflated=entry.compress_type == zipfile.ZIP_DEFLATED,
        )


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


def _place(folder: str, name: str) -> str:
    """Where a member belongs; the end of the folder that its name repeats is dropped.

    So `327/648642/a` and `648642/a` in an archive in `observations/327` are the same place.
    """
    name = PurePosixPath(name).as_posix().lstrip("/")
    parts = PurePosixPath(folder).parts
    for start in range(len(parts)):
        end = "/".join(parts[start:]) + "/"
        if name.startswith(end):
            name = name[len(end) :]
            break
    return f"{folder}/{name}" if folder else name


def _is_hidden(place: str) -> bool:
    return any(part.startswith(".") for part in place.split("/"))


def _below(root: Path, folder: Path) -> str:
    place = folder.relative_to(root).as_posix()
    return "" if place == "." else place


def _stamp(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_size, found.st_mtime_ns
