"""One annotator's way through a run.

Everyone sees the items in an order of their own that follows from their name, so that tiredness and
learning fall on other items for each; the same name finds the same order again.
"""

from collections.abc import Callable, Mapping, Sequence
from threading import Lock

from xvr.engine.seeds import child_rng, digest
from xvr.errors import UserError
from xvr.evaluation.human.question import is_legal
from xvr.evaluation.item import Item

Record = Callable[[Item, str, float], None]
"""Keeps (item, answer, seconds) so that it survives a kill -9 the moment it returns."""


class Session:
    """Positions, answers and the next question of one annotator.

    Args:
        annotator: name of the person.
        items: the chosen items, in the order of the run.
        answers: what this person answered before, by item id.
        record: called for every new answer.
    """

    def __init__(
        self, annotator: str, items: Sequence[Item], answers: Mapping[str, str], record: Record
    ) -> None:
        if not annotator.strip() or annotator != annotator.strip() or not annotator.isprintable():
            raise UserError(f"--annotator {annotator!r}: give a name without spaces around it")
        ids = [item.target.item_id for item in items]
        order = child_rng(0, "annotator", annotator, *ids).permutation(len(items))
        self.annotator = annotator
        self.items = tuple(items[place] for place in order)
        self.id = digest(annotator, *ids).hex()[:16]
        """Tells this session from others, so that a page left open cannot answer for another."""
        self._answers = dict(answers)
        self._record = record
        self._lock = Lock()

    @property
    def answered(self) -> tuple[bool, ...]:
        """Which positions have an answer."""
        return tuple(item.target.item_id in self._answers for item in self.items)

    def answer_at(self, position: int) -> str | None:
        """The answer given so far."""
        return self._answers.get(self.items[position].target.item_id)

    def answer(self, position: int, text: str, seconds: float) -> None:
        """Keep an answer; one that says the same as before is not kept twice.

        Args:
            position: in this annotator's order, from 0.
            text: an option, or a point as `question.POINT`.
            seconds: for which the question was looked at.

        Raises:
            ValueError: it is no answer to this question.
        """
        item = self.items[position]
        if not is_legal(item, text):
            raise ValueError(f"{text!r} is no answer to question {position + 1}")
        with self._lock:
            if self._answers.get(item.target.item_id) != text:
                self._record(item, text, seconds)
                self._answers[item.target.item_id] = text
