"""One attempt at an item: a line of `attempts.jsonl`, an answer or an error and never both."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pydantic import ConfigDict, TypeAdapter
from pydantic.dataclasses import dataclass

from xvr.evaluation.model import Answer, Failure

_STRICT = ConfigDict(extra="forbid")


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class AttemptError:
    """Why there is no answer."""

    kind: str
    message: str


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class Attempt:
    """One time that an item was asked."""

    key: str
    """Hash of what was shown and of who was asked; empty where an image could not be read."""
    item_id: str
    attempt: int
    """From 1, over all runs in the folder."""
    status: Literal["answered", "failed"]
    text: str | None = None
    """What was answered."""
    error: AttemptError | None = None
    retries: int = 0
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: float | None = None
    seconds: float | None = None
    """How long the call took that the item was part of."""
    details: Mapping[str, Any] | None = None
    annotator: str | None = None
    """Who answered, where it was a person."""

    def __post_init__(self) -> None:
        """Refuse a line that is both or neither."""
        if (self.status == "answered") != (self.text is not None):
            raise ValueError("an answered attempt has a text, a failed one has none")
        if (self.status == "failed") != (self.error is not None):
            raise ValueError("a failed attempt has an error, an answered one has none")


_LINE: TypeAdapter[Attempt] = TypeAdapter(Attempt)


def attempt_of(
    item_id: str, key: str, number: int, reply: Answer | Failure, seconds: float | None = None
) -> Attempt:
    """The attempt that a reply makes; `number` counts from 1."""
    if isinstance(reply, Failure):
        return Attempt(
            key=key,
            item_id=item_id,
            attempt=number,
            status="failed",
            error=AttemptError(kind=reply.kind, message=reply.message),
            retries=reply.retries,
            seconds=seconds,
        )
    return Attempt(
        key=key,
        item_id=item_id,
        attempt=number,
        status="answered",
        text=reply.text,
        retries=reply.retries,
        input_tokens=reply.input_tokens,
        output_tokens=reply.output_tokens,
        cost_usd=reply.cost_usd,
        seconds=seconds,
        details=reply.details,
    )


def last_keys(attempts: Iterable[Attempt]) -> dict[str, str]:
    """By item, the key of what was last shown of it.

    An image that could not be read shows nothing, so answers from before it was lost still stand.
    """
    return {attempt.item_id: attempt.key for attempt in attempts if attempt.key}


def to_line(attempt: Attempt) -> bytes:
    """One line of JSON, with its end; what is unknown is left out.

    Half of a surrogate pair, which a cut answer may end with, becomes a question mark: a line that
    cannot be read again would spoil the run.
    """
    row = {name: value for name, value in _LINE.dump_python(attempt).items() if value is not None}
    return json.dumps(row, ensure_ascii=False).encode(errors="replace") + b"\n"


def from_line(line: bytes) -> Attempt:
    """Read a line.

    Raises:
        ValidationError: it is no attempt.
    """
    return _LINE.validate_json(line)
