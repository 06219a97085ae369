"""What the browser is told of an item: texts and pictures in the order of the prompt, and options.

The right answer never goes there. Options are put in an order that follows from the prompt alone,
as a benchmark may list the right one first.
"""

import re
from dataclasses import dataclass

from xvr.evaluation.item import Item, Picture, Prompt

POINT = re.compile(r"\((0\.\d{4}|1\.0000), (0\.\d{4}|1\.0000)\)")
"""A point as the page writes it: fractions of width and height, from the top left corner."""

_LABEL_CHARACTERS = 90
_RESERVED = "sz"  # skip and zoom


@dataclass(frozen=True, kw_only=True)
class Block:
    """A piece of the question: a paragraph, or a picture with the words that stand before it."""

    text: str
    """The paragraph, or the label of the picture; may be empty for a picture."""
    picture: int | None = None
    """Which picture of the prompt, from 0; None for a paragraph."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """An option and the keys that choose it."""

    value: str
    keys: tuple[str, ...]
    color: str | None = None
    """Name of the colour to show beside it."""


def blocks_of(prompt: Prompt) -> tuple[Block, ...]:
    """The parts in order; the short line before a picture, such as `Image 1:`, becomes its label.

    All words stay. A line is a label when it is short and is the whole text before the picture,
    or ends with a colon.
    """
    blocks: list[Block] = []
    waiting, pictures = "", 0
    for part in prompt.parts:
        if isinstance(part, Picture):
            paragraph, label = _split_label(waiting)
            blocks += [Block(text=paragraph)] if paragraph else []
            blocks.append(Block(text=label, picture=pictures))
            waiting, pictures = "", pictures + 1
        else:
            blocks += [Block(text=waiting.strip())] if waiting.strip() else []
            waiting = part
    return (*blocks, Block(text=waiting.strip())) if waiting.strip() else tuple(blocks)


def choices_of(item: Item) -> tuple[Choice, ...]:
    """The options as a person sees them, in an order that does not tell the right one.

    Image numbers ascend, letters and other words follow the alphabet, yes comes before no.
    """
    target = item.target
    if target.kind == "image_number":
        values = sorted(target.options, key=lambda value: (len(value), value))
        return tuple(
            Choice(value=value, keys=(value,) if len(value) == 1 else ()) for value in values
        )
    values = sorted(target.options, reverse=target.kind == "yes_no")
    initials = [value[:1].lower() for value in values]
    choices = []
    for place, (value, initial) in enumerate(zip(values, initials, strict=True), start=1):
        usable = initial.isalpha() and initials.count(initial) == 1 and initial not in _RESERVED
        keys = ((initial,) if usable else ()) + ((str(place),) if place <= 9 else ())
        choices.append(
            Choice(value=value, keys=keys, color=value if target.kind == "color" else None)
        )
    return tuple(choices)


def is_legal(item: Item, answer: str) -> bool:
    """Whether the page could have sent this answer."""
    if item.target.kind == "point":
        return POINT.fullmatch(answer) is not None
    return answer in item.target.options


def _split_label(text: str) -> tuple[str, str]:
    before, _, last = text.strip().rpartition("\n")
    if len(last) <= _LABEL_CHARACTERS and (not before or last.endswith(":")):
        return before.strip(), last.strip().removesuffix(":")
    return text.strip(), ""
