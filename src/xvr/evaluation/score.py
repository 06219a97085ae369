"""What a scorer makes of an answer."""

from collections.abc import Callable
from dataclasses import dataclass

from xvr.evaluation.item import Target


@dataclass(frozen=True, kw_only=True)
class Score:
    """One answer, judged."""

    correct: bool
    parsed: str | None
    """The option or point that was read from the text; None where none could be."""


Scorer = Callable[[Target, str], Score]
"""Judges the text of an answer; pure, so that a run can be scored again without its model."""
