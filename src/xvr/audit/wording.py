"""What a question says in words, so that it can be held against what the proof is about."""

import re
from typing import NamedTuple

from xvr.audit.written import Entry
from xvr.dataset.record import TextBlock

ON_ROBOT = r"\b(wrist|gripper|hand-mounted|(with|on) (the|its) hand|head)\b"
PLACES = {
    "left": r"\bleft\b",
    "right": r"\bright\b",
    "center": r"\b(centre|center|central|middle)\b",
    "top": r"\b(overhead|above|top|ceiling)\b",
    "front": r"\bfront\b|facing the robot",
    "head": r"\bhead\b",
}


class Description(NamedTuple):
    """Where a camera is, as far as a text tells."""

    on_robot: bool
    places: frozenset[str]


def question_of(entry: Entry) -> str:
    """The last text of the prompt, in lower case."""
    texts = [b.text for b in entry.sample.prompt_blocks if isinstance(b, TextBlock)]
    return texts[-1].lower() if texts else ""


def choices_of(question: str) -> dict[str, str]:
    """Options that a question in lower case spells out, as in `a: one; b: another.`, by letter."""
    found = re.findall(r"\b([a-f]): ([^;.]+)", question)
    return {letter.upper(): text.strip() for letter, text in found}


def described(question: str) -> Description | None:
    """The camera described in quotes; None when no word tells where it is."""
    quoted = re.search(r'["“](.*)["”]', question)
    text = quoted.group(1) if quoted else question
    places = frozenset(name for name, words in PLACES.items() if re.search(words, text))
    on_robot = re.search(ON_ROBOT, text) is not None
    return Description(on_robot, places) if places or on_robot else None
