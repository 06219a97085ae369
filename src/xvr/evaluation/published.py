"""Published numbers to hold a run against.

    published("xvr")[0].percent["point_correspondence"]

They stand in `published.json`: tables, each with the name of the benchmark, the source, and rows.
Numbers are in percent as printed. How they were made (prompt, decoding, scorer) is known in part
only.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any


@dataclass(frozen=True, kw_only=True)
class PublishedRow:
    """What was published about one model."""

    name: str
    """Of the model, or Random, or Human."""
    percent: Mapping[str, float]
    """By task; tasks without a number are absent."""
    overall: float | None
    """In percent; None where none was published."""
    note: str
    """What keeps it from being compared, or empty."""
    source: str
    """Where it was published."""


def published(benchmark: str) -> tuple[PublishedRow, ...]:
    """Rows in the order they were published, none for a benchmark without published numbers."""
    return tuple(
        PublishedRow(
            name=row["name"],
            percent=row["percent"],
            overall=row.get("overall"),
            note=row.get("note", ""),
            source=table["source"],
        )
        for table in _tables()
        if table["benchmark"] == benchmark
        for row in table["rows"]
    )


@cache
def _tables() -> list[dict[str, Any]]:
    text = (files("xvr.evaluation") / "published.json").read_text(encoding="utf-8")
    return json.loads(text)["tables"]
