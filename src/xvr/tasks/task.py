"""A task as a value: its names, its answers, and the function that drafts one sample."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from xvr.tasks.draft import Draft, Refusal, Slot
from xvr.tasks.rules import Rules


@dataclass(frozen=True, kw_only=True)
class Task:
    """One of the eight published tasks, or of the extended ones.

    A slot's number of images and right option come from `cells`, taken in turn, and its variant
    from the turns made: so every answer is used equally often, to one sample, in any number of
    samples.
    """

    name: str
    """Our name, such as `point_correspondence`."""
    released_id: str
    """Value of `task` in the published release; an extended task, unpublished, has its name."""
    id_prefix: str
    """Beginning of `sample_id` of general tasks, as released."""
    domain: Literal["general", "robotic"]
    question: str
    """What it asks, in one line, for people."""
    cells: tuple[tuple[int, int], ...]
    """(number of images, index of the right option), in turn."""
    variants: int
    """How many variants are taken in turn."""
    draft: Callable[[Any, Slot, np.random.Generator, Rules], Draft | Refusal]
    """Drafts one sample from a `PointPool` (general) or an `EpisodePair` (robotic)."""
    eval_count: int
    """Samples of this task in XVR-Eval (inferred from its published table), or in our own held-out
    split when the task is an extended one."""
    min_views: int = 16
    """Views of a scene that a general task chooses among, however few samples it makes."""
    min_instants: int = 6
    """Instants of an episode that a robotic task chooses among, however few samples it makes."""

    def slot(self, split: str, index: int) -> Slot:
        """What the index-th sample of a split must be.

        Every cell goes through all variants, each from another one: so few samples vary too.
        """
        turn, cell = divmod(index, len(self.cells))
        images, answer = self.cells[cell]
        return Slot(
            task=self.name,
            split=split,
            index=index,
            answer=answer,
            images=images,
            variant=(turn + VARIANTS_APART * cell) % self.variants,
        )


VARIANTS_APART = 7
"""Between the first variants of two cells; shares no factor with the number of variants."""


def cells(
    images: range | tuple[int, ...], options: Callable[[int], int]
) -> tuple[tuple[int, int], ...]:
    """All (number of images, right option) pairs, the option changing fastest."""
    return tuple((count, answer) for count in images for answer in range(options(count)))
