"""The tar format of shards: POSIX ustar, headers without a trace of time, owner or machine.

A member is a header of 512 bytes, its data, and zeros up to the next multiple of 512; an archive
ends with at least two blocks of zeros. Layout of the header, byte for byte what `tarfile` writes:
https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html
"""

import struct
import tarfile
from pathlib import Path
from typing import NamedTuple

from xvr.errors import UserError

BLOCK = 512
_RECORD = 20 * BLOCK
_HEADER = struct.Struct("100s8s8s8s12s12s8sc100x8s247x")


class Member(NamedTuple):
    """One file in an archive."""

    name: str
    offset: int
    """Where its data starts, bytes from the start of the archive."""
    size: int
    """Bytes of data."""


def header(name: str, size: int) -> bytes:
    """The 512 bytes before a member: mode 0644, owner 0, time 0.

    Raises:
        ValueError: a name that is empty, not ASCII, or longer than 100 characters.
    """
    if not name.isascii() or not 0 < len(name) <= 100:
        raise ValueError(f"{name!r} must be 1 to 100 ASCII characters to be a name in a shard")
    # Name, mode, owner, group, size, time, checksum, type, magic; numbers are octal text. For the
    # checksum, which is the sum of all bytes, its own field counts as eight spaces.
    owner = b"%07o" % 0
    fields = (name.encode(), b"%07o" % 0o644, owner, owner, b"%011o" % size, b"%011o" % 0)
    block = _HEADER.pack(*fields, b" " * 8, b"0", b"ustar\x0000")
    return block[:148] + b"%06o\0 " % sum(block) + block[156:]


def padding(size: int) -> bytes:
    """The zeros after `size` bytes of data."""
    return bytes(-size % BLOCK)


def ending(size: int) -> bytes:
    """The zeros that end an archive of `size` bytes; they fill its last record, as tar does."""
    return bytes(2 * BLOCK + -(size + 2 * BLOCK) % _RECORD)


def scan(archive: Path) -> list[Member]:
    """The files in any uncompressed tar archive, at about 25 us each.

    Raises:
        UserError: the file is no tar archive, or is cut short.
    """
    try:
        with tarfile.open(archive, "r:") as tar:
            members = [Member(m.name, m.offset_data, m.size) for m in tar if m.isreg()]
            end = tar.offset
    except tarfile.TarError as error:
        raise damaged(archive, str(error)) from error
    # tarfile takes an archive that is cut at a header for a whole one.
    with archive.open("rb") as file:
        file.seek(end)
        if file.read(BLOCK) != bytes(BLOCK):
            raise damaged(archive, f"no end of archive after {end} bytes")
    return members


def damaged(shard: Path, detail: str) -> UserError:
    """The error for a shard that is not what was written."""
    return UserError(f"{shard}: the shard is damaged: {detail}; copy or download it again")
