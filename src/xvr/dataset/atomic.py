"""Files that are whole or absent: written under a temporary name, synced, then renamed."""

import os
from collections.abc import Iterable
from pathlib import Path


def write_bytes(path: Path, data: bytes, *, writer: str = "") -> None:
    """Write a file so that a crash leaves the old one, or none, but never a part."""
    write_chunks(path, (data,), writer=writer)


def write_chunks(path: Path, chunks: Iterable[bytes], *, writer: str = "") -> None:
    """As `write_bytes`, for data that comes in pieces.

    When it returns, the file is on disk under its name.

    Args:
        path: of the file.
        chunks: its content.
        writer: a word of this process, where others may write the same file at the same time.
    """
    temporary = path.with_name(f".{path.name}{writer}.partial")
    try:
        with temporary.open("wb") as file:
            for chunk in chunks:
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to disk: a rename is safe only then."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
