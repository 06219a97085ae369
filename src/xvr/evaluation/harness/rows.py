"""`items.jsonl` and `images/`: a benchmark as every export holds it, images once each."""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from xvr.evaluation.item import Item, Picture
from xvr.sources.pixels import image_kind

Progress = Callable[[int, int], None]
"""Called with (items written, items to write)."""


def write_rows(
    folder: Path, items: Sequence[Item], images: str, progress: Progress | None
) -> Iterator[dict[str, Any]]:
    """Write the images of every item, and yield what is to be known of it.

    Args:
        folder: of the export.
        items: to write.
        images: folder of the images within it.
        progress: called after every item.

    Yields:
        The fields of the target, and `parts`: each either a `text`, or an `image` with its path
        within the export.

    Raises:
        UserError: an image is missing or cannot be read.
    """
    (folder / images).mkdir(parents=True)
    for done, item in enumerate(items, start=1):
        parts = [
            {"image": _write_image(folder, images, part.read())}
            if isinstance(part, Picture)
            else {"text": part}
            for part in item.prompt.parts
        ]
        yield asdict(item.target) | {"parts": parts}
        if progress is not None:
            progress(done, len(items))


def as_line(row: dict[str, Any]) -> str:
    """A row as one line of JSON, without line breaks and tabs."""
    return json.dumps(row)


def _write_image(folder: Path, images: str, data: bytes) -> str:
    """The name follows from the content, so that an image of several items is there once."""
    extension = (image_kind(data) or "img").replace("jpeg", "jpg")
    name = f"{images}/{hashlib.sha256(data).hexdigest()[:24]}.{extension}"
    path = folder / name
    if not path.exists():
        path.write_bytes(data)
    return name
