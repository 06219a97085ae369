"""Small runs on disk, with answers as told."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from xvr.evaluation.attempt import attempt_of
from xvr.evaluation.item import Item, Prompt, Target
from xvr.evaluation.model import Answer, Failure
from xvr.evaluation.store import Manifest, open_run

TASKS = ("point_correspondence", "temporal_verification")


def targets(number: int = 12, clusters: int = 6) -> list[Target]:
    """Items of two tasks in turn, right is red or image 2, two items in a scene."""
    colors, images = ("red", "green", "blue", "yellow"), ("1", "2", "3")
    return [
        Target(
            item_id=f"item_{place:03}",
            task=TASKS[place % 2],
            kind="image_number" if place % 2 else "color",
            answer="2" if place % 2 else "red",
            options=images if place % 2 else colors,
            cluster=f"scene_{place % clusters}",
        )
        for place in range(number)
    ]


def write_run(
    path: Path,
    asked: list[Target],
    answers: Mapping[str, str | Failure | None],
    **changes: Any,
) -> Path:
    """A run that gives these answers by item, the right one where none is told.

    Args:
        path: of the run.
        asked: its items.
        answers: texts, failures, or None for an item that was not asked.
        changes: of the manifest.
    """
    told: dict[str, Any] = {
        "benchmark": "xvr",
        "data": "/no/such/data",
        "revision": "5ca1ab1e",
        "model": "hf:someone/Model-2B",
        "model_revision": "0123abc",
        "decoding": {"temperature": 0.0},
        "tasks": None,
        "limit": None,
        "items": len(asked),
        "started": "2026-01-01T00:00:00+00:00",
    }
    items = [Item(prompt=Prompt(item_id=t.item_id, parts=()), target=t) for t in asked]
    with open_run(path, Manifest(**told | changes), items) as log:
        for target in asked:
            said = answers.get(target.item_id, target.answer)
            if said is not None:
                answer = said if isinstance(said, Failure) else Answer(text=said, input_tokens=100)
                log.append(attempt_of(target.item_id, "key", 1, answer, 0.5))
    return path


def first(asked: list[Target], task: str, number: int, text: str) -> dict[str, str]:
    """The same answer to the first items of a task."""
    return {t.item_id: text for t in [t for t in asked if t.task == task][:number]}
