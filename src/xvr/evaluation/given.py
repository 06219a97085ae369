"""Which answers a run gives, beside those that are right: a liking for one place or colour."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from xvr.evaluation.judged import Judged


@dataclass(frozen=True, kw_only=True)
class Given:
    """Answers of a run to the items of one task."""

    answers: tuple[str, ...]
    """All that are right, were legal or were given: numbers by size, then words."""
    right: dict[str, int]
    """How often each is right."""
    given: dict[str, int]
    """How often each was given."""
    pairs: dict[str, dict[str, int]]
    """{right answer: {answer given: count}}; unparsed and missing ones are left out."""
    unparsed: int
    unanswered: int


def given_answers(items: Sequence[Judged]) -> Given | None:
    """Count the answers to the items of one task; None where answers are points."""
    if any(not item.target.options for item in items):
        return None
    right = Counter(item.target.answer for item in items)
    given = Counter(item.parsed for item in items if item.parsed is not None)
    pairs: dict[str, Counter[str]] = {answer: Counter() for answer in sorted(right, key=_place)}
    for item in items:
        if item.parsed is not None:
            pairs[item.target.answer][item.parsed] += 1
    legal = {option for item in items for option in item.target.options}
    return Given(
        answers=tuple(sorted(legal | set(given), key=_place)),
        right=dict(right),
        given=dict(given),
        pairs={answer: dict(counts) for answer, counts in pairs.items()},
        unparsed=sum(item.parsed is None and item.text is not None for item in items),
        unanswered=sum(item.text is None for item in items),
    )


def _place(answer: str) -> tuple[bool, int, str]:
    number = int(answer) if answer.isdecimal() else 0
    return not answer.isdecimal(), number, answer
