"""Several people on the same items: the answer that counts, and how far they agree.

A person's answer to an item is the last one they gave. What counts is the answer of most people;
where several answers have equally many, the one of them that was given by the first person. People
come in the order in which they first answered the item.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations

from xvr.evaluation.attempt import Attempt, last_keys
from xvr.evaluation.item import Target

ByPerson = Mapping[str, str]
"""Answers to one item by the name of who gave them, the first person first."""


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """How far people agree on the items that two or more of them answered."""

    items: int
    """Items with two answers or more."""
    annotators: int
    """People who answered any of these."""
    percent: float | None
    """Share of agreeing pairs of answers, mean over items, 0 to 100; None without items."""
    alpha: float | None
    """Krippendorff's alpha: 1 is perfect, 0 what chance gives; None where everybody always says
    the same, or nothing."""


def answers_by_person(attempts: Iterable[Attempt]) -> dict[str, dict[str, str]]:
    """What each person says to each item now, by item id and name.

    Only answers to what was last asked of an item count: those with the key of its last attempt.
    """
    given = [attempt for attempt in attempts if attempt.annotator is not None]
    keys = last_keys(given)
    found: dict[str, dict[str, str]] = {}
    for attempt in given:
        if attempt.text is not None and attempt.key == keys[attempt.item_id]:
            found.setdefault(attempt.item_id, {})[attempt.annotator or ""] = attempt.text
    return found


def majority(answers: ByPerson) -> str:
    """The answer of most people; among equals, the one of the first person."""
    votes = Counter(answers.values())  # keeps the order of people, and max takes the first
    return max(votes, key=lambda answer: votes[answer])


def agreement(targets: Iterable[Target], attempts: Iterable[Attempt]) -> Agreement:
    """Agreement of the people who answered a run, on its options; points are left out.

    Args:
        targets: of the run.
        attempts: of the run.
    """
    given = answers_by_person(attempts)
    kinds = {target.item_id: target.kind for target in targets}
    return agreement_of(given[item] for item in given if kinds.get(item, "point") != "point")


def agreement_of(answers: Iterable[ByPerson]) -> Agreement:
    """Agreement on answers that are either the same or not.

    People need not have answered the same items. Alpha as in Krippendorff, Computing
    Krippendorff's Alpha-Reliability (2011), section C, nominal data:
    https://www.asc.upenn.edu/sites/default/files/2021-03/Computing%20Krippendorff%27s%20Alpha-Reliability.pdf

    Args:
        answers: of each item.
    """
    several = [item for item in answers if len(item) >= 2]
    people = {name for item in several for name in item}
    if not several:
        return Agreement(items=0, annotators=0, percent=None, alpha=None)
    shares = []
    for item in several:
        pairs = list(combinations(item.values(), 2))
        shares.append(sum(one == other for one, other in pairs) / len(pairs))
    return Agreement(
        items=len(several),
        annotators=len(people),
        percent=100 * sum(shares) / len(shares),
        alpha=_alpha(several),
    )


def _alpha(items: list[ByPerson]) -> float | None:
    """One minus observed over expected disagreement, of items with two answers or more each."""
    totals: Counter[str] = Counter()
    observed = 0.0
    for item in items:
        votes = Counter(item.values())
        totals += votes
        unlike = len(item) ** 2 - sum(count**2 for count in votes.values())
        observed += unlike / (len(item) - 1)
    n = totals.total()
    expected = (n**2 - sum(count**2 for count in totals.values())) / (n - 1)
    return 1 - observed / expected if expected else None
