"""Lines of `items.jsonl`: what is asked, part by part, and what an answer is held against."""

import json
from collections.abc import Mapping
from typing import Any

from xvr.evaluation.harness.shipped.chosen import SCORERS
from xvr.evaluation.item import Target
from xvr.evaluation.score import Score


def read_row(line: str) -> dict[str, Any]:
    """A line: the fields of a target, and `parts`, each either a `text` or an `image`."""
    return json.loads(line)


def target_of(row: Mapping[str, Any]) -> Target:
    """What an answer to the row is held against."""
    return Target(
        item_id=row["item_id"],
        task=row["task"],
        kind=row["kind"],
        answer=row["answer"],
        options=tuple(row["options"]),
        cluster=row["cluster"],
        facts=row["facts"],
    )


def judge(row: Mapping[str, Any], text: str) -> dict[str, Score]:
    """What every scorer makes of an answer."""
    target = target_of(row)
    return {name: score(target, text) for name, score in SCORERS.items()}
