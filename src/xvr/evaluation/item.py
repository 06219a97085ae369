"""A question of a benchmark: what a model is shown, and what its answer is held against.

Parts keep the order of the benchmark; nobody downstream may move an image or a text.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

AnswerKind = Literal["image_number", "color", "letter", "yes_no", "point"]
"""What an answer is: the number of an image, a colour word, the letter of an option, yes or no, or
a point of the image in fractions of its width and height."""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """An image of a question, read only when it is needed."""

    name: str
    """Names the image within its benchmark, such as `images/000123.jpg`."""
    read: Callable[[], bytes]
    """The encoded file.

    Raises:
        UserError: the file is missing or cannot be read; says which.
    """


@dataclass(frozen=True, kw_only=True)
class Prompt:
    """All that a model sees of an item."""

    item_id: str
    parts: tuple[str | Picture, ...]
    """Texts and images in order; a line break that the prompt needs is in the text."""

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """The images in order."""
        return tuple(part for part in self.parts if isinstance(part, Picture))


@dataclass(frozen=True, kw_only=True)
class Target:
    """What an answer is held against, without images: enough to score a run again."""

    item_id: str
    task: str
    """Name of the group that results are told by, such as `point_correspondence`."""
    kind: AnswerKind
    answer: str
    """The right option; for a point, empty."""
    options: tuple[str, ...] = ()
    """All legal answers, the right one among them; empty for a point."""
    cluster: str = ""
    """Scene or episode: items of one cluster are not independent. Empty: on its own."""
    facts: dict[str, Any] = field(default_factory=dict)
    """What else a scorer of this benchmark needs, JSON values only, such as a polygon."""


@dataclass(frozen=True, kw_only=True)
class Item:
    """One item of a benchmark."""

    prompt: Prompt
    target: Target
