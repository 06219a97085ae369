"""Answers that were given elsewhere: a file of predictions, or another run.

A line has `item_id` or `sample_id`, and `text`, `prediction` or `answer`. Of the attempts of a run,
failures are skipped and the last answer counts; elsewhere an item has one line.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from xvr.errors import UserError
from xvr.evaluation.item import Prompt
from xvr.evaluation.model import Answer, Failure
from xvr.evaluation.models.options import ModelOptions

_IDS = ("item_id", "sample_id")
_TEXTS = ("text", "prediction", "answer")
_BATCH = 64


@dataclass(frozen=True, kw_only=True)
class Replay:
    """Says again what was said."""

    name: str
    revision: str
    texts: Mapping[str, str]
    """By item."""
    decoding: Mapping[str, Any] = field(default_factory=dict)
    batch_size: int = _BATCH
    concurrency: int = 1

    def answer(self, prompts: Sequence[Prompt]) -> list[Answer | Failure]:
        """The text of each item; a failure where there is none."""
        return [self._answer(prompt.item_id) for prompt in prompts]

    def close(self) -> None:
        """Nothing is held."""

    def _answer(self, item_id: str) -> Answer | Failure:
        if item_id in self.texts:
            return Answer(text=self.texts[item_id])
        return Failure(kind="not_in_file", message=f"{self.name} has no answer to {item_id}")


def make(rest: str, options: ModelOptions) -> Replay:  # noqa: ARG001
    """`replay:FILE`; the folder of a run stands for its attempts.

    Raises:
        UserError: the file is missing, or a line is no answer; says which.
    """
    path = Path(rest).expanduser()
    path = path / "attempts.jsonl" if path.is_dir() else path
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}); check replay:FILE") from error
    revision = hashlib.sha256(data).hexdigest()
    return Replay(name=f"replay:{rest}", revision=revision, texts=_texts(path, data))


def _texts(path: Path, data: bytes) -> dict[str, str]:
    texts: dict[str, str] = {}
    lines: dict[str, int] = {}
    for number, line in enumerate(data.splitlines(), start=1):
        if not line.strip():
            continue
        row = _row(path, number, line)
        if row.get("status") == "failed":
            continue
        item_id = _first(row, _IDS, f"{path}:{number}")
        if item_id in texts and "status" not in row:
            raise UserError(
                f"{path}:{number}: {item_id} has an answer in line {lines[item_id]} already; "
                "keep one of them"
            )
        texts[item_id] = _first(row, _TEXTS, f"{path}:{number}")
        lines[item_id] = number
    return texts


def _row(path: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise UserError(f"{path}:{number}: no JSON: {error}") from error
    if not isinstance(row, dict):
        raise UserError(f"{path}:{number}: a {type(row).__name__} where an object must be")
    return row


def _first(row: dict[str, Any], names: tuple[str, ...], where: str) -> str:
    for name in names:
        if isinstance(row.get(name), str):
            return row[name]
    raise UserError(f"{where}: no text under {' or '.join(names)}, only {', '.join(row)}")
