"""What all readers of somebody else's benchmark need: fields checked, images found, notes made."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from xvr.errors import UserError
from xvr.evaluation.item import Item, Picture


def text_field(record: Mapping[str, Any], name: str, where: str) -> str:
    """A field that must be there and hold text.

    Args:
        record: one entry of a file.
        name: of the field.
        where: file and line, for the message.

    Raises:
        UserError: the field is missing, empty or something else.
    """
    value = record.get(name)
    if not isinstance(value, str) or not value.strip():
        found = "is missing" if name not in record else f"is {value!r}"
        raise UserError(f"{where}: the field {name!r} {found}; it must hold text")
    return value


def read_file(path: Path) -> bytes:
    """The bytes of an image.

    Raises:
        UserError: it is missing or cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"cannot read the image {path}: {error.strerror or error}") from error


def picture_of(path: Path, name: str) -> Picture:
    """An image that is a file."""
    return Picture(name=name, read=partial(read_file, path))


def check_files(paths: Mapping[Path, str], *, hint: str) -> None:
    """Fail before hours of work when images are missing.

    Args:
        paths: each with the file and line that names it.
        hint: how to get them.

    Raises:
        UserError: some are missing; names the first and says how many.
    """
    missing = [path for path in paths if not path.is_file()]
    if missing:
        raise UserError(
            f"{paths[missing[0]]}: the image {missing[0]} is missing, one of {len(missing)} of "
            f"{len(paths)}; {hint}"
        )


def revision_of(paths: Iterable[Path]) -> str:
    """sha256 over files, in the order given."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def count_notes(items: Iterable[Item], published: Mapping[str, int]) -> tuple[str, ...]:
    """A note where a release has other numbers of items than were published, else nothing."""
    found = Counter(item.target.task for item in items)
    if found == published:
        return ()
    here = ", ".join(f"{task} {count}" for task, count in sorted(found.items()))
    there = ", ".join(f"{task} {count}" for task, count in sorted(published.items()))
    return (f"not the published release: items are {here}; published are {there}",)
