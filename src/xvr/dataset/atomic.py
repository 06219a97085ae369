"""Files and folders that are whole or absent: written under a temporary name, then renamed."""

import fcntl
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from xvr.errors import UserError


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


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A folder to fill, which takes its name `path` when the block ends well, and else vanishes.

    It is filled as `.NAME.partial` beside `path`. What a killed run left there is deleted; a run
    that is still at it is not disturbed.

    Raises:
        UserError: `path` is there already, another run is writing it, or the disk refuses.
    """
    if path.exists() and not (path.is_dir() and not any(path.iterdir())):
        raise UserError(f"{path} is not empty; nothing is overwritten, choose another folder")
    partial = path.absolute().with_name(f".{path.absolute().name}.partial")
    try:
        partial.mkdir(parents=True, exist_ok=True)
        with _locked(partial, path):
            _empty(partial)
            try:
                yield partial
                partial.replace(path)
            finally:
                shutil.rmtree(partial, ignore_errors=True)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        where = f" ({error.filename})" if error.filename else ""
        raise UserError(
            f"cannot write {path}: {reason}{where}; nothing is left of it, make room or choose "
            "another folder and run the same command again"
        ) from error


@contextmanager
def _locked(partial: Path, path: Path) -> Iterator[None]:
    descriptor = os.open(partial, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise UserError(f"another run is writing {path}; wait for it to end") from error
    try:
        yield
    finally:
        os.close(descriptor)


def _empty(folder: Path) -> None:
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
