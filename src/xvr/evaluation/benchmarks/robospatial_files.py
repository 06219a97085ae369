"""The two forms that RoboSpatial-Home is on disk: `annotations.json` with images, or parquet files.

Depth images are not read. Images of parquet files are held in memory; there are 350.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from xvr.errors import UserError
from xvr.evaluation.benchmarks.foreign import check_files, picture_of, read_file, text_field
from xvr.evaluation.item import Picture

ANNOTATIONS = "annotations.json"
_COLUMNS = ["category", "question", "answer", "img", "mask"]
_GET_IT = "get chanhee-luke/RoboSpatial-Home from the Hugging Face hub"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One question as it is on disk; without a question or an answer it is skipped."""

    where: str
    """File and entry, counted from 1."""
    category: str
    question: str
    answer: str
    picture: Picture
    read_mask: Callable[[], bytes] | None
    """The encoded mask, white where an answer is right; None where there is none."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a path holds."""

    entries: tuple[Entry, ...]
    files: tuple[Path, ...]
    """Those that hold the questions."""


def find_entries(path: Path) -> Found:
    """Entries in the order of the files.

    Raises:
        UserError: there are none, or one is wrong.
    """
    if path.suffix == ".json" or (path / ANNOTATIONS).is_file():
        file = path if path.suffix == ".json" else path / ANNOTATIONS
        return Found(entries=tuple(_of_json(file)), files=(file,))
    files = (path,) if path.is_file() else tuple(sorted(path.rglob("*.parquet")))
    if not files:
        raise UserError(
            f"{path} holds no RoboSpatial-Home: neither {ANNOTATIONS} nor parquet files are there; "
            f"{_GET_IT}"
        )
    return Found(entries=tuple(entry for file in files for entry in _of_parquet(file)), files=files)


def _of_json(file: Path) -> Iterator[Entry]:
    try:
        records = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"cannot read {file} ({error}); download it again") from error
    if not isinstance(records, list):
        raise UserError(f"{file}: a {type(records).__name__} and not a list of questions")
    images: dict[Path, str] = {}
    entries = []
    for number, record in enumerate(records, start=1):
        where = f"{file}: entry {number}"
        if not isinstance(record, dict):
            raise UserError(f"{where}: a {type(record).__name__} and not an object")
        name = text_field(record, "img", where)
        mask = text_field(record, "mask", where) if record.get("mask") else None
        images |= {file.parent / shown: where for shown in (name, mask) if shown}
        entries.append(
            Entry(
                where=where,
                **_texts(record, where),
                picture=picture_of(file.parent / name, name),
                read_mask=partial(read_file, file.parent / mask) if mask else None,
            )
        )
    check_files(images, hint="keep the images beside annotations.json, or download again")
    yield from entries


def _of_parquet(file: Path) -> Iterator[Entry]:
    try:
        names = pq.read_schema(file).names
        absent = [name for name in _COLUMNS if name not in names and name != "mask"]
        if absent:
            raise UserError(f"{file}: no column {', '.join(absent)} among {', '.join(names)}")
        rows = pq.read_table(file, columns=[c for c in _COLUMNS if c in names]).to_pylist()
    except (OSError, pa.ArrowException) as error:
        raise UserError(f"cannot read {file} ({error}); download it again") from error
    for number, row in enumerate(rows, start=1):
        where = f"{file}: entry {number}"
        image, mask = _bytes_of(row["img"]), _bytes_of(row.get("mask"))
        if image is None:
            raise UserError(f"{where}: 'img' holds no image; {_GET_IT} with the images inside")
        yield Entry(
            where=where,
            **_texts(row, where),
            picture=Picture(name=f"{file.stem}/{number}", read=partial(_held, image)),
            read_mask=partial(_held, mask) if mask else None,
        )


def _texts(record: dict[str, Any], where: str) -> dict[str, str]:
    """Category, question and answer; the last two are empty where there are none."""
    category = text_field(record, "category", where)
    found = {name: record.get(name) or "" for name in ("question", "answer")}
    for name, value in found.items():
        if not isinstance(value, str):
            raise UserError(f"{where}: the field {name!r} is {value!r}; it must hold text")
    return {"category": category, **found}


def _bytes_of(value: Any) -> bytes | None:
    """The file in a cell, which is the bytes or a struct with bytes."""
    data = value.get("bytes") if isinstance(value, dict) else value
    return data if isinstance(data, bytes) and data else None


def _held(data: bytes) -> bytes:
    return data
