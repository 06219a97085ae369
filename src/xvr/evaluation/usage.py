"""What a run took: tokens, money, time, retries, and calls that failed."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median
from typing import TypeVar

from xvr.evaluation.store import Run

NOT_ASKED = "not_asked"
NumberT = TypeVar("NumberT", int, float)


@dataclass(frozen=True, kw_only=True)
class Usage:
    """Over all attempts, those that failed or were asked again too."""

    attempts: int
    retries: int
    input_tokens: int | None
    """None where no attempt told."""
    output_tokens: int | None
    cost_usd: float | None
    call_seconds: float | None
    """How long the call took that an attempt was part of, the median; a batch is one call."""
    failures: dict[str, int]
    """Failed attempts by kind, the most frequent first."""
    unanswered: dict[str, int]
    """Items without an answer by how their last attempt failed; `not_asked` where none was."""


def usage(run: Run) -> Usage:
    """Sums over the attempts of a run."""
    failures = {a.item_id: a.error.kind for a in run.attempts if a.error is not None}
    seconds = [attempt.seconds for attempt in run.attempts if attempt.seconds is not None]
    answers = run.answers
    missing = [t.item_id for t in run.targets if t.item_id not in answers]
    return Usage(
        attempts=len(run.attempts),
        retries=sum(attempt.retries for attempt in run.attempts),
        input_tokens=_sum(attempt.input_tokens for attempt in run.attempts),
        output_tokens=_sum(attempt.output_tokens for attempt in run.attempts),
        cost_usd=_sum(attempt.cost_usd for attempt in run.attempts),
        call_seconds=median(seconds) if seconds else None,
        failures=_counted(a.error.kind for a in run.attempts if a.error is not None),
        unanswered=_counted(failures.get(item, NOT_ASKED) for item in missing),
    )


def _counted(words: Iterable[str]) -> dict[str, int]:
    return dict(Counter(words).most_common())


def _sum(values: Iterable[NumberT | None]) -> NumberT | None:
    """Of what is known; None where nothing is."""
    known = [value for value in values if value is not None]
    return sum(known[1:], start=known[0]) if known else None
